//! What can go wrong with a dataset, and what a person can do about it.

use std::path::PathBuf;

use crate::report::counted;

/// An error of this crate. [`Error::hint`] says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused to read or write; the message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A picture could not be made from the packed pixels.
    #[error(transparent)]
    Image(#[from] pinxit_image::Error),
    /// A source or the label file asked for does not exist.
    #[error("there is no file or folder {}", .0.display())]
    SourceMissing(PathBuf),
    /// The sources hold no file that could be a picture.
    #[error("no pictures found: {} looked at, none of them a picture", counted(*looked, "file"))]
    NoPictures {
        /// Files seen, of any kind.
        looked: usize,
    },
    /// Files were found, but each was turned down.
    #[error("no file can be used ({looked} looked at); the first, {file}: {reason}")]
    AllRejected {
        /// Files tried.
        looked: usize,
        /// The first of them.
        file: String,
        /// Why it was turned down.
        reason: String,
    },
    /// Too few works are left, for want of licences.
    #[error("no licence is stated for {works} of {} that could be used", counted(*looked, "work"))]
    Unlicensed {
        /// Works without a licence.
        works: usize,
        /// Files tried.
        looked: usize,
    },
    /// Too few works are left, because of reservations.
    #[error("{works} of {} are reserved against training; the first, {file}: {reason}", counted(*looked, "work"))]
    Reserved {
        /// Works reserved, or copies of such.
        works: usize,
        /// Files tried.
        looked: usize,
        /// The first of them.
        file: String,
        /// What reserves it.
        reason: String,
    },
    /// Too few works are left, because others were taken down.
    #[error("{works} of {} were taken down; the first, {file}: {reason}", counted(*looked, "work"))]
    TakenDown {
        /// Works taken down, or copies of such.
        works: usize,
        /// Files tried.
        looked: usize,
        /// The first of them.
        file: String,
        /// When, and how it was known again.
        reason: String,
    },
    /// Archives were given, and nothing of them can be taken out.
    #[error("nothing of the archive can be used: {file}: {reason}")]
    BadArchive {
        /// The archive, or its first file.
        file: String,
        /// Why it was turned down.
        reason: String,
    },
    /// Too few separate works for a training and a held-out side.
    #[error("{found} usable work{} found; a dataset needs at least {needed}", if *found == 1 { "" } else { "s" })]
    TooFew {
        /// Separate works (groups) found.
        found: usize,
        /// The least that is needed.
        needed: usize,
    },
    /// A dataset of that name exists.
    #[error("dataset {0} exists already")]
    Exists(String),
    /// The name cannot be a folder name everywhere.
    #[error("{name:?} cannot be a dataset's name: {reason}")]
    BadName {
        /// The name asked for.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another process imports into the same name now.
    #[error("another import into {0} is running")]
    Locked(String),
    /// The progress callback asked to stop; what was done is kept.
    #[error("import of {0} stopped; what was done so far is kept")]
    Interrupted(String),
    /// An option makes no sense.
    #[error("{0}")]
    BadOption(String),
    /// A label file cannot be read at all.
    #[error("label file {file}: {reason}")]
    Labels {
        /// Its path or name.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A label file whose letters cannot be told for certain.
    #[error("label file {file} is not UTF-8 text: line {line} has other bytes")]
    LabelsNotUtf8 {
        /// Its path or name.
        file: String,
        /// The first such line.
        line: usize,
    },
    /// No row of a label file names a picture that is there.
    #[error("label file {file}: none of its rows ({rows}) names a picture that is there (the first names {example:?})")]
    LabelsMatchNothing {
        /// Its path or name.
        file: String,
        /// Rows read.
        rows: usize,
        /// The first row's file.
        example: String,
    },
    /// The folder is not a dataset.
    #[error("{} is not a dataset", .0.display())]
    NotADataset(PathBuf),
    /// A file of the dataset is not what was written.
    #[error("dataset {name} is damaged: {what}")]
    Damaged {
        /// The dataset's folder.
        name: String,
        /// Which file, and how it differs.
        what: String,
    },
    /// Written by a newer pinxit.
    #[error("dataset {name} has format version {found}; this pinxit reads version {known}")]
    Version {
        /// The dataset's folder.
        name: String,
        /// The version in the file.
        found: u32,
        /// The version this code writes.
        known: u32,
    },
    /// The dataset on disk is no longer the one that was opened.
    #[error("dataset {name} changed since it was opened: {what}")]
    Changed {
        /// The dataset's name.
        name: String,
        /// What differs.
        what: String,
    },
}

/// How a work gets a licence.
pub(crate) const LICENCE_HINT: &str = "say --license own if you made them yourself, --license CC0-1.0 (or whichever it is) if one licence \
                                       holds for all, or give each its own in a label file or a sidecar";
/// What to do about a reservation.
pub(crate) const RESERVED_HINT: &str = "leave them out, or ask their makers; if you hold the rights or have leave, say so with \
                                        --override-reservations \"REASON\", which is kept with every work";

/// What to do about a work that was taken down.
pub(crate) const TAKEN_DOWN_HINT: &str = "leave them out: what was taken down does not come back into this home";

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What a person can do about it, or `None` where the message says it all.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Io(e) if e.kind() == std::io::ErrorKind::PermissionDenied => "check who may read and write that path",
            Self::Io(e) if e.kind() == std::io::ErrorKind::StorageFull => {
                "free some space and run the same command again: it goes on where it stopped"
            }
            Self::Io(e) if e.kind() == std::io::ErrorKind::IsADirectory => "name a file, not a folder",
            Self::Io(e) if e.kind() == std::io::ErrorKind::NotADirectory => {
                "a part of that path is a file, and a folder is needed there"
            }
            Self::Io(_) => return None,
            Self::Image(e) => return e.hint().map(|h| h.to_string()),
            Self::SourceMissing(_) => "check the spelling; paths are relative to the current folder",
            Self::NoPictures { .. } => "PNG, JPEG, WebP, GIF, TIFF, BMP and JPEG XL are read, in folders, ZIP and TAR files",
            Self::AllRejected { .. } => {
                "the files are probably not pictures, or smaller than the size asked for; try a smaller size"
            }
            Self::Unlicensed { .. } => LICENCE_HINT,
            Self::Reserved { .. } => RESERVED_HINT,
            Self::TakenDown { .. } => TAKEN_DOWN_HINT,
            Self::BadArchive { .. } => "get a fresh copy of it, or unpack it with another program and import the folder",
            Self::TooFew { .. } => {
                "a tenth of the works is held out to see whether the model memorises, so a single picture (or copies of one) \
                 cannot be a dataset; a few dozen is where training begins to make sense"
            }
            Self::Exists(_) => "choose another name, or say --replace to build it anew",
            Self::BadName { .. } => "use letters, digits, '-', '_' and '.'",
            Self::Locked(_) => "wait for it to end, or choose another name",
            Self::Interrupted(_) => "run the same command again: it goes on where it stopped",
            Self::BadOption(_) => return None,
            Self::Labels { .. } => "CSV needs a header with a `file` column; JSONL needs one object with a `file` key a line",
            Self::LabelsNotUtf8 { .. } => {
                "save it as \"CSV UTF-8\" in the spreadsheet, or convert it: iconv -f LATIN1 -t UTF-8 OLD.csv > NEW.csv"
            }
            Self::LabelsMatchNothing { .. } => {
                "names must be relative to the folder (or the archive's root) that holds the pictures"
            }
            Self::NotADataset(_) => "`pinxit datasets list` shows what there is; `pinxit import` makes one",
            Self::Damaged { .. } => "import it again with --replace",
            Self::Version { .. } => "use the newer pinxit, or import it again with --replace",
            Self::Changed { .. } => "start a new run for the new collection, or restore the old one",
        };
        Some(text.to_owned())
    }
}
