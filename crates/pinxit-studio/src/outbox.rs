//! Painted pictures on their way to the disk. Each is written down in the ledger before its file is: an entry without a file does no
//! harm, a file without an entry would be one that nobody answers for.
use std::path::PathBuf;

use pinxit_create::{ModelRef, Recipe};
use pinxit_trust::ledger::{Kind, New};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::event::Watcher;
use crate::mark::warn_if_weak;
use crate::press::Finished;
use crate::{Result, Studio, ledger, paths};

/// Pictures written down at once: the disk is waited for once for all of them.
const AT_ONCE: usize = 64;
/// Bytes of files that wait at most: enlarged pictures may be large.
const MOST_BYTES: usize = 64 << 20;

/// A picture's file, not written yet.
pub(crate) struct Parcel {
    /// Where it goes.
    pub path: PathBuf,
    file: Finished,
    entry: New,
}

impl Parcel {
    /// The file of a picture that `recipe` paints.
    pub fn painted(path: PathBuf, file: Finished, recipe: &Recipe) -> Self {
        Self::new(path, file, &recipe.model, &json!({ "seed": recipe.seed }))
    }

    /// A file with pictures of `model`; `more` is said of it in the ledger.
    pub fn new(path: PathBuf, file: Finished, model: &ModelRef, more: &Value) -> Self {
        let mut subject = json!({
            "file": path.file_name().map(|n| n.to_string_lossy()),
            "sha256": sha256(&file.bytes),
            "iscc": pinxit_trust::fingerprint::iscc(&file.bytes, &file.picture).ok(),
            "model": model.name,
            "model_hash": model.hash,
        });
        let marked = file.mark.as_ref().map(|mark| json!({ "watermark": mark.id, "watermark_bits": mark.bits }));
        for more in [Some(more), marked.as_ref()].into_iter().flatten().filter_map(Value::as_object) {
            more.iter().for_each(|(name, value)| subject[name] = value.clone());
        }
        Parcel { path, file, entry: ledger::entry(Kind::Export, subject) }
    }

    /// Adds something to what the ledger keeps of it.
    pub fn note(&mut self, what: &str, value: serde_json::Value) {
        self.entry.subject.insert(what.into(), value);
    }

    /// Says what a person should know of this file.
    pub fn warn(&self, watcher: &mut dyn Watcher) {
        warn_if_weak(&self.path, self.file.mark.as_ref(), watcher);
    }
}

/// SHA-256 in hexadecimal digits, as the ledger names files.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
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
        let bytes: usize = self.waiting.iter().map(|parcel| parcel.file.bytes.len()).sum();
        if self.waiting.len() < AT_ONCE && bytes < MOST_BYTES { Ok(Vec::new()) } else { self.send() }
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
