//! Edits after sampling: what a recipe asks for beyond the picture that the model paints.
use pinxit_image::{Limits, Picture};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// One edit. In JSON the variant is the field `op`, in kebab-case, beside its parameters: `{"op":"enlarge","times":4}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Operation {
    /// Both sides so many times longer (Catmull-Rom in linear light, [`pinxit_image::resize`]).
    Enlarge {
        /// 2 to [`Operation::MOST_TIMES`].
        times: u32,
    },
}

impl Operation {
    /// The largest enlargement.
    pub const MOST_TIMES: u32 = 8;
    /// Every name in the field `op`.
    const NAMES: [&'static str; 1] = ["enlarge"];

    /// Refuses a recipe in JSON that holds an operation of a later pinxit, by its name.
    pub(crate) fn check_names(recipe: &serde_json::Value) -> Result<()> {
        let all = recipe.get("operations").and_then(serde_json::Value::as_array).into_iter().flatten();
        match all.filter_map(|operation| operation.get("op")?.as_str()).find(|name| !Self::NAMES.contains(name)) {
            Some(name) => Err(Error::Operation(name.into())),
            None => Ok(()),
        }
    }

    /// Refuses parameters that no picture can be edited with.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Operation::Enlarge { times } if !(2..=Self::MOST_TIMES).contains(times) => Err(Error::Times { times: *times }),
            Operation::Enlarge { .. } => Ok(()),
        }
    }

    /// Width and height, px, of what it makes of a picture of `sides`.
    pub(crate) fn sides(&self, (width, height): (u32, u32)) -> Result<(u32, u32)> {
        let most = Limits::default().max_side_px;
        match self {
            Operation::Enlarge { times } => {
                let large = |side: u32| side.checked_mul(*times).filter(|side| *side <= most);
                large(width).zip(large(height)).ok_or(Error::TooLarge { width, height, times: *times, most })
            }
        }
    }

    /// The edited picture.
    pub(crate) fn apply(&self, picture: &Picture) -> Result<Picture> {
        let (width, height) = self.sides((picture.width(), picture.height()))?;
        match self {
            Operation::Enlarge { .. } => Ok(pinxit_image::resize(picture, width, height)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_known_by_its_name_and_keeps_its_form() {
        let all = [(Operation::Enlarge { times: 4 }, r#"{"op":"enlarge","times":4}"#)];
        assert_eq!(all.len(), Operation::NAMES.len());
        for (operation, text) in all {
            assert_eq!(serde_json::to_string(&operation).unwrap(), text);
            assert_eq!(serde_json::from_str::<Operation>(text).unwrap(), operation);
            let recipe = serde_json::json!({ "operations": [operation] });
            Operation::check_names(&recipe).unwrap();
        }
    }

    #[test]
    fn what_it_does_not_understand_it_does_not_leave_out() {
        for text in [r#"{"op":"enlarge"}"#, r#"{"op":"enlarge","times":4,"sharp":1}"#, r#"{"op":"enlarge","times":2.5}"#] {
            assert!(serde_json::from_str::<Operation>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn enlarging_multiplies_both_sides_within_the_limit() {
        let four = Operation::Enlarge { times: 4 };
        let picture = Picture::from_fn(6, 4, |x, y| [(x * 40) as u8, (y * 60) as u8, 9]);
        let large = four.apply(&picture).unwrap();
        assert_eq!((large.width(), large.height()), (24, 16));
        assert_eq!(large.get(0, 0).map(|p| p[2]), Some(9));
        assert_eq!(four.sides((2048, 64)).unwrap(), (8192, 256));
        assert!(matches!(four.sides((64, 2049)), Err(Error::TooLarge { width: 64, height: 2049, times: 4, most: 8192 })));
        assert!(four.sides((u32::MAX, 1)).is_err());
    }
}
