//! What a picture says of itself, and whether that can be believed: three separate facts.
//!
//! *Intact*: the file is, bit for bit, what was signed. *Signer*: the name in the certificate; anybody can put any name there.
//! *Trust*: whether the person who asks has said before that she trusts the root of that certificate.
mod contents;
mod framing;
mod report;

pub use report::{ActionFact, IngredientFact, Making, Problem, Report, Said, SignerFact, State, Trust};

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use c2pa::Reader;

use crate::credential::{CredentialError, media_type, shared_context};
use crate::keys::TrustedRoot;

/// The largest file that is looked at, bytes.
pub const MOST_BYTES: u64 = 256 << 20;

/// Whom the person who asks trusts.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    /// Roots of her own keys.
    pub own: Vec<crate::keys::Certificate>,
    /// Roots of others.
    pub trusted: Vec<TrustedRoot>,
}

impl Anchors {
    /// What the person has said about a root that a signature which holds ends in.
    #[must_use]
    pub fn trust(&self, root: &crate::keys::Certificate) -> Trust {
        let named = self.trusted.iter().find(|trusted| trusted.certificate == *root);
        match (self.own.contains(root), named) {
            (true, _) => Trust::Own,
            (_, Some(trusted)) => Trust::Trusted { name: trusted.name.clone() },
            _ => Trust::Unrecognised,
        }
    }
}

/// Looks for a credential in the bytes of a file from anywhere, and checks it. Opens no socket; decodes no pixel.
///
/// A file without a credential, or with one that is broken, is no error but a [`State`] of the report.
///
/// # Errors
/// [`CredentialError::Picture`] when the bytes are no picture; [`CredentialError::TooLarge`].
pub fn verify_bytes(bytes: &[u8], anchors: &Anchors) -> Result<Report, CredentialError> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(CredentialError::TooLarge { bytes: bytes.len() as u64, most: MOST_BYTES });
    }
    let format = match pinxit_image::sniff(bytes) {
        Some(format) => format,
        None => pinxit_image::require_format(bytes)?,
    };
    let Ok(media_type) = media_type(bytes) else { return Ok(Report::missing(format, None)) };
    let roots: Vec<_> = anchors.own.iter().chain(anchors.trusted.iter().map(|root| &root.certificate)).cloned().collect();
    let context = shared_context(&roots)?;
    // The parsers of the library read whatever a stranger made: should one give up, that is a broken credential and no crash.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let reader = Reader::from_shared_context(&context).with_stream(media_type, Cursor::new(bytes))?;
        Ok((reader, framing::fault(bytes, media_type)))
    }));
    Ok(match read {
        Ok(Ok((reader, fault))) => contents::report(&reader, format, anchors).with_fault(fault),
        Ok(Err(c2pa::Error::JumbfNotFound)) => Report::missing(format, None),
        Ok(Err(c2pa::Error::RemoteManifestUrl(url))) => Report::missing(format, Some(url)),
        Ok(Err(e)) => Report::broken(format, &e.to_string()),
        Err(_) => Report::broken(format, "the reader gave up on it"),
    })
}
