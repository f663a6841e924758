//! Labels on pictures that leave: for people in the picture, for programs in its metadata. `docs/labels.md` says what laws ask for.
use std::path::Path;

pub use pinxit_image::LabelLaw;
use pinxit_image::{Disclosure, LatentLabel, Metadata, Picture, Stated, draw_label};

use crate::settings::{LabelWord, VisibleLabel};
use crate::{Error, Result, Studio, keys};

/// The usual words.
const USUAL: &str = "AI-generated";
/// The usual words in China: an element that says AI and one that says generated (GB 45438-2025, 5.1).
const USUAL_CHINA: &str = "AI生成";

/// The labels of one command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// What is written into the picture.
    text: Option<String>,
    /// The laws in whose form the metadata says it.
    laws: Vec<LabelLaw>,
}

impl Labels {
    /// What was asked for, refused where it contradicts itself or a law.
    pub fn of(visible: &VisibleLabel, words: &[LabelWord]) -> Result<Self> {
        if words.contains(&LabelWord::None) && words.len() > 1 {
            return Err(setting("a label and none contradict each other", "leave --label none away"));
        }
        let mut laws: Vec<LabelLaw> = words.iter().filter_map(|word| word.law()).collect();
        laws.sort();
        laws.dedup();
        let is_china = laws.contains(&LabelLaw::China);
        let usual = if is_china { USUAL_CHINA } else { USUAL };
        let text = match visible {
            VisibleLabel::None => None,
            VisibleLabel::Auto => is_china.then(|| usual.to_string()),
            VisibleLabel::Usual => Some(usual.to_string()),
            VisibleLabel::Text(text) => Some(text.clone()),
        };
        let says = |elements: [&str; 2]| text.as_ref().is_none_or(|text| elements.iter().any(|e| text.contains(e)));
        if is_china && !(says(["AI", "人工智能"]) && says(["生成", "合成"])) {
            let message = format!("\"{}\" is no label in China", text.unwrap_or_default());
            return Err(setting(
                &message,
                "GB 45438 asks for AI or 人工智能, and for 生成 or 合成: leave the text away for AI生成",
            ));
        }
        Ok(Labels { text, laws })
    }

    /// Whether there is nothing to do.
    pub fn is_none(&self) -> bool {
        self.text.is_none() && self.laws.is_empty()
    }

    /// What is written into the picture, if anything is.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The laws whose label goes into the metadata.
    pub fn laws(&self) -> &[LabelLaw] {
        &self.laws
    }

    /// The picture with its visible label.
    pub(crate) fn drawn(&self, mut picture: Picture) -> Result<Picture> {
        if let Some(text) = &self.text {
            draw_label(&mut picture, text)?;
        }
        Ok(picture)
    }

    /// What the metadata says of them, if it shall say anything.
    pub(crate) fn latent(&self, disclosure: &Disclosure) -> Option<LatentLabel> {
        (!self.laws.is_empty()).then(|| LatentLabel { disclosure: disclosure.clone(), laws: self.laws.clone() })
    }

    /// Metadata with that in it.
    pub(crate) fn told(&self, about: Metadata, disclosure: &Disclosure) -> Metadata {
        Metadata { visible_label: self.text.clone(), label: self.latent(disclosure), ..about }
    }
}

fn setting(message: &str, hint: &str) -> Error {
    Error::Setting { message: message.into(), hint: hint.into() }
}

/// A picture that `provider` lets out now, with a number that no other has.
pub(crate) fn disclose(provider: &str) -> Disclosure {
    Disclosure {
        provider: provider.into(),
        system: "pinxit".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        when: crate::ledger::now(),
        id: uuid::Uuid::new_v4().urn().to_string(),
    }
}

/// The same, but for a picture of this recipe that lies there with labels already: it keeps its time and its number, so that painting
/// it once more changes nothing.
pub(crate) fn disclose_again(provider: &str, path: &Path, recipe: Option<&str>) -> Disclosure {
    let fresh = disclose(provider);
    let Ok(found) = fs_err::read(path) else { return fresh };
    let is_same = recipe.is_some() && pinxit_image::read_recipe(&found).ok().flatten().as_deref() == recipe;
    let stated = pinxit_image::info(&found).ok().filter(|_| is_same).map(|info| info.stated).unwrap_or_default();
    match number(&stated) {
        Some(id) => Disclosure { id, when: stated.when.unwrap_or(fresh.when), ..fresh },
        None => fresh,
    }
}

/// The number that a file's metadata states. Ours has no sign in it that China's label would have to encode.
fn number(stated: &Stated) -> Option<String> {
    let of_china = || -> Option<String> {
        let json: serde_json::Value = serde_json::from_str(stated.aigc.as_deref()?).ok()?;
        json["ProduceID"].as_str().map(String::from)
    };
    stated.id.clone().or_else(of_china).filter(|id| id.starts_with("urn:uuid:"))
}

/// Who provides the pictures of a studio: the name of its key. Without one it is the name that a key of its own would have.
pub(crate) fn provider(studio: &Studio) -> String {
    studio.keys().chain().map_or_else(|_| keys::STUDIO.into(), |chain| chain.signer.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_fit_the_law() {
        let labels = |visible: VisibleLabel, words: &[LabelWord]| Labels::of(&visible, words);
        let text = |visible, words: &[LabelWord]| labels(visible, words).unwrap().text;
        assert_eq!(text(VisibleLabel::Auto, &[]), None);
        assert_eq!(text(VisibleLabel::Usual, &[]).as_deref(), Some("AI-generated"));
        assert_eq!(text(VisibleLabel::Auto, &[LabelWord::Sb942]), None, "California lets the person choose");
        assert_eq!(text(VisibleLabel::Auto, &[LabelWord::Cn]).as_deref(), Some("AI生成"));
        assert_eq!(text(VisibleLabel::None, &[LabelWord::Cn]), None, "as the person says");
        let german = VisibleLabel::Text("KI-generiert".into());
        assert_eq!(text(german.clone(), &[LabelWord::Sb942]).as_deref(), Some("KI-generiert"));
        let refused = labels(german, &[LabelWord::Cn]).unwrap_err();
        assert!(refused.hint().unwrap().contains("AI生成"), "{refused}");
        assert!(labels(VisibleLabel::Text("人工智能生成合成".into()), &[LabelWord::Cn]).is_ok());
        assert!(labels(VisibleLabel::Auto, &[LabelWord::None, LabelWord::Cn]).is_err());
        assert!(labels(VisibleLabel::Auto, &[LabelWord::None]).unwrap().is_none());
    }

    #[test]
    fn numbers_differ_and_are_kept_with_their_picture() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        let (one, other) = (disclose("Jane"), disclose("Jane"));
        assert_ne!(one.id, other.id);
        let labels = Labels::of(&VisibleLabel::Auto, &[LabelWord::Cn]).unwrap();
        let about = pinxit_image::Metadata { recipe: Some("{}".into()), label: labels.latent(&one), ..Default::default() };
        let bytes = pinxit_image::encode(&Picture::filled(8, 8, [1; 3]), pinxit_image::Encoding::Png, &about).unwrap();
        fs_err::write(&path, bytes).unwrap();
        assert_eq!(disclose_again("Jane", &path, Some("{}")).id, one.id);
        assert_ne!(disclose_again("Jane", &path, Some("{\"seed\":2}")).id, one.id, "another picture has another number");
    }
}
