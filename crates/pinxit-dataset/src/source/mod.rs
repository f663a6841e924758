//! Folders, archives and single files as one list of items, listed first and read later, both in a fixed order.
//!
//! Nothing of an archive is ever written to disk: entries are read into memory, under limits, one after another.

mod folder;
mod name;
mod tarball;
mod zipped;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::error::{Error, Result};
use crate::report::{FileReport, FileStatus};
use crate::rights::{Sidecars, is_sidecar, names_beside};

/// Archives may unpack to this many times their size, and 256 MiB; pictures seldom shrink below a fiftieth.
pub(crate) const MAX_EXPANSION: u64 = 250;
/// What an archive of any size may unpack to.
pub(crate) const MIN_EXPANDED_BYTES: u64 = 256 << 20;
/// Label files above this are not read.
const MAX_LABEL_BYTES: u64 = 512 << 20;

/// A file that may be a picture.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Unique path, `/` between the parts; begins with the source's name if there are several.
    pub name: String,
    /// Bytes, as listed.
    pub len: u64,
    /// Number of the source.
    pub source: usize,
    /// Where in the source.
    pub place: Place,
}

#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A file on disk.
    File(PathBuf),
    /// The n-th entry of the source, which is an archive.
    Entry(usize),
}

/// One source, as named by the person.
#[derive(Debug)]
pub(crate) struct Source {
    pub path: PathBuf,
    pub kind: Kind,
    /// Prefix of its items' names: empty, or its own name and `/`.
    pub prefix: String,
}

impl Source {
    pub fn is_archive(&self) -> bool {
        matches!(self.kind, Kind::Zip | Kind::Tar | Kind::TarGz)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    File,
    Zip,
    Tar,
    TarGz,
}

/// A label file found inside a source.
#[derive(Debug)]
pub(crate) struct LabelFile {
    /// Its unique path, as an item's.
    pub name: String,
    /// Number of the source.
    pub source: usize,
    pub bytes: Vec<u8>,
}

/// All sources, listed.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub sources: Vec<Source>,
    pub items: Vec<Item>,
    /// Files that will not be read, with the reason.
    pub turned_down: Vec<FileReport>,
    /// Label files, at most one a source.
    pub labels: Vec<LabelFile>,
    /// What the files beside the pictures say about their use.
    pub sidecars: Sidecars,
    /// State of the sources (sizes and times), hex: another value means another collection.
    pub fingerprint: String,
}

/// Lists `paths` in the order given. `max_file_bytes` is the most one entry may have.
///
/// # Errors
/// [`Error::SourceMissing`]; [`Error::Io`] when a source itself cannot be read.
pub(crate) fn list(paths: &[PathBuf], max_file_bytes: u64) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut state = blake3::Hasher::new();
    for path in paths {
        let index = listing.sources.len();
        let prefix = prefix(paths, index);
        let kind = kind(path)?;
        let mut sink = Sink { source: index, prefix: &prefix, labels: Vec::new(), listing: &mut listing, max_file_bytes };
        match kind {
            Kind::Folder => folder::list(path, &mut sink, &mut state)?,
            Kind::File => sink.single(path)?,
            Kind::Zip => zipped::list(path, &mut sink)?,
            Kind::Tar | Kind::TarGz => tarball::list(path, kind, &mut sink)?,
        }
        let labels = name::best_label_file(sink.labels);
        listing.labels.extend(labels);
        note(&mut state, path)?;
        listing.sources.push(Source { path: path.clone(), kind, prefix });
    }
    for item in &listing.items {
        state.update(format!("{}\n{}\n", item.name, item.len).as_bytes());
    }
    listing.fingerprint = state.finalize().to_hex().to_string();
    Ok(listing)
}

/// Reads the items from number `start` on, in order; `sink` gets the number and the bytes or the reason why there are none.
pub(crate) fn read(
    listing: &Listing,
    start: usize,
    max_file_bytes: u64,
    sink: &mut dyn FnMut(usize, std::result::Result<Vec<u8>, String>) -> ControlFlow<()>,
) {
    let mut first = start;
    while first < listing.items.len() {
        let source = &listing.sources[listing.items[first].source];
        let count = listing.items[first..].iter().take_while(|i| i.source == listing.items[first].source).count();
        let range = first..first + count;
        let flow = match source.kind {
            Kind::Folder | Kind::File => folder::read(listing, range, max_file_bytes, sink),
            Kind::Zip => zipped::read(listing, source, range, max_file_bytes, sink),
            Kind::Tar | Kind::TarGz => tarball::read(listing, source, range, max_file_bytes, sink),
        };
        if flow.is_break() {
            return;
        }
        first += count;
    }
}

