//! ZIP archives: listed by their directory, read entry by entry in the order of names.

use std::collections::HashSet;
use std::ops::{ControlFlow, Range};
use std::path::Path;

use fs_err as fs;
use zip::ZipArchive;

use super::{Listing, MAX_EXPANSION, MIN_EXPANDED_BYTES, Place, Sink, Source, name, read_limited};
use crate::error::Result;
use crate::report::FileStatus;

/// Entries above this size must not shrink to less than 1 part in [`MAX_EXPANSION`].
const BOMB_BYTES: u64 = 16 << 20;

type Archive = ZipArchive<std::io::BufReader<std::fs::File>>;

fn open(path: &Path) -> std::result::Result<Archive, String> {
    let file = std::fs::File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    ZipArchive::new(std::io::BufReader::new(file)).map_err(|e| format!("not a readable ZIP archive, perhaps cut short: {e}"))
}

pub(super) fn list(path: &Path, sink: &mut Sink<'_>) -> Result<()> {
    let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut archive = match open(path) {
        Ok(archive) => archive,
        Err(reason) => {
            sink.turn_down(&own, FileStatus::Rejected, reason);
            return Ok(());
        }
    };
    let entries: Vec<Listed> = (0..archive.len()).map(|i| look(&mut archive, i)).collect();
    let total: u64 = entries.iter().fold(0, |sum, e| sum.saturating_add(e.size));
    let packed = fs::metadata(path)?.len();
    if total > packed.saturating_mul(MAX_EXPANSION).saturating_add(MIN_EXPANDED_BYTES) {
        let reason = format!("{packed} bytes claim to unpack to {total} bytes: a zip bomb, nothing of it is read");
        sink.turn_down(&own, FileStatus::Rejected, reason);
        return Ok(());
    }
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by(|&a, &b| entries[a].name.cmp(&entries[b].name).then(a.cmp(&b)));
    let mut seen = HashSet::new();
    for i in order {
        let entry = &entries[i];
        if entry.is_folder {
            continue;
        }
        match check(entry) {
            Err(reason) => sink.turn_down(&entry.name, FileStatus::Rejected, reason),
            Ok(safe) if !seen.insert(safe.clone()) => {
                sink.turn_down(&safe, FileStatus::Rejected, "the archive has this name twice; the first was taken");
            }
            Ok(safe) => {
                let limit = sink.max_file_bytes;
                let mut content = || content(&mut archive, i, limit).map_err(std::io::Error::other);
                sink.file(&safe, entry.size, Place::Entry(i), &mut content);
            }
        }
    }
    Ok(())
}

struct Listed {
    name: String,
    size: u64,
    packed: u64,
    is_folder: bool,
    is_link: bool,
    encrypted: bool,
    broken: Option<String>,
}

fn look(archive: &mut Archive, index: usize) -> Listed {
    let entry = archive.by_index_raw(index).and_then(|entry| Ok((entry.name()?.into_owned(), entry)));
    match entry {
        Ok((name, entry)) => Listed {
            name,
            size: entry.size(),
            packed: entry.compressed_size(),
            is_folder: entry.is_dir(),
            // Unix mode: file type bits, S_IFLNK.
            is_link: entry.unix_mode().is_some_and(|mode| mode & 0o170_000 == 0o120_000),
            encrypted: entry.encrypted(),
            broken: None,
        },
        Err(e) => Listed {
            name: format!("entry {index}"),
            size: 0,
            packed: 0,
            is_folder: false,
            is_link: false,
            encrypted: false,
            broken: Some(format!("cannot be read: {e}")),
        },
    }
}

fn check(entry: &Listed) -> std::result::Result<String, String> {
    if let Some(reason) = &entry.broken {
        return Err(reason.clone());
    }
    let safe = name::safe_entry(&entry.name)?;
    if entry.is_link {
        return Err("a link inside an archive: refused".into());
    }
    if entry.encrypted {
        return Err("locked with a password".into());
    }
    if entry.size > BOMB_BYTES && entry.size / MAX_EXPANSION > entry.packed {
        return Err(format!("{} bytes that claim to unpack to {}: a zip bomb, not read", entry.packed, entry.size));
    }
    Ok(safe)
}

fn content(archive: &mut Archive, index: usize, limit: u64) -> std::result::Result<Vec<u8>, String> {
    let mut entry = archive.by_index(index).map_err(|e| format!("cannot be read: {e}"))?;
    read_limited(&mut entry, limit)
}

/// Reads the items of `range`, which lie in the ZIP archive `source`.
pub(super) fn read(
    listing: &Listing,
    source: &Source,
    range: Range<usize>,
    max_file_bytes: u64,
    sink: &mut dyn FnMut(usize, std::result::Result<Vec<u8>, String>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut archive = open(&source.path);
    for i in range {
        let bytes = match (&mut archive, &listing.items[i].place) {
            (Ok(archive), Place::Entry(index)) => content(archive, *index, max_file_bytes),
            (Err(reason), _) => Err(reason.clone()),
            (_, Place::File(_)) => Err("cannot be read: it does not lie in the archive".into()),
        };
        sink(i, bytes)?;
    }
    ControlFlow::Continue(())
}
