//! The ledger: an append-only, hash-chained record of what was taken in, learnt, let out and decided.
//!
//! ```text
//! ledger.jsonl   one entry a line:  {"v":1,"seq":7,"at":"2026-11-26T02:10:00Z","kind":"export","subject":{…},"prev":"…","hash":"…"}
//! ledger.head    {"v":1,"count":8,"bytes":3120,"hash":"…"}   how many entries there are, where they end, the hash of the last
//! ```
//!
//! `hash` is the SHA-256 of the line up to `,"hash":`, hexadecimal; `prev` that of the line before, 64 zeros in the first. Anybody can
//! check it with `sha256sum`. Lines are only ever appended, under a lock on the file, and synced before the head is.
//!
//! **What is noticed:** a line changed, moved, left out or put in between; a last line torn by a crash; an end cut off, since the head
//! knows how many there were. **What is not:** both files replaced by older copies of themselves, or written anew from the start, for
//! the chain has no secret key. Therefore [`Head`]s are handed out (runs and credentials keep them): [`Ledger::verify`] takes those
//! and says which of them are no longer part of the chain.

mod append;
mod chain;
mod error;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use append::Repaired;
pub use chain::Entries;
pub use error::{Error, Result};

/// The entries.
pub const LEDGER_FILE: &str = "ledger.jsonl";
/// Where they end.
pub const HEAD_FILE: &str = "ledger.head";
/// Version of a line.
const VERSION: u32 = 1;
/// `prev` of the first entry.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What an entry is about. A ledger may hold kinds of later programs: they are read as the words they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Works were taken into a dataset.
    Import,
    /// Works were taken in against their reservation, or near copies of works were let out.
    Override,
    /// A training ended with a model.
    Training,
    /// A picture left.
    Export,
    /// A person signed a picture by hand.
    Sign,
    /// A person accepted the policy.
    Policy,
    /// Works were taken down.
    Takedown,
    /// A torn or cut ledger was put in order.
    Repair,
}

impl Kind {
    /// The word in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Override => "override",
            Self::Training => "training",
            Self::Export => "export",
            Self::Sign => "sign",
            Self::Policy => "policy",
            Self::Takedown => "takedown",
            Self::Repair => "repair",
        }
    }
}

/// One entry, as it stands in the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Version of the line.
    pub v: u32,
    /// Its number, from 0.
    pub seq: u64,
    /// When it was written, RFC 3339, UTC.
    pub at: String,
    /// A [`Kind`] in words.
    pub kind: String,
    /// What it tells.
    pub subject: Map<String, Value>,
    /// Hash of the entry before.
    pub prev: String,
    /// Its own hash.
    pub hash: String,
}

/// An entry to be written.
#[derive(Clone, Debug)]
pub struct New {
    /// What it is about.
    pub kind: Kind,
    /// What it tells.
    pub subject: Map<String, Value>,
}

/// A place in the chain: so many entries, the last with this hash. Whoever keeps one can later tell whether the ledger still holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Entries up to and with the last.
    pub count: u64,
    /// Hash of the last.
    pub hash: String,
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.count, self.hash)
    }
}

impl std::str::FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parsed = text.split_once(':').and_then(|(count, hash)| Some((count.parse().ok()?, hash)));
        let is_hash = |hash: &str| hash.len() == GENESIS.len() && hash.chars().all(|c| c.is_ascii_hexdigit());
        match parsed {
            Some((count, hash)) if is_hash(hash) => Ok(Self { count, hash: hash.to_lowercase() }),
            _ => Err(format!("\"{text}\" is no place in a ledger: COUNT:HASH, as `pinxit ledger verify` prints it")),
        }
    }
}

/// What a verified ledger holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Where it ends; `None` when nothing was ever written.
    pub head: Option<Head>,
    /// Entries by kind.
    pub kinds: std::collections::BTreeMap<String, u64>,
    /// Heads kept elsewhere that are part of the chain.
    pub confirmed: usize,
}

/// The ledger of a home.
#[derive(Clone, Debug)]
pub struct Ledger {
    folder: PathBuf,
}

impl Ledger {
    /// The ledger in this folder; nothing is created before something is written.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The file of entries.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(LEDGER_FILE)
    }

    fn head_path(&self) -> PathBuf {
        self.folder.join(HEAD_FILE)
    }

    /// All entries in order, each checked as it is read; the chain is checked against the head at the end.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be opened. The iterator itself gives [`Error::Broken`], [`Error::Torn`], [`Error::Cut`].
    pub fn entries(&self) -> Result<Entries> {
        Entries::open(self)
    }

    /// Checks every line, that the end is the one the head knows, and that the chain holds the heads `kept` elsewhere, each with the
    /// name of who keeps it.
    ///
    /// # Errors
    /// [`Error::Broken`], [`Error::Torn`], [`Error::Cut`], [`Error::NoHead`], [`Error::Forgotten`].
    pub fn verify(&self, kept: &[(String, Head)]) -> Result<Verified> {
        let mut verified = Verified { head: None, kinds: Default::default(), confirmed: 0 };
        let mut wanted: std::collections::HashMap<u64, Vec<&(String, Head)>> = Default::default();
        kept.iter().for_each(|k| wanted.entry(k.1.count).or_default().push(k));
        for entry in self.entries()? {
            let entry = entry?;
            let count = entry.seq + 1;
            for (keeper, head) in wanted.remove(&count).unwrap_or_default() {
                if head.hash != entry.hash {
                    return Err(Error::Forgotten { keeper: keeper.clone(), head: head.clone() });
                }
                verified.confirmed += 1;
            }
            *verified.kinds.entry(entry.kind).or_default() += 1;
            verified.head = Some(Head { count, hash: entry.hash });
        }
        match wanted.into_values().flatten().next() {
            Some((keeper, head)) => Err(Error::Forgotten { keeper: keeper.clone(), head: head.clone() }),
            None => Ok(verified),
        }
    }

    /// A copy of the entries as they stand, whole lines only, after they were verified.
    ///
    /// # Errors
    /// Those of [`Ledger::verify`].
    pub fn export(&self) -> Result<Vec<u8>> {
        self.verify(&[])?;
        if !self.path().exists() {
            return Ok(Vec::new());
        }
        Ok(fs::read(self.path())?)
    }
}
