//! Labels and rights of each picture: from a label file (CSV or JSONL), else from sub-folders.

mod rows;
mod skin_tone;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use fs_err as fs;

pub(crate) use rows::{Row, known_columns};

use crate::error::{Error, Result};
use crate::format::Split;
use crate::report::LabelReport;
use crate::source::{LabelFile, Listing};

/// Absent names and bad rows listed in the report.
const LISTED: usize = 20;

/// What is known about the pictures, by item name.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    rows: HashMap<String, Row>,
    /// What the label files gave.
    pub reports: Vec<LabelReport>,
    /// Label files that were found but are of no use, with the reason.
    pub warnings: Vec<String>,
    /// Classes asked to be left out that no picture has.
    pub unknown_classes: Vec<String>,
    /// Styles asked to be left out that no picture has.
    pub unknown_styles: Vec<String>,
}

impl Labels {
    /// Reads the label file asked for, or those found in the sources, and joins their rows to the items.
    ///
    /// # Errors
    /// Only for a file that was asked for: [`Error::SourceMissing`], [`Error::Io`], [`Error::Labels`], [`Error::LabelsNotUtf8`],
    /// [`Error::LabelsMatchNothing`]. One merely found is warned about.
    pub fn gather(asked: Option<&Path>, listing: &Listing) -> Result<Self> {
        let mut labels = Self::default();
        let names = Names::of(listing);
        if let Some(path) = asked {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !path.exists() {
                return Err(Error::SourceMissing(path.to_owned()));
            }
            let bytes = fs::read(path)?;
            let sources: Vec<usize> = (0..listing.sources.len()).collect();
            labels.join(&file, &bytes, &sources, "", &names, listing)?;
            return Ok(labels);
        }
        for LabelFile { name, source, bytes } in &listing.labels {
            let base = name.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
            if let Err(e) = labels.join(name, bytes, &[*source], &base, &names, listing) {
                let hint = e.hint().unwrap_or_default();
                labels.warnings.push(format!("{e}; labels are taken from the sub-folders instead ({hint})"));
            }
        }
        Ok(labels)
    }

    /// The row of an item.
    pub fn row(&self, item: &str) -> Option<&Row> {
        self.rows.get(item)
    }

    /// The class of an item: its row's, where it has one in a file that speaks of classes, else its sub-folder's.
    pub fn class(&self, item: &str, prefix: &str) -> Option<String> {
        if let Some(row) = self.row(item).filter(|r| r.decides_class) {
            return row.class.clone();
        }
        let inside = item.strip_prefix(prefix).unwrap_or(item);
        let (folder, _) = inside.rsplit_once('/')?;
        Some(folder.rsplit('/').next().unwrap_or(folder).to_owned())
    }

    /// Groups whose rows name a side of the split; held-out wins where one group's rows disagree.
    pub fn asked_sides(&self, group_of: impl Fn(&str) -> Option<String>) -> BTreeMap<String, Split> {
        let mut sides = BTreeMap::new();
        for (name, row) in &self.rows {
            if let (Some(split), Some(group)) = (row.split, group_of(name)) {
                let side = sides.entry(group).or_insert(split);
                if split == Split::HeldOut {
                    *side = split;
                }
            }
        }
        sides
    }

    fn join(
        &mut self,
        file: &str,
        bytes: &[u8],
        sources: &[usize],
        base: &str,
        names: &Names<'_>,
        listing: &Listing,
    ) -> Result<()> {
        let text = utf8(file, bytes)?;
        let parsed = rows::parse(file, text).map_err(|reason| Error::Labels { file: file.to_owned(), reason })?;
        let mut report = LabelReport {
            file: file.to_owned(),
            sources: sources.to_vec(),
            rows: parsed.rows.len(),
            unreadable: parsed.bad.len(),
            bad_rows: parsed.bad,
            unknown_columns: parsed.unknown.into_iter().collect(),
            ..LabelReport::default()
        };
        report.bad_rows.truncate(LISTED);
        report.unknown_columns.truncate(LISTED);
        let first = parsed.rows.first().map(|r| r.file.clone()).unwrap_or_default();
        let mut has_class = false;
        let mut found = HashMap::new();
        for row in parsed.rows {
            match names.find(&row.file, sources, base, listing) {
                Some(name) => {
                    has_class |= row.class.is_some();
                    report.matched += 1;
                    found.entry(name).or_insert(row);
                }
                None => {
                    report.absent += 1;
                    if report.absent_names.len() < LISTED {
                        report.absent_names.push(row.file);
                    }
                }
            }
        }
        if report.matched == 0 {
            return Err(Error::LabelsMatchNothing { file: file.to_owned(), rows: report.rows, example: first });
        }
        // A column of classes that is empty throughout says nothing against the folders.
        found.values_mut().for_each(|row| row.decides_class = has_class);
        self.rows.extend(found);
        self.reports.push(report);
        Ok(())
    }
}

/// The whole file as UTF-8: an old spreadsheet's umlauts would else cost single rows, or make names that are none.
fn utf8<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|&&b| b == b'\n').count() + 1;
        Error::LabelsNotUtf8 { file: file.to_owned(), line }
    })
}

/// All names that are there, to look rows up by.
struct Names<'a> {
    all: std::collections::HashSet<&'a str>,
    /// By the last part, where that is unique; `None` where it is not.
    last: HashMap<&'a str, Option<&'a str>>,
}

impl<'a> Names<'a> {
    fn of(listing: &'a Listing) -> Self {
        let mut names = Self { all: Default::default(), last: HashMap::new() };
        // Files turned down are there as well: a row that names one is not about an absent picture.
        let turned_down = listing.turned_down.iter().map(|f| f.file.as_str());
        for name in listing.items.iter().map(|i| i.name.as_str()).chain(turned_down) {
            names.all.insert(name);
            let last = name.rsplit('/').next().unwrap_or(name);
            names.last.entry(last).and_modify(|n| *n = None).or_insert(Some(name));
        }
        names
    }

    /// The item a row's `file` names: relative to `base` or to one of the sources, or by its last part alone if that is all there
    /// is and only one picture is called so, in the sources the file speaks for.
    fn find(&self, file: &str, sources: &[usize], base: &str, listing: &Listing) -> Option<String> {
        let file = file.replace('\\', "/");
        let file = file.trim_start_matches("./");
        let bases = std::iter::once(base).chain(sources.iter().map(|&s| listing.sources[s].prefix.as_str()));
        for base in bases {
            let full = format!("{base}{file}");
            if self.all.contains(full.as_str()) {
                return Some(full);
            }
        }
        if file.contains('/') {
            return None;
        }
        let is_ours = |name: &&str| sources.iter().any(|&s| name.starts_with(&listing.sources[s].prefix));
        self.last.get(file).copied().flatten().filter(is_ours).map(str::to_owned)
    }
}
