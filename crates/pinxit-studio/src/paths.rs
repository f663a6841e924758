//! Small things about paths.
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Refuses a folder that cannot be: where a file lies, or below one.
pub fn check_folder(path: &Path) -> Result<()> {
    match path.ancestors().find(|p| p.exists()) {
        Some(file) if !file.is_dir() => Err(Error::NotAFolder { path: file.into() }),
        _ => Ok(()),
    }
}

/// Creates a folder and those above it, where they are not there.
pub fn make_folder(path: &Path) -> Result<()> {
    check_folder(path)?;
    Ok(fs_err::create_dir_all(path)?)
}

/// Whether a word names a place and not a thing of the home.
pub fn is_path(word: &str) -> bool {
    word.contains(['/', '\\']) || [".", ".."].contains(&word)
}

/// Creates the folder that `path` will lie in.
pub fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => make_folder(parent),
        _ => Ok(()),
    }
}

/// Writes a file a person named (or whose name follows from what she asked for), whole or not at all. What lies there already is
/// hers: it is replaced only with `overwrite`. The same bytes again are no loss, so that repeating a command is painless.
pub fn write_beside_others(path: &Path, bytes: &[u8], overwrite: bool) -> Result<()> {
    if holds(path, bytes) {
        return Ok(());
    }
    if !overwrite && path.exists() {
        return Err(Error::InTheWay { path: path.into() });
    }
    make_parent(path)?;
    Ok(pinxit_image::write_atomic(path, bytes)?)
}

/// `name.png`, or `name-2.png`, `name-3.png`…: the first that is free or holds these very bytes. For names nobody chose.
pub fn free_or_same(path: &Path, bytes: &[u8]) -> PathBuf {
    free_or(path, |candidate| holds(candidate, bytes))
}

/// The same: the first that is free or of which `is_same` holds.
pub fn free_or(path: &Path, is_same: impl Fn(&Path) -> bool) -> PathBuf {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let ending = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    let mut candidate = path.to_path_buf();
    for i in 2.. {
        if !candidate.exists() || is_same(&candidate) {
            break;
        }
        candidate = path.with_file_name(format!("{stem}-{i}{ending}"));
    }
    candidate
}

/// Whether a file holds these very bytes.
pub fn holds(path: &Path, bytes: &[u8]) -> bool {
    fs_err::metadata(path).is_ok_and(|m| m.len() == bytes.len() as u64) && fs_err::read(path).is_ok_and(|found| found == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_there_is_replaced_only_if_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/a.png");
        write_beside_others(&path, b"mine", false).unwrap();
        write_beside_others(&path, b"mine", false).unwrap();
        let error = write_beside_others(&path, b"other", false).unwrap_err();
        assert!(error.to_string().contains("a.png") && error.hint().unwrap().contains("--overwrite"), "{error}");
        assert_eq!(fs_err::read(&path).unwrap(), b"mine");
        write_beside_others(&path, b"other", true).unwrap();
        assert_eq!(fs_err::read(&path).unwrap(), b"other");
    }

    #[test]
    fn a_name_nobody_chose_gives_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sheet.png");
        assert_eq!(free_or_same(&path, b"a"), path);
        fs_err::write(&path, b"a").unwrap();
        assert_eq!(free_or_same(&path, b"a"), path);
        assert_eq!(free_or_same(&path, b"b"), dir.path().join("sheet-2.png"));
    }
}
