//! Colours against other people's colour management: the expected values were printed by `fixtures/make.py`,
//! that is, by Pillow's ImageCms (Little CMS 2).
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report

mod common;

use common::{decode, fixture, png_with};
use pinxit_image::{Decoded, Fix, Picture};

/// The middles of the 16 px wide patches in a fixture.
fn patches(picture: &Picture) -> Vec<[u8; 3]> {
    (0..picture.width() / 16).map(|i| picture.get(i * 16 + 8, 8).unwrap()).collect()
}

fn assert_close(name: &str, decoded: &Decoded, expected: &[[u8; 3]], within: u8) {
    let found = patches(&decoded.picture);
    assert_eq!(found.len(), expected.len());
    for (i, (ours, theirs)) in found.iter().zip(expected).enumerate() {
        let off = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(off <= within, "{name}, patch {i}: ours {ours:?}, Little CMS {theirs:?}");
    }
}

const WIDE: [[u8; 3]; 8] =
    [[255, 0, 0], [0, 255, 0], [0, 0, 255], [129, 129, 129], [224, 121, 25], [0, 62, 205], [250, 250, 245], [0, 0, 0]];

#[test]
fn a_wide_rgb_profile_is_honoured() {
    let decoded = decode(&fixture("wide_rgb.png"));
    assert_close("wide_rgb.png", &decoded, &WIDE, 2);
    assert_eq!(decoded.fixes, [Fix::ColourManaged("Wide RGB of the tests".to_string())]);
}

#[test]
fn jpeg_xl_with_a_wide_colour_space_agrees() {
    for (name, within) in [("wide_rgb.jxl", 2), ("wide_rgb_lossy.jxl", 8)] {
        let decoded = decode(&fixture(name));
        assert_close(name, &decoded, &WIDE, within);
        assert_eq!(decoded.fixes, [Fix::ColourManaged("Wide RGB of the tests".to_string())], "{name}");
    }
}

#[test]
fn a_grey_profile_is_honoured() {
    let decoded = decode(&fixture("linear_grey.png"));
    assert_close("linear_grey.png", &decoded, &[[0; 3], [55; 3], [133; 3], [188; 3], [229; 3], [255; 3]], 2);
    assert_eq!(decoded.fixes, [Fix::ColourManaged("Linear grey of the tests".to_string()), Fix::GreyWidened]);
}

#[test]
fn a_broken_profile_is_named_and_the_colours_stay() {
    let decoded = decode(&fixture("broken_profile.png"));
    assert!(matches!(decoded.fixes.as_slice(), [Fix::BadProfile(_)]), "{:?}", decoded.fixes);
    assert_eq!(patches(&decoded.picture)[4], [200, 120, 40]);
}

const PLAIN_INKS: [[u8; 3]; 8] =
    [[0, 255, 255], [255, 0, 255], [255, 255, 0], [0, 0, 0], [255, 255, 255], [190, 119, 49], [36, 139, 159], [127, 127, 127]];

#[test]
fn cmyk_as_adobe_stores_it_inverted_and_ycck_are_the_same_inks() {
    for name in ["cmyk_adobe.jpg", "ycck_adobe.jpg"] {
        let decoded = decode(&fixture(name));
        assert_close(name, &decoded, &PLAIN_INKS, 3);
        assert_eq!(decoded.fixes, [Fix::Cmyk(false)], "{name}");
    }
}

#[test]
fn cmyk_in_tiff() {
    let decoded = decode(&fixture("cmyk.tif"));
    assert_close("cmyk.tif", &decoded, &PLAIN_INKS, 3);
    assert_eq!(decoded.fixes, [Fix::Cmyk(false)]);
}

#[test]
fn a_press_profile_is_honoured() {
    const PRESS: [[u8; 3]; 8] = [
        [0, 155, 220],
        [235, 52, 141],
        [255, 235, 0],
        [32, 32, 32],
        [255, 255, 255],
        [197, 128, 46],
        [43, 105, 136],
        [137, 137, 137],
    ];
    let decoded = decode(&fixture("cmyk_press.jpg"));
    assert_eq!(decoded.fixes, [Fix::Cmyk(true)]);
    // Between the nodes of the table Little CMS walks tetrahedra and moxcms cubes: up to 7 apart.
    assert_close("cmyk_press.jpg", &decoded, &PRESS, 8);
}

#[test]
fn a_profile_that_is_srgb_by_another_name_changes_nothing() {
    let icc = moxcms::ColorProfile::new_srgb().encode().unwrap();
    let data: Vec<u8> = (0..=255u8).flat_map(|v| [v, v.wrapping_mul(7), 255 - v]).collect();
    let (rgb, eight) = (png::ColorType::Rgb, png::BitDepth::Eight);
    let bytes = png_with(256, 1, rgb, eight, &data, |info| info.icc_profile = Some(icc.into()));
    let decoded = decode(&bytes);
    assert_eq!((decoded.picture.pixels(), decoded.fixes.len()), (data.as_slice(), 0));
}
