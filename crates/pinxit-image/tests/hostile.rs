//! Hostile, broken and cut files: an error with a hint, at once, and never half a picture or a panic.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report

mod common;

use common::{as_dynamic, fixture, jpeg, png, scene, written};
use image::ImageFormat;
use pinxit_image::{Error, Format, Limits, decode, info, read_recipe};
use proptest::prelude::*;

fn error(bytes: &[u8]) -> Error {
    decode(bytes, &Limits::default()).expect_err("it must be refused")
}

/// A PNG whose header claims these sides, with a sound checksum and hardly any data behind it.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(1, 1, png::ColorType::Rgba, png::BitDepth::Sixteen, &[0; 8]);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// CRC-32 as PNG defines it (ISO/IEC 15948, annex D).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
    })
}

#[test]
fn a_header_that_claims_fifty_thousand_px_fails_at_once_and_says_why() {
    let start = std::time::Instant::now();
    let error = error(&claiming(50_000, 50_000));
    assert!(start.elapsed().as_millis() < 200, "{:?}", start.elapsed());
    let message = error.to_string();
    assert!(message.contains("50000 × 50000") && message.contains("8192"), "{message}");
    assert!(error.hint().is_some_and(|hint| hint.contains("smaller")));
}

#[test]
fn sides_within_the_limit_can_still_be_too_many_bytes() {
    let error = error(&claiming(8192, 8192));
    let Error::TooManyBytes { needed_bytes, max_bytes, .. } = error else { panic!("{error}") };
    assert_eq!((needed_bytes, max_bytes), (8192 * 8192 * 8, 256 << 20));
}

#[test]
fn limits_hold_for_every_format() {
    let limits = Limits { max_side_px: 40, ..Limits::default() };
    let (wide, small) = (as_dynamic(&scene(48, 32)), as_dynamic(&scene(40, 32)));
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Tiff, ImageFormat::Bmp]
    {
        let error = decode(&written(&wide, format), &limits).expect_err("too wide");
        assert!(matches!(error, Error::TooManyPixels { width: 48, height: 32, max_side_px: 40 }), "{format:?}: {error}");
        assert!(decode(&written(&small, format), &limits).is_ok(), "{format:?}");
    }
    assert!(matches!(decode(&fixture("lossy.jxl"), &limits), Err(Error::TooManyPixels { width: 48, .. })));
    let few = Limits { max_bytes: 1000, ..Limits::default() };
    assert!(matches!(decode(&fixture("lossy.jxl"), &few), Err(Error::TooManyBytes { .. })));
}

#[test]
fn a_file_above_the_limit_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.png");
    std::fs::write(&path, written(&as_dynamic(&scene(64, 64)), ImageFormat::Png)).unwrap();
    let limits = Limits { max_file_bytes: 100, ..Limits::default() };
    assert!(matches!(pinxit_image::read(&path, &limits), Err(Error::FileTooLarge { max_file_bytes: 100, .. })));
}

#[test]
fn a_missing_file_is_named() {
    let error = pinxit_image::read(std::path::Path::new("no/such/file.png"), &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("no/such/file.png"));
    assert_eq!(error.hint(), Some("check the path: there is no such file"));
}

#[test]
fn no_cut_file_becomes_half_a_picture() {
    let picture = as_dynamic(&scene(60, 40));
    let mut files: Vec<(String, Vec<u8>)> =
        [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Tiff, ImageFormat::Bmp]
            .iter()
            .map(|format| (format!("{format:?}"), written(&picture, *format)))
            .collect();
    files.push(("JPEG".to_string(), jpeg(&scene(60, 40), 90)));
    for name in ["progressive.jpg", "lossy.webp", "animated.webp", "lossless.jxl", "lossy.jxl", "cmyk_adobe.jpg", "cmyk.tif"] {
        files.push((name.to_string(), fixture(name)));
    }
    for (name, bytes) in files {
        assert!(decode(&bytes, &Limits::default()).is_ok(), "{name} is sound");
        // Ends of the file up to its last twentieth are trailers in some formats; before that pixels are missing.
        for twentieth in 1..19 {
            let cut = &bytes[..bytes.len() * twentieth / 20];
            let error = decode(cut, &Limits::default()).expect_err(&format!("{name} cut at {twentieth}/20"));
            assert!(error.hint().is_some(), "{name} cut at {twentieth}/20: {error}");
        }
    }
}

#[test]
fn cut_jpeg_and_png_are_called_cut() {
    let jpeg = jpeg(&scene(200, 150), 90);
    let png = written(&as_dynamic(&scene(200, 150)), ImageFormat::Png);
    for (bytes, format) in [(jpeg, Format::Jpeg), (png, Format::Png)] {
        let error = error(&bytes[..bytes.len() * 6 / 10]);
        assert!(matches!(error, Error::Truncated { format: f } if f == format), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("again")));
    }
}

#[test]
fn damage_in_the_middle_of_a_png_is_found() {
    let mut bytes = written(&as_dynamic(&scene(200, 150)), ImageFormat::Png);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    assert!(matches!(error(&bytes), Error::Damaged { format: Format::Png, .. }));
}

#[test]
fn what_no_decoder_knows_is_called_that_and_not_damage() {
    let bytes = fixture("palette.tif");
    for error in [error(&bytes), info(&bytes).unwrap_err()] {
        assert!(matches!(error, Error::Unsupported { format: Format::Tiff, .. }), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("PNG")));
    }
}

#[test]
fn empty_files_and_bare_signatures() {
    assert!(matches!(error(b""), Error::Empty));
    for start in [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff", b"GIF89a", b"II*\0", b"\xff\x0a", b"RIFF\0\0\0\0WEBP"] {
        let error = error(start);
        assert!(error.hint().is_some(), "{error}");
    }
}

fn starts() -> Vec<Vec<u8>> {
    let picture = as_dynamic(&scene(24, 18));
    let mut files: Vec<Vec<u8>> =
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Tiff, ImageFormat::Bmp]
            .iter()
            .map(|format| written(&picture, *format))
            .collect();
    for name in
        ["progressive.jpg", "lossy.webp", "animated.webp", "animated.png", "pages.tif", "cmyk_press.jpg", "ycck_adobe.jpg"]
    {
        files.push(fixture(name));
    }
    files.extend([fixture("lossy.jxl"), fixture("lossless.jxl"), fixture("photo.avif")]);
    files
}

/// Memory and time stay small because the limits are.
fn survive(bytes: &[u8]) {
    let limits = Limits { max_side_px: 512, max_bytes: 4 << 20, max_file_bytes: 1 << 20 };
    if let Ok(decoded) = decode(bytes, &limits) {
        let pixels = u64::from(decoded.picture.width()) * u64::from(decoded.picture.height());
        assert_eq!(decoded.picture.pixels().len() as u64, pixels * 3);
    }
    let _ = info(bytes);
    let _ = read_recipe(bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        survive(&bytes);
    }

    #[test]
    fn sound_files_with_random_damage_never_panic(
        which in 0..16usize,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        keep in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = starts().swap_remove(which);
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(keep.index(bytes.len()));
        }
        survive(&bytes);
    }
}
