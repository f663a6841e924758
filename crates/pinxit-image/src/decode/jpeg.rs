//! JPEG through `zune-jpeg`, in its strict mode, with the inks of CMYK files kept for their profile.
//!
//! The decoder behind the `image` crate is the same, but there it fills what is missing of a damaged file with
//! grey, and turns inks into light by a plain formula before a profile can be asked.

use super::require_whole;
use crate::colour::{Depth, Model, Raw};
use crate::error::{Error, Result};
use crate::format::Format;
use crate::limits::Limits;
use image::metadata::Orientation;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

const FORMAT: Format = Format::Jpeg;

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Raw> {
    if !ends_with_its_picture(bytes) {
        return Err(Error::Truncated { format: FORMAT });
    }
    match decode_as(bytes, limits, true) {
        // Cameras pad between header segments, which costs no pixel: that alone is forgiven.
        Err(Error::Damaged { what, .. }) if what.contains("Extra bytes between headers") => decode_as(bytes, limits, false),
        result => result,
    }
}

fn decode_as(bytes: &[u8], limits: &Limits, strict: bool) -> Result<Raw> {
    let options = DecoderOptions::default().set_strict_mode(strict).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(explain)?;
    let (Some(info), Some(stored)) = (decoder.info(), decoder.input_colorspace()) else {
        return Err(Error::Damaged { format: FORMAT, what: "it has no frame header".to_string() });
    };
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let (wanted, model) = match stored {
        ColorSpace::Luma => (ColorSpace::Luma, Model::Grey),
        ColorSpace::RGB | ColorSpace::YCbCr => (ColorSpace::RGB, Model::Rgb),
        ColorSpace::CMYK | ColorSpace::YCCK => (stored, Model::Cmyk),
        other => return Err(Error::Unsupported { format: FORMAT, what: format!("colours stored as {other:?}") }),
    };
    let channels = wanted.num_components();
    limits.check(width, height, channels as u64)?;
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let mut samples = decoder.decode().map_err(explain)?;
    if model == Model::Cmyk {
        let adobe = Segments::new(bytes).any(|(marker, payload)| marker == 0xee && payload.starts_with(b"Adobe"));
        inks(&mut samples, stored == ColorSpace::YCCK, adobe);
    }
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif)).map_or(1, Orientation::to_exif);
    let icc = decoder.icc_profile();
    let raw = Raw { width, height, bytes: samples, depth: Depth::U8, model, alpha: false, icc, orientation, fixes: Vec::new() };
    require_whole(raw, FORMAT, channels)
}

/// Turns stored samples into inks with 0 = none, in place.
///
/// Adobe's programs store inks inverted, 255 = none, and mark the file with an APP14 segment, as everybody does
/// who wants to be read by them. YCCK is the same with cyan, magenta and yellow rotated: the YCbCr formula on
/// the first three gives the *ink* in files by Adobe (ITU-T T.872, 6.3), while black stays inverted.
fn inks(samples: &mut [u8], rotated: bool, adobe: bool) {
    for pixel in samples.chunks_exact_mut(4) {
        if rotated {
            let (y, cb, cr) = (f32::from(pixel[0]), f32::from(pixel[1]) - 128.0, f32::from(pixel[2]) - 128.0);
            let rgb = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
            for (ink, v) in pixel.iter_mut().zip(rgb) {
                // The cast saturates, which is the clamp to 0…255 that the standard asks for.
                *ink = 255 - v.round() as u8;
            }
        }
        if adobe || rotated {
            pixel.iter_mut().for_each(|ink| *ink = 255 - *ink);
        }
    }
}

fn explain(error: DecodeErrors) -> Error {
    let what = error.to_string();
    if matches!(error, DecodeErrors::ExhaustedData) || what.contains("Premature end") || what.contains("No more bytes") {
        return Error::Truncated { format: FORMAT };
    }
    match error {
        DecodeErrors::Unsupported(_) => Error::Unsupported { format: FORMAT, what },
        _ => Error::Damaged { format: FORMAT, what: what.lines().next().unwrap_or_default().chars().take(200).collect() },
    }
}

/// The facts in a JPEG file's header segments.
pub(crate) struct Head {
    pub width: u32,
    pub height: u32,
    pub bits: u8,
    pub components: u8,
    pub orientation: u8,
    pub icc: Option<Vec<u8>>,
}

impl Head {
    /// Reads the segments up to the first scan; of an ICC profile the parts are joined in the order they stand.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self> {
        let (mut head, mut icc) = (None, Vec::new());
        let mut orientation = 1;
        for (marker, payload) in Segments::new(bytes) {
            match (marker, payload) {
                // A frame header, SOF0…SOF15 without DHT, JPG and DAC: depth, height, width, number of components.
                (0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf, &[bits, h1, h0, w1, w0, components, ..]) => {
                    let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
                    head = Some((side(w1, w0), side(h1, h0), bits, components));
                }
                (0xe1, _) => {
                    let exif = payload.strip_prefix(b"Exif\0\0").and_then(Orientation::from_exif_chunk);
                    orientation = exif.map_or(orientation, Orientation::to_exif);
                }
                (0xe2, _) => icc
                    .extend_from_slice(payload.strip_prefix(b"ICC_PROFILE\0").and_then(|part| part.get(2..)).unwrap_or_default()),
                _ => {}
            }
        }
        let missing = Error::Damaged { format: FORMAT, what: "it has no frame header".to_string() };
        let (width, height, bits, components) = head.ok_or(missing)?;
        Ok(Self { width, height, bits, components, orientation, icc: (!icc.is_empty()).then_some(icc) })
    }
}

/// The header segments of a JPEG file up to the first scan: marker byte and payload.
pub(crate) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 2 }
    }

    /// The marker at or after the current place and where its length field begins, skipping padding.
    fn marker(&mut self) -> Option<u8> {
        while *self.bytes.get(self.at)? != 0xff {
            self.at += 1;
        }
        while *self.bytes.get(self.at)? == 0xff {
            self.at += 1;
        }
        self.at += 1;
        Some(self.bytes[self.at - 1])
    }

    /// The payload of the segment whose length field is at the current place; moves behind it.
    fn payload(&mut self) -> Option<&'a [u8]> {
        let field = self.bytes.get(self.at..self.at + 2)?;
        let len = usize::from(u16::from_be_bytes([field[0], field[1]]));
        let payload = self.bytes.get(self.at + 2..self.at + len)?;
        self.at += len;
        Some(payload)
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.marker()? {
                0xd9 | 0xda => return None,
                0x00 | 0x01 | 0xd0..=0xd8 => {}
                marker => return Some((marker, self.payload()?)),
            }
        }
    }
}

/// Whether a scan has begun and an end-of-image marker follows it. Scan data is stepped over byte by byte
/// (inside it, 0xff is always followed by 0 or a restart marker), and segments by their length, so that an
/// embedded thumbnail's end is not taken for the picture's.
fn ends_with_its_picture(bytes: &[u8]) -> bool {
    let mut walk = Segments::new(bytes);
    let mut scanned = false;
    loop {
        match walk.marker() {
            Some(0xd9) => return scanned,
            Some(0x00 | 0x01 | 0xd0..=0xd8) => {}
            Some(marker) => {
                scanned |= marker == 0xda;
                if walk.payload().is_none() {
                    return false;
                }
            }
            None => return false,
        }
    }
}
