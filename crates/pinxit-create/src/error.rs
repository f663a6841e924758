//! What can go wrong between a recipe and its picture.
use crate::near;

/// A recipe that cannot be read or painted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not JSON, or not a recipe.
    #[error("this is not a recipe that can be read: {0}")]
    Malformed(String),
    /// The recipe was written by a later pinxit.
    #[error("the recipe has version {found}; this pinxit reads version {}", crate::VERSION)]
    Version {
        /// Version the recipe states.
        found: String,
    },
    /// The recipe holds an edit that this version cannot make.
    #[error("the recipe asks for the operation \"{0}\", which this pinxit does not know")]
    Operation(String),
    /// An enlargement that is none, or too strong.
    #[error("the recipe enlarges {times} times: that is a whole number from 2 to {most}", most = crate::Operation::MOST_TIMES)]
    Times {
        /// How many times.
        times: u32,
    },
    /// An enlargement beyond the largest picture.
    #[error("a picture of {width} x {height} px, {times} times enlarged, is beyond {most} px a side")]
    TooLarge {
        /// Width before, px.
        width: u32,
        /// Height before, px.
        height: u32,
        /// How many times.
        times: u32,
        /// The longest side there may be, px.
        most: u32,
    },
    /// An operation failed.
    #[error(transparent)]
    Image(#[from] pinxit_image::Error),
    /// Psi is not a number between -2 and 2.
    #[error("psi {0} is out of range: it is a number from -2 to 2")]
    Psi(f64),
    /// A class or style the model has not learnt.
    #[error("the model knows no {kind} \"{wanted}\"")]
    Label {
        /// `class` or `style`.
        kind: &'static str,
        /// What was asked for.
        wanted: String,
        /// What the model was trained with.
        known: Vec<String>,
    },
    /// The recipe names another model's hash.
    #[error("the recipe was painted with model {wanted}, this one is {found}")]
    OtherModel {
        /// Hash in the recipe.
        wanted: String,
        /// Hash of the model at hand.
        found: String,
    },
    /// The network painted something that is not a number.
    #[error("the model painted values that are not numbers (seed {seed})")]
    NotFinite {
        /// Seed of the picture.
        seed: u64,
    },
}

impl Error {
    /// What a person can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Malformed(_) => Some("recipes are written by `pinxit generate`; `pinxit info FILE` shows one".into()),
            Error::Version { .. } | Error::Operation(_) => Some("a newer pinxit wrote it: update, then try again".into()),
            Error::Times { .. } => Some("to keep the size as it was painted, leave the enlargement away".into()),
            Error::TooLarge { width, height, most, .. } => Some(enlarge_hint(most / width.max(height))),
            Error::Image(e) => e.hint().map(String::from),
            Error::Psi(_) => Some("1 is full variety, 0.7 is calmer, 0 is the average picture".into()),
            Error::Label { kind, wanted, known } => Some(label_hint(kind, wanted, known)),
            Error::OtherModel { .. } => Some("`pinxit models list` shows the hash of each model you have".into()),
            Error::NotFinite { .. } => Some("the weights are damaged or the training diverged: take an earlier snapshot".into()),
        }
    }
}

fn enlarge_hint(most: u32) -> String {
    if most < 2 { "leave the enlargement away".into() } else { format!("enlarge it {most} times at most") }
}

fn label_hint(kind: &str, wanted: &str, known: &[String]) -> String {
    if known.is_empty() {
        return format!("this model was trained without {kind} labels: leave --{kind} away");
    }
    near::hint(wanted, &known.iter().map(String::as_str).collect::<Vec<_>>(), "it knows")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(wanted: &str, known: &[&str]) -> String {
        let known = known.iter().map(|s| s.to_string()).collect();
        Error::Label { kind: "class", wanted: wanted.into(), known }.hint().unwrap()
    }

    #[test]
    fn near_names_are_offered_first() {
        assert_eq!(label("landscpae", &["portrait", "landscape"]), "did you mean \"landscape\"?");
        assert_eq!(label("zebra", &["portrait", "landscape"]), "it knows \"portrait\", \"landscape\"");
        assert_eq!(label("x", &[]), "this model was trained without class labels: leave --class away");
    }

    #[test]
    fn a_long_list_is_cut() {
        let known: Vec<String> = (0..40).map(|i| format!("flower-{i}")).collect();
        let hint = Error::Label { kind: "class", wanted: "q".into(), known }.hint().unwrap();
        assert!(hint.ends_with("\"flower-11\" and 28 more"), "{hint}");
    }
}
