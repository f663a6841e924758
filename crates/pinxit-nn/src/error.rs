//! What can go wrong between a file and a network, each with what a person can do about it.
use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    Io {
        /// "read", "write", ...
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason given by the system.
        source: std::io::Error,
    },
    /// Not a safetensors file, or one cut short or altered.
    #[error("not a readable safetensors file: {0}")]
    Damaged(String),
    /// The header or the file claims more than this program accepts.
    #[error("refused: {0}")]
    TooLarge(String),
    /// A tensor of a number type other than F32 and F16.
    #[error("tensor {name:?} has number type {dtype}; only F32 and F16 are read")]
    NumberType {
        /// The tensor.
        name: String,
        /// The type found.
        dtype: String,
    },
    /// The tensors are not those of the network that the file says it is.
    #[error("the tensors do not fit the network: {0}")]
    Shapes(String),
    /// A weight that is infinite or not a number.
    #[error("tensor {0:?} holds values that are not finite numbers")]
    NotFinite(String),
    /// The file holds tensors, but does not say that they are a model.
    #[error("no pinxit model: {0}")]
    NotAModel(String),
    /// Written by a newer program.
    #[error("the model has format version {found}; this program reads up to {known}")]
    Version {
        /// Version in the file.
        found: u32,
        /// Highest version known here.
        known: u32,
    },
    /// A configuration that no network can have.
    #[error("impossible network: {0}")]
    Config(String),
    /// A preset that does not exist.
    #[error("no preset named {0:?}")]
    Preset(String),
}

impl Error {
    /// What a person can do about it, where there is something to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Io { action: "read", .. } => Some("check that the path is right and that the file may be read"),
            Error::Io { .. } => Some("check that the folder exists, may be written to, and that the disk is not full"),
            Error::Damaged(_) => Some("the file is damaged or was cut short in copying: fetch it again from where it came"),
            Error::TooLarge(_) => Some("such a file was not written by pinxit: do not trust where it came from"),
            Error::NumberType { .. } | Error::NotAModel(_) => {
                Some("give a model that pinxit has trained (model-*.safetensors in a run folder, or one in the models folder)")
            }
            Error::Shapes(_) => Some("the file was altered, or made for another program: fetch it again from where it came"),
            Error::NotFinite(_) => Some("the training that wrote it had gone wrong: take an earlier snapshot of the same run"),
            Error::Version { .. } => Some("update pinxit, or save the model again with the older version"),
            Error::Config(_) => None,
            Error::Preset(_) => Some("presets: xs-32, xs-64, s-64, xs-128, s-128"),
        }
    }

    /// The system's reason for not doing `action` on `path`.
    pub(crate) fn io(action: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { action, path, source }
    }
}
