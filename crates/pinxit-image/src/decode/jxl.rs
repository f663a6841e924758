//! JPEG XL through `jxl-oxide`, which converts colours itself (with moxcms for ICC profiles).

use super::require_whole;
use crate::colour::{Depth, Model, Raw, profile_name};
use crate::error::{Error, Result};
use crate::fix::Fix;
use crate::format::Format;
use crate::limits::Limits;
use jxl_oxide::color::ColourEncoding;
use jxl_oxide::{
    AllocTracker, EnumColourEncoding, ExtraChannelType, InitializeResult, JxlImage, Moxcms, PixelFormat, RenderingIntent,
};

const FORMAT: Format = Format::JpegXl;

/// The decoder works in 32-bit floats and several copies, so it gets four times the bytes of the result.
const WORKING_FACTOR: u64 = 4;

/// How much of the file is looked at before its size is known, bytes at a time.
const HEADER_STEP: usize = 1 << 16;

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Raw> {
    let (mut image, fed) = open(bytes, limits)?;
    limits.check(image.width(), image.height(), 4)?;
    image.feed_bytes(&bytes[fed..]).map_err(|e| explain(&*e, limits))?;
    if !image.is_loading_done() {
        return Err(Error::Truncated { format: FORMAT });
    }
    let mut fixes = notes(&image);
    let premultiplied = |ty: &ExtraChannelType| matches!(ty, ExtraChannelType::Alpha { alpha_associated: true });
    if image.image_header().metadata.ec_info.iter().any(|channel| premultiplied(&channel.ty)) {
        return Err(Error::Unsupported { format: FORMAT, what: "transparency multiplied into the colours".to_string() });
    }
    let grey = image.image_header().metadata.grayscale();
    let intent = RenderingIntent::Perceptual;
    image.set_cms(Moxcms);
    image.request_color_encoding(if grey { EnumColourEncoding::gray_srgb(intent) } else { EnumColourEncoding::srgb(intent) });
    let (model, alpha) = match image.pixel_format() {
        PixelFormat::Gray => (Model::Grey, false),
        PixelFormat::Graya => (Model::Grey, true),
        PixelFormat::Rgb => (Model::Rgb, false),
        PixelFormat::Rgba => (Model::Rgb, true),
        other => return Err(Error::Unsupported { format: FORMAT, what: format!("colours stored as {other:?}") }),
    };
    let render = image.render_frame(0).map_err(|e| explain(&*e, limits))?;
    let mut stream = render.stream();
    let (width, height, channels) = (stream.width(), stream.height(), stream.channels() as usize);
    let mut samples = vec![0u8; width as usize * height as usize * channels];
    let written = stream.write_to_buffer(&mut samples);
    samples.truncate(written);
    fixes.extend(deep(&image).then_some(Fix::SixteenBit));
    // Turned already by the decoder, so the orientation is noted above and is 1 from here on.
    let raw = Raw { width, height, bytes: samples, depth: Depth::U8, model, alpha, icc: None, orientation: 1, fixes };
    let wanted = if model == Model::Grey { 1 } else { 3 } + usize::from(alpha);
    require_whole(raw, FORMAT, wanted)
}

/// Reads as much as it takes to know the size, and how much that was.
fn open(bytes: &[u8], limits: &Limits) -> Result<(JxlImage, usize)> {
    let memory = usize::try_from(limits.max_bytes.saturating_mul(WORKING_FACTOR)).unwrap_or(usize::MAX);
    let mut waiting = JxlImage::builder().alloc_tracker(AllocTracker::with_limit(memory)).build_uninit();
    let mut fed = 0;
    while fed < bytes.len() {
        let end = (fed + HEADER_STEP).min(bytes.len());
        waiting.feed_bytes(&bytes[fed..end]).map_err(|e| explain(&*e, limits))?;
        fed = end;
        match waiting.try_init().map_err(|e| explain(&*e, limits))? {
            InitializeResult::Initialized(image) => return Ok((image, fed)),
            InitializeResult::NeedMoreData(more) => waiting = more,
        }
    }
    Err(Error::Truncated { format: FORMAT })
}

fn deep(image: &JxlImage) -> bool {
    image.image_header().metadata.bit_depth.bits_per_sample() > 8
}

/// What the decoder is about to change on its own.
fn notes(image: &JxlImage) -> Vec<Fix> {
    let mut fixes = Vec::new();
    let frames = image.num_loaded_keyframes();
    if frames > 1 {
        fixes.push(Fix::FirstFrameOf(u32::try_from(frames).unwrap_or(u32::MAX)));
    }
    let metadata = &image.image_header().metadata;
    match (&metadata.colour_encoding, image.original_icc()) {
        (_, Some(icc)) => {
            let name = moxcms::ColorProfile::new_from_slice(icc).map(|profile| profile_name(&profile));
            fixes.push(name.map_or_else(|e| Fix::BadProfile(e.to_string()), Fix::ColourManaged));
        }
        (ColourEncoding::Enum(encoding), None) if !encoding.is_srgb() && !metadata.grayscale() => {
            fixes.push(Fix::ColourManaged("the file's own colour space".to_string()));
        }
        _ => {}
    }
    if (2..=8).contains(&metadata.orientation) {
        fixes.push(Fix::Oriented(metadata.orientation as u8));
    }
    fixes
}

fn explain(error: &(dyn std::error::Error + Send + Sync + 'static), limits: &Limits) -> Error {
    let what: String = error.to_string().lines().next().unwrap_or_default().chars().take(200).collect();
    let lower = what.to_lowercase();
    if lower.contains("out of memory") {
        return Error::TooMuchMemory { format: FORMAT, max_bytes: limits.max_bytes.saturating_mul(WORKING_FACTOR) };
    }
    if lower.contains("unexpected end") || lower.contains("eof") {
        return Error::Truncated { format: FORMAT };
    }
    Error::Damaged { format: FORMAT, what }
}
