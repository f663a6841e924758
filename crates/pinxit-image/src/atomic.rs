//! Writing a file so that it is there whole or not at all.

use crate::error::{Error, Result};
use std::io::Write;
use std::path::Path;

/// Writes `bytes` to `path`: into a temporary file in the same folder, synced to disk, then renamed over
/// `path`, then the folder synced. A crash or a full disk leaves the old file, or none, never half of one.
///
/// # Errors
/// [`Error::Write`] with the path; the temporary file is removed.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes, shared()).map_err(|source| Error::Write { path: path.to_path_buf(), source })
}

/// The same for a secret: on Unix only its owner may read and write the file (mode 0600), from its first byte on.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_atomic_private(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes, private()).map_err(|source| Error::Write { path: path.to_path_buf(), source })
}

fn write(path: &Path, bytes: &[u8], builder: tempfile::Builder<'_, '_>) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|failed| failed.error)?;
    sync_folder(folder)
}

/// On Unix a new file gets the rights that the user's umask leaves, like any other file she saves;
/// temporary files are otherwise made readable by their owner alone, and the rename keeps that.
fn shared() -> tempfile::Builder<'static, 'static> {
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut builder = private();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// Temporary files are their owner's alone, and the rename keeps that.
fn private() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pinxit-").suffix(".partial");
    builder
}

/// Makes the rename itself durable. Only Unix can open a folder as a file.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    fs_err::File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    #[test]
    fn replaces_the_old_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        write_atomic(&path, b"old").unwrap();
        write_atomic(&path, b"new content").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new content");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_is_named_with_a_hint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("absent").join("a.png");
        let error = write_atomic(&path, b"x").unwrap_err();
        assert!(error.to_string().contains("absent"), "{error}");
        assert_eq!(error.hint(), Some("make the folder first"));
    }
}
