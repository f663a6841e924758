//! What can go wrong between a file and a picture, each with a hint where a person can act.

use crate::Format;
use std::path::PathBuf;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a file could not be read as a picture, or a picture could not be written.
///
/// Only [`Error::Read`] and [`Error::Write`] name a path: all others are made from bytes, and the caller,
/// who knows where the bytes came from, adds the name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file has no content.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// The first bytes belong to no format this crate knows.
    #[error("not a picture in a known format (it begins with {start})")]
    Unknown {
        /// The first bytes, readable ones as text.
        start: String,
    },
    /// The format was recognised, and is not read.
    #[error("{kind} is not read: {reason}")]
    Refused {
        /// Name of the format.
        kind: &'static str,
        /// Why pinxit does not read it.
        reason: &'static str,
        /// What to do about it.
        hint: &'static str,
    },
    /// A side in the header is above the limit.
    #[error("the picture claims {width} × {height} px, and the limit is {max_side_px} px a side")]
    TooManyPixels {
        /// Width in the header, px.
        width: u32,
        /// Height in the header, px.
        height: u32,
        /// The limit, px.
        max_side_px: u32,
    },
    /// The decoded picture would take more memory than allowed.
    #[error("decoding {width} × {height} px would take {needed_bytes} bytes, and the limit is {max_bytes} bytes")]
    TooManyBytes {
        /// Width in the header, px.
        width: u32,
        /// Height in the header, px.
        height: u32,
        /// What the decoded samples would take.
        needed_bytes: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// The decoder asked for more memory than allowed, beside the pixels.
    #[error("decoding this {format} file would take more memory than the limit of {max_bytes} bytes")]
    TooMuchMemory {
        /// The file's format.
        format: Format,
        /// The limit.
        max_bytes: u64,
    },
    /// The file itself is above the limit.
    #[error("the file has {bytes} bytes, and the limit is {max_file_bytes} bytes")]
    FileTooLarge {
        /// Size of the file.
        bytes: u64,
        /// The limit.
        max_file_bytes: u64,
    },
    /// The data ends before the picture does.
    #[error("this {format} file is cut short: the data ends before the picture does")]
    Truncated {
        /// The file's format.
        format: Format,
    },
    /// The data contradicts itself.
    #[error("this {format} file is damaged: {what}")]
    Damaged {
        /// The file's format.
        format: Format,
        /// What the decoder stumbled over.
        what: String,
    },
    /// The file is sound, and uses something no decoder here knows.
    #[error("this {format} file uses a feature that is not supported: {what}")]
    Unsupported {
        /// The file's format.
        format: Format,
        /// The feature.
        what: String,
    },
    /// A picture, window or grid without pixels, or one whose buffer does not match its sides.
    #[error("a picture of {width} × {height} px cannot be made: {what}")]
    Shape {
        /// Width asked for, px.
        width: u32,
        /// Height asked for, px.
        height: u32,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A setting of an encoder is outside its range.
    #[error("{name} is {value}, and must be within {range}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        range: &'static str,
    },
    /// The recipe and title do not fit into the file's metadata.
    #[error("the metadata takes {bytes} bytes, and {format} holds at most {max_bytes}")]
    MetadataTooLarge {
        /// The file's format.
        format: Format,
        /// Bytes needed.
        bytes: usize,
        /// Bytes there are.
        max_bytes: usize,
    },
    /// An encoder failed.
    #[error("the picture could not be written as {format}: {what}")]
    Encode {
        /// The format to write.
        format: Format,
        /// The encoder's words.
        what: String,
    },
    /// A visible label without letters.
    #[error("a label needs letters")]
    LabelEmpty,
    /// A character that the fonts of visible labels have not.
    #[error("a label cannot be written with \"{letter}\"")]
    LabelLetter {
        /// The character.
        letter: char,
    },
    /// A picture too small for a label that can be read.
    #[error(
        "a picture of {width} × {height} px is too small for this label: in letters that can be read it needs {needs_width} × {needs_height} px"
    )]
    LabelRoom {
        /// The picture's width, px.
        width: u32,
        /// Its height, px.
        height: u32,
        /// Least width for this text, px.
        needs_width: u32,
        /// Least height for this text, px.
        needs_height: u32,
    },
    /// A file could not be opened or read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("could not write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl Error {
    /// What a person can do about it, in one sentence; `None` only where there is nothing to do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Empty => "copy or download the file again: nothing of it arrived",
            Self::Unknown { .. } => "convert it to PNG, JPEG, WebP, GIF, TIFF, BMP or JPEG XL, or leave it out",
            Self::Refused { hint, .. } => hint,
            Self::TooManyPixels { .. } | Self::TooManyBytes { .. } => {
                "make it smaller in a picture editor first, or raise the limit if you trust the file"
            }
            Self::TooMuchMemory { .. } => "save it again in a picture editor as PNG or JPEG, or raise the limit",
            Self::FileTooLarge { .. } => "save it smaller, or raise the limit if you trust the file",
            Self::Truncated { .. } => "copy or download it again from the original: a part of it is missing",
            Self::Damaged { .. } => "open it in a picture editor and save it again, or get a fresh copy",
            Self::Unsupported { .. } => "open it in a picture editor and save it as PNG or JPEG",
            Self::Shape { .. } => "width and height must be at least 1 px and fit in memory",
            Self::Setting { .. } => "choose a value within the range",
            Self::MetadataTooLarge { .. } => "write PNG instead: it holds recipes of any length",
            Self::Encode { .. } => "write PNG instead",
            Self::LabelEmpty => "leave the text away for the usual one",
            Self::LabelLetter { .. } => {
                "Latin, Greek and Cyrillic letters can be used, and 人工智能生成合成 (see docs/labels.md)"
            }
            Self::LabelRoom { .. } => "enlarge it (--enlarge), or choose a shorter text such as AI",
            Self::Read { source, .. } => read_hint(source.kind()),
            Self::Write { source, .. } => write_hint(source.kind()),
        })
    }
}

fn read_hint(kind: std::io::ErrorKind) -> &'static str {
    use std::io::ErrorKind as K;
    match kind {
        K::NotFound => "check the path: there is no such file",
        K::PermissionDenied => "give yourself the right to read it",
        K::IsADirectory => "name a file, not a folder",
        _ => "check the disk and try again",
    }
}

fn write_hint(kind: std::io::ErrorKind) -> &'static str {
    use std::io::ErrorKind as K;
    match kind {
        K::StorageFull | K::QuotaExceeded => "free some disk space and try again; nothing was overwritten",
        K::NotFound => "make the folder first",
        K::PermissionDenied | K::ReadOnlyFilesystem => "choose a folder you may write to",
        _ => "check the disk and try again; nothing was overwritten",
    }
}
