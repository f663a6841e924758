//! TAR archives, plain or gzipped: streamed twice, once to list and once to read, in the order of the archive.

use std::collections::HashSet;
use std::io::{BufReader, Read};
use std::ops::{ControlFlow, Range};
use std::path::Path;

use fs_err as fs;

use super::{Kind, Listing, MAX_EXPANSION, MIN_EXPANDED_BYTES, Place, Sink, Source, name, read_limited};
use crate::error::Result;
use crate::report::FileStatus;

/// Stops a stream that unpacks to more than it may.
struct Counted<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| {
            std::io::Error::other(format!("it unpacks to more than {MAX_EXPANSION} times its size: a bomb, the rest is not read"))
        })?;
        Ok(n)
    }
}

type Stream = tar::Archive<Box<dyn Read + Send>>;

fn open(path: &Path, kind: Kind) -> std::io::Result<Stream> {
    let file = std::fs::File::open(path)?;
    let left = file.metadata()?.len().saturating_mul(MAX_EXPANSION).saturating_add(MIN_EXPANDED_BYTES);
    let file = BufReader::with_capacity(1 << 16, file);
    let plain: Box<dyn Read + Send> = match kind {
        Kind::TarGz => Box::new(Counted { inner: flate2::bufread::MultiGzDecoder::new(file), left }),
        _ => Box::new(file),
    };
    Ok(tar::Archive::new(plain))
}

pub(super) fn list(path: &Path, kind: Kind, sink: &mut Sink<'_>) -> Result<()> {
    fs::metadata(path)?;
    if let Err(e) = try_list(path, kind, sink) {
        let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sink.turn_down(&own, FileStatus::Rejected, format!("the archive cannot be read to its end: {e}"));
    }
    Ok(())
}

fn try_list(path: &Path, kind: Kind, sink: &mut Sink<'_>) -> std::io::Result<()> {
    let mut archive = open(path, kind)?;
    let mut seen = HashSet::new();
    for (i, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            continue;
        }
        let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let safe = match name::safe_entry(&raw) {
            Ok(safe) => safe,
            Err(reason) => {
                sink.turn_down(&raw, FileStatus::Rejected, reason);
                continue;
            }
        };
        if kind.is_symlink() || kind.is_hard_link() {
            sink.turn_down(&safe, FileStatus::Rejected, "a link inside an archive: refused");
        } else if !kind.is_file() {
            sink.turn_down(&safe, FileStatus::Rejected, "neither a file nor a folder");
        } else if !seen.insert(safe.clone()) {
            sink.turn_down(&safe, FileStatus::Rejected, "the archive has this name twice; the first was taken");
        } else {
            let limit = sink.max_file_bytes;
            let size = entry.size();
            sink.file(&safe, size, Place::Entry(i), &mut || read_limited(&mut entry, limit).map_err(std::io::Error::other));
        }
    }
    Ok(())
}

/// Reads the items of `range`, which lie in the TAR archive `source`.
pub(super) fn read(
    listing: &Listing,
    source: &Source,
    range: Range<usize>,
    max_file_bytes: u64,
    sink: &mut dyn FnMut(usize, std::result::Result<Vec<u8>, String>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut wanted = range.clone();
    let mut next = wanted.next();
    let failure = stream(listing, source, max_file_bytes, &mut next, &mut wanted, sink);
    let reason = match failure {
        Ok(flow) if flow.is_break() => return flow,
        Ok(_) => "cannot be read: the archive ended early".to_owned(),
        Err(e) => format!("cannot be read: {e}"),
    };
    while let Some(i) = next {
        sink(i, Err(reason.clone()))?;
        next = wanted.next();
    }
    ControlFlow::Continue(())
}

fn stream(
    listing: &Listing,
    source: &Source,
    max_file_bytes: u64,
    next: &mut Option<usize>,
    wanted: &mut Range<usize>,
    sink: &mut dyn FnMut(usize, std::result::Result<Vec<u8>, String>) -> ControlFlow<()>,
) -> std::io::Result<ControlFlow<()>> {
    let mut archive = open(&source.path, source.kind)?;
    for (at, entry) in archive.entries()?.enumerate() {
        let mut entry = entry?;
        let Some(i) = *next else { break };
        if !matches!(listing.items[i].place, Place::Entry(place) if place == at) {
            continue;
        }
        let bytes = read_limited(&mut entry, max_file_bytes);
        if sink(i, bytes).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        *next = wanted.next();
    }
    Ok(ControlFlow::Continue(()))
}
