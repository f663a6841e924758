//! The last step: labels, groups and the split are settled, and the packed form is written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use fs_err as fs;
use serde::Serialize;

use crate::copies::Copy;
use crate::error::Result;
use crate::format::{
    self, DATASET_FILE, DatasetFile, FORMAT_NAME, FORMAT_VERSION, PIXELS_FILE, RECORDS_FILE, REPORT_FILE, Record, Split, UNSTATED,
};
use crate::journal::{Entry, TileEntry, Work};
use crate::labels::{Labels, known_columns};
use crate::options::ImportOptions;
use crate::report::{FileReport, FileStatus, ImportReport};
use crate::source::Listing;
use crate::split;

/// Classes with fewer pictures than this are named in a warning: a network cannot learn what they look like.
const FEW: usize = 10;

/// Everything known, before it is written.
pub(crate) struct Collection<'a> {
    listing: &'a Listing,
    labels: &'a Labels,
    entries: &'a [Entry],
    copies: &'a [Copy],
    options: &'a ImportOptions,
    /// Group of each kept item.
    group: BTreeMap<usize, String>,
}

impl<'a> Collection<'a> {
    pub fn new(
        listing: &'a Listing,
        labels: &'a Labels,
        entries: &'a [Entry],
        copies: &'a [Copy],
        options: &'a ImportOptions,
    ) -> Self {
        let mut collection = Self { listing, labels, entries, copies, options, group: BTreeMap::new() };
        collection.group = collection.grouped();
        collection
    }

    /// Groups among the kept works.
    pub fn groups(&self) -> usize {
        self.group.values().collect::<BTreeSet<_>>().len()
    }

    /// The work of item `i`, if it is packed.
    fn kept(&self, i: usize) -> Option<&'a Work> {
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
    fn unlabelled(&self, sources: &[usize]) -> usize {
        let items = self.group.keys().map(|&i| &self.listing.items[i]);
        items.filter(|item| sources.contains(&item.source) && self.labels.row(&item.name).is_none()).count()
    }

    fn class(&self, i: usize) -> Option<String> {
        let item = &self.listing.items[i];
        self.labels.class(&item.name, &self.listing.sources[item.source].prefix)
    }

    /// The side of each group.
    fn sides(&self) -> BTreeMap<String, Split> {
        let numbers: BTreeMap<&str, usize> =
            self.listing.items.iter().enumerate().map(|(i, item)| (item.name.as_str(), i)).collect();
        let group_of = |name: &str| numbers.get(name).and_then(|i| self.group.get(i)).cloned();
        let asked = self.labels.asked_sides(group_of);
        let groups = self.group.values().map(String::as_str);
        split::sides(groups, &asked, self.options.split_seed, self.options.held_out_fraction)
    }

