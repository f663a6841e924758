//! What a file is, without decoding its pixels: the facts behind `pinxit info FILE`.

use crate::colour::profile_name;
use crate::decode::{Head, count_frames, explain};
use crate::disclosure::Stated;
use crate::error::{Error, Result};
use crate::format::Format;
use crate::limits::Limits;
use crate::metadata::{element, known, read_recipe, read_xmp};
use image::codecs::{bmp::BmpDecoder, gif::GifDecoder, png::PngDecoder, tiff::TiffDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{ExtendedColorType, ImageDecoder};
use serde::Serialize;
use std::io::Cursor;

/// The facts of a picture file, from its headers and metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Info {
    /// The format, by content.
    pub format: Format,
    /// Width as stored, px.
    pub width: u32,
    /// Height as stored, px.
    pub height: u32,
    /// Bits a sample; 0 when the header does not say it cheaply (AVIF).
    pub bits_per_sample: u8,
    /// "grey", "RGB", "CMYK"…, with "+ alpha" where there is one.
    pub colour: String,
    /// EXIF orientation, 1…8; 1 is upright.
    pub orientation: u8,
    /// Name of the embedded ICC profile.
    pub icc_profile: Option<String>,
    /// Frames or pages; 1 for a still picture.
    pub frames: u32,
    /// Whether it carries a recipe that paints it again.
    pub has_recipe: bool,
    /// IPTC digital source type, as the file's XMP states it.
    pub digital_source_type: Option<String>,
    /// What its XMP states of provider, program, time and number.
    pub stated: Stated,
}

/// The facts of a picture file. Only headers are read: sides may be above any limit.
///
/// # Errors
/// As [`require_format`](crate::require_format), AVIF being welcome here; [`Error::Damaged`],
/// [`Error::Truncated`] or [`Error::Unsupported`] when the header is not readable.
pub fn info(bytes: &[u8]) -> Result<Info> {
    let format = known(bytes)?;
    let mut info = std::panic::catch_unwind(|| header(bytes, format))
        .unwrap_or_else(|_| Err(Error::Damaged { format, what: "the decoder gave up on it".to_string() }))?;
    info.frames = count_frames(bytes, format).max(info.frames);
    info.has_recipe = read_recipe(bytes).is_ok_and(|recipe| recipe.is_some());
    let xmp = read_xmp(bytes, format);
    info.digital_source_type = xmp.as_deref().and_then(source_type);
    info.stated = xmp.as_deref().map(Stated::of).unwrap_or_default();
    Ok(info)
}

/// The property as an element, as others' attribute, or as an element that only points at the term.
fn source_type(xmp: &str) -> Option<String> {
    const NAME: &str = "Iptc4xmpExt:DigitalSourceType";
    let found = element(xmp, &format!("<{NAME}>"), "<")
        .or_else(|| element(xmp, &format!("{NAME}=\""), "\""))
        .or_else(|| element(xmp, &format!("<{NAME} rdf:resource=\""), "\""))?;
    let term = found.trim();
    (!term.is_empty() && term.len() < 300).then(|| term.to_string())
}

fn header(bytes: &[u8], format: Format) -> Result<Info> {
    let input = Cursor::new(bytes);
    let decoder: image::ImageResult<Info> = match format {
        Format::Png => PngDecoder::new(input).map(|d| facts(d, format)),
        Format::WebP => WebPDecoder::new(input).map(|d| facts(d, format)),
        Format::Gif => GifDecoder::new(input).map(|d| facts(d, format)),
        Format::Tiff => TiffDecoder::new(input).map(|d| facts(d, format)),
        Format::Bmp => BmpDecoder::new(input).map(|d| facts(d, format)),
        Format::Jpeg => return jpeg(bytes),
        Format::JpegXl => return jpeg_xl(bytes),
        Format::Avif => return avif(bytes),
    };
    decoder.map_err(|error| explain(error, format, &Limits::default()))
}

