//! What is packed: which works are kept, how they are grouped, and the record of each picture.

use std::collections::{BTreeMap, BTreeSet};

use crate::copies::Copy;
use crate::croissant::Row;
use crate::format::{Record, Split, UNSTATED};
use crate::gate::Turned;
use crate::journal::{Entry, TileEntry, Work};
use crate::labels::Labels;
use crate::options::ImportOptions;
use crate::report::{FileReport, FileStatus};
use crate::source::Listing;
use crate::split;

/// Everything known, before it is written.
pub(crate) struct Collection<'a> {
    listing: &'a Listing,
    pub(super) labels: &'a Labels,
    pub(super) entries: &'a [Entry],
    copies: &'a [Copy],
    pub(super) options: &'a ImportOptions,
    pub(super) turned: Turned,
    /// Group of each kept item.
    pub(super) group: BTreeMap<usize, String>,
}

impl<'a> Collection<'a> {
    pub fn new(
        listing: &'a Listing,
        labels: &'a Labels,
        entries: &'a [Entry],
        copies: &'a [Copy],
        options: &'a ImportOptions,
        turned: Turned,
    ) -> Self {
        let mut collection = Self { listing, labels, entries, copies, options, turned, group: BTreeMap::new() };
        collection.group = collection.grouped();
        collection
    }

    /// Groups among the kept works.
    pub fn groups(&self) -> usize {
        self.group.values().collect::<BTreeSet<_>>().len()
    }

