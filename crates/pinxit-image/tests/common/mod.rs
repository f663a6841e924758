//! What the integration tests share: fixtures by name, files made in memory, and colours compared.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
#![allow(dead_code)] // Each test file uses a part of it.

use image::{DynamicImage, ExtendedColorType, ImageFormat};
use pinxit_image::{Decoded, Limits, Picture};
use std::io::Cursor;

pub fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn decode(bytes: &[u8]) -> Decoded {
    pinxit_image::decode(bytes, &Limits::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// A file by the `image` crate's own encoders.
pub fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A PNG of any colour type, through the PNG encoder itself; `data` as stored.
pub fn png(width: u32, height: u32, colour: png::ColorType, depth: png::BitDepth, data: &[u8]) -> Vec<u8> {
    png_with(width, height, colour, depth, data, |_| {})
}

pub fn png_with(
    width: u32,
    height: u32,
    colour: png::ColorType,
    depth: png::BitDepth,
    data: &[u8],
    more: impl FnOnce(&mut png::Info),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut info = png::Info::with_size(width, height);
    info.color_type = colour;
    info.bit_depth = depth;
    more(&mut info);
    let mut writer = png::Encoder::with_info(&mut bytes, info).unwrap().write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

/// A picture without symmetry, with smooth parts and edges.
pub fn scene(width: u32, height: u32) -> Picture {
    Picture::from_fn(width, height, |x, y| {
        let sky = y * 3 < height;
        let sun = x.abs_diff(width / 4).pow(2) + y.abs_diff(height / 5).pow(2) < (height / 8).pow(2);
        match (sun, sky) {
            (true, _) => [250, 230, 120],
            (_, true) => [90 + (y * 200 / height) as u8, 150, 220],
            _ => [(x * 200 / width) as u8, 120, (y * 90 / height) as u8],
        }
    })
}

pub fn as_dynamic(picture: &Picture) -> DynamicImage {
    image::RgbImage::from_raw(picture.width(), picture.height(), picture.pixels().to_vec()).unwrap().into()
}

/// A JPEG by the `image` crate.
pub fn jpeg(picture: &Picture, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(picture.pixels(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

/// An Exif block with nothing but an orientation.
pub fn exif(orientation: u16) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend_from_slice(&orientation.to_le_bytes());
    exif.extend_from_slice(&[0; 6]);
    exif
}

/// `jpeg` with an APP1 segment that holds `exif`.
pub fn with_exif(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend_from_slice(&[0xff, 0xe1]);
    bytes.extend_from_slice(&((exif.len() + 8) as u16).to_be_bytes());
    bytes.extend_from_slice(b"Exif\0\0");
    bytes.extend_from_slice(exif);
    bytes.extend_from_slice(&jpeg[2..]);
    bytes
}

/// Greatest difference of any sample.
pub fn furthest(a: &Picture, b: &Picture) -> u8 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    a.pixels().iter().zip(b.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

/// Mean difference of the samples.
pub fn mean_difference(a: &Picture, b: &Picture) -> f64 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    let sum: u64 = a.pixels().iter().zip(b.pixels()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.pixels().len() as f64
}
