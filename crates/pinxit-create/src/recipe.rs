//! The recipe: what a picture was painted with, as JSON that travels inside the file.
use pinxit_image::Picture;
use serde::{Deserialize, Serialize};

use crate::{Error, Operation, Result};

/// Version of the recipe format that this crate writes and reads.
pub const VERSION: u64 = 1;

/// Everything needed to paint a picture again.
///
/// Unknown fields are refused: leaving one out silently would paint another picture and call it the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Format version, [`VERSION`].
    pub v: u64,
    /// Program that first painted it, such as `pinxit 0.1.0`.
    pub software: String,
    /// The model.
    pub model: ModelRef,
    /// Seed of the latent; used whole, stream `latents`.
    pub seed: u64,
    /// Class name, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Style name, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// What the picture shall show, in words: read by models that learnt captions, kept for people by all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Truncation towards the mean picture: 1 none, 0 the mean (Karras et al. 2019, section B).
    pub psi: f64,
    /// Edits after sampling, in order.
    #[serde(default)]
    pub operations: Vec<Operation>,
}

/// Which model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRef {
    /// Hash of the model file, hexadecimal.
    pub hash: String,
    /// Name at the time of painting; for people only.
    pub name: String,
}

impl Recipe {
    /// A plain sample: no labels, psi 1, no operations.
    pub fn sample(model: ModelRef, seed: u64) -> Self {
        Recipe {
            v: VERSION,
            software: concat!("pinxit ", env!("CARGO_PKG_VERSION")).into(),
            model,
            seed,
            class: None,
            style: None,
            caption: None,
            psi: 1.0,
            operations: Vec::new(),
        }
    }

    /// One line of JSON, the same for the same recipe.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::Malformed(e.to_string()))
    }

    /// Short name of this very recipe, for lineages: 16 hex digits of the BLAKE3 of its JSON.
    pub fn id(&self) -> Result<String> {
        Ok(blake3::hash(self.to_json()?.as_bytes()).to_hex()[..16].to_string())
    }

    /// Reads what [`Recipe::to_json`] wrote. The version is looked at first, so that a later format is named as such.
    pub fn from_json(text: &str) -> Result<Self> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|e| Error::Malformed(e.to_string()))?;
        match value.get("v") {
            Some(v) if v.as_u64() == Some(VERSION) => {}
            Some(v) => return Err(Error::Version { found: v.to_string() }),
            None => return Err(Error::Malformed("it states no version \"v\"".into())),
        }
        Operation::check_names(&value)?;
        let recipe: Recipe = serde_json::from_value(value).map_err(|e| Error::Malformed(e.to_string()))?;
        recipe.check()?;
        Ok(recipe)
    }

    /// Refuses what cannot be painted by any model: psi out of range, operations with parameters out of range.
    pub fn check(&self) -> Result<()> {
        if !(-2.0..=2.0).contains(&self.psi) {
            return Err(Error::Psi(self.psi));
        }
        self.operations.iter().try_for_each(Operation::check)
    }

    /// Width and height, px, of the finished picture, where the model paints `painted`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond 8192 px a side.
    pub fn sides(&self, painted: (u32, u32)) -> Result<(u32, u32)> {
        self.operations.iter().try_fold(painted, |sides, operation| operation.sides(sides))
    }

    /// The finished picture: what the model painted, with every operation done to it, in order.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn finish(&self, painted: &Picture) -> Result<Picture> {
        self.operations.iter().try_fold(painted.clone(), |picture, operation| operation.apply(&picture))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        let mut r = Recipe::sample(ModelRef { hash: "ab".into(), name: "trees".into() }, u64::MAX);
        r.class = Some("oak \"old\"".into());
        r.psi = 0.7;
        r
    }

    #[test]
    fn survives_json_with_the_whole_seed() {
        let text = recipe().to_json().unwrap();
        assert!(text.contains("18446744073709551615") && !text.contains('\n'), "{text}");
        let back = Recipe::from_json(&text).unwrap();
        assert_eq!(back, recipe());
        assert_eq!(back.to_json().unwrap(), text);
    }

    /// Word for word: recipes in files of the world do not change.
    #[test]
    fn the_golden_recipe_of_an_enlarged_picture() {
        let golden = r#"{"v":1,"software":"pinxit 0.1.0","model":{"hash":"ab","name":"trees"},"seed":18446744073709551615,"class":"oak \"old\"","psi":0.7,"operations":[{"op":"enlarge","times":4}]}"#;
        let mut wanted = recipe();
        wanted.software = "pinxit 0.1.0".into();
        wanted.operations = vec![Operation::Enlarge { times: 4 }];
        let back = Recipe::from_json(golden).unwrap();
        assert_eq!(back, wanted);
        assert_eq!(back.to_json().unwrap(), golden);
        assert_eq!(back.sides((64, 48)).unwrap(), (256, 192));
        let large = back.finish(&Picture::filled(64, 48, [7; 3])).unwrap();
        assert_eq!(large, Picture::filled(256, 192, [7; 3]));
        wanted.operations = vec![Operation::Enlarge { times: 8 }; 3];
        assert!(matches!(wanted.sides((64, 64)), Err(Error::TooLarge { width: 4096, .. })));
    }

    #[test]
    fn says_what_is_wrong() {
        let good = recipe().to_json().unwrap();
        let later = good.replace("\"v\":1", "\"v\":2");
        assert!(matches!(Recipe::from_json(&later), Err(Error::Version { found }) if found == "2"));
        let extra = good.replace("\"v\":1", "\"v\":1,\"bend\":3");
        assert!(matches!(Recipe::from_json(&extra), Err(Error::Malformed(m)) if m.contains("bend")));
        let edited = good.replace("\"operations\":[]", "\"operations\":[{\"op\":\"melt\",\"layer\":3}]");
        assert!(matches!(Recipe::from_json(&edited), Err(Error::Operation(op)) if op == "melt"));
        for times in [0, 1, 9, u32::MAX] {
            let wild = good.replace("[]", &format!("[{{\"op\":\"enlarge\",\"times\":{times}}}]"));
            assert!(matches!(Recipe::from_json(&wild), Err(Error::Times { times: n }) if n == times), "{times}");
        }
        let wild = good.replace("\"psi\":0.7", "\"psi\":70");
        assert!(matches!(Recipe::from_json(&wild), Err(Error::Psi(_))));
        for text in ["", "{}", "[1]", "{\"v\":1}", "\u{0}"] {
            assert!(matches!(Recipe::from_json(text), Err(Error::Malformed(_))), "{text}");
        }
    }
}
