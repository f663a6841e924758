//! The packed form on disk.
//!
//! ```text
//! NAME/dataset.json    DatasetFile: resolution, labels, split, counts, manifest hash
//! NAME/records.jsonl   one Record a line, in the order of the pixels
//! NAME/pixels.bin      count × height × width × 3 bytes, sRGB, RGB8, row-major, no header
//! NAME/croissant.json  Croissant manifest: what records.jsonl says of each work, and when it was examined (for other programs)
//! NAME/report.json     what became of every file (for people; never read back)
//! NAME/looks.jsonl     by what each work is known again should it be taken down (not part of the hash)
//! NAME/works.index     what the search for near copies knows of the training works, once it was needed (made anew where it does not fit)
//! NAME/sheet.png       contact sheet, once `datasets show` was asked for it (for people; never read back)
//! ```
//!
//! `manifest_hash` is BLAKE3 over resolution, label lists and the bytes of `records.jsonl`; since each record carries the BLAKE3 of
//! its pixels, one hash stands for the whole collection. Nothing but `croissant.json` depends on the time (it tells
//! when each work was examined, and is not part of the hash), nothing on the machine or the number of
//! threads: importing the same files twice gives the same bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rights::Signal;

/// Version of the layout above, for what is written now.
pub const FORMAT_VERSION: u32 = 2;
/// The version before works had a SHA-256, an ISCC and what was found about their use; it is still read.
pub const FIRST_VERSION: u32 = 1;
/// Name of the format, first key of `dataset.json`.
pub const FORMAT_NAME: &str = "pinxit-dataset";
/// Description of the collection.
pub const DATASET_FILE: &str = "dataset.json";
/// One record a picture.
pub const RECORDS_FILE: &str = "records.jsonl";
/// The pixels.
pub const PIXELS_FILE: &str = "pixels.bin";
/// What became of every file.
pub const REPORT_FILE: &str = "report.json";
/// Croissant manifest.
pub const CROISSANT_FILE: &str = "croissant.json";
/// What each work looks like.
pub const LOOKS_FILE: &str = "looks.jsonl";
/// The index of the training works.
pub const WORKS_FILE: &str = "works.index";
/// A contact sheet.
pub const SHEET_FILE: &str = "sheet.png";
/// Licence in datasets of the first version where none was stated; such works are not taken in any more.
pub const UNSTATED: &str = "unstated";

/// Which side of the split a picture lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Shown to the networks.
    Train,
    /// Kept apart to measure memorising and the real-versus-real floor.
    HeldOut,
}

/// One packed picture: where it came from, under what terms, what is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Path inside the source, `/` between the parts; the source's name first when there were several.
    pub file: String,
    /// BLAKE3 of the file, hex.
    pub blake3: String,
    /// SHA-256 of the file, hex; absent in the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// ISCC of the file (ISO 24138).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iscc: Option<String>,
    /// BLAKE3 of this picture's `h*w*3` packed bytes, hex.
    pub pixels_blake3: String,
    /// Name of the work; the file's name where nothing else is known.
    pub title: String,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// SPDX id, or words of the person's; [`UNSTATED`] may stand here in the first version.
    pub licence: String,
    /// Statements found about its use for training, those that allow it as well as those that reserve it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Signal>,
    /// Why it was taken in although it is reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
    /// Package, address or collection it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Class label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Style label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// Words about the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Pictures of one group never lie on both sides of the split.
    pub group: String,
    /// The side.
    pub split: Split,
    /// Size of the decoded work in px: width, height.
    pub original: (u32, u32),
    /// For a patch of a larger work: left, top, width, height of its window in the work, px.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<[u32; 4]>,
    /// What was done to the file on the way in, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<String>,
}

/// `dataset.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetFile {
    /// Always [`FORMAT_NAME`].
    pub format: String,
    /// [`FORMAT_VERSION`] when written by this code.
    pub version: u32,
    /// The collection's name.
    pub name: String,
    /// Height of every picture in px.
    pub height: u32,
    /// Width of every picture in px.
    pub width: u32,
    /// Pictures (or patches) packed.
    pub count: usize,
    /// Works (files) they came from.
    pub works: usize,
    /// Groups, the unit of the split.
    pub groups: usize,
    /// Pictures on the training side.
    pub train: usize,
    /// Pictures held out.
    pub held_out: usize,
    /// Seed of the split.
    pub split_seed: u64,
    /// Share of groups aimed at for the held-out side.
    pub held_out_fraction: f64,
    /// How works were brought to size: `centre`, `smart`, `letterbox`, or `patches N`.
    pub fit: String,
    /// Class names in label order.
    pub classes: Vec<String>,
    /// Style names in label order.
    pub styles: Vec<String>,
    /// Pictures by licence.
    pub licences: BTreeMap<String, usize>,
    /// Works by creator; `""` for those whose creator nobody names. Empty in the first version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub creators: BTreeMap<String, usize>,
    /// Conventions of reservation that were read; empty in the first version, which read none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// Works taken in against their reservation.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overridden: usize,
    /// The reason for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
    /// SHA-256 of `croissant.json`, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub croissant_sha256: Option<String>,
    /// BLAKE3 over everything that training sees, hex.
    pub manifest_hash: String,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// BLAKE3 over format version, resolution, label lists and the bytes of `records.jsonl`, hex.
#[must_use]
pub fn manifest_hash(version: u32, height: u32, width: u32, classes: &[String], styles: &[String], records: &[u8]) -> String {
    let mut hasher = manifest_hasher(version, height, width, classes, styles);
    hasher.update(records);
    hasher.finalize().to_hex().to_string()
}

/// The same before the first record.
pub(crate) fn manifest_hasher(version: u32, height: u32, width: u32, classes: &[String], styles: &[String]) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{FORMAT_NAME} {version}\n{height} {width}\n").as_bytes());
    for names in [classes, styles] {
        hasher.update(&(names.len() as u64).to_le_bytes());
        for name in names {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
        }
    }
    hasher
}
