//! The answer of a verification. It serialises as `pinxit verify --json` prints it.
use std::collections::BTreeMap;

use pinxit_image::Format;
use serde::Serialize;
use serde_json::Value;

use crate::credential::SoftBinding;

/// Everything found out about one file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The file's format, by content.
    pub format: Format,
    /// Whether there is a credential that holds.
    pub state: State,
    /// First fact: the file is, bit for bit, what was signed. `None` where nothing was signed.
    pub intact: Option<bool>,
    /// Second fact: the name in the certificate. Anybody can put any name there.
    pub signer: Option<SignerFact>,
    /// Third fact: whether the one who asks trusts that certificate's root.
    pub trust: Trust,
    /// What is wrong; without anything, the credential holds.
    pub problems: Vec<Problem>,
    /// What the credential says. Where the state is [`State::Invalid`], nobody stands for any of it.
    pub says: Option<Said>,
    /// The address of a credential that lies elsewhere; it is never fetched.
    pub elsewhere: Option<String>,
}

/// Whether there is a credential, and holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// There is one, and nothing is wrong with it; whether its signer is trusted is another matter.
    Valid,
    /// There is one, and it does not hold.
    Invalid,
    /// There is none.
    Missing,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignerFact {
    /// Common name.
    pub name: String,
    /// Organisation.
    pub organisation: Option<String>,
    /// Common name of the certificate its chain ends in, as far as the file shows it.
    pub root: String,
    /// SHA-256 of that certificate, hexadecimal.
    pub root_fingerprint: String,
    /// Whether that certificate vouches for itself.
    pub self_issued: bool,
    /// First day of the signer's certificate, UTC.
    pub valid_from: String,
    /// Last day of it, UTC.
    pub valid_until: String,
    /// The time an authority has confirmed, RFC 3339; pictures of pinxit have none.
    pub timestamp: Option<String>,
}

/// Whether the one who asks trusts the signer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Trust {
    /// It is her own key.
    Own,
    /// She has said so: `pinxit keys trust`.
    Trusted {
        /// What she calls that root.
        name: String,
    },
    /// The chain ends in a root she has said nothing about.
    Unrecognised,
    /// There is no signature to trust, or it does not hold.
    Nobody,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// C2PA's code (C2PA 2.2, 15.2.2), or `unreadable`.
    pub code: String,
    /// In words.
    pub message: String,
}

/// What a credential says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Said {
    /// Title of the picture.
    pub title: Option<String>,
    /// Program and version that wrote the credential.
    pub program: Option<String>,
    /// When, RFC 3339: the signer's own word.
    pub when: Option<String>,
    /// Whether a model had a part in it.
    pub making: Option<Making>,
    /// What was done, in order.
    pub actions: Vec<ActionFact>,
    /// Who is named as its maker.
    pub creator: Vec<String>,
    /// The model.
    pub model: Option<String>,
    /// Hash of the model.
    pub model_hash: Option<String>,
    /// Hash of the manifest of the dataset it learnt from.
    pub dataset_manifest: Option<String>,
    /// The recipe.
    pub recipe: Option<Value>,
    /// What the person did and decided, in short.
    pub authorship: Option<Value>,
    /// Where the signer's ledger ended, `COUNT:HASH`.
    pub ledger: Option<String>,
    /// Who provides it.
    pub provider: Option<String>,
    /// Its number.
    pub id: Option<String>,
    /// What others may do with it in training, by kind: `allowed`, `notAllowed`, `constrained`.
    pub training: BTreeMap<String, String>,
    /// Watermarks and fingerprints.
    pub soft_bindings: Vec<SoftBinding>,
    /// What it was made from.
    pub ingredients: Vec<IngredientFact>,
}

/// Whether a model had a part in a picture, by its digital source types and those of its parents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Making {
    /// A model made it.
    AiGenerated,
    /// A model made a part of it.
    PartlyAiGenerated,
    /// It says where it comes from, and no model is named.
    NotAiGenerated,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionFact {
    /// C2PA's name of it.
    pub action: String,
    /// In words, if it has any.
    pub description: Option<String>,
    /// IPTC's digital source type, if it states one.
    pub source_type: Option<String>,
}

/// Something a picture was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IngredientFact {
    /// Its title.
    pub title: Option<String>,
    /// Media type.
    pub format: Option<String>,
    /// `parentOf`, `inputTo` or `componentOf`.
    pub relationship: String,
    /// Whether it is a model, and no picture.
    pub is_model: bool,
    /// Who signed its own credential, if it has one.
    pub signer: Option<String>,
    /// What was wrong with its own credential when it was taken in, by code; an untrusted signer is not counted.
    pub problems: Vec<String>,
}

impl Report {
    /// A file without a credential; `elsewhere` where it names an address for one.
    pub(super) fn missing(format: Format, elsewhere: Option<String>) -> Self {
        Report {
            format,
            state: State::Missing,
            intact: None,
            signer: None,
            trust: Trust::Nobody,
            problems: Vec::new(),
            says: None,
            elsewhere,
        }
    }

    /// The same, and not intact where the boxes around the credential have a fault.
    pub(super) fn with_fault(mut self, fault: Option<&str>) -> Self {
        if let Some(why) = fault {
            self.problems.push(Problem { code: "framing".into(), message: format!("the credential was changed: {why}") });
            (self.state, self.intact, self.trust) = (State::Invalid, Some(false), Trust::Nobody);
        }
        self
    }

    /// A file whose credential cannot be read.
    pub(super) fn broken(format: Format, why: &str) -> Self {
        let problem = Problem { code: "unreadable".into(), message: why.into() };
        Report { state: State::Invalid, intact: Some(false), problems: vec![problem], ..Self::missing(format, None) }
    }
}
