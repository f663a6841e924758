//! A packed collection, opened: memory-mapped pixels and the records beside them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use fs_err as fs;
use memmap2::Mmap;
use pinxit_image::Picture;

use crate::error::{Error, Result};
use crate::format::{
    self, DATASET_FILE, DatasetFile, FIRST_VERSION, FORMAT_NAME, FORMAT_VERSION, PIXELS_FILE, RECORDS_FILE, Record, Split,
};

/// An opened dataset. Cheap to clone; safe to read from many threads.
#[derive(Debug, Clone)]
pub struct Dataset {
    inner: Arc<Inner>,
    uses_class: bool,
    uses_style: bool,
    words: Option<Arc<Words>>,
}

/// Captions as the words somebody reads in them.
#[derive(Debug)]
struct Words {
    names: Vec<String>,
    /// Of each picture.
    of: Vec<Vec<u32>>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    file: DatasetFile,
    records: Vec<Record>,
    class: Vec<Option<u32>>,
    style: Vec<Option<u32>>,
    train: Vec<u32>,
    held_out: Vec<u32>,
    pixels: Mmap,
    stamp: Stamp,
}

/// What the file system says about `pixels.bin`: any write or swap changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(path: &Path) -> Result<Self> {
        let meta = fs::metadata(path)?;
        Ok(Self { len: meta.len(), modified: meta.modified().ok() })
    }
}

impl Dataset {
    /// Opens the dataset in folder `dir` and verifies every checksum (over 1 GB/s a core).
    ///
    /// # Errors
    /// [`Error::NotADataset`], [`Error::Version`], [`Error::Damaged`] naming the file or picture, or [`Error::Io`].
    pub fn open(dir: &Path) -> Result<Self> {
        let file = read_dataset_file(dir)?;
        let damaged = |what: String| Error::Damaged { name: file.name.clone(), what };
        let text = fs::read(dir.join(RECORDS_FILE)).map_err(|e| damaged(e.to_string()))?;
        if format::manifest_hash(file.version, file.height, file.width, &file.classes, &file.styles, &text) != file.manifest_hash
        {
            return Err(damaged(format!("{RECORDS_FILE} does not match the manifest hash")));
        }
        let records = parse_records(&text).map_err(&damaged)?;
        drop(text);
        if records.len() != file.count {
            return Err(damaged(format!("{RECORDS_FILE} has {} records, {} expected", records.len(), file.count)));
        }
        let path = dir.join(PIXELS_FILE);
        let stamp = Stamp::of(&path).map_err(|e| damaged(e.to_string()))?;
        let expected = file.count as u128 * u128::from(file.height) * u128::from(file.width) * 3;
        if u128::from(stamp.len) != expected {
            return Err(damaged(format!("{PIXELS_FILE} has {} bytes, {expected} expected", stamp.len)));
        }
        let pixels = map(&path)?;
        let class = labels(&records, &file.classes, |r| r.class.as_deref());
        let style = labels(&records, &file.styles, |r| r.style.as_deref());
        let side = |split| (0..records.len() as u32).filter(|&i| records[i as usize].split == split).collect();
        let (train, held_out) = (side(Split::Train), side(Split::HeldOut));
        let inner = Inner { dir: dir.to_owned(), file, records, class, style, train, held_out, pixels, stamp };
        let dataset = Self { inner: Arc::new(inner), uses_class: true, uses_style: true, words: None };
        dataset.verify_pixels()?;
        Ok(dataset)
    }

    /// The same pictures, with class or style labels hidden (`false`): for a model that shall not learn them.
    #[must_use]
    pub fn with_labels(&self, class: bool, style: bool) -> Self {
        Self { uses_class: class, uses_style: style, ..self.clone() }
    }

    /// The same pictures, each with the words that `read` finds in its caption: indices into `names`.
    #[must_use]
    pub fn with_words(&self, names: Vec<String>, read: impl Fn(&str) -> Vec<u32>) -> Self {
        let of = self.inner.records.iter().map(|r| r.caption.as_deref().map(&read).unwrap_or_default()).collect();
        Self { words: Some(Arc::new(Words { names, of })), ..self.clone() }
    }

