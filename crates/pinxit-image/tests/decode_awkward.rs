//! Awkward but honest files become upright sRGB pictures, and every change is named.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report

mod common;

use common::{as_dynamic, decode, exif, fixture, furthest, jpeg, mean_difference, png, png_with, scene, with_exif, written};
use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat};
use pinxit_image::{Fix, Format, Picture};

#[test]
fn plain_files_come_through_untouched_and_without_fixes() {
    let picture = scene(37, 23);
    for (ours, theirs) in [
        (Format::Png, ImageFormat::Png),
        (Format::WebP, ImageFormat::WebP),
        (Format::Tiff, ImageFormat::Tiff),
        (Format::Bmp, ImageFormat::Bmp),
    ] {
        let decoded = decode(&written(&as_dynamic(&picture), theirs));
        assert_eq!((decoded.format, decoded.original), (ours, (37, 23)));
        assert_eq!(decoded.picture, picture, "{ours}");
        assert_eq!(decoded.fixes, [], "{ours}");
    }
    let lossy = decode(&jpeg(&picture, 95));
    assert_eq!((lossy.format, lossy.fixes.as_slice()), (Format::Jpeg, [].as_slice()));
    assert!(mean_difference(&lossy.picture, &picture) < 4.0);
}

#[test]
fn all_eight_orientations_agree_with_another_implementation() {
    let picture = scene(24, 16);
    let stored = jpeg(&picture, 90);
    let flat = decode(&stored).picture;
    for n in 1..=8u8 {
        let mut expected = as_dynamic(&flat);
        expected.apply_orientation(Orientation::from_exif(n).unwrap());
        let from_jpeg = decode(&with_exif(&stored, &exif(u16::from(n))));
        assert_eq!(from_jpeg.picture.pixels(), expected.as_bytes(), "JPEG, orientation {n}");
        assert_eq!(from_jpeg.original, (24, 16));
        assert_eq!(from_jpeg.fixes, if n == 1 { vec![] } else { vec![Fix::Oriented(n)] });

        let (rgb, eight) = (png::ColorType::Rgb, png::BitDepth::Eight);
        let block = exif(u16::from(n));
        let bytes = png_with(24, 16, rgb, eight, flat.pixels(), |info| info.exif_metadata = Some(block.into()));
        assert_eq!(decode(&bytes).picture.pixels(), expected.as_bytes(), "PNG, orientation {n}");
    }
}

#[test]
fn sixteen_bits_are_rounded_not_cut() {
    // 0x0080 is 0.498 of a step and rounds to 0; 0x0081 rounds to 1; 0xff7f rounds to 255 where a shift gives 255 too;
    // 0x7fff / 257 = 127.5 - 0.002 rounds to 127; 0x8000 rounds to 128.
    let samples: [u16; 6] = [0x0080, 0x0081, 0xff7f, 0x7fff, 0x8000, 0xff00];
    let data: Vec<u8> = samples.iter().flat_map(|v| v.to_be_bytes()).collect();
    let decoded = decode(&png(2, 1, png::ColorType::Rgb, png::BitDepth::Sixteen, &data));
    assert_eq!(decoded.picture.pixels(), [0, 1, 255, 127, 128, 254]);
    assert_eq!(decoded.fixes, [Fix::SixteenBit]);
}

#[test]
fn grey_with_alpha_is_laid_on_white() {
    let bytes = png(3, 1, png::ColorType::GrayscaleAlpha, png::BitDepth::Eight, &[0, 255, 0, 128, 100, 0]);
    let decoded = decode(&bytes);
    assert_eq!(decoded.picture.pixels(), [0, 0, 0, 127, 127, 127, 255, 255, 255]);
    assert_eq!(decoded.fixes, [Fix::GreyWidened, Fix::AlphaFlattened]);
}

#[test]
fn sixteen_bit_alpha_is_mixed_before_rounding() {
    let samples: [u16; 4] = [0, 32768, 65535, 32768];
    let data: Vec<u8> = samples.iter().flat_map(|v| v.to_be_bytes()).collect();
    let decoded = decode(&png(1, 1, png::ColorType::Rgba, png::BitDepth::Sixteen, &data));
    assert_eq!(decoded.picture.pixels(), [127, 191, 255]);
    assert_eq!(decoded.fixes, [Fix::SixteenBit, Fix::AlphaFlattened]);
}

#[test]
fn an_opaque_alpha_channel_is_no_change() {
    let decoded = decode(&png(1, 1, png::ColorType::Rgba, png::BitDepth::Eight, &[1, 2, 3, 255]));
    assert_eq!((decoded.picture.pixels(), decoded.fixes.len()), (&[1, 2, 3][..], 0));
}

