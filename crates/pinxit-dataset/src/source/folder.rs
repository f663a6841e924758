//! Folders and single files on disk.

use std::ops::{ControlFlow, Range};
use std::path::Path;

use fs_err as fs;

use super::{Listing, Place, Sink, note, read_limited};
use crate::error::Result;
use crate::report::FileStatus;

/// Folders nested deeper than this are not entered.
const MAX_DEPTH: usize = 64;

/// Walks `root` in the order of names. Links to files are followed; links to folders are not, so there is no loop to get caught in.
pub(super) fn list(root: &Path, sink: &mut Sink<'_>, state: &mut blake3::Hasher) -> Result<()> {
    // The root itself must be readable: an empty result would look like an empty folder.
    fs::read_dir(root)?;
    walk(root, "", 0, sink, state)
}

fn walk(folder: &Path, below: &str, depth: usize, sink: &mut Sink<'_>, state: &mut blake3::Hasher) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => {
            sink.turn_down(below, FileStatus::Rejected, format!("the folder cannot be read: {}", plain(&e)));
            return Ok(());
        }
    };
    let mut entries: Vec<_> = entries.collect::<std::io::Result<_>>()?;
    entries.sort_by_key(|e| e.file_name());
    for entry in entries {
        let own = entry.file_name().to_string_lossy().into_owned();
        let name = if below.is_empty() { own } else { format!("{below}/{own}") };
        let path = entry.path();
        let is_link = entry.file_type()?.is_symlink();
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() && is_link => {
                sink.turn_down(&name, FileStatus::Rejected, "a link to a folder: not followed");
            }
            Ok(meta) if meta.is_dir() && depth >= MAX_DEPTH => {
                sink.turn_down(&name, FileStatus::Rejected, format!("nested more than {MAX_DEPTH} folders deep"));
            }
            Ok(meta) if meta.is_dir() => walk(&path, &name, depth + 1, sink, state)?,
            Ok(meta) if meta.is_file() => {
                let known = sink.listing.items.len();
                sink.file(&name, meta.len(), Place::File(path.clone()), &mut || fs::read(&path));
                if sink.listing.items.len() > known {
                    note(state, &path)?;
                }
            }
            Ok(_) => sink.turn_down(&name, FileStatus::Rejected, "neither a file nor a folder"),
            Err(e) => sink.turn_down(&name, FileStatus::Rejected, format!("cannot be read: {}", plain(&e))),
        }
    }
    Ok(())
}

/// Reads the items of `range`, which lie on disk.
pub(super) fn read(
    listing: &Listing,
    range: Range<usize>,
    max_file_bytes: u64,
    sink: &mut dyn FnMut(usize, std::result::Result<Vec<u8>, String>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for i in range {
        let bytes = match &listing.items[i].place {
            Place::File(path) => match std::fs::File::open(path) {
                Ok(mut file) => read_limited(&mut file, max_file_bytes),
                Err(e) => Err(format!("cannot be read: {}", plain(&e))),
            },
            Place::Entry(_) => Err("cannot be read: it lies in an archive".into()),
        };
        sink(i, bytes)?;
    }
    ControlFlow::Continue(())
}

/// The reason alone: reports name the file already, and reasons must not depend on where the collection lies.
fn plain(e: &std::io::Error) -> String {
    match e.kind() {
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        std::io::ErrorKind::NotFound => "there is no such file (a broken link?)".into(),
        kind => kind.to_string(),
    }
}
