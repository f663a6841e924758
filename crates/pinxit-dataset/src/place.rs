//! Where a dataset comes to lie: names, the lock, the folder it is built in, the swap at the end.
//!
//! ```text
//! NAME.partial/work/   journal and pixels of an import that is under way or was interrupted
//! NAME.partial/done/   the packed form, while it is written
//! NAME/                the packed form, whole: `done` renamed
//! NAME.old/            the replaced dataset, for the moment of the swap
//! .NAME.lock           held by the process that imports; goes with it, and after a kill with the next import
//! ```

use std::fs::TryLockError;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::dataset::read_dataset_file;
use crate::error::{Error, Result};

/// A dataset's place, locked for this process as long as it lives.
#[derive(Debug)]
pub(crate) struct Place {
    name: String,
    dir: PathBuf,
    /// Dropped last: the system releases the lock with the file.
    _lock: fs::File,
}

/// The lock file goes while it is still held: whoever opened it meanwhile will find that it is no longer there, see [`lock`].
impl Drop for Place {
    fn drop(&mut self) {
        // A file that cannot be removed is empty and in nobody's way.
        let _ = fs::remove_file(self.dir.with_file_name(lock_name(&self.name)));
    }
}

impl Place {
    /// Locks the place and checks that it is free, or holds a dataset that may be replaced.
    pub fn take(dir: &Path, replace: bool) -> Result<Self> {
        let name = own_name(dir)?;
        let home = dir.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(home)?;
        let lock = lock(home, &name)?;
        let place = Self { dir: home.join(&name), name, _lock: lock };
        // A swap that was cut short between its two renames.
        if !place.dir.exists() && place.beside("old").exists() {
            fs::rename(place.beside("old"), &place.dir)?;
        }
        remove_if_there(&place.beside("old"))?;
        check_free(&place.dir, &place.name, replace)?;
        Ok(place)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the journal lies.
    pub fn work_dir(&self) -> PathBuf {
        self.beside("partial").join("work")
    }

    /// An empty folder to write the packed form to.
    pub fn fresh_target(&self) -> Result<PathBuf> {
        let target = self.target();
        remove_if_there(&target)?;
        fs::create_dir_all(&target)?;
        Ok(target)
    }

    /// Renames the packed form to its name and removes what is left of the work; what lay there before goes to `replaced_to`, or is
    /// deleted.
    pub fn put_in_place(&self, replaced_to: Option<&Path>) -> Result<()> {
        let old = self.beside("old");
        if self.dir.exists() {
            fs::rename(&self.dir, &old)?;
        }
        fs::rename(self.target(), &self.dir)?;
        sync_folder(&self.dir);
        match replaced_to {
            Some(to) if old.exists() => fs::rename(&old, to)?,
            _ => remove_if_there(&old)?,
        }
        self.discard()
    }

    /// Deletes the dataset that lies there.
    pub fn remove(&self) -> Result<()> {
        let old = self.beside("old");
        fs::rename(&self.dir, &old)?;
        sync_folder(&self.dir);
        remove_if_there(&old)?;
        self.discard()
    }

    /// Removes the work done so far.
    pub fn discard(&self) -> Result<()> {
        remove_if_there(&self.beside("partial"))
    }

    fn target(&self) -> PathBuf {
        self.beside("partial").join("done")
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.dir.with_file_name(format!("{}.{suffix}", self.name))
    }
}

/// The name of the dataset that would lie in `dir`, if that is free, or holds a dataset that may be replaced. Locks nothing.
pub(crate) fn free_name(dir: &Path, replace: bool) -> Result<String> {
    let name = own_name(dir)?;
    check_free(dir, &name, replace)?;
    Ok(name)
}

fn own_name(dir: &Path) -> Result<String> {
    let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    check_name(&name)?;
    Ok(name)
}

/// Never replace a folder that is something else; a damaged dataset may go.
fn check_free(dir: &Path, name: &str, replace: bool) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    if !replace {
        return Err(Error::Exists(name.to_owned()));
    }
    match read_dataset_file(dir) {
        Ok(_) | Err(Error::Damaged { .. } | Error::Version { .. }) => Ok(()),
        Err(e) => Err(e),
    }
}

/// A name that is a folder name on every system, and no other name of this crate.
///
/// # Errors
/// [`Error::BadName`] with what is wrong.
pub fn check_name(name: &str) -> Result<()> {
    let bad = |reason| Err(Error::BadName { name: name.to_owned(), reason });
    if name.is_empty() {
        return bad("it is empty");
    }
    if name.len() > 100 {
        return bad("it is longer than 100 bytes");
    }
    if name.starts_with('.') || name.starts_with('-') || name.ends_with('.') {
        return bad("it begins with '.' or '-', or ends with '.'");
    }
    if !name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) {
        return bad("only letters, digits, '-', '_' and '.' are allowed");
    }
    if name.ends_with(".partial") || name.ends_with(".old") {
        return bad("names ending in .partial and .old are used while importing");
    }
    Ok(())
}

/// Takes `.NAME.lock`. Its last holder removes it, so a lock on a file that is no longer in its place is worth nothing: then the
/// next one is tried.
fn lock(home: &Path, name: &str) -> Result<fs::File> {
    let path = home.join(lock_name(name));
    loop {
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
        match file.file().try_lock() {
            Ok(()) if is_at(file.file(), &path) => return Ok(file),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked(name.to_owned())),
            // Some network file systems have no locks; refusing to work there would help nobody.
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => return Ok(file),
            Err(TryLockError::Error(e)) => return Err(e.into()),
        }
    }
}

fn lock_name(name: &str) -> String {
    format!(".{name}.lock")
}

/// Whether the open file is the one that lies at `path` now.
#[cfg(unix)]
fn is_at(file: &std::fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |a: &std::fs::Metadata, b: &std::fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    file.metadata().is_ok_and(|held| std::fs::metadata(path).is_ok_and(|there| same(&held, &there)))
}

/// Elsewhere a file that is open and marked for removal cannot be opened again, so there is only one.
#[cfg(not(unix))]
fn is_at(_: &std::fs::File, path: &Path) -> bool {
    path.exists()
}

fn remove_if_there(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

/// Makes the renaming itself durable. Systems that cannot sync a folder say so, and nothing can be done about it.
fn sync_folder(dir: &Path) {
    if let Some(Ok(home)) = dir.parent().map(std::fs::File::open) {
        let _ = home.sync_all();
    }
}
