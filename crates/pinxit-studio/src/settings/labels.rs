//! Settings of labels: `visible-label = true`, `"KI-generiert"`, `false` or `"auto"`; `label = ["cn"]`.
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const AUTO: &str = "auto";
const NONE: &str = "none";
const USUAL: &str = "usual";

/// What is written into a picture for people to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VisibleLabel {
    /// The usual words, where a law whose label is asked for wants some; else nothing.
    #[default]
    Auto,
    /// Nothing.
    None,
    /// The usual words.
    Usual,
    /// These.
    Text(String),
}

impl FromStr for VisibleLabel {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.trim() {
            AUTO => VisibleLabel::Auto,
            NONE | "false" => VisibleLabel::None,
            "" | USUAL | "true" => VisibleLabel::Usual,
            text => VisibleLabel::Text(text.into()),
        })
    }
}

impl fmt::Display for VisibleLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            VisibleLabel::Auto => AUTO,
            VisibleLabel::None => NONE,
            VisibleLabel::Usual => USUAL,
            VisibleLabel::Text(text) => text,
        })
    }
}

impl Serialize for VisibleLabel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            VisibleLabel::None => serializer.serialize_bool(false),
            VisibleLabel::Usual => serializer.serialize_bool(true),
            other => serializer.collect_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for VisibleLabel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Either of the two ways to write it.
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "true, false, or the text of the label")]
        enum Written {
            Switch(bool),
            Text(String),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Switch(true) => VisibleLabel::Usual,
            Written::Switch(false) => VisibleLabel::None,
            Written::Text(text) => text.parse().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{GeneratePartial, LabelWord};

    #[test]
    fn labels_read_as_people_write_them() {
        let parsed = |text: &str| toml::from_str::<GeneratePartial>(text).unwrap();
        assert_eq!(parsed("visible-label = true").visible_label, Some(VisibleLabel::Usual));
        assert_eq!(parsed("visible-label = false").visible_label, Some(VisibleLabel::None));
        assert_eq!(parsed("visible-label = \"auto\"").visible_label, Some(VisibleLabel::Auto));
        assert_eq!(
            parsed("visible-label = \"KI\"\nlabel = [\"cn\", \"sb942\"]").visible_label,
            Some(VisibleLabel::Text("KI".into()))
        );
        assert_eq!(parsed("label = [\"cn\", \"sb942\"]").label, Some(vec![LabelWord::Cn, LabelWord::Sb942]));
        let error = toml::from_str::<GeneratePartial>("visible-label = 3").unwrap_err().to_string();
        assert!(error.contains("true, false, or the text"), "{error}");
    }

    #[test]
    fn what_is_shown_can_be_written_into_a_file() {
        for label in [VisibleLabel::Auto, VisibleLabel::None, VisibleLabel::Usual, VisibleLabel::Text("KI".into())] {
            let text = serde_json::to_string(&label).unwrap();
            assert_eq!(serde_json::from_str::<VisibleLabel>(&text).unwrap(), label, "{text}");
            assert_eq!(label.to_string().parse(), Ok(label));
        }
        assert_eq!("true".parse(), Ok(VisibleLabel::Usual), "as a variable of the environment says it");
    }
}
