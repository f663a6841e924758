//! What is written is read back, here and (as recorded) by others.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report

mod common;

use common::{decode, mean_difference, scene};
use pinxit_image::{Encoding, Error, Format, Metadata, Picture, TRAINED_ALGORITHMIC_MEDIA, encode, info, read_recipe, sniff};
use proptest::prelude::*;

const ALL: [Encoding; 4] = [Encoding::Png, Encoding::Jpeg { quality: 92 }, Encoding::WebP, Encoding::Avif { quality: 80 }];

/// With everything that XML and JSON quarrel about.
const RECIPE: &str = "{\"v\":1,\"seed\":18446744073709551615,\"class\":\"Größe <&> \\\"日本\\\" 🎨\",\"psi\":0.7,\n\t\"ops\":[]}";

fn metadata(recipe: &str) -> Metadata {
    Metadata {
        recipe: Some(recipe.to_string()),
        title: Some("Évening & <sea>".to_string()),
        software: "pinxit 0.1".to_string(),
        ..Metadata::default()
    }
}

#[test]
fn recipes_come_back_from_all_four_formats() {
    for encoding in ALL {
        let bytes = encode(&scene(40, 30), encoding, &metadata(RECIPE)).unwrap();
        assert_eq!(sniff(&bytes), Some(encoding.format()));
        assert_eq!(read_recipe(&bytes).unwrap().as_deref(), Some(RECIPE), "{encoding:?}");
        let without = encode(&scene(40, 30), encoding, &Metadata::default()).unwrap();
        assert_eq!(read_recipe(&without).unwrap(), None, "{encoding:?}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for encoding in ALL {
        let once = encode(&scene(70, 50), encoding, &metadata(RECIPE)).unwrap();
        assert_eq!(once, encode(&scene(70, 50), encoding, &metadata(RECIPE)).unwrap(), "{encoding:?}");
    }
}

#[test]
fn lossless_is_lossless_and_lossy_is_close() {
    let picture = scene(61, 43);
    for encoding in [Encoding::Png, Encoding::WebP] {
        let decoded = decode(&encode(&picture, encoding, &metadata(RECIPE)).unwrap());
        assert_eq!((decoded.picture, decoded.fixes), (picture.clone(), vec![]), "{encoding:?}");
    }
    let lossy = |quality| decode(&encode(&picture, Encoding::Jpeg { quality }, &metadata(RECIPE)).unwrap()).picture;
    assert!(mean_difference(&lossy(95), &picture) < 4.0);
    assert!(mean_difference(&lossy(95), &picture) < mean_difference(&lossy(20), &picture));
}

#[test]
fn info_tells_what_was_written() {
    for encoding in ALL {
        let told = info(&encode(&scene(40, 30), encoding, &metadata(RECIPE)).unwrap()).unwrap();
        assert_eq!((told.format, told.width, told.height), (encoding.format(), 40, 30), "{encoding:?}");
        assert_eq!((told.colour.as_str(), told.orientation, told.frames), ("RGB", 1, 1), "{encoding:?}");
        assert!(told.has_recipe, "{encoding:?}");
        assert_eq!(told.digital_source_type.as_deref(), Some(TRAINED_ALGORITHMIC_MEDIA), "{encoding:?}");
    }
}

#[test]
fn info_of_other_peoples_files() {
    let cmyk = info(&common::fixture("cmyk_press.jpg")).unwrap();
    assert_eq!((cmyk.colour.as_str(), cmyk.bits_per_sample), ("CMYK", 8));
    assert_eq!(cmyk.icc_profile.as_deref(), Some("Press of the tests"));
    assert!(!cmyk.has_recipe && cmyk.digital_source_type.is_none());
    for (name, format, frames) in [
        ("animated.png", Format::Png, 3),
        ("animated.webp", Format::WebP, 3),
        ("pages.tif", Format::Tiff, 3),
        ("lossy.jxl", Format::JpegXl, 1),
        ("photo.avif", Format::Avif, 1),
    ] {
        let told = info(&common::fixture(name)).unwrap();
        assert_eq!((told.format, told.width, told.height, told.frames), (format, 48, 32, frames), "{name}");
    }
}

#[test]
fn a_recipe_too_long_for_jpeg_is_said_and_png_takes_it() {
    let long = format!("{{\"note\":\"{}\"}}", "x".repeat(80_000));
    let error = encode(&scene(8, 8), Encoding::Jpeg { quality: 90 }, &metadata(&long)).unwrap_err();
    assert!(matches!(error, Error::MetadataTooLarge { format: Format::Jpeg, max_bytes: 65_504, .. }), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("PNG")));
    for encoding in [Encoding::Png, Encoding::WebP] {
        let bytes = encode(&scene(8, 8), encoding, &metadata(&long)).unwrap();
        assert_eq!(read_recipe(&bytes).unwrap(), Some(long.clone()));
    }
}

#[test]
fn quality_has_a_range_and_names_are_known() {
    for quality in [0, 101, 255] {
        for encoding in [Encoding::Jpeg { quality }, Encoding::Avif { quality }] {
            assert!(matches!(encode(&scene(4, 4), encoding, &Metadata::default()), Err(Error::Setting { .. })));
        }
    }
    assert_eq!(Encoding::named("JPEG", 80).unwrap(), Encoding::Jpeg { quality: 80 });
    assert!(Encoding::named("tiff", 80).is_err());
}

#[test]
fn odd_sizes_survive_every_format() {
    for (width, height) in [(1, 1), (1, 17), (33, 1)] {
        let picture = Picture::filled(width, height, [120, 60, 200]);
        for encoding in ALL {
            let bytes = encode(&picture, encoding, &metadata("{}")).unwrap();
            let told = info(&bytes).unwrap();
            assert_eq!((told.width, told.height), (width, height), "{encoding:?}");
            if encoding.format().is_read() {
                assert!(mean_difference(&decode(&bytes).picture, &picture) < 4.0, "{encoding:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_picture_survives_the_lossless_formats(
        width in 1..40u32,
        height in 1..40u32,
        seed in any::<u32>(),
        recipe in "[ -~äß→🎨\n\t\"<&>]{0,80}",
    ) {
        let picture = Picture::from_fn(width, height, |x, y| {
            let v = (x ^ seed).wrapping_mul(2_654_435_761).wrapping_add(y.wrapping_mul(seed | 1)).to_le_bytes();
            [v[0], v[1], v[3]]
        });
        for encoding in [Encoding::Png, Encoding::WebP] {
            let bytes = encode(&picture, encoding, &metadata(&recipe)).unwrap();
            prop_assert_eq!(&decode(&bytes).picture, &picture);
            let found = read_recipe(&bytes).unwrap();
            prop_assert_eq!(found.as_deref(), Some(recipe.as_str()));
        }
    }
}
