//! Everything that can go wrong in training, each with a hint where a person can act.
use std::path::{Path, PathBuf};

/// A failed training, evaluation, checkpoint or resume.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the run folder could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was attempted: "read", "write", ...
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The settings contradict themselves or the dataset.
    #[error("these settings cannot train: {0}")]
    Config(String),
    /// `config.toml` of a run is not a training configuration.
    #[error("{} is not a training configuration: {reason}", path.display())]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// Parser's words.
        reason: String,
    },
    /// Another process is training in this folder.
    #[error("{} is in use by process {pid}", dir.display())]
    Locked {
        /// The run folder.
        dir: PathBuf,
        /// Process that holds the lock ("?" when it has not said).
        pid: String,
    },
    /// A new run would overwrite an old one.
    #[error("there is a run in {} already", dir.display())]
    RunExists {
        /// The run folder.
        dir: PathBuf,
    },
    /// The folder holds no run.
    #[error("there is no run to resume in {}", dir.display())]
    NoRun {
        /// The run folder.
        dir: PathBuf,
    },
    /// The end asked for has been passed.
    #[error("the run stands at {at} already: it cannot end at {end}")]
    EndPassed {
        /// Where it stands.
        at: String,
        /// The end asked for.
        end: String,
    },
    /// Neither of the two state files can be used.
    #[error("no usable training state in {}: {reason}", dir.display())]
    BadState {
        /// `state/` of the run.
        dir: PathBuf,
        /// What is wrong with each file.
        reason: String,
    },
    /// The dataset differs from the one the run began with.
    #[error("the dataset has changed since this run began: it was {expected}, it is {found}")]
    DatasetChanged {
        /// Manifest hash in the state.
        expected: String,
        /// Manifest hash of the dataset given.
        found: String,
    },
    /// Too few pictures to train or to measure.
    #[error("{what} needs at least {needed} pictures; there are {found}")]
    TooFew {
        /// The activity.
        what: &'static str,
        /// Least number of pictures.
        needed: usize,
        /// Pictures there are.
        found: usize,
    },
    /// Gradients stay non-finite however small the learning rate.
    #[error("training has broken down: {0} steps in a row had gradients that are not numbers")]
    Diverged(u32),
    /// A weight file or network refused.
    #[error(transparent)]
    Network(#[from] pinxit_nn::Error),
    /// The dataset refused.
    #[error(transparent)]
    Dataset(#[from] pinxit_dataset::Error),
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Error::File { source, .. } if is_full(source.kind()) => {
                "free some disk space and resume: the last saved state is intact".into()
            }
            Error::File { .. } => return None,
            Error::Config(_) | Error::ConfigFile { .. } => "leave the setting out to use its default".into(),
            Error::Locked { .. } => "wait for it, or stop it with Ctrl-C: it saves its state first".into(),
            Error::RunExists { .. } => "resume it, or give the new run another name".into(),
            Error::NoRun { .. } => "start a new run on a dataset first".into(),
            Error::EndPassed { .. } => "name a later end (all sessions count), or leave it out to go on to the old one".into(),
            Error::BadState { .. } => "start a new run from the newest model-*.safetensors of this folder".into(),
            Error::DatasetChanged { .. } => "start a new run from this run's last model on the changed dataset".into(),
            Error::TooFew { .. } => "add pictures, or cut several patches from each at import".into(),
            Error::Diverged(_) => "start again with a smaller learning rate".into(),
            Error::Network(e) => return e.hint().map(|h| h.to_string()),
            Error::Dataset(e) => return e.hint().map(|h| h.to_string()),
        })
    }

    /// For `map_err`: a file error that names the file.
    pub(crate) fn file<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Error + 'a {
        move |source| Error::File { action, path: path.to_path_buf(), source }
    }
}

/// The disk is full, or a limit says it is for this person.
fn is_full(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind as K;
    matches!(kind, K::StorageFull | K::QuotaExceeded | K::FileTooLarge)
}
