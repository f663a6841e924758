//! What can go wrong with a credential.

/// A file that cannot be signed, or whose credential cannot be looked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A picture of a format that carries no credential here.
    #[error("{format} files carry no credential here")]
    Format {
        /// The format.
        format: pinxit_image::Format,
    },
    /// Not a picture.
    #[error(transparent)]
    Picture(#[from] pinxit_image::Error),
    /// The file is larger than any that is read.
    #[error("the file has {bytes} bytes, and the limit is {most}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// The C2PA library refused.
    #[error("the credential could not be written: {0}")]
    Engine(#[from] c2pa::Error),
}

impl CredentialError {
    /// What a person can do about it, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Format { .. } => Some("credentials go into PNG, JPEG, WebP, TIFF and GIF: save it as one of these"),
            Self::Picture(e) => e.hint(),
            Self::TooLarge { .. } => Some("save it smaller"),
            Self::Engine(_) => Some("save the picture again in a picture editor, and sign that file"),
        }
    }
}