    /// One record a packed picture, in order. Made anew each time they are asked for: a record is 1 kB, and there may be many.
    fn records<'s>(&'s self, sides: &'s BTreeMap<String, Split>) -> impl Iterator<Item = Record> + 's {
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

    /// Packed pictures.
    fn pictures(&self) -> usize {
        self.group.keys().filter_map(|&i| self.kept(i)).map(|work| work.tiles.len()).sum()
    }

    fn record(&self, i: usize, work: &Work, group: &str, split: Split) -> Record {
        let name = &self.listing.items[i].name;
        let row = self.labels.row(name).cloned().unwrap_or_default();
        let own = name.rsplit('/').next().unwrap_or(name);
        let stem = own.rsplit_once('.').map_or(own, |(stem, _)| stem);
        Record {
            file: name.clone(),
            blake3: work.file.to_hex().to_string(),
            pixels_blake3: String::new(),
            title: row.title.unwrap_or_else(|| stem.to_owned()),
            creator: row.creator,
            licence: row.licence.or_else(|| self.options.default_licence.clone()).unwrap_or_else(|| UNSTATED.to_owned()),
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

    fn file_reports(&self) -> Vec<FileReport> {
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

    fn near_groups(&self) -> Vec<Vec<String>> {
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

/// Writes the packed form of `collection` to the folder `target`; `pixels` holds the pictures of all usable entries, in order.
pub(crate) fn write(
    collection: &Collection<'_>,
    pixels: &Path,
    target: &Path,
    name: &str,
    tick: &mut dyn FnMut(usize, usize) -> Result<()>,
) -> Result<ImportReport> {
    let sides = collection.sides();
    copy_pixels(collection, pixels, &target.join(PIXELS_FILE), collection.pictures(), tick)?;
    let (mut report, classes, styles) = report(collection, &sides, name);

    let (height, width) = collection.options.resolution;
    let hasher = format::manifest_hasher(height, width, &classes, &styles);
    report.manifest_hash = write_records(collection.records(&sides), hasher, &target.join(RECORDS_FILE))?;
    let file = DatasetFile {
        format: FORMAT_NAME.into(),
        version: FORMAT_VERSION,
        name: name.to_owned(),
        height,
        width,
        count: report.pictures,
        works: report.works,
        groups: report.groups,
        train: report.train,
        held_out: report.held_out,
        split_seed: collection.options.split_seed,
        held_out_fraction: collection.options.held_out_fraction,
        fit: collection.options.framing_words(),
        classes,
        styles,
        licences: report.licences.clone(),
        manifest_hash: report.manifest_hash.clone(),
    };
    write_json(&target.join(DATASET_FILE), &file)?;
    write_json(&target.join(REPORT_FILE), &report)?;
    Ok(report)
}

/// What would be packed, in words and figures, and nothing is.
pub(crate) fn survey(collection: &Collection<'_>, name: &str) -> ImportReport {
    report(collection, &collection.sides(), name).0
}

/// Writes the records one by one; gives the manifest hash.
fn write_records(records: impl Iterator<Item = Record>, mut hasher: blake3::Hasher, path: &Path) -> Result<String> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    for record in records {
        let mut line = serde_json::to_vec(&record).map_err(std::io::Error::other)?;
        line.push(b'\n');
        hasher.update(&line);
        file.write_all(&line)?;
    }
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn copy_pixels(
    c: &Collection<'_>,
    from: &Path,
    to: &Path,
    total: usize,
    tick: &mut dyn FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    let (height, width) = c.options.resolution;
    let size = height as usize * width as usize * 3;
    let mut from = BufReader::with_capacity(1 << 20, fs::File::open(from)?);
    let mut to = BufWriter::with_capacity(1 << 20, fs::File::create(to)?);
    let mut buffer = vec![0; size];
    let mut done = 0;
    for (i, entry) in c.entries.iter().enumerate() {
        let Entry::Accepted(work) = entry else { continue };
        if c.kept(i).is_none() {
            from.seek_relative((work.tiles.len() * size) as i64)?;
            continue;
        }
        for _ in &work.tiles {
            from.read_exact(&mut buffer)?;
            to.write_all(&buffer)?;
            done += 1;
            if done % 1024 == 0 {
                tick(done, total)?;
            }
        }
    }
    let file = to.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    tick(total, total)
}

/// The report, and the names of the classes and styles that are learnt.
fn report(c: &Collection<'_>, sides: &BTreeMap<String, Split>, name: &str) -> (ImportReport, Vec<String>, Vec<String>) {
    let mut report = ImportReport {
        name: name.to_owned(),
        resolution: c.options.resolution,
        pictures: c.pictures(),
        works: c.group.len(),
        groups: c.groups(),
        labels: c.labels.reports.clone(),
        unknown_classes: c.labels.unknown_classes.clone(),
        unknown_styles: c.labels.unknown_styles.clone(),
        near_duplicates: c.near_groups(),
        warnings: c.labels.warnings.clone(),
        files: c.file_reports(),
        ..ImportReport::default()
    };
    for labels in &mut report.labels {
        labels.unlabelled = c.unlabelled(&labels.sources);
    }
    for record in c.records(sides) {
        match record.split {
            Split::Train => report.train += 1,
            Split::HeldOut => report.held_out += 1,
        }
        *report.licences.entry(record.licence).or_default() += 1;
        for (label, counts) in [(record.class, &mut report.classes), (record.style, &mut report.styles)] {
            if let Some(label) = label {
                *counts.entry(label).or_default() += 1;
            }
        }
    }
    for file in &report.files {
        *report.counts.entry(file.status).or_default() += 1;
    }
    warn(&mut report);
    let classes = names(&report.classes, c.group.len(), ("class", "classes"), &mut report.warnings);
    let styles = names(&report.styles, c.group.len(), ("style", "styles"), &mut report.warnings);
    (report, classes, styles)
}

fn warn(report: &mut ImportReport) {
    let mut warnings = Vec::new();
    if let Some(n) = report.licences.get(UNSTATED) {
        warnings.push(format!(
            "{n} of {} pictures have no stated licence: say --license, or name it in a label file",
            report.pictures
        ));
    }
    for labels in &report.labels {
        if labels.absent > 0 {
            let (n, first) = (labels.absent, labels.absent_names.first().map_or("", String::as_str));
            warnings.push(format!(
                "{}: {n} of {} rows name pictures that are not there, the first {first:?} (names are relative to the folder that holds the pictures)",
                labels.file, labels.rows
            ));
        }
        if let Some(first) = labels.bad_rows.first() {
            let (n, all) = (labels.unreadable, labels.unreadable + labels.rows);
            warnings.push(format!("{}: {n} of {all} rows cannot be read, the first is {first}", labels.file));
        }
        if labels.unlabelled > 0 {
            warnings.push(format!(
                "{}: {} of {} pictures have no row: their class is that of their folder, if any",
                labels.file, labels.unlabelled, report.works
            ));
        }
        if !labels.unknown_columns.is_empty() {
            let unknown = labels.unknown_columns.join(", ");
            warnings.push(format!("{}: not read: {unknown}; known columns are {}", labels.file, known_columns()));
        }
    }
    let few: Vec<String> = report.classes.iter().filter(|(_, n)| **n < FEW).map(|(c, n)| format!("{c} ({n})")).collect();
    if !few.is_empty() && report.classes.len() > 1 {
        let listed = few.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
        warnings.push(format!("{} of {} classes have fewer than {FEW} pictures: {listed}", few.len(), report.classes.len()));
    }
    if !report.near_duplicates.is_empty() {
        let files: usize = report.near_duplicates.iter().map(|g| g.len() - 1).sum();
        warnings.push(format!(
            "{files} files look the same as another one ({} groups, listed in {REPORT_FILE})",
            report.near_duplicates.len()
        ));
    }
    report.warnings.extend(warnings);
}

/// The label names that mean something: at least two, and fewer than half as many as works. One alone tells nothing apart: a network
/// would only carry it along. Whatever is not learnt is said.
fn names(counts: &BTreeMap<String, usize>, works: usize, (one, many): (&str, &str), warnings: &mut Vec<String>) -> Vec<String> {
    if let (Some(name), 1) = (counts.keys().next(), counts.len()) {
        warnings
            .push(format!("{name:?} is the only {one}, with nothing to tell it from: it is kept in the records and not learnt"));
        return Vec::new();
    }
    if counts.len() > 2 && counts.len() * 2 > works {
        warnings.push(format!(
            "{} {many} for {works} works say nothing about either: they are kept in the records and not learnt",
            counts.len()
        ));
        return Vec::new();
    }
    counts.keys().cloned().collect()
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    serde_json::to_writer_pretty(&mut file, value).map_err(std::io::Error::other)?;
    file.write_all(b"\n")?;
    Ok(file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?)
}
