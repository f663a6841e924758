//! The import gate: a work that is reserved against training, or for which nobody states a licence, is turned down. Of several
//! statements the most restrictive counts, and what is said of a work is said of its copies too: a copy from which somebody has
//! stripped the metadata is still the same work.

use std::collections::HashMap;

use crate::identity::Identity;
use crate::journal::{Entry, Work};
use crate::labels::Labels;
use crate::near::Index;
use crate::options::ImportOptions;
use crate::rights::{Signal, licence};
use crate::source::Listing;

/// What begins the reason of a work that is reserved itself.
pub(crate) const RESERVED: &str = "reserved against training. ";

/// What begins the reason of a work that was taken down.
pub(crate) const TAKEN_DOWN: &str = "taken down on ";

/// How many works the gate turned down.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turned {
    /// No licence is stated.
    pub unlicensed: usize,
    /// Reserved, or a copy of a reserved one.
    pub reserved: usize,
    /// Taken down, or a copy of a work that was.
    pub taken_down: usize,
}

/// Settles licence and reservations of every entry; those that may not pass become rejected ones with the reason.
pub(crate) fn pass(listing: &Listing, labels: &Labels, options: &ImportOptions, entries: &mut [Entry]) -> Turned {
    for (entry, item) in entries.iter_mut().zip(&listing.items) {
        if let Entry::Accepted(work) = entry {
            settle(work, &item.name, listing, labels, options);
        }
    }
    let reserved = Reserved::of(entries);
    let mut turned = Turned::default();
    for i in 0..entries.len() {
        let Entry::Accepted(work) = &mut entries[i] else { continue };
        // No reason of the person's helps against that: it was a reason of hers, or of the maker's, that took it down.
        if let Some(reason) = taken_down(work, options) {
            turned.taken_down += 1;
            entries[i] = Entry::Rejected { reason };
            continue;
        }
        let reason = match reserved.among(i, work) {
            Some((first, signal)) if options.override_reservations.is_some() => {
                if first != i {
                    let place = format!("{}, of which it is a copy: {}", listing.items[first].name, signal.place);
                    work.found.signals.push(Signal { place, ..signal.clone() });
                }
                None
            }
            Some((first, signal)) if first == i => Some(format!("{RESERVED}{signal}")),
            Some((first, _)) => Some(format!("a copy of {}, which is reserved against training", listing.items[first].name)),
            None => None,
        };
        turned.reserved += usize::from(reason.is_some());
        let reason = reason.or_else(|| {
            let unlicensed = work.found.licence.is_none();
            turned.unlicensed += usize::from(unlicensed);
            unlicensed.then(|| "no licence is stated for it".to_owned())
        });
        if let Some(reason) = reason {
            entries[i] = Entry::Rejected { reason };
        }
    }
    turned
}

/// When a work was taken down that this one is or copies, and how that shows.
fn taken_down(work: &Work, options: &ImportOptions) -> Option<String> {
    let examiner = options.examiner.as_deref()?;
    if options.taken_down.is_empty() {
        return None;
    }
    let identity = Identity::of_work(work);
    let found = options.taken_down.iter().find_map(|taken| Some((&taken.on, taken.identity.same(&identity, examiner)?)));
    found.map(|(on, how)| format!("{TAKEN_DOWN}{on} ({})", how.words()))
}

/// Joins what the label row, the sidecars and the file itself say; `--license` speaks where none of them names a licence.
fn settle(work: &mut Work, name: &str, listing: &Listing, labels: &Labels, options: &ImportOptions) {
    let row = labels.row(name);
    let beside = listing.sidecars.about(name);
    let stated = row.and_then(|r| r.licence.as_deref()).and_then(licence::named);
    let mut found = std::mem::take(&mut work.found);
    found.licence = licence::stricter(licence::stricter(stated, beside.licence), found.licence)
        .or_else(|| options.default_licence.as_deref().and_then(licence::named));
    found.creator = row.and_then(|r| r.creator.clone()).or(beside.creator).or(found.creator);
    found.signals.extend(beside.signals);
    work.found = found;
}

/// The reserved works, found again by their bytes, pixels and looks.
struct Reserved {
    /// The statement of each reserved entry.
    signals: HashMap<usize, Signal>,
    files: HashMap<blake3::Hash, usize>,
    contents: HashMap<blake3::Hash, usize>,
    looks: Index,
    /// Entry of each look.
    numbers: Vec<usize>,
}

impl Reserved {
    fn of(entries: &[Entry]) -> Self {
        let mut all = Self {
            signals: HashMap::new(),
            files: HashMap::new(),
            contents: HashMap::new(),
            looks: Index::new(),
            numbers: Vec::new(),
        };
        for (i, entry) in entries.iter().enumerate() {
            let Entry::Accepted(work) = entry else { continue };
            let Some(signal) = work.found.reservation() else { continue };
            all.signals.insert(i, signal.clone());
            all.files.entry(work.file).or_insert(i);
            all.contents.entry(work.content).or_insert(i);
            all.looks.insert(work.look);
            all.numbers.push(i);
        }
        all
    }

    /// The reserved entry that `work`, entry `i`, is or copies, and what reserves it.
    fn among(&self, i: usize, work: &Work) -> Option<(usize, &Signal)> {
        let same = || self.files.get(&work.file).or_else(|| self.contents.get(&work.content)).copied();
        let alike = || self.looks.find(&work.look).map(|n| self.numbers[n as usize]);
        let first = if self.signals.contains_key(&i) { i } else { same().or_else(alike)? };
        self.signals.get(&first).map(|signal| (first, signal))
    }
}
