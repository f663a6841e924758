//! What can be wrong with keys.
use std::path::PathBuf;

/// A key that cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No key in the folder.
    #[error("there is no key in {}", folder.display())]
    Missing {
        /// Where it would lie.
        folder: PathBuf,
    },
    /// A key lies there already.
    #[error("there is a key in {} already", folder.display())]
    Taken {
        /// The folder.
        folder: PathBuf,
    },
    /// One of the two files is gone.
    #[error("the key is not whole: {} is missing", file.display())]
    Half {
        /// The file that is not there.
        file: PathBuf,
    },
    /// The key is encrypted and no passphrase was given.
    #[error("the key is locked by a passphrase, and none was given")]
    Locked,
    /// The passphrase does not open the key.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// Others than the owner can read the private key.
    #[error("other people can read the private key {} (mode {mode:04o})", file.display())]
    Exposed {
        /// The file.
        file: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// The private key cannot be read.
    #[error("the private key is damaged: {why}")]
    Damaged {
        /// What the reader said.
        why: String,
    },
    /// The secret of watermarks cannot be read.
    #[error("the watermark secret {} is damaged: it is not 64 hexadecimal digits", file.display())]
    WatermarkDamaged {
        /// The file.
        file: PathBuf,
    },
    /// A certificate cannot be read, or is none.
    #[error("not a usable certificate: {why}")]
    Certificate {
        /// What the reader said.
        why: String,
    },
    /// Key, certificate and root do not belong together.
    #[error("key and certificates do not belong together: {why}")]
    ForeignChain {
        /// Which two.
        why: &'static str,
    },
    /// The certificate's time is over.
    #[error("the certificate of {name} expired on {until}")]
    Expired {
        /// Whose.
        name: String,
        /// The last day, UTC.
        until: String,
    },
    /// The certificate's time has not come.
    #[error("the certificate of {name} is not valid before {from}")]
    NotYetValid {
        /// Whose.
        name: String,
        /// The first day, UTC.
        from: String,
    },
    /// A name that cannot stand in a certificate.
    #[error("\"{name}\" cannot be a name in a certificate")]
    Name {
        /// The name.
        name: String,
    },
    /// The maker of certificates failed.
    #[error("the certificate could not be made: {why}")]
    Issue {
        /// What it said.
        why: String,
    },
    /// A certificate that may not vouch for others was given to trust.
    #[error("{name} is not a root: its certificate may not vouch for others")]
    NotARoot {
        /// Whose certificate.
        name: String,
    },
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] pinxit_image::Error),
}

impl KeyError {
    /// What a person can do about it, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Missing { .. } => "make one: `pinxit keys init --name \"Jane Artist\"`",
            Self::Taken { .. } => "`pinxit keys show` shows it; `pinxit keys init --replace` moves it to bin/ and makes another",
            Self::Half { .. } => "copy the file back, or make a new key: `pinxit keys init --replace`",
            Self::Locked => "set PINXIT_PASSPHRASE, or name a file with --passphrase-file",
            Self::WrongPassphrase => "there is no way round it: if it is lost, make a new key with `pinxit keys init --replace`",
            Self::Exposed { .. } => "take the right from them: chmod 600 on that file",
            Self::Damaged { .. } | Self::ForeignChain { .. } => {
                "copy the key folder back from a backup, or make a new key: `pinxit keys init --replace`"
            }
            Self::WatermarkDamaged { .. } => {
                "copy that file back from a backup; without one, move it away: a new secret is made, and marks made before can no \
                 longer be read"
            }
            Self::Certificate { .. } => "what is trusted is the PEM file that `pinxit keys export` writes",
            Self::Expired { .. } => "make a new key: `pinxit keys init --replace`; pictures signed before stay as they are",
            Self::NotYetValid { .. } => "check the date of this machine",
            Self::Name { .. } => "1 to 64 letters, without control characters",
            Self::Issue { .. } => return None,
            Self::NotARoot { .. } => "ask for the root: the PEM file that `pinxit keys export` writes",
            Self::Io(_) => return None,
            Self::Write(e) => return e.hint(),
        })
    }
}
