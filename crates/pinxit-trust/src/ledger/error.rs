//! What can be wrong with a ledger.

use super::{HEAD_FILE, Head, LEDGER_FILE};

/// An error of the ledger. [`Error::hint`] says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused to read or write; the message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Writing the head failed.
    #[error(transparent)]
    Write(#[from] pinxit_image::Error),
    /// A line is not the one that was written.
    #[error("the ledger was tampered with or damaged: line {line} of {LEDGER_FILE}: {what}")]
    Broken {
        /// The line, from 1.
        line: u64,
        /// How it differs.
        what: String,
    },
    /// The last line is not whole, as after a crash.
    #[error("the last line of {LEDGER_FILE} (line {line}) is not whole: a crash while it was written, or somebody cut it")]
    Torn {
        /// The line, from 1.
        line: u64,
    },
    /// There are fewer entries than the head knows, or others.
    #[error("the ledger was cut: {HEAD_FILE} knows {known} entries, {LEDGER_FILE} holds {found} of them")]
    Cut {
        /// Entries by the head.
        known: u64,
        /// Entries found.
        found: u64,
    },
    /// The head is gone, or is none.
    #[error("{HEAD_FILE} is missing or cannot be read: that nothing was cut off the ledger cannot be told")]
    NoHead,
    /// A head that somebody kept is not part of the chain.
    #[error("the ledger does not hold what {keeper} remembers of it: entry {} with hash {}", head.count, head.hash)]
    Forgotten {
        /// Who keeps it.
        keeper: String,
        /// What it keeps.
        head: Head,
    },
    /// What shall be written cannot be.
    #[error("an entry cannot be written: {0}")]
    Unwritable(String),
}

/// The ledger's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io(e) if e.kind() == std::io::ErrorKind::PermissionDenied => Some("check who may read and write that file"),
            Self::Io(_) | Self::Unwritable(_) => None,
            Self::Write(e) => e.hint(),
            Self::Broken { .. } => Some(
                "bring both files back from a backup, or move them away: the next entry begins a new ledger, and runs will say that \
                 they remember another one",
            ),
            Self::Forgotten { .. } => Some(
                "bring both files back from a backup; a run that was brought here from another home remembers the ledger of that home",
            ),
            Self::Torn { .. } | Self::Cut { .. } | Self::NoHead => Some(
                "bring both files back from a backup, or `pinxit ledger repair`: it keeps what is whole, sets the rest aside, and \
                 writes down that it did",
            ),
        }
    }
}
