//! Painted pictures on their way to the disk. Each is written down in the ledger before its file is: an entry without a file does no
//! harm, a file without an entry would be one that nobody answers for.
use std::path::PathBuf;

use pinxit_create::Recipe;
use pinxit_image::Picture;
use pinxit_trust::ledger::{Kind, New};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::press::Finished;
use crate::{Result, Studio, ledger, paths};

/// Pictures written down at once: the disk is waited for once for all of them.
const AT_ONCE: usize = 64;

/// A picture's file, not written yet.
pub(crate) struct Parcel {
    /// Where it goes.
    pub path: PathBuf,
    file: Finished,
    entry: New,
}

impl Parcel {
    /// A file that shows `picture`, painted by `recipe`.
    pub fn new(path: PathBuf, file: Finished, picture: &Picture, recipe: &Recipe) -> Self {
        let sha256: String = Sha256::digest(&file.bytes).iter().map(|b| format!("{b:02x}")).collect();
        let subject = json!({
            "file": path.file_name().map(|n| n.to_string_lossy()),
            "sha256": sha256,
            "iscc": pinxit_trust::fingerprint::iscc(&file.bytes, picture).ok(),
            "model": recipe.model.name,
            "model_hash": recipe.model.hash,
            "seed": recipe.seed,
        });
        Parcel { path, file, entry: ledger::entry(Kind::Export, subject) }
    }

    /// Adds something to what the ledger keeps of it.
    pub fn note(&mut self, what: &str, value: serde_json::Value) {
        self.entry.subject.insert(what.into(), value);
    }
}

/// Collects parcels and sends them off together.
pub(crate) struct Outbox<'a> {
    studio: &'a Studio,
    overwrite: bool,
    waiting: Vec<Parcel>,
}

impl<'a> Outbox<'a> {
    /// An empty one; refused where the ledger cannot be written.
    pub fn open(studio: &'a Studio, overwrite: bool) -> Result<Self> {
        ledger::check_ready(studio)?;
        Ok(Outbox { studio, overwrite, waiting: Vec::new() })
    }

    /// Takes a parcel; gives the paths of those that were written.
    pub fn add(&mut self, parcel: Parcel) -> Result<Vec<PathBuf>> {
        self.waiting.push(parcel);
        if self.waiting.len() < AT_ONCE { Ok(Vec::new()) } else { self.send() }
    }

    /// Writes down and writes out what waits. A file that lies there already with the same bytes has left before.
    pub fn send(&mut self) -> Result<Vec<PathBuf>> {
        let parcels = std::mem::take(&mut self.waiting);
        let is_new = |parcel: &&Parcel| !paths::holds(&parcel.path, &parcel.file.bytes);
        let entries: Vec<New> = parcels.iter().filter(is_new).map(|parcel| parcel.entry.clone()).collect();
        ledger::write(self.studio, &entries)?;
        let mut written = Vec::new();
        for parcel in parcels {
            paths::write_beside_others(&parcel.path, &parcel.file.bytes, self.overwrite || parcel.file.replaces)?;
            written.push(parcel.path);
        }
        Ok(written)
    }
}
