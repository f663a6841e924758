//! The secret behind a studio's watermarks, beside the artist's key: 32 random bytes, as hexadecimal digits in `watermark.key`.
//!
//! It is no part of the artist's key: a new certificate must not make older marks unreadable. Who has it can read, write and remove
//! marks of this studio; who loses it can read none of them any more.
use std::io::Write as _;
use std::path::PathBuf;

use rand_core::{OsRng, RngCore as _};

use super::folder::{check_rights, make_private};
use super::{KeyError, KeyFolder};
use crate::watermark::Key;

const FILE: &str = "watermark.key";
/// What ids are made with; the mark's own key is made of other words.
const ID_CONTEXT: &str = "pinxit watermark 1 id";

/// The secret of a studio's watermarks.
#[derive(Clone)]
pub struct WatermarkSecret([u8; 32]);

impl WatermarkSecret {
    /// The key of its marks.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::derive(self.0)
    }

    /// The id of `bits` bits (at most 64) for the picture that `text` describes: the first bits of BLAKE3 of the text, keyed with
    /// a key derived from the secret. The same text has the same id, and nobody can tell from ids how many pictures there are.
    #[must_use]
    pub fn id(&self, text: &str, bits: u32) -> u64 {
        let hash = blake3::keyed_hash(&blake3::derive_key(ID_CONTEXT, &self.0), text.as_bytes());
        let first = hash.as_bytes().first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        first.checked_shr(64u32.saturating_sub(bits)).unwrap_or(0)
    }
}

impl std::fmt::Debug for WatermarkSecret {
    /// Never the bytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WatermarkSecret(…)")
    }
}

impl KeyFolder {
    /// Where the secret of watermarks lies, or would.
    #[must_use]
    pub fn watermark_file(&self) -> PathBuf {
        self.folder().join(FILE)
    }

    /// The secret of watermarks, if there is one; nobody but its owner can read it.
    ///
    /// # Errors
    /// [`KeyError::Exposed`], [`KeyError::WatermarkDamaged`], [`KeyError::Io`].
    pub fn watermark(&self) -> Result<Option<WatermarkSecret>, KeyError> {
        let file = self.watermark_file();
        let text = match fs_err::read(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        check_rights(&file)?;
        let secret = blake3::Hash::from_hex(text.trim_ascii());
        secret.map(|bytes| Some(WatermarkSecret(bytes.into()))).map_err(|_| KeyError::WatermarkDamaged { file })
    }

    /// The secret of watermarks; a new one where there is none.
    ///
    /// # Errors
    /// As [`KeyFolder::watermark`].
    pub fn watermark_or_new(&self) -> Result<WatermarkSecret, KeyError> {
        match self.watermark()? {
            Some(secret) => Ok(secret),
            None => self.make_watermark(),
        }
    }

    /// Whole or not at all, and never over another: where a second program made one in this very moment, that one counts for both.
    fn make_watermark(&self) -> Result<WatermarkSecret, KeyError> {
        make_private(self.folder())?;
        let mut bytes = [0; 32];
        OsRng.fill_bytes(&mut bytes);
        // Temporary files are their owner's alone (mode 0600), and keep that under their new name.
        let mut beside = tempfile::Builder::new().prefix(".pinxit-").suffix(".partial").tempfile_in(self.folder())?;
        writeln!(beside, "{}", blake3::Hash::from_bytes(bytes).to_hex())?;
        beside.as_file().sync_all()?;
        match beside.persist_noclobber(self.watermark_file()) {
            Ok(_) => {}
            Err(e) if e.error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e.error.into()),
        }
        #[cfg(unix)]
        fs_err::File::open(self.folder())?.sync_all()?;
        self.watermark()?.ok_or(KeyError::WatermarkDamaged { file: self.watermark_file() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let folder = KeyFolder::at(dir.path().join("keys"));
        assert!(folder.watermark().unwrap().is_none() && !dir.path().join("keys").exists(), "asking makes nothing");
        let made = folder.watermark_or_new().unwrap();
        let again = folder.watermark_or_new().unwrap();
        assert_eq!((made.0, again.0), (made.0, made.0));
        assert_ne!(made.0, KeyFolder::at(dir.path().join("other")).watermark_or_new().unwrap().0, "each studio has its own");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&folder.watermark_file()), mode(&dir.path().join("keys"))), (0o600, 0o700));
            std::fs::set_permissions(folder.watermark_file(), std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(matches!(folder.watermark(), Err(KeyError::Exposed { mode: 0o644, .. })));
        }
        assert_eq!(std::fs::read_dir(dir.path().join("keys")).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn programs_that_make_one_at_once_agree() {
        let dir = tempfile::tempdir().unwrap();
        let folder = KeyFolder::at(dir.path());
        let make = || folder.watermark_or_new().unwrap().0;
        let all: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(|secret| *secret == all[0]));
    }

    #[test]
    fn what_is_no_secret_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let folder = KeyFolder::at(dir.path());
        for text in ["", "abc", &"g".repeat(64), &"a".repeat(65)] {
            pinxit_image::write_atomic_private(&folder.watermark_file(), text.as_bytes()).unwrap();
            assert!(matches!(folder.watermark_or_new(), Err(KeyError::WatermarkDamaged { .. })), "{text:?}");
            assert_eq!(std::fs::read_to_string(folder.watermark_file()).unwrap(), text);
        }
    }

    /// The ids of pictures that have left never change.
    #[test]
    fn ids_are_the_first_bits_of_a_keyed_hash() {
        let secret = WatermarkSecret([7; 32]);
        let (full, short) = (secret.id("{\"v\":1}", 48), secret.id("{\"v\":1}", 24));
        assert_eq!((full >> 24, full >> 48), (short, 0));
        assert_eq!(full, GOLDEN);
        assert_ne!(full, secret.id("{\"v\":2}", 48));
        assert_ne!(full, WatermarkSecret([8; 32]).id("{\"v\":1}", 48));
        assert_eq!((secret.id("a", 0), secret.id("a", 65)), (0, secret.id("a", 64)));
        assert!(!format!("{secret:?}").contains('7'));
    }

    const GOLDEN: u64 = 104_210_642_848_659;
}