/// Where a listing puts what it finds.
struct Sink<'a> {
    source: usize,
    prefix: &'a str,
    labels: Vec<LabelFile>,
    listing: &'a mut Listing,
    max_file_bytes: u64,
}

impl Sink<'_> {
    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn turn_down(&mut self, name: &str, status: FileStatus, reason: impl Into<String>) {
        let report = FileReport::new(self.full(name), status, reason);
        self.listing.turned_down.push(report);
    }

    /// Sorts a file by its name into picture, label file, sidecar, or neither. `content` is not asked for pictures.
    fn file(&mut self, name: &str, len: u64, place: Place, content: &mut dyn FnMut() -> std::io::Result<Vec<u8>>) {
        if is_sidecar(name) {
            let full = self.full(name);
            self.listing.sidecars.add(&full, len, content);
            self.turn_down(name, FileStatus::Ignored, "read for what it says about a picture's use");
        } else if name::is_label_file(name) && len <= MAX_LABEL_BYTES {
            match content() {
                Ok(bytes) => {
                    self.turn_down(name, FileStatus::Ignored, "a label file, not a picture");
                    let name = self.full(name);
                    self.labels.push(LabelFile { name, source: self.source, bytes });
                }
                Err(e) => self.turn_down(name, FileStatus::Rejected, format!("cannot be read: {e}")),
            }
        } else if let Some((status, reason)) = name::not_a_picture(name) {
            self.turn_down(name, status, reason);
        } else if len > self.max_file_bytes {
            let limit = self.max_file_bytes;
            self.turn_down(name, FileStatus::Rejected, format!("the file has {len} bytes, and the limit is {limit} bytes"));
        } else {
            let name = self.full(name);
            self.listing.items.push(Item { name, len, source: self.source, place });
        }
    }

    fn single(&mut self, path: &Path) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let len = fs::metadata(path)?.len();
        self.file(&name, len, Place::File(path.to_owned()), &mut || fs::read(path));
        for beside in names_beside(&name) {
            let sidecar = path.with_file_name(&beside);
            if let Ok(meta) = fs::metadata(&sidecar)
                && meta.is_file()
            {
                let full = self.full(&beside);
                self.listing.sidecars.add(&full, meta.len(), &mut || fs::read(&sidecar));
            }
        }
        Ok(())
    }
}

/// The part of the path that people know the source by.
fn own_name(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    full.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Empty for a single source; else the source's own name and `/`, numbered where two share it.
fn prefix(paths: &[PathBuf], index: usize) -> String {
    if paths.len() < 2 {
        return String::new();
    }
    let own = own_name(&paths[index]);
    match paths[..index].iter().filter(|p| own_name(p) == own).count() {
        0 => format!("{own}/"),
        n => format!("{own}~{}/", n + 1),
    }
}

/// Folder or, by the first bytes, archive or plain file.
fn kind(path: &Path) -> Result<Kind> {
    use std::io::Read;
    if !path.exists() {
        return Err(Error::SourceMissing(path.to_owned()));
    }
    if path.is_dir() {
        return Ok(Kind::Folder);
    }
    let mut head = Vec::new();
    fs::File::open(path)?.take(512).read_to_end(&mut head)?;
    let by_name = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tar"));
    Ok(match head.as_slice() {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Kind::Zip,
        [0x1f, 0x8b, ..] => Kind::TarGz,
        head if by_name || head.get(257..262) == Some(b"ustar") => Kind::Tar,
        _ => Kind::File,
    })
}

/// Adds size and time of a file to the state of the sources.
fn note(state: &mut blake3::Hasher, path: &Path) -> Result<()> {
    let meta = fs::metadata(path)?;
    let nanos = meta.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |d| d.as_nanos());
    // A folder's own size and time change with files that do not matter (a thumbnail cache).
    if !meta.is_dir() {
        state.update(&meta.len().to_le_bytes());
        state.update(&nanos.to_le_bytes());
    }
    Ok(())
}

/// Reads at most `limit` bytes: what an entry claims about its size is not believed.
fn read_limited(reader: &mut dyn std::io::Read, limit: u64) -> std::result::Result<Vec<u8>, String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes).map_err(|e| format!("cannot be read: {e}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("has more than {limit} bytes, the limit"));
    }
    Ok(bytes)
}
