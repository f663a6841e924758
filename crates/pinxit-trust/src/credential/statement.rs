//! What a credential says, in terms of the studio.
use pinxit_image::Disclosure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything one credential says.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    /// Title of the picture, usually its file name.
    pub title: String,
    /// How the picture came to be.
    pub making: Making<'a>,
    /// Pictures that the model was given to work from; the one that an edit began from is not among them.
    pub inputs: Vec<Ingredient<'a>>,
    /// Who made it, as the person wants to be named; `None` names nobody beside the certificate.
    pub creator: Option<String>,
    /// The recipe that paints it again, JSON, word for word as it stands in the file.
    pub recipe: Option<String>,
    /// The model that painted it.
    pub model: Option<ModelStatement>,
    /// What the person did and decided, in short, as far as it is known.
    pub authorship: Option<Value>,
    /// Where the signer's ledger ended, `COUNT:HASH`: should it lose that place, the credential tells.
    pub ledger: Option<String>,
    /// What others may do with the picture in training.
    pub training: TrainingUse,
    /// The watermark in the pixels, if there is one.
    pub watermark: Option<SoftBinding>,
    /// The fingerprint (ISCC) of the picture, if one was computed.
    pub fingerprint: Option<SoftBinding>,
    /// Who provides the picture, made with what, when, and its number: what laws ask to be stated. The time is the signer's own word,
    /// no authority confirms it.
    pub disclosure: Disclosure,
}

/// How a picture came to be.
#[derive(Clone, Debug)]
pub enum Making<'a> {
    /// Nothing but this act made it.
    Created(SourceType),
    /// It is an edit of another picture, which is kept as its parent, credential included.
    Edited {
        /// The other picture.
        parent: Ingredient<'a>,
        /// What was done, in order; nothing where the file is published as it is.
        edits: Vec<Edit>,
    },
}

impl Making<'_> {
    pub(crate) fn parent(&self) -> Option<&Ingredient<'_>> {
        match self {
            Making::Created(_) => None,
            Making::Edited { parent, .. } => Some(parent),
        }
    }
}

/// Another picture that had a part in this one.
#[derive(Clone, Debug)]
pub struct Ingredient<'a> {
    /// Its file, as found.
    pub bytes: &'a [u8],
    /// Its title, usually the file's name.
    pub title: String,
}

/// One thing that was done to a picture.
#[derive(Clone, Debug)]
pub struct Edit {
    /// C2PA's name of it (C2PA 2.2, 18.16.2), such as `c2pa.edited`, `c2pa.resized`, `c2pa.filtered`.
    pub action: String,
    /// In a few words, for people.
    pub description: String,
    /// Set where the result is of another kind than the parent, such as a photograph painted over by a model.
    pub source: Option<SourceType>,
}

/// IPTC's digital source types that a picture of a studio can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceType {
    /// A trained model made it.
    TrainedAlgorithmicMedia,
    /// A trained model made a part of it.
    CompositeWithTrainedAlgorithmicMedia,
    /// A person made it with a digital tool.
    DigitalCreation,
    /// A camera took it.
    DigitalCapture,
}

impl SourceType {
    /// The term.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::TrainedAlgorithmicMedia => pinxit_image::TRAINED_ALGORITHMIC_MEDIA,
            Self::CompositeWithTrainedAlgorithmicMedia => {
                "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
            }
            Self::DigitalCreation => "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation",
            Self::DigitalCapture => "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
        }
    }
}

/// The model behind a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStatement {
    /// Its name, for people.
    pub name: String,
    /// Hash of the model, hexadecimal, as recipes name it.
    pub hash: String,
    /// Hash of the manifest of the dataset it learnt from, if the model says one.
    pub dataset_manifest: Option<String>,
}

/// What others may do with a picture in training (CAWG training and data mining, 1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainingUse {
    /// Nothing.
    #[default]
    NotAllowed,
    /// Everything.
    Allowed,
}

impl TrainingUse {
    pub(crate) fn word(self) -> &'static str {
        match self {
            TrainingUse::NotAllowed => "notAllowed",
            TrainingUse::Allowed => "allowed",
        }
    }
}

/// Something that finds the credential again when it was stripped from the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SoftBinding {
    /// Name of the algorithm, such as `io.iscc.v0`.
    pub alg: String,
    /// Its value.
    pub value: String,
}