    /// The work of item `i`, if it is packed.
    pub(super) fn kept(&self, i: usize) -> Option<&'a Work> {
        let kept = match self.copies[i] {
            Copy::No => true,
            Copy::Near(_) => self.options.keep_near_duplicates,
            _ => false,
        };
        match &self.entries[i] {
            Entry::Accepted(work) if kept => Some(work),
            _ => None,
        }
    }

    /// Groups by label row, else each work alone under the hash of its file, so that renaming or moving it changes nothing. Kept
    /// near-duplicates draw their groups together, under the name that comes first in the alphabet.
    fn grouped(&self) -> BTreeMap<usize, String> {
        let mut group = BTreeMap::new();
        for (i, item) in self.listing.items.iter().enumerate() {
            if let Some(work) = self.kept(i) {
                let stated = self.labels.row(&item.name).and_then(|r| r.group.clone());
                group.insert(i, stated.unwrap_or_else(|| format!("picture:{}", work.file.to_hex())));
            }
        }
        let mut joined = Joined::default();
        for (&i, own) in &group {
            if let Copy::Near(first) = self.copies[i] {
                joined.join(own, &group[&first]);
            }
        }
        group.into_iter().map(|(i, own)| (i, joined.root(&own))).collect()
    }

    /// Works of these sources that no label row names.
    pub(super) fn unlabelled(&self, sources: &[usize]) -> usize {
        let items = self.group.keys().map(|&i| &self.listing.items[i]);
        items.filter(|item| sources.contains(&item.source) && self.labels.row(&item.name).is_none()).count()
    }

    fn class(&self, i: usize) -> Option<String> {
        let item = &self.listing.items[i];
        self.labels.class(&item.name, &self.listing.sources[item.source].prefix)
    }

    /// The side of each group.
    pub(super) fn sides(&self) -> BTreeMap<String, Split> {
        let numbers: BTreeMap<&str, usize> =
            self.listing.items.iter().enumerate().map(|(i, item)| (item.name.as_str(), i)).collect();
        let group_of = |name: &str| numbers.get(name).and_then(|i| self.group.get(i)).cloned();
        let asked = self.labels.asked_sides(group_of);
        let groups = self.group.values().map(String::as_str);
        split::sides(groups, &asked, self.options.split_seed, self.options.held_out_fraction)
    }

    /// One record a packed picture, in order. Made anew each time they are asked for: a record is 1 kB, and there may be many.
    pub(super) fn records<'s>(&'s self, sides: &'s BTreeMap<String, Split>) -> impl Iterator<Item = Record> + 's {
        let works = self.group.iter().filter_map(|(&i, group)| Some((i, group, self.kept(i)?)));
        works.flat_map(move |(i, group, work)| {
            let base = self.record(i, work, group, sides[group]);
            let record = move |tile: &TileEntry| Record {
                pixels_blake3: tile.blake3.to_hex().to_string(),
                window: tile.window,
                ..base.clone()
            };
            work.tiles.iter().map(record)
        })
    }

    /// The works that are packed.
    pub(super) fn works(&self) -> impl Iterator<Item = &'a Work> + '_ {
        self.group.keys().filter_map(|&i| self.kept(i))
    }

    /// Packed pictures.
    pub(super) fn pictures(&self) -> usize {
        self.group.keys().filter_map(|&i| self.kept(i)).map(|work| work.tiles.len()).sum()
    }

    /// One row of the manifest a work, in order.
    pub(super) fn rows<'s>(&'s self, sides: &'s BTreeMap<String, Split>) -> impl Iterator<Item = Row> + 's {
        let works = self.group.iter().filter_map(|(&i, group)| Some((i, group, self.kept(i)?)));
        works.map(move |(i, group, work)| Row {
            record: self.record(i, work, group, sides[group]),
            pictures: work.tiles.len(),
            examined_at: work.examined_at.clone(),
        })
    }

    /// Works by creator, `""` where nobody names one.
    pub(super) fn creators(&self) -> BTreeMap<String, usize> {
        let mut creators = BTreeMap::new();
        for work in self.group.keys().filter_map(|&i| self.kept(i)) {
            *creators.entry(work.found.creator.clone().unwrap_or_default()).or_default() += 1;
        }
        creators
    }

    /// File and SHA-256 of the works that are packed although they are reserved.
    pub(super) fn overridden(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let works = self.group.keys().filter_map(|&i| Some((i, self.kept(i)?)));
        let reserved = works.filter(|(_, work)| work.found.reservation().is_some());
        reserved.map(|(i, work)| (self.listing.items[i].name.clone(), work.sha256.clone()))
    }

    fn record(&self, i: usize, work: &Work, group: &str, split: Split) -> Record {
        let name = &self.listing.items[i].name;
        let row = self.labels.row(name).cloned().unwrap_or_default();
        let own = name.rsplit('/').next().unwrap_or(name);
        let stem = own.rsplit_once('.').map_or(own, |(stem, _)| stem);
        Record {
            file: name.clone(),
            blake3: work.file.to_hex().to_string(),
            sha256: Some(work.sha256.clone()),
            iscc: work.iscc.clone(),
            pixels_blake3: String::new(),
            title: row.title.unwrap_or_else(|| stem.to_owned()),
            creator: work.found.creator.clone(),
            // The gate lets no work pass without one.
            licence: work.found.licence.clone().unwrap_or_else(|| UNSTATED.to_owned()),
            signals: work.found.signals.clone(),
            override_reason: self.options.override_reservations.clone().filter(|_| work.found.reservation().is_some()),
            source: row.source,
            class: self.class(i),
            style: row.style,
            caption: row.caption,
            group: group.to_owned(),
            split,
            original: work.original,
            window: None,
            fixes: work.fixes.clone(),
        }
    }

    pub(super) fn file_reports(&self) -> Vec<FileReport> {
        let name = |i: usize| &self.listing.items[i].name;
        let mut files: Vec<FileReport> = (0..self.entries.len())
            .map(|i| match (&self.entries[i], self.copies[i]) {
                (Entry::Rejected { reason }, _) => FileReport::new(name(i), FileStatus::Rejected, reason),
                (_, Copy::File(first)) => self.copy_report(i, first, "the same file as"),
                (_, Copy::Pixels(first)) => self.copy_report(i, first, "the same pixels as"),
                (_, Copy::Near(first)) if !self.options.keep_near_duplicates => {
                    FileReport::new(name(i), FileStatus::NearDuplicate, format!("looks the same as {}", name(first)))
                }
                (Entry::Accepted(work), _) => {
                    let status = if work.fixes.is_empty() { FileStatus::Accepted } else { FileStatus::Fixed };
                    FileReport { file: name(i).clone(), status, reason: None, fixes: work.fixes.clone() }
                }
            })
            .chain(self.listing.turned_down.iter().cloned())
            .collect();
        files.sort_by(|a, b| a.file.cmp(&b.file));
        files
    }

    fn copy_report(&self, i: usize, first: usize, how: &str) -> FileReport {
        let mut reason = format!("{how} {}", self.listing.items[first].name);
        if let (Some(own), Some(other)) = (self.class(i), self.class(first))
            && own != other
        {
            reason.push_str(&format!(", which is kept as class {other}, not {own}"));
        }
        FileReport::new(&self.listing.items[i].name, FileStatus::Duplicate, reason)
    }

    pub(super) fn near_groups(&self) -> Vec<Vec<String>> {
        let mut groups: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (i, copy) in self.copies.iter().enumerate() {
            if let Copy::Near(first) = *copy {
                let list = groups.entry(first).or_insert_with(|| vec![self.listing.items[first].name.clone()]);
                list.push(self.listing.items[i].name.clone());
            }
        }
        groups.into_values().collect()
    }
}

/// Names drawn together (union-find; the root of each set is its first name).
#[derive(Default)]
struct Joined {
    parent: BTreeMap<String, String>,
}

impl Joined {
    fn root(&self, name: &str) -> String {
        let mut at = name;
        while let Some(up) = self.parent.get(at) {
            at = up;
        }
        at.to_owned()
    }

    fn join(&mut self, a: &str, b: &str) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            self.parent.insert(high, low);
        }
    }
}
