//! By what a work is known again: the file, its pixels, its looks, its fingerprint.
//!
//! A dataset keeps what of that the records do not say in `looks.jsonl`, one line a work, so that a work that is taken down is found in it also
//! as another file. Takedowns keep all of it, so that the work does not come back.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use pinxit_image::{Limits, decode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::dataset::{parse_records, read_dataset_file};
use crate::error::{Error, Result};
use crate::examiner::Examiner;
use crate::format::{self, LOOKS_FILE, RECORDS_FILE, Record};
use crate::journal;
use crate::near::Look;
use crate::prepare;

/// A work, whatever it is called and whichever file it comes in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// BLAKE3 of the file, hex.
    pub blake3: String,
    /// SHA-256 of the file, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// ISCC of the file (ISO 24138).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iscc: Option<String>,
    /// BLAKE3 of size and decoded pixels, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// What it looks like, coarsely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
}

/// How two files were found to be one work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sameness {
    /// The same bytes.
    File,
    /// Other bytes, the same pixels.
    Pixels,
    /// The same to look at.
    Looks,
    /// The same by their fingerprints, where nothing else is known.
    Fingerprint,
}

impl Sameness {
    /// In a sentence about a file.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::File => "the same file",
            Self::Pixels => "the same pixels",
            Self::Looks => "it looks the same",
            Self::Fingerprint => "the same by its ISCC",
        }
    }
}

impl Identity {
    /// Of a file. `examiner` gives the fingerprint.
    ///
    /// # Errors
    /// [`Error::Image`] when the file is no picture that can be read.
    pub fn of_file(bytes: &[u8], limits: &Limits, examiner: &dyn Examiner) -> Result<Self> {
        let picture = decode(bytes, limits)?.picture;
        Ok(Self {
            blake3: blake3::hash(bytes).to_hex().to_string(),
            sha256: Some(prepare::hex(&Sha256::digest(bytes))),
            iscc: examiner.fingerprint(bytes, &picture),
            content: Some(prepare::content(&picture).to_hex().to_string()),
            look: Some(Look::of(&picture)),
        })
    }

    /// Of a work that an import has prepared.
    pub(crate) fn of_work(work: &journal::Work) -> Self {
        Self {
            blake3: work.file.to_hex().to_string(),
            sha256: Some(work.sha256.clone()),
            iscc: work.iscc.clone(),
            content: Some(work.content.to_hex().to_string()),
            look: Some(work.look),
        }
    }

    /// Whether both are one work, as far as an import can tell: cropped, mirrored or painted over it is another. Fingerprints decide only where the
    /// looks of one are not known, for they say nothing of colours.
    #[must_use]
    pub fn same(&self, other: &Self, examiner: &dyn Examiner) -> Option<Sameness> {
        let both = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        if self.blake3 == other.blake3 || both(&self.sha256, &other.sha256) {
            return Some(Sameness::File);
        }
        if both(&self.content, &other.content) {
            return Some(Sameness::Pixels);
        }
        match (&self.look, &other.look, &self.iscc, &other.iscc) {
            (Some(one), Some(two), ..) => one.near(two).then_some(Sameness::Looks),
            (_, _, Some(one), Some(two)) => examiner.alike(one, two).then_some(Sameness::Fingerprint),
            _ => None,
        }
    }
}

/// A work of a dataset.
#[derive(Debug, Clone)]
pub struct ListedWork {
    /// By what it is known again.
    pub identity: Identity,
    /// The record of its first picture.
    pub record: Record,
    /// Pictures that were cut from it.
    pub pictures: usize,
}

/// The works of a dataset.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Hash of its manifest.
    pub manifest_hash: String,
    /// In the order of their pictures.
    pub works: Vec<ListedWork>,
}

