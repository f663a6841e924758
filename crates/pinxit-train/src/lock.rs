//! One process per run folder. The operating system holds the lock and lets go of it when the process ends, however it ends,
//! so a lock left by a killed process is simply free.
use crate::{Error, Result};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// Held while a process trains in a folder.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of run folder `dir`, or says which process has it.
    pub fn take(dir: &Path) -> Result<Lock> {
        let path = dir.join("lock");
        let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(Error::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // The number is a courtesy: if it cannot be read, the refusal stands without it.
                let _ = file.read_to_string(&mut pid);
                let pid = if pid.trim().is_empty() { "?".to_string() } else { pid.trim().to_string() };
                return Err(Error::Locked { dir: dir.to_path_buf(), pid });
            }
            Err(TryLockError::Error(e)) => return Err(Error::file("lock", &path)(e)),
        }
        let write = |f: &mut File| {
            f.set_len(0)?;
            f.rewind()?;
            writeln!(f, "{}", std::process::id())?;
            f.flush()
        };
        write(&mut file).map_err(Error::file("write", &path))?;
        Ok(Lock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_refused_and_a_dead_one_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        match Lock::take(dir.path()) {
            Err(Error::Locked { pid, .. }) => assert_eq!(pid, std::process::id().to_string()),
            other => panic!("{other:?}"),
        }
        drop(first);
        Lock::take(dir.path()).unwrap();
        std::fs::write(dir.path().join("lock"), "4194304\n").unwrap();
        Lock::take(dir.path()).unwrap();
    }
}