    /// Pictures, both sides of the split together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.records.len()
    }

    /// Whether there is no picture (an imported dataset always has some).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.records.is_empty()
    }

    /// `(height, width)` of every picture in px.
    #[must_use]
    pub fn resolution(&self) -> (usize, usize) {
        (self.inner.file.height as usize, self.inner.file.width as usize)
    }

    /// Class names; a class label is an index into them. Empty if the collection has fewer than two classes.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        if self.uses_class { &self.inner.file.classes } else { &[] }
    }

    /// Style names; a style label is an index into them. Empty if the collection has fewer than two styles.
    #[must_use]
    pub fn styles(&self) -> &[String] {
        if self.uses_style { &self.inner.file.styles } else { &[] }
    }

    /// Words; a picture's are indices into them. Empty unless [`Dataset::with_words`] gave some.
    #[must_use]
    pub fn words(&self) -> &[String] {
        self.words.as_ref().map_or(&[], |w| &w.names)
    }

    /// BLAKE3 over everything that training sees, hex.
    #[must_use]
    pub fn manifest_hash(&self) -> &str {
        &self.inner.file.manifest_hash
    }

    /// The name it was imported under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.file.name
    }

    /// The folder it was opened from.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// All of `dataset.json`.
    #[must_use]
    pub fn description(&self) -> &DatasetFile {
        &self.inner.file
    }

    /// Every licence present, sorted.
    #[must_use]
    pub fn licences(&self) -> BTreeSet<String> {
        self.inner.file.licences.keys().cloned().collect()
    }

    /// Works the pictures were made of, where they were examined for reservations; 0 for a dataset of the first version.
    #[must_use]
    pub fn examined_works(&self) -> usize {
        if self.inner.file.reads.is_empty() { 0 } else { self.inner.file.works }
    }

    /// Up to `most` creators by name, the most works first.
    #[must_use]
    pub fn creators(&self, most: usize) -> Vec<String> {
        let named = self.inner.file.creators.iter().filter(|(name, _)| !name.is_empty());
        let mut creators: Vec<(&String, &usize)> = named.collect();
        creators.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        creators.into_iter().take(most).map(|(name, _)| name.clone()).collect()
    }

    /// Picture `i`: `[h, w, 3]` bytes, sRGB, row-major.
    ///
    /// # Panics
    /// If `i >= self.len()`, as slices do.
    #[must_use]
    pub fn pixels(&self, i: usize) -> &[u8] {
        let size = self.picture_bytes();
        &self.inner.pixels[i * size..(i + 1) * size]
    }

    /// Picture `i` as an owned [`Picture`].
    ///
    /// # Errors
    /// None in practice: the sides were checked on opening.
    pub fn picture(&self, i: usize) -> Result<Picture> {
        Ok(Picture::new(self.inner.file.width, self.inner.file.height, self.pixels(i).to_vec())?)
    }

    /// Class label of picture `i`, an index into [`Dataset::classes`].
    #[must_use]
    pub fn class(&self, i: usize) -> Option<u32> {
        self.inner.class[i].filter(|_| self.uses_class)
    }

    /// Style label of picture `i`, an index into [`Dataset::styles`].
    #[must_use]
    pub fn style(&self, i: usize) -> Option<u32> {
        self.inner.style[i].filter(|_| self.uses_style)
    }

    /// Words of picture `i`, indices into [`Dataset::words`].
    #[must_use]
    pub fn words_of(&self, i: usize) -> &[u32] {
        self.words.as_ref().map_or(&[], |w| &w.of[i])
    }

    /// Where picture `i` came from and under what terms.
    #[must_use]
    pub fn record(&self, i: usize) -> &Record {
        &self.inner.records[i]
    }

    /// Indices of the training side, ascending.
    #[must_use]
    pub fn train(&self) -> &[u32] {
        &self.inner.train
    }

    /// Indices of the held-out side, ascending.
    #[must_use]
    pub fn held_out(&self) -> &[u32] {
        &self.inner.held_out
    }

    /// Whether the files on disk are still those that were opened: cheap (records are hashed again, pixels only if their file was
    /// touched), so a run can ask at every snapshot.
    ///
    /// # Errors
    /// [`Error::Changed`] with what differs.
    pub fn verify_unchanged(&self) -> Result<()> {
        let changed = |what: &str| Error::Changed { name: self.name().to_owned(), what: what.to_owned() };
        let dir = &self.inner.dir;
        let now = read_dataset_file(dir).map_err(|_| changed(&format!("{DATASET_FILE} cannot be read any more")))?;
        if now.manifest_hash != self.inner.file.manifest_hash {
            return Err(changed("it was imported anew with other pictures or labels"));
        }
        let text = fs::read(dir.join(RECORDS_FILE)).map_err(|_| changed(&format!("{RECORDS_FILE} is gone")))?;
        if format::manifest_hash(now.version, now.height, now.width, &now.classes, &now.styles, &text)
            != self.inner.file.manifest_hash
        {
            return Err(changed(&format!("{RECORDS_FILE} was edited")));
        }
        let path = dir.join(PIXELS_FILE);
        let stamp = Stamp::of(&path).map_err(|_| changed(&format!("{PIXELS_FILE} is gone")))?;
        if stamp.len != self.inner.stamp.len {
            return Err(changed(&format!("{PIXELS_FILE} has another length")));
        }
        if stamp != self.inner.stamp {
            let fresh = map(&path)?;
            if let Some(i) = first_bad_picture(&self.inner.records, &fresh, self.picture_bytes()) {
                return Err(changed(&format!("the pixels of {} were edited", self.inner.records[i].file)));
            }
        }
        Ok(())
    }

    /// Hashes all pixels again.
    ///
    /// # Errors
    /// [`Error::Damaged`] naming the first picture whose bytes differ.
    pub fn verify_pixels(&self) -> Result<()> {
        match first_bad_picture(&self.inner.records, &self.inner.pixels, self.picture_bytes()) {
            None => Ok(()),
            Some(i) => {
                let what = format!("{PIXELS_FILE}: picture {i} ({}) is not what was written", self.inner.records[i].file);
                Err(Error::Damaged { name: self.name().to_owned(), what })
            }
        }
    }

    fn picture_bytes(&self) -> usize {
        let (h, w) = self.resolution();
        h * w * 3
    }
}