/// The works of the dataset in folder `dir`, without a look at its pixels.
///
/// # Errors
/// [`Error::NotADataset`], [`Error::Version`], [`Error::Damaged`], [`Error::Io`].
pub fn works_of(dir: &Path) -> Result<Listed> {
    let file = read_dataset_file(dir)?;
    let damaged = |what: String| Error::Damaged { name: file.name.clone(), what };
    let text = fs::read(dir.join(RECORDS_FILE)).map_err(|e| damaged(e.to_string()))?;
    if format::manifest_hash(file.version, file.height, file.width, &file.classes, &file.styles, &text) != file.manifest_hash {
        return Err(damaged(format!("{RECORDS_FILE} does not match the manifest hash")));
    }
    let mut looks = read_looks(dir);
    let (mut works, mut places): (Vec<ListedWork>, HashMap<String, usize>) = Default::default();
    for record in parse_records(&text).map_err(damaged)? {
        if let Some(&place) = places.get(&record.blake3) {
            works[place].pictures += 1;
            continue;
        }
        places.insert(record.blake3.clone(), works.len());
        let kept = looks.remove(&record.blake3);
        let identity = Identity {
            blake3: record.blake3.clone(),
            sha256: record.sha256.clone(),
            iscc: record.iscc.clone(),
            content: kept.as_ref().map(|kept| kept.content.clone()),
            look: kept.map(|kept| kept.look),
        };
        works.push(ListedWork { identity, record, pictures: 1 });
    }
    Ok(Listed { manifest_hash: file.manifest_hash, works })
}

/// A line of `looks.jsonl`.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    blake3: String,
    content: String,
    look: Look,
}

/// The file of looks of an import's works.
pub(crate) fn looks_file<'a>(works: impl Iterator<Item = &'a journal::Work>) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for work in works {
        let (blake3, content) = (work.file.to_hex().to_string(), work.content.to_hex().to_string());
        serde_json::to_writer(&mut out, &Kept { blake3, content, look: work.look }).map_err(std::io::Error::other)?;
        out.push(b'\n');
    }
    Ok(out)
}

/// The file of looks without some works; none where there is no such file.
pub(crate) fn looks_without(dir: &Path, is_taken: &dyn Fn(&str) -> bool) -> Option<Vec<u8>> {
    let text = fs::read(dir.join(LOOKS_FILE)).ok()?;
    let lines = text.split_inclusive(|&b| b == b'\n');
    let stays = |line: &&[u8]| serde_json::from_slice::<Kept>(line).is_ok_and(|kept| !is_taken(&kept.blake3));
    Some(lines.filter(stays).flatten().copied().collect())
}

/// What is known of the looks by file; nothing of datasets made before they were kept.
fn read_looks(dir: &Path) -> HashMap<String, Kept> {
    let text = fs::read(dir.join(LOOKS_FILE)).unwrap_or_default();
    let kept = text.split(|&b| b == b'\n').filter_map(|line| serde_json::from_slice::<Kept>(line).ok());
    kept.map(|kept| (kept.blake3.clone(), kept)).collect()
}

/// A work that was taken down, as an import is told of it.
#[derive(Debug, Clone)]
pub struct TakenDown {
    /// By what it is known again.
    pub identity: Identity,
    /// The day, as a person reads it.
    pub on: String,
}

/// The unfinished import into the dataset folder `dir` that holds a work which `is_taken` knows is thrown away: its pixels lie in it. Also puts in
/// order what a swap left that was cut short. True if there was one.
///
/// # Errors
/// [`Error::Locked`] while an import into it runs; [`Error::Io`].
pub fn forget_unfinished(dir: &Path, is_taken: &dyn Fn(&Identity) -> bool) -> Result<bool> {
    let place = crate::place::Place::take(dir, true)?;
    let holds = journal::works(&place.work_dir())?.iter().any(|work| is_taken(&Identity::of_work(work)));
    if holds {
        place.discard()?;
    }
    Ok(holds)
}

/// The folders of datasets that an import has begun and not ended, or whose replacement was cut short, below `datasets`.
///
/// # Errors
/// [`Error::Io`].
pub fn unfinished(datasets: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(datasets) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        other => other?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let begun = [".partial", ".old"].iter().find_map(|ending| name.strip_suffix(ending));
        found.extend(begun.filter(|name| crate::check_name(name).is_ok()).map(|name| datasets.join(name)));
    }
    found.sort();
    found.dedup();
    Ok(found)
}
