//! What became of every file: partial failure is data, not an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What became of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileStatus {
    /// Packed as it was.
    Accepted,
    /// Packed after the listed fixes.
    Fixed,
    /// Not usable; the reason says why.
    Rejected,
    /// The same bytes or the same pixels as an earlier file.
    Duplicate,
    /// Looks the same as an earlier file.
    NearDuplicate,
    /// Left out because its class or style was.
    LeftOut,
    /// No picture and not meant as one (texts, label files, hidden files).
    Ignored,
}

impl FileStatus {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Fixed => "fixed",
            Self::Rejected => "rejected",
            Self::Duplicate => "duplicate",
            Self::NearDuplicate => "near-duplicate",
            Self::LeftOut => "left out",
            Self::Ignored => "ignored",
        }
    }
}

/// One file's fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// Path inside the source.
    pub file: String,
    /// Its fate.
    pub status: FileStatus,
    /// Why, where it was not packed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was changed, where it was packed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<String>,
}

impl FileReport {
    pub(crate) fn new(file: impl Into<String>, status: FileStatus, reason: impl Into<String>) -> Self {
        Self { file: file.into(), status, reason: Some(reason.into()), fixes: Vec::new() }
    }
}

/// What a label file gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelReport {
    /// The label file.
    pub file: String,
    /// Rows read.
    pub rows: usize,
    /// Rows whose picture is there.
    pub matched: usize,
    /// Rows whose picture is absent.
    pub absent: usize,
    /// The first 20 of the absent names.
    pub absent_names: Vec<String>,
    /// Rows that could not be read.
    #[serde(default)]
    pub unreadable: usize,
    /// The first 20 of them, with the reason.
    pub bad_rows: Vec<String>,
    /// The sources whose pictures it speaks of.
    #[serde(skip)]
    pub(crate) sources: Vec<usize>,
    /// Pictures taken in that no row names.
    pub unlabelled: usize,
    /// Columns nobody reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_columns: Vec<String>,
}

/// The whole import, as `report.json` has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportReport {
    /// The dataset's name.
    pub name: String,
    /// Height and width in px.
    pub resolution: (u32, u32),
    /// Pictures (or patches) packed.
    pub pictures: usize,
    /// Works they came from.
    pub works: usize,
    /// Groups, the unit of the split.
    pub groups: usize,
    /// Pictures on the training side.
    pub train: usize,
    /// Pictures held out.
    pub held_out: usize,
    /// Files by fate.
    pub counts: BTreeMap<FileStatus, usize>,
    /// Packed pictures by class.
    pub classes: BTreeMap<String, usize>,
    /// Packed pictures by style.
    pub styles: BTreeMap<String, usize>,
    /// Packed pictures by licence.
    pub licences: BTreeMap<String, usize>,
    /// BLAKE3 of the collection, hex.
    pub manifest_hash: String,
    /// What the label files gave.
    pub labels: Vec<LabelReport>,
    /// Classes asked to be left out that no picture has: perhaps misspelt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_classes: Vec<String>,
    /// Styles asked to be left out that no picture has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_styles: Vec<String>,
    /// Files that look the same, each list beginning with the one that was kept.
    pub near_duplicates: Vec<Vec<String>>,
    /// Works turned down because nobody states a licence.
    #[serde(default)]
    pub unlicensed: usize,
    /// Works turned down because they, or works they copy, are reserved against training.
    #[serde(default)]
    pub reserved: usize,
    /// Works turned down because they were taken down before, and those taken down since.
    #[serde(default)]
    pub taken_down: usize,
    /// Works taken in although they are reserved.
    #[serde(default)]
    pub overridden: usize,
    /// The reason for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
    /// File and SHA-256 of each of those, for the ledger. Not written to disk: the records hold them.
    #[serde(skip)]
    pub overridden_works: Vec<(String, String)>,
    /// SHA-256 of the Croissant manifest, hex. Told in `dataset.json`.
    #[serde(skip)]
    pub croissant_sha256: Option<String>,
    /// Things worth a look, in words.
    pub warnings: Vec<String>,
    /// Files whose work an earlier, interrupted import had done already. Not written to disk.
    #[serde(skip)]
    pub resumed: usize,
    /// Every file, in the order of reading.
    pub files: Vec<FileReport>,
}

impl ImportReport {
    /// Files of one fate.
    #[must_use]
    pub fn count(&self, status: FileStatus) -> usize {
        self.counts.get(&status).copied().unwrap_or(0)
    }
}

/// What the import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Listing the sources.
    Looking,
    /// Reading, decoding, fitting.
    Reading,
    /// Looking for copies.
    Comparing,
    /// Writing the packed form.
    Packing,
}

/// Progress of an import, for a bar. Return `ControlFlow::Break` from the callback to stop at the next safe point.
#[derive(Debug, Clone)]
pub struct ImportProgress {
    /// What is being done.
    pub phase: Phase,
    /// Steps of the phase done.
    pub done: usize,
    /// Steps of the phase; 0 while unknown.
    pub total: usize,
    /// Files turned down so far.
    pub rejected: usize,
}

/// `1 picture`, `12 pictures`.
pub fn counted(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}