#[test]
fn palettes_of_one_to_eight_bits_with_transparency() {
    let with_palette = |depth, data: &[u8]| {
        png_with(2, 2, png::ColorType::Indexed, depth, data, |info| {
            info.palette = Some(vec![255, 0, 0, 0, 0, 255].into());
            info.trns = Some(vec![255, 0].into());
        })
    };
    let expected = Picture::from_fn(2, 2, |x, _| if x == 0 { [255, 0, 0] } else { [255; 3] });
    for (depth, data) in [
        (png::BitDepth::One, &[0b0100_0000, 0b0100_0000][..]),
        (png::BitDepth::Four, &[0x01, 0x01]),
        (png::BitDepth::Eight, &[0, 1, 0, 1]),
    ] {
        let decoded = decode(&with_palette(depth, data));
        assert_eq!(decoded.picture, expected, "{depth:?}");
        assert_eq!(decoded.fixes, [Fix::AlphaFlattened]);
    }
}

#[test]
fn one_bit_grey_is_black_and_white() {
    let decoded = decode(&png(8, 1, png::ColorType::Grayscale, png::BitDepth::One, &[0b1010_0000]));
    let expected: Vec<u8> = [255, 0, 255, 0, 0, 0, 0, 0].iter().flat_map(|v| [*v; 3]).collect();
    assert_eq!(decoded.picture.pixels(), expected);
}

#[test]
fn only_the_first_frame_of_an_animation_is_used_and_the_number_told() {
    let first = decode(&fixture("photo.png")).picture;
    for name in ["animated.png", "animated.webp", "pages.tif"] {
        let decoded = decode(&fixture(name));
        assert_eq!(decoded.fixes, [Fix::FirstFrameOf(3)], "{name}");
        assert_eq!(decoded.picture, first, "{name}");
    }
    let decoded = decode(&animated_gif());
    assert_eq!(decoded.fixes, [Fix::FirstFrameOf(3)]);
    assert_eq!(decoded.picture, Picture::filled(5, 4, [200, 0, 0]));
}

fn animated_gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for red in [200, 100, 0] {
        let frame = image::RgbaImage::from_pixel(5, 4, image::Rgba([red, 0, 0, 255]));
        encoder.encode_frame(image::Frame::new(frame)).unwrap();
    }
    drop(encoder);
    bytes
}

#[test]
fn floating_point_light_becomes_srgb() {
    // Half the light of white is 188 in sRGB; what is brighter than white is white, and not a number is black.
    let light = vec![0.5f32, 0.0, 1.0, 7.0, f32::NAN, -1.0];
    let picture = DynamicImage::ImageRgb32F(image::ImageBuffer::from_raw(2, 1, light).unwrap());
    let decoded = decode(&written(&picture, ImageFormat::Tiff));
    assert_eq!(decoded.picture.pixels(), [188, 0, 255, 255, 0, 0]);
    assert_eq!(decoded.fixes, [Fix::FloatingPoint]);
}

#[test]
fn progressive_jpeg_lossy_webp_and_jpeg_xl_are_close_to_the_original() {
    let original = decode(&fixture("photo.png")).picture;
    for (name, format, within) in [
        ("progressive.jpg", Format::Jpeg, 4.0),
        ("lossy.webp", Format::WebP, 8.0),
        ("lossy.jxl", Format::JpegXl, 4.0),
        ("lossless.jxl", Format::JpegXl, 0.0),
    ] {
        let decoded = decode(&fixture(name));
        assert_eq!((decoded.format, decoded.fixes.as_slice()), (format, [].as_slice()), "{name}");
        let off = mean_difference(&decoded.picture, &original);
        assert!(off <= within, "{name}: mean difference {off}");
    }
    // Pillow's own values of the same file, printed by fixtures/make.py.
    let progressive = decode(&fixture("progressive.jpg")).picture;
    for ((x, y), rgb) in [((5, 5), [186, 182, 72]), ((24, 16), [8, 10, 235]), ((40, 30), [204, 205, 52])] {
        let ours = progressive.get(x, y).unwrap();
        assert!(ours.iter().zip(rgb).all(|(a, b)| a.abs_diff(b) <= 3), "({x}, {y}): {ours:?}, Pillow {rgb:?}");
    }
}

#[test]
fn one_pixel_of_every_format() {
    let dot = Picture::filled(1, 1, [255, 255, 255]);
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::Jpeg]
    {
        let decoded = decode(&written(&as_dynamic(&dot), format));
        assert!(furthest(&decoded.picture, &dot) <= 2, "{format:?}");
    }
}

#[test]
fn the_content_decides_and_not_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("really-a-png.jpg");
    pinxit_image::write_atomic(&path, &written(&as_dynamic(&scene(8, 8)), ImageFormat::Png)).unwrap();
    let decoded = pinxit_image::read(&path, &pinxit_image::Limits::default()).unwrap();
    assert_eq!(decoded.format, Format::Png);
}
