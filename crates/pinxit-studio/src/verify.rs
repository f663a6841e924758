//! `pinxit verify FILE`: what a file from anywhere says of itself, and whether that can be believed.
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

pub use pinxit_image::Stated;
use pinxit_trust::ledger::Head;
use pinxit_trust::verify::{Anchors, MOST_BYTES, verify_bytes};
pub use pinxit_trust::verify::{IngredientFact, Making, Report, Said, SignerFact, State, Trust};
use serde::Serialize;

use crate::ledger::Places;
use crate::trace::{Trace, Tracer};
use crate::{Error, Result, Studio, keys, ledger};

/// What was found out about one file.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// The file.
    pub path: PathBuf,
    /// Its credential.
    #[serde(flatten)]
    pub report: Report,
    /// Whether the ledger of this home still holds the place that the credential of an own picture remembers; absent for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger_place: Option<LedgerFact>,
    /// What stands in the file beside the credential, where nobody vouches for it.
    pub unsigned: Unsigned,
    /// Whether it shows a picture of this studio.
    #[serde(flatten)]
    pub trace: Trace,
}

/// What the ledger of this home says to the place that a credential remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum LedgerFact {
    /// It holds that place: nothing before it was changed since.
    Holds,
    /// It does not: it was written anew, or the picture was signed in another home.
    Lost,
    /// It is not in order itself.
    Broken {
        /// Why.
        why: String,
    },
}

/// What a file says without a signature: anybody can write and remove it.
#[derive(Clone, Debug, Serialize)]
pub struct Unsigned {
    /// IPTC digital source type in its XMP.
    pub digital_source_type: Option<String>,
    /// Whether it carries a recipe.
    pub has_recipe: bool,
    /// Labels of laws in its XMP.
    #[serde(skip_serializing_if = "Stated::is_empty")]
    pub stated: Stated,
}

/// Whom the person of this studio trusts: looked up once for many files.
pub struct Verifier {
    studio: Studio,
    anchors: Anchors,
    tracer: Tracer,
    /// Read once, for the first picture that needs it.
    places: OnceCell<std::result::Result<Places, String>>,
}

impl Verifier {
    /// With the studio's own roots, those it was told to trust, and what it keeps of its pictures.
    pub fn of(studio: &Studio) -> Result<Self> {
        let (anchors, tracer) = (keys::anchors(studio)?, Tracer::of(studio));
        Ok(Verifier { studio: studio.clone(), anchors, tracer, places: OnceCell::new() })
    }

    /// Looks at one file. A credential that is missing or broken is an answer, not an error.
    pub fn verify(&self, path: &Path) -> Result<Verified> {
        let bytes = read(path)?;
        let report = verify_bytes(&bytes, &self.anchors).map_err(|e| Error::from(e).in_file(path))?;
        let seen = pinxit_image::info(&bytes).ok();
        let unsigned = Unsigned {
            digital_source_type: seen.as_ref().and_then(|info| info.digital_source_type.clone()),
            has_recipe: seen.as_ref().is_some_and(|info| info.has_recipe),
            stated: seen.map(|info| info.stated).unwrap_or_default(),
        };
        let (ledger_place, trace) = (self.ledger_place(&report), self.tracer.trace(&bytes));
        Ok(Verified { path: path.into(), report, ledger_place, unsigned, trace })
    }

    fn ledger_place(&self, report: &Report) -> Option<LedgerFact> {
        let head: Head = report.says.as_ref()?.ledger.as_ref()?.parse().ok()?;
        if report.trust != Trust::Own {
            return None; // another home's ledger
        }
        Some(match self.places.get_or_init(|| ledger::places(&self.studio).map_err(|e| e.to_string())) {
            Ok(places) if places.hold(&head) => LedgerFact::Holds,
            Ok(_) => LedgerFact::Lost,
            Err(why) => LedgerFact::Broken { why: why.clone() },
        })
    }
}

/// The bytes of a file, if it is one and not beyond what is looked at.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let about = fs_err::metadata(path)?;
    if about.is_dir() {
        return Err(Error::from(std::io::Error::from(std::io::ErrorKind::IsADirectory)).in_file(path));
    }
    if about.len() > MOST_BYTES {
        let too_large = pinxit_trust::credential::CredentialError::TooLarge { bytes: about.len(), most: MOST_BYTES };
        return Err(Error::from(too_large).in_file(path));
    }
    Ok(fs_err::read(path)?)
}
