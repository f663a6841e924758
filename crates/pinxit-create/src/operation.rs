//! Edits after sampling: what a recipe asks for beyond the picture of its seed. Those of latents come first in effect, then those of the maps
//! inside the network, then those of the finished picture; each kind in the order of the list.
use pinxit_image::{Limits, Picture};
use serde::{Deserialize, Serialize};

use crate::bend::Bend;
use crate::{Error, Numbers, Result};

/// One edit. In JSON the variant is the field `op`, in kebab-case, beside its parameters: `{"op":"enlarge","times":4}`.
///
/// `stages` names the stages whose w is changed, from 0, the coarsest; all of them where it is left away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Operation {
    /// z moved along the great circle to that of another seed. Comes before all others: they change what the network has made of z.
    Slerp {
        /// The other seed.
        seed: u64,
        /// How far: 0 here, 1 there.
        by: f64,
    },
    /// w moved straight to that of another sample: style mixing at 1, between classes and styles below, beyond them above.
    Mix {
        /// The other sample's seed.
        seed: u64,
        /// Its class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
        /// Its style.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        style: Option<String>,
        /// Its words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
        /// Its truncation.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        psi: f64,
        /// How far: 0 here, 1 there, above 1 beyond.
        by: f64,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stages: Option<Vec<usize>>,
    },
    /// w drawn to the mean w of the recipe's labels: the truncation of some stages.
    Truncate {
        /// 1 leaves it, 0 is the mean.
        psi: f64,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stages: Option<Vec<usize>>,
    },
    /// w moved along a direction.
    Move {
        /// What the artist calls it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The direction, of length `w_dim`.
        direction: Numbers,
        /// How many of its lengths.
        by: f64,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stages: Option<Vec<usize>>,
    },
    /// w replaced: by what a projection or a drag has found, or by another parent's.
    Latents {
        /// How they were found: `projection`, `drag`, `breeding`.
        from: String,
        /// [`Recipe::id`](crate::Recipe::id) of the pictures they come from.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parents: Vec<String>,
        /// One w for each stage of the model, coarse to fine.
        w: Numbers,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stages: Option<Vec<usize>>,
    },
    /// Normal noise added to w, the same in every stage.
    Mutate {
        /// Of the noise.
        seed: u64,
        /// How strong, in deviations of w.
        by: f64,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stages: Option<Vec<usize>>,
    },
    /// A map inside the network is changed.
    Bend(Bend),
    /// Both sides so many times longer (Catmull-Rom in linear light, [`pinxit_image::resize`]).
    Enlarge {
        /// 2 to [`Operation::MOST_TIMES`].
        times: u32,
    },
}

fn one() -> f64 {
    1.0
}

fn is_one(psi: &f64) -> bool {
    *psi == 1.0
}

impl Operation {
    /// The largest enlargement.
    pub const MOST_TIMES: u32 = 8;
    /// Every name in the field `op`.
    const NAMES: [&'static str; 8] = ["slerp", "mix", "truncate", "move", "latents", "mutate", "bend", "enlarge"];
    /// Beyond this nothing is painted but noise.
    const MOST: f64 = 1000.0;

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
        let numbers = match self {
            Operation::Enlarge { times } if !(2..=Self::MOST_TIMES).contains(times) => {
                return Err(Error::Times { times: *times });
            }
            Operation::Slerp { by, .. } | Operation::Move { by, .. } | Operation::Mutate { by, .. } => [*by, 1.0],
            Operation::Mix { by, psi, .. } => [*by, *psi],
            Operation::Truncate { psi, .. } => [*psi, 1.0],
            Operation::Latents { .. } | Operation::Bend(_) | Operation::Enlarge { .. } => [1.0, 1.0],
        };
        match numbers.into_iter().find(|v| !v.is_finite() || v.abs() > Self::MOST) {
            Some(v) => Err(Error::Misfit(format!("{v} is beyond {} either way", Self::MOST))),
            None => Ok(()),
        }
    }

    /// The stages it names.
    pub(crate) fn stages(&self) -> Option<&[usize]> {
        match self {
            Operation::Mix { stages, .. }
            | Operation::Truncate { stages, .. }
            | Operation::Move { stages, .. }
            | Operation::Latents { stages, .. }
            | Operation::Mutate { stages, .. } => stages.as_deref(),
            Operation::Slerp { .. } | Operation::Bend(_) | Operation::Enlarge { .. } => None,
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
            _ => Ok((width, height)),
        }
    }

    /// The edited picture; what is done while it is painted changes nothing more.
    pub(crate) fn apply(&self, picture: &Picture) -> Result<Picture> {
        let (width, height) = self.sides((picture.width(), picture.height()))?;
        match self {
            Operation::Enlarge { .. } => Ok(pinxit_image::resize(picture, width, height)?),
            _ => Ok(picture.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_known_by_its_name_and_keeps_its_form() {
        let w = Numbers(vec![1.0]);
        let act = crate::bend::Act::Multiply(2.0);
        let all = [
            (Operation::Slerp { seed: 7, by: 0.5 }, r#"{"op":"slerp","seed":7,"by":0.5}"#),
            (
                Operation::Mix {
                    seed: 7,
                    class: Some("oak".into()),
                    style: None,
                    caption: None,
                    psi: 1.0,
                    by: 1.0,
                    stages: Some(vec![2]),
                },
                r#"{"op":"mix","seed":7,"class":"oak","by":1.0,"stages":[2]}"#,
            ),
            (Operation::Truncate { psi: 0.5, stages: None }, r#"{"op":"truncate","psi":0.5}"#),
            (
                Operation::Move { name: Some("light".into()), direction: w.clone(), by: 2.0, stages: None },
                r#"{"op":"move","name":"light","direction":"AACAPw==","by":2.0}"#,
            ),
            (
                Operation::Latents { from: "drag".into(), parents: vec!["0a".into()], w, stages: None },
                r#"{"op":"latents","from":"drag","parents":["0a"],"w":"AACAPw=="}"#,
            ),
            (Operation::Mutate { seed: 3, by: 0.2, stages: None }, r#"{"op":"mutate","seed":3,"by":0.2}"#),
            (
                Operation::Bend(Bend { stage: 2, act, channels: None, area: None }),
                r#"{"op":"bend","stage":2,"do":{"multiply":2.0}}"#,
            ),
            (Operation::Enlarge { times: 4 }, r#"{"op":"enlarge","times":4}"#),
        ];
        assert_eq!(all.len(), Operation::NAMES.len());
        for (operation, text) in all {
            assert_eq!(serde_json::to_string(&operation).unwrap(), text);
            assert_eq!(serde_json::from_str::<Operation>(text).unwrap(), operation);
            let recipe = serde_json::json!({ "operations": [operation] });
            Operation::check_names(&recipe).unwrap();
        }
    }

    /// No kind of operation without a picture that holds it to what it means.
    #[test]
    fn every_operation_has_a_golden_recipe() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recipes");
        let texts = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.extension().unwrap() == "json");
        let golden: String = texts.map(|path| std::fs::read_to_string(path).unwrap()).collect();
        for name in Operation::NAMES {
            assert!(golden.contains(&format!(r#"{{"op":"{name}""#)), "tests/recipes has none with {name}");
        }
    }

    #[test]
    fn what_it_does_not_understand_it_does_not_leave_out() {
        for text in [
            r#"{"op":"enlarge"}"#,
            r#"{"op":"enlarge","times":4,"sharp":1}"#,
            r#"{"op":"enlarge","times":2.5}"#,
            r#"{"op":"bend","stage":1,"do":"mirror","hard":1}"#,
        ] {
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
