//! Keys on disk.
//!
//! ```text
//! keys/                    0700
//!   artist/
//!     key.pem              0600  PKCS#8, encrypted when a passphrase was given
//!     chain.pem                  the signer's certificate, then its root
//!   trusted/NAME.pem             roots of other people
//!   watermark.key          0600  the secret of the studio's watermarks (`secret.rs`)
//! ```
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::KeypairBytes;
use pkcs8::der::SecretDocument;
use pkcs8::{DecodePrivateKey, EncodePrivateKey, EncryptedPrivateKeyInfo, LineEnding, PrivateKeyInfo};
use rand_core::OsRng;

use super::{ArtistKey, Certificate, Chain, KeyError};

/// What opens an encrypted private key.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

impl Passphrase {
    /// From text; `None` for an empty one, which locks nothing.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Passphrase(text.into()))
    }
}

impl std::fmt::Debug for Passphrase {
    /// Never the words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// A root of somebody else that the person trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedRoot {
    /// What the person calls it.
    pub name: String,
    /// The root.
    pub certificate: Certificate,
}

/// The folder `keys/` of a studio home. Nothing is created before something is written.
#[derive(Clone, Debug)]
pub struct KeyFolder {
    folder: PathBuf,
}

const KEY: &str = "key.pem";
const CHAIN: &str = "chain.pem";

impl KeyFolder {
    /// The folder at `folder`.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        KeyFolder { folder: folder.into() }
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the artist's own key lies.
    #[must_use]
    pub fn own(&self) -> PathBuf {
        self.folder.join("artist")
    }

    /// Whether there is an own key, or what is left of one.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.own().exists()
    }

    /// Writes a new key, whole or not at all: both files into a folder beside, which is then renamed.
    ///
    /// # Errors
    /// [`KeyError::Taken`] when there is one; [`KeyError::Io`].
    pub fn create(&self, key: &ArtistKey, passphrase: Option<&Passphrase>) -> Result<(), KeyError> {
        if self.has_key() {
            return Err(KeyError::Taken { folder: self.folder.clone() });
        }
        make_private(&self.folder)?;
        let beside = tempfile::Builder::new().prefix(".pinxit-").suffix(".partial").tempdir_in(&self.folder)?;
        pinxit_image::write_atomic(&beside.path().join(CHAIN), key.chain.to_pem().as_bytes())?;
        pinxit_image::write_atomic_private(&beside.path().join(KEY), encoded(&key.signing, passphrase)?.as_bytes())?;
        fs_err::rename(beside.path(), self.own()).map_err(|e| match self.has_key() {
            // Another program was quicker by a moment.
            true => KeyError::Taken { folder: self.folder.clone() },
            false => e.into(),
        })
    }

    /// The certificates of the own key; no passphrase is needed.
    ///
    /// # Errors
    /// [`KeyError::Missing`], [`KeyError::Half`], [`KeyError::Certificate`].
    pub fn chain(&self) -> Result<Chain, KeyError> {
        Chain::from_pem(&self.file(CHAIN)?)
    }

    /// Whether the own private key is locked by a passphrase.
    ///
    /// # Errors
    /// As [`KeyFolder::chain`].
    pub fn is_locked(&self) -> Result<bool, KeyError> {
        Ok(parsed(&self.file(KEY)?)?.0 == ENCRYPTED)
    }

    /// The own key, ready to sign: it belongs to its certificates, these are valid now, and nobody else can read it.
    ///
    /// # Errors
    /// Every [`KeyError`] that says what of this does not hold.
    pub fn open(&self, passphrase: Option<&Passphrase>) -> Result<ArtistKey, KeyError> {
        let chain = self.chain()?;
        let text = self.file(KEY)?;
        check_rights(&self.own().join(KEY))?;
        let key = ArtistKey { signing: decoded(&text, passphrase)?, chain };
        key.check()?;
        Ok(key)
    }

    /// Adds a root to those the person trusts; the same one again under the same name is no change. Says where it lies.
    ///
    /// # Errors
    /// [`KeyError::NotARoot`], [`KeyError::Taken`] when the name is another root's.
    pub fn trust(&self, root: &TrustedRoot) -> Result<PathBuf, KeyError> {
        if !root.certificate.is_root {
            return Err(KeyError::NotARoot { name: root.certificate.name.clone() });
        }
        let path = self.trusted_folder().join(format!("{}.pem", root.name));
        let pem = root.certificate.to_pem();
        if path.exists() {
            let same = fs_err::read_to_string(&path)? == pem;
            return if same { Ok(path) } else { Err(KeyError::Taken { folder: path }) };
        }
        make_private(&self.folder)?;
        fs_err::create_dir_all(self.trusted_folder())?;
        pinxit_image::write_atomic(&path, pem.as_bytes())?;
        Ok(path)
    }

    /// The roots the person trusts, by name.
    ///
    /// # Errors
    /// [`KeyError::Certificate`] when a file holds none.
    pub fn trusted(&self) -> Result<Vec<TrustedRoot>, KeyError> {
        let entries = match fs_err::read_dir(self.trusted_folder()) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e.into()),
        };
        let mut roots = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            if path.extension().is_none_or(|e| e != "pem") || stem.starts_with('.') {
                continue;
            }
            let all = Certificate::all_from_pem(&fs_err::read(&path)?)
                .map_err(|e| KeyError::Certificate { why: format!("{}: {e}", path.display()) })?;
            roots.extend(all.into_iter().map(|certificate| TrustedRoot { name: stem.clone(), certificate }));
        }
        roots.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(roots)
    }

    fn trusted_folder(&self) -> PathBuf {
        self.folder.join("trusted")
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, KeyError> {
        let file = self.own().join(name);
        match fs_err::read(&file) {
            Ok(bytes) => Ok(bytes),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Err(if self.has_key() { KeyError::Half { file } } else { KeyError::Missing { folder: self.folder.clone() } })
            }
            Err(e) => Err(e.into()),
        }
    }
}

