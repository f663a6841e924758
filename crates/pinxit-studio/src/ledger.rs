//! `pinxit ledger`: what was taken in, learnt, let out and decided, and that nobody has changed the record of it.
pub use pinxit_trust::ledger::Entry;
use pinxit_trust::ledger::{Head, Kind, Ledger, New, Repaired, Verified};
use serde_json::{Map, Value};

use crate::home::Kind as Thing;
use crate::train::RunCard;
use crate::{Result, Studio};

/// The time as files of the home tell it: RFC 3339, UTC, seconds.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The ledger of this home.
pub fn of(studio: &Studio) -> Ledger {
    Ledger::at(studio.home())
}

/// Refuses work that could not be written down afterwards.
pub(crate) fn check_ready(studio: &Studio) -> Result<()> {
    Ok(of(studio).check_ready()?)
}

/// An entry to write; `subject` is an object.
pub(crate) fn entry(kind: Kind, subject: Value) -> New {
    New { kind, subject: subject.as_object().cloned().unwrap_or_else(Map::new) }
}

/// Writes entries down, all at once.
pub(crate) fn write(studio: &Studio, entries: &[New]) -> Result<()> {
    if !entries.is_empty() {
        of(studio).append(&now(), entries)?;
    }
    Ok(())
}

/// Checks the chain, its end, and that it holds what the runs of this home and the caller (`heads`) remember of it.
pub fn verify(studio: &Studio, heads: &[Head]) -> Result<Verified> {
    let mut kept: Vec<(String, Head)> = heads.iter().map(|head| ("the place asked for".to_owned(), head.clone())).collect();
    for name in studio.names(Thing::Run)? {
        // A run whose card cannot be read remembers nothing; `runs show` says what is wrong with it.
        let card = RunCard::load(&studio.path(Thing::Run, &name)?).ok();
        let head = card.and_then(|card| card.ledger).and_then(|text| text.parse().ok());
        kept.extend(head.map(|head| (format!("run \"{name}\""), head)));
    }
    Ok(of(studio).verify(&kept)?)
}

/// The last `most` entries, of one kind if asked; each is checked on the way.
pub fn show(studio: &Studio, kind: Option<&str>, most: usize) -> Result<Vec<Entry>> {
    let mut last = std::collections::VecDeque::new();
    for entry in of(studio).entries()? {
        let entry = entry?;
        if kind.is_none_or(|kind| kind == entry.kind) {
            last.push_back(entry);
            if last.len() > most {
                last.pop_front();
            }
        }
    }
    Ok(last.into())
}

/// Every place of the chain: what a head kept elsewhere is held against.
pub(crate) struct Places(Vec<String>);

impl Places {
    /// Whether the chain holds that place.
    pub fn hold(&self, head: &Head) -> bool {
        let before = usize::try_from(head.count).ok().and_then(|count| count.checked_sub(1));
        before.and_then(|i| self.0.get(i)).is_some_and(|hash| *hash == head.hash)
    }
}

/// The places of the ledger, which is checked on the way.
pub(crate) fn places(studio: &Studio) -> Result<Places> {
    let hashes: std::result::Result<Vec<String>, _> = of(studio).entries()?.map(|entry| Ok(entry?.hash)).collect();
    hashes.map(Places).map_err(|e: pinxit_trust::ledger::Error| e.into())
}

/// All entries as they stand in the file, verified before.
pub fn export(studio: &Studio) -> Result<Vec<u8>> {
    Ok(of(studio).export()?)
}

/// Puts a torn or cut ledger in order; `None` when nothing was wrong.
pub fn repair(studio: &Studio) -> Result<Option<Repaired>> {
    Ok(of(studio).repair(&now())?)
}
