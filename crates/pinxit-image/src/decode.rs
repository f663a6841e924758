//! From bytes to a picture: sniff, check the header against the limits, decode, convert colours, turn upright.

use crate::colour::{self, Raw};
use crate::error::{Error, Result};
use crate::fix::Fix;
use crate::format::Format;
use crate::limits::Limits;
use crate::orient::upright;
use crate::picture::Picture;
use crate::sniff::require_format;
use std::path::Path;

mod frames;
mod jpeg;
mod jxl;
mod plain;

pub(crate) use frames::count_frames;
pub(crate) use jpeg::{Head, Segments};
pub(crate) use plain::explain;

/// A picture and how it came to be one.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The picture: upright, sRGB, opaque.
    pub picture: Picture,
    /// The format of the file.
    pub format: Format,
    /// What was changed, in the order it was done; empty when nothing was.
    pub fixes: Vec<Fix>,
    /// Width and height as stored in the file, px: before turning upright.
    pub original: (u32, u32),
}

/// Reads and decodes a file. No more than [`Limits::max_file_bytes`] of it are read.
///
/// # Errors
/// [`Error::Read`] with the path when the file cannot be read; otherwise as [`decode`].
pub fn read(path: &Path, limits: &Limits) -> Result<Decoded> {
    decode(&read_bytes(path, limits)?, limits)
}

fn read_bytes(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    use std::io::Read;
    let failed = |source: std::io::Error| Error::Read { path: path.to_path_buf(), source };
    // Plain std here: fs-err would put the path into the message a second time.
    #[allow(clippy::disallowed_methods)]
    let file = std::fs::File::open(path).map_err(failed)?;
    limits.check_file(file.metadata().map_err(failed)?.len())?;
    let mut bytes = Vec::new();
    // A pipe or a growing file has no honest length: the limit is enforced on what really arrives.
    file.take(limits.max_file_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    limits.check_file(bytes.len() as u64)?;
    Ok(bytes)
}

/// Decodes a file's bytes: PNG, JPEG, WebP, GIF, TIFF, BMP or JPEG XL, whatever its name says.
///
/// The result is whole or an error, never half a picture. Steps, each noted in [`Decoded::fixes`] when it
/// changed something: first frame of several; embedded ICC profile → sRGB (perceptual intent; a profile that
/// cannot be used is noted and the colours taken as sRGB); CMYK → sRGB; transparency laid on white, mixing
/// sRGB values as viewers do; 16 bits and floating point rounded to 8; grey widened; EXIF orientation applied.
/// PNG's `gAMA`, `cHRM` and `cICP` chunks are not honoured, only `iCCP`.
///
/// # Errors
/// See [`Error`]; limits are checked on the header before anything of the claimed size is allocated.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded> {
    limits.check_file(bytes.len() as u64)?;
    let format = require_format(bytes)?;
    let mut raw = guarded(format, || match format {
        Format::Jpeg => jpeg::decode(bytes, limits),
        Format::JpegXl => jxl::decode(bytes, limits),
        _ => plain::decode(bytes, format, limits),
    })?;
    let pixels = guarded(format, || Ok(colour::to_srgb(&mut raw)))?;
    let (width, height, pixels) = upright(raw.width, raw.height, pixels, raw.orientation);
    if (2..=8).contains(&raw.orientation) {
        raw.fixes.push(Fix::Oriented(raw.orientation));
    }
    let picture = Picture::new(width, height, pixels)?;
    Ok(Decoded { picture, format, fixes: raw.fixes, original: (raw.width, raw.height) })
}

/// Six decoders by six authors read what strangers wrote: should one of them panic on a crafted file, that file
/// is damaged, and the import of the other 99,999 goes on. Nothing of the decoder's state is used afterwards.
fn guarded<T>(format: Format, work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Damaged { format, what: "the decoder gave up on it".to_string() }))
}

/// `Raw` needs every sample of the picture; a decoder that delivers fewer has delivered half a picture.
pub(crate) fn require_whole(raw: Raw, format: Format, bytes_per_pixel: usize) -> Result<Raw> {
    let needed = raw.width as usize * raw.height as usize * bytes_per_pixel;
    if raw.bytes.len() == needed { Ok(raw) } else { Err(Error::Truncated { format }) }
}