const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// PKCS#8 PEM (RFC 5958); with a passphrase PBES2 with scrypt (N = 2^17, r = 8, p = 1) and AES-256-CBC.
fn encoded(key: &SigningKey, passphrase: Option<&Passphrase>) -> Result<impl std::ops::Deref<Target = String>, KeyError> {
    let damaged = |e: pkcs8::Error| KeyError::Damaged { why: e.to_string() };
    // Without the public key behind it: older readers of PKCS#8 know only version 1.
    let plain = KeypairBytes { secret_key: key.to_bytes(), public_key: None }.to_pkcs8_der().map_err(damaged)?;
    let (label, document) = match passphrase {
        None => (PLAIN, plain),
        Some(passphrase) => {
            let info = PrivateKeyInfo::try_from(plain.as_bytes()).map_err(damaged)?;
            (ENCRYPTED, info.encrypt(OsRng, passphrase.0.as_bytes()).map_err(damaged)?)
        }
    };
    document.to_pem(label, LineEnding::LF).map_err(|e| KeyError::Damaged { why: e.to_string() })
}

fn parsed(pem: &[u8]) -> Result<(&str, SecretDocument), KeyError> {
    let text = std::str::from_utf8(pem).map_err(|_| KeyError::Damaged { why: "it is not text".into() })?;
    SecretDocument::from_pem(text).map_err(|e| KeyError::Damaged { why: e.to_string() })
}

fn decoded(pem: &[u8], passphrase: Option<&Passphrase>) -> Result<SigningKey, KeyError> {
    let damaged = |e: pkcs8::Error| KeyError::Damaged { why: e.to_string() };
    let (label, document) = parsed(pem)?;
    if label != ENCRYPTED {
        return SigningKey::from_pkcs8_der(document.as_bytes()).map_err(damaged);
    }
    let passphrase = passphrase.ok_or(KeyError::Locked)?;
    let info = EncryptedPrivateKeyInfo::try_from(document.as_bytes()).map_err(|e| KeyError::Damaged { why: e.to_string() })?;
    let opened = info.decrypt(passphrase.0.as_bytes()).map_err(|_| KeyError::WrongPassphrase)?;
    // A wrong passphrase may by chance leave well-formed padding (one in 256); what then comes out is no key.
    SigningKey::from_pkcs8_der(opened.as_bytes()).map_err(|_| KeyError::WrongPassphrase)
}

/// A folder that only its owner can look into.
pub(super) fn make_private(folder: &Path) -> Result<(), KeyError> {
    fs_err::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs_err::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Refuses a private key that others can read. Only Unix says so in a way that can be asked.
pub(super) fn check_rights(file: &Path) -> Result<(), KeyError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs_err::metadata(file)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { file: file.into(), mode });
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}
