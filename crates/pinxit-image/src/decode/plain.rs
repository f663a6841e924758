//! PNG, WebP, GIF, TIFF and BMP through the `image` crate.

use super::count_frames;
use crate::colour::{Depth, Model, Raw};
use crate::error::{Error, Result};
use crate::fix::Fix;
use crate::format::Format;
use crate::limits::Limits;
use image::codecs::{bmp::BmpDecoder, gif::GifDecoder, png::PngDecoder, tiff::TiffDecoder, webp::WebPDecoder};
use image::error::{ImageError, LimitErrorKind};
use image::metadata::Orientation;
use image::{ColorType, ExtendedColorType, ImageDecoder};
use std::io::Cursor;

/// Decodes the first picture of a file of any format but JPEG and JPEG XL.
pub(super) fn decode(bytes: &[u8], format: Format, limits: &Limits) -> Result<Raw> {
    let input = Cursor::new(bytes);
    let fail = |error| explain(error, format, limits);
    let mut raw = match format {
        Format::Png => {
            // The decoder allocates rows and unpacks an iCCP chunk when it is made, so both limits come first.
            png_sides(bytes).map_or(Ok(()), |(width, height)| limits.check(width, height, 1))?;
            let decoder = PngDecoder::with_limits(input, working_limits(limits)).map_err(fail)?;
            samples(decoder, format, limits)
        }
        // An animation's first frame may be there when others are not; the length in the header tells.
        Format::WebP if bytes.len() < webp_len(bytes) => Err(Error::Truncated { format }),
        Format::WebP => samples(WebPDecoder::new(input).map_err(fail)?, format, limits),
        Format::Gif => samples(GifDecoder::new(input).map_err(fail)?, format, limits),
        Format::Tiff => samples(TiffDecoder::new(input).map_err(fail)?, format, limits),
        _ => samples(BmpDecoder::new(input).map_err(fail)?, format, limits),
    }?;
    let frames = count_frames(bytes, format);
    if frames > 1 {
        raw.fixes.insert(0, Fix::FirstFrameOf(frames));
    }
    Ok(raw)
}

/// What the RIFF header of a WebP says about the length of the file, bytes.
fn webp_len(bytes: &[u8]) -> usize {
    bytes.get(4..8).map_or(8, |n| u32::from_le_bytes([n[0], n[1], n[2], n[3]]) as usize).saturating_add(8)
}

/// The sides in a PNG's first chunk, px.
fn png_sides(bytes: &[u8]) -> Option<(u32, u32)> {
    let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    Some((word(16)?, word(20)?))
}

/// Sides are checked by [`Limits::check`], whose errors name them; here only the memory is limited.
fn working_limits(limits: &Limits) -> image::Limits {
    let mut working = image::Limits::default();
    working.max_alloc = Some(limits.max_bytes);
    working
}

fn samples(mut decoder: impl ImageDecoder, format: Format, limits: &Limits) -> Result<Raw> {
    let fail = |error| explain(error, format, limits);
    let (width, height) = decoder.dimensions();
    let colour = decoder.color_type();
    limits.check(width, height, u64::from(colour.bytes_per_pixel()))?;
    decoder.set_limits(working_limits(limits)).map_err(fail)?;
    let inks = matches!(decoder.original_color_type(), ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16);
    // Broken metadata must not cost the picture: without it the picture is shown as most programs show it.
    let icc = decoder.icc_profile().ok().flatten().filter(|_| !inks);
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms).to_exif();
    let (depth, model, alpha) = layout(colour, format)?;
    let mut bytes = vec![0; width as usize * height as usize * usize::from(colour.bytes_per_pixel())];
    decoder.read_image(&mut bytes).map_err(fail)?;
    let fixes = if inks { vec![Fix::Cmyk(false)] } else { Vec::new() };
    Ok(Raw { width, height, bytes, depth, model, alpha, icc, orientation, fixes })
}

fn layout(colour: ColorType, format: Format) -> Result<(Depth, Model, bool)> {
    Ok(match colour {
        ColorType::L8 => (Depth::U8, Model::Grey, false),
        ColorType::La8 => (Depth::U8, Model::Grey, true),
        ColorType::Rgb8 => (Depth::U8, Model::Rgb, false),
        ColorType::Rgba8 => (Depth::U8, Model::Rgb, true),
        ColorType::L16 => (Depth::U16, Model::Grey, false),
        ColorType::La16 => (Depth::U16, Model::Grey, true),
        ColorType::Rgb16 => (Depth::U16, Model::Rgb, false),
        ColorType::Rgba16 => (Depth::U16, Model::Rgb, true),
        ColorType::Rgb32F => (Depth::F32, Model::Rgb, false),
        ColorType::Rgba32F => (Depth::F32, Model::Rgb, true),
        other => return Err(Error::Unsupported { format, what: format!("samples of type {other:?}") }),
    })
}

/// The `image` crate's errors in this crate's words.
pub(crate) fn explain(error: ImageError, format: Format, limits: &Limits) -> Error {
    if ends_early(&error) {
        return Error::Truncated { format };
    }
    match error {
        ImageError::Limits(limit) if limit.kind() == LimitErrorKind::InsufficientMemory => {
            Error::TooMuchMemory { format, max_bytes: limits.max_bytes }
        }
        ImageError::Unsupported(what) => Error::Unsupported { format, what: what.to_string() },
        ImageError::Decoding(what) => Error::Damaged { format, what: first_line(&what) },
        other => Error::Damaged { format, what: first_line(&other) },
    }
}

/// Whether the end of the data is at the bottom of the error.
fn ends_early(error: &ImageError) -> bool {
    let is_eof = |io: &std::io::Error| io.kind() == std::io::ErrorKind::UnexpectedEof;
    if matches!(error, ImageError::IoError(io) if is_eof(io)) {
        return true;
    }
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.downcast_ref::<std::io::Error>().is_some_and(is_eof) {
            return true;
        }
        cause = inner.source();
    }
    false
}

fn first_line(error: &dyn std::fmt::Display) -> String {
    error.to_string().lines().next().unwrap_or_default().chars().take(200).collect()
}
