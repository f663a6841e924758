//! The receipt of a takedown: a statement for whoever asked for it, signed by the studio's key.
use std::path::Path;

use pinxit_trust::ledger::Head;
use pinxit_trust::sealed::{self, MOST_BYTES, Opened, SealError};
use pinxit_trust::verify::Trust;
use serde::Serialize;
use serde_json::{Value, json};

use super::register::Takedown;
use crate::{Error, Result, Studio, keys, ledger};

/// What the name of every receipt begins with.
pub(super) const PREFIX: &str = "takedown-";
/// What the signature says it is of.
const TYP: &str = "pinxit-takedown+json";

/// Name of a takedown's receipt.
pub(super) fn name(takedown: &Takedown) -> String {
    format!("{PREFIX}{}-{}.json", takedown.day(), takedown.id)
}

/// What was done. `head` is where the ledger ends, with the entry of the takedown.
pub(super) fn statement(takedown: &Takedown, head: Option<&Head>) -> Value {
    let work = |work: &super::TakenWork| {
        json!({
            "title": work.title, "creator": work.creator, "sha256": work.identity.sha256, "blake3": work.identity.blake3,
            "iscc": work.identity.iscc,
        })
    };
    let dataset = |from: &super::TakenFrom| {
        json!({
            "name": from.name, "folder": from.folder, "works_removed": from.works, "pictures_removed": from.pictures,
            "manifest_before": from.before, "manifest_after": from.after,
        })
    };
    json!({
        "v": 1,
        "kind": "takedown",
        "id": takedown.id,
        "at": takedown.at,
        "reason": takedown.reason,
        "works": takedown.works.iter().map(work).collect::<Vec<_>>(),
        "datasets": takedown.datasets.iter().map(dataset).collect::<Vec<_>>(),
        "models_blocked": takedown.models,
        "runs_blocked": takedown.runs,
        "ledger": head,
        "software": concat!("pinxit ", env!("CARGO_PKG_VERSION")),
    })
}

/// The file.
pub(super) fn sealed(statement: &Value, key: &pinxit_trust::keys::ArtistKey) -> Result<Vec<u8>> {
    Ok(sealed::seal(statement, TYP, key).map_err(std::io::Error::other)?)
}

/// What was found out about a receipt.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// Whether it is as it was signed, by certificates that hold.
    pub intact: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The name in the signer's certificate. Anybody can put any name there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// SHA-256 of the root's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_fingerprint: Option<String>,
    /// What the person of this home says of the signer.
    pub trust: Trust,
    /// Whether the ledger of this home holds the place that the receipt names; none where it names none, or the signer is not this home's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_ledger: Option<bool>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<Value>,
}

/// Checks a receipt from anywhere.
///
/// # Errors
/// When the file cannot be read; a receipt that does not hold is an answer.
pub fn check(studio: &Studio, path: &Path) -> Result<Checked> {
    let bytes = match fs_err::metadata(path)?.len() {
        n if n > MOST_BYTES => return Ok(broken(&SealError::Form(format!("it has {n} bytes, and the limit is {MOST_BYTES}")))),
        _ => fs_err::read(path).map_err(Error::from)?,
    };
    let Opened { statement, chain } = match sealed::open(&bytes, TYP) {
        Ok(opened) => opened,
        Err(e) => return Ok(broken(&e)),
    };
    let trust = keys::anchors(studio)?.trust(&chain.root);
    let head: Option<Head> = serde_json::from_value(statement["ledger"].clone()).ok();
    let in_ledger = head.filter(|_| trust == Trust::Own).map(|head| ledger::verify(studio, &[head]).is_ok());
    Ok(Checked {
        intact: true,
        problem: None,
        signed_by: Some(chain.signer.name.clone()),
        root_fingerprint: Some(chain.root.fingerprint()),
        trust,
        in_ledger,
        statement: Some(statement),
    })
}

fn broken(e: &SealError) -> Checked {
    Checked {
        intact: false,
        problem: Some(e.to_string()),
        signed_by: None,
        root_fingerprint: None,
        trust: Trust::Nobody,
        in_ledger: None,
        statement: None,
    }
}
