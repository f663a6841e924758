//! `pinxit verify FILE`: what a file from anywhere says of itself, and whether that can be believed.
use std::path::{Path, PathBuf};

use pinxit_trust::verify::{Anchors, MOST_BYTES, verify_bytes};
pub use pinxit_trust::verify::{IngredientFact, Making, Report, Said, SignerFact, State, Trust};
use serde::Serialize;

use crate::trace::{Trace, Tracer};
use crate::{Error, Result, Studio, keys};

/// What was found out about one file.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// The file.
    pub path: PathBuf,
    /// Its credential.
    #[serde(flatten)]
    pub report: Report,
    /// What stands in the file beside the credential, where nobody vouches for it.
    pub unsigned: Unsigned,
    /// Whether it shows a picture of this studio.
    #[serde(flatten)]
    pub trace: Trace,
}

/// What a file says without a signature: anybody can write and remove it.
#[derive(Clone, Debug, Serialize)]
pub struct Unsigned {
    /// IPTC digital source type in its XMP.
    pub digital_source_type: Option<String>,
    /// Whether it carries a recipe.
    pub has_recipe: bool,
}

/// Whom the person of this studio trusts: looked up once for many files.
pub struct Verifier {
    anchors: Anchors,
    tracer: Tracer,
}

impl Verifier {
    /// With the studio's own roots, those it was told to trust, and what it keeps of its pictures.
    pub fn of(studio: &Studio) -> Result<Self> {
        Ok(Verifier { anchors: keys::anchors(studio)?, tracer: Tracer::of(studio) })
    }

    /// Looks at one file. A credential that is missing or broken is an answer, not an error.
    pub fn verify(&self, path: &Path) -> Result<Verified> {
        let bytes = read(path)?;
        let report = verify_bytes(&bytes, &self.anchors).map_err(|e| Error::from(e).in_file(path))?;
        let seen = pinxit_image::info(&bytes).ok();
        let unsigned = Unsigned {
            digital_source_type: seen.as_ref().and_then(|info| info.digital_source_type.clone()),
            has_recipe: seen.is_some_and(|info| info.has_recipe),
        };
        Ok(Verified { path: path.into(), report, unsigned, trace: self.tracer.trace(&bytes) })
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