/// Reads and checks `dataset.json`.
pub(crate) fn read_dataset_file(dir: &Path) -> Result<DatasetFile> {
    let path = dir.join(DATASET_FILE);
    if !path.is_file() {
        return Err(Error::NotADataset(dir.to_owned()));
    }
    let name = || dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let damaged = |what: String| Error::Damaged { name: name(), what };
    let text = fs::read(&path)?;
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|e| damaged(format!("{DATASET_FILE}: {e}")))?;
    if value["format"] != FORMAT_NAME {
        return Err(Error::NotADataset(dir.to_owned()));
    }
    let found = value["version"].as_u64().unwrap_or(0) as u32;
    if !(FIRST_VERSION..=FORMAT_VERSION).contains(&found) {
        return Err(Error::Version { name: name(), found, known: FORMAT_VERSION });
    }
    serde_json::from_value(value).map_err(|e| damaged(format!("{DATASET_FILE}: {e}")))
}

pub(crate) fn parse_records(text: &[u8]) -> std::result::Result<Vec<Record>, String> {
    text.split(|&b| b == b'\n')
        .filter(|line| !line.is_empty())
        .enumerate()
        .map(|(i, line)| serde_json::from_slice(line).map_err(|e| format!("{RECORDS_FILE} line {}: {e}", i + 1)))
        .collect()
}

fn labels(records: &[Record], names: &[String], of: impl Fn(&Record) -> Option<&str>) -> Vec<Option<u32>> {
    let index: std::collections::HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
    records.iter().map(|r| of(r).and_then(|name| index.get(name).copied())).collect()
}

fn map(path: &Path) -> Result<Mmap> {
    let file = fs::File::open(path)?;
    // SAFETY: the map is only read. A dataset's files are written once and replaced by renaming the whole folder, which leaves this
    // inode alone, so no pinxit process writes to or shortens a mapped file. Somebody who edits it by hand can change the bytes
    // under us: they are plain u8, every value of which is valid, and `verify_unchanged` notices.
    Ok(unsafe { Mmap::map(file.file()) }?)
}

/// Index of the first picture whose bytes are not those its record hashes, all cores looking.
fn first_bad_picture(records: &[Record], pixels: &[u8], size: usize) -> Option<usize> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let chunk = records.len().div_ceil(threads).max(1);
    let bad = |(part, records): (usize, &[Record])| {
        records.iter().enumerate().map(|(i, r)| (part * chunk + i, r)).find_map(|(i, r)| {
            let same = blake3::hash(&pixels[i * size..(i + 1) * size]).to_hex().as_str() == r.pixels_blake3;
            (!same).then_some(i)
        })
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = records.chunks(chunk).enumerate().map(|part| scope.spawn(move || bad(part))).collect();
        // A worker cannot panic short of a length that was checked on opening; if one does, nothing was verified.
        workers.into_iter().enumerate().filter_map(|(part, w)| w.join().unwrap_or(Some(part * chunk))).min()
    })
}