fn facts(mut decoder: impl ImageDecoder, format: Format) -> Info {
    let (width, height) = decoder.dimensions();
    let colour = decoder.original_color_type();
    let icc = decoder.icc_profile().ok().flatten();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms).to_exif();
    let channels = u16::from(colour.channel_count()).max(1);
    Info {
        format,
        width,
        height,
        bits_per_sample: (colour.bits_per_pixel() / channels) as u8,
        colour: colour_words(colour).to_string(),
        orientation,
        icc_profile: icc.as_deref().map(icc_words),
        frames: 1,
        has_recipe: false,
        digital_source_type: None,
        stated: Stated::default(),
    }
}

fn icc_words(icc: &[u8]) -> String {
    moxcms::ColorProfile::new_from_slice(icc)
        .map_or_else(|_| "an unreadable profile".to_string(), |profile| profile_name(&profile))
}

fn colour_words(colour: ExtendedColorType) -> &'static str {
    use ExtendedColorType as T;
    match colour {
        T::L1 | T::L2 | T::L4 | T::L8 | T::L16 => "grey",
        T::La1 | T::La2 | T::La4 | T::La8 | T::La16 => "grey + alpha",
        T::Rgba1 | T::Rgba2 | T::Rgba4 | T::Rgba8 | T::Rgba16 | T::Rgba32F | T::Bgra8 => "RGB + alpha",
        T::Cmyk8 | T::Cmyk16 => "CMYK",
        T::A8 => "alpha alone",
        _ => "RGB",
    }
}

fn jpeg(bytes: &[u8]) -> Result<Info> {
    let head = Head::of(bytes)?;
    let colour = match head.components {
        1 => "grey",
        4 => "CMYK",
        _ => "RGB",
    };
    Ok(Info {
        format: Format::Jpeg,
        width: head.width,
        height: head.height,
        bits_per_sample: head.bits,
        colour: colour.to_string(),
        orientation: head.orientation,
        icc_profile: head.icc.as_deref().map(icc_words),
        frames: 1,
        has_recipe: false,
        digital_source_type: None,
        stated: Stated::default(),
    })
}

fn jpeg_xl(bytes: &[u8]) -> Result<Info> {
    let format = Format::JpegXl;
    let image = jxl_oxide::JxlImage::builder().read(bytes);
    let image = image.map_err(|error| Error::Damaged { format, what: error.to_string() })?;
    let metadata = &image.image_header().metadata;
    let base = if metadata.grayscale() { "grey" } else { "RGB" };
    Ok(Info {
        format,
        width: image.image_header().size.width,
        height: image.image_header().size.height,
        bits_per_sample: metadata.bit_depth.bits_per_sample() as u8,
        colour: if metadata.alpha().is_some() { format!("{base} + alpha") } else { base.to_string() },
        orientation: metadata.orientation as u8,
        icc_profile: image.original_icc().map(icc_words),
        frames: u32::try_from(image.num_loaded_keyframes()).unwrap_or(u32::MAX).max(1),
        has_recipe: false,
        digital_source_type: None,
        stated: Stated::default(),
    })
}

/// AVIF is not decoded here, but its sides stand in the `ispe` property (ISO/IEC 23008-12, 6.5.3) and its depth
/// in `pixi` (6.5.6).
fn avif(bytes: &[u8]) -> Result<Info> {
    let format = Format::Avif;
    let find = |name: &[u8]| bytes.windows(4).position(|window| window == name).map(|at| at + 8);
    let word = |at: usize| bytes.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let sides = find(b"ispe").and_then(|at| Some((word(at)?, word(at + 4)?)));
    let (width, height) = sides.ok_or(Error::Damaged { format, what: "it does not say its size".to_string() })?;
    let bits_per_sample = find(b"pixi").and_then(|at| bytes.get(at + 1).copied()).unwrap_or(0);
    let colour = "RGB".to_string();
    Ok(Info {
        format,
        width,
        height,
        bits_per_sample,
        colour,
        orientation: 1,
        icc_profile: None,
        frames: 1,
        has_recipe: false,
        digital_source_type: None,
        stated: Stated::default(),
    })
}
