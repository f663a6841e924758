//! Files that are two things at once, and files that unpack to gigabytes.
#![allow(clippy::unwrap_used)] // in a test a panic is the report

mod common;

use std::io::Write;

use common::boxes::{chunk_of, described, plain, superbox, with_chunk};
use common::limits::{holds, state};
use common::{generated, key, picture};
use image::ImageFormat;
use pinxit_image::Limits;
use pinxit_trust::credential::sign;
use pinxit_trust::verify::{Anchors, State, verify_bytes};

/// A ZIP archive with nothing in it: what counts for a reader of archives is its end.
const ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const HTML: &[u8] = b"--><html><script>fetch('http://a.invalid')</script><!--";
const SCRIPT: &[u8] = b"=0;alert(1);/*";

/// Its name, the picture's format, and how the picture becomes both.
type Polyglot = (&'static str, ImageFormat, fn(&[u8]) -> Vec<u8>);

/// A picture that is something else as well, in the places where formats allow it.
fn polyglots() -> Vec<Polyglot> {
    fn comment(jpeg: &[u8], text: &[u8]) -> Vec<u8> {
        [&jpeg[..2], &[0xff, 0xfe], &(text.len() as u16 + 2).to_be_bytes(), text, &jpeg[2..]].concat()
    }
    vec![
        ("PNG and ZIP", ImageFormat::Png, |png| [png, ZIP].concat()),
        ("PNG and ZIP, in a chunk", ImageFormat::Png, |png| with_chunk(png, b"zIPt", ZIP)),
        ("PNG and HTML", ImageFormat::Png, |png| with_chunk(png, b"tEXt", &[b"Comment\0", HTML].concat())),
        ("JPEG and HTML", ImageFormat::Jpeg, |jpeg| comment(jpeg, HTML)),
        ("JPEG and ZIP", ImageFormat::Jpeg, |jpeg| [jpeg, ZIP].concat()),
        ("GIF and script", ImageFormat::Gif, |gif| {
            let text = [&[SCRIPT.len() as u8], SCRIPT, &[0]].concat();
            [&gif[..gif.len() - 1], b"!\xfe", &text, b";"].concat()
        }),
        ("GIF and script, behind", ImageFormat::Gif, |gif| [gif, b"*/=1;alert(1)"].concat()),
        ("WebP and PDF", ImageFormat::WebP, |webp| [webp, b"%PDF-1.7\n%%EOF"].concat()),
        ("TIFF and ZIP", ImageFormat::Tiff, |tiff| [tiff, ZIP].concat()),
    ]
}

/// Made into one after it was signed, a file is changed; it never had a credential, it has none.
#[test]
fn a_picture_that_becomes_something_else_loses_its_credential() {
    for (what, format, make) in polyglots() {
        let unsigned = picture(format);
        let signed = sign(&unsigned, &generated(), &key("Jane Artist")).unwrap();
        assert!(!holds(&make(&signed)), "{what}");
        assert!(state(&make(&unsigned)) != Some(State::Invalid), "{what}: there is no credential that could be broken");
        // What is taken in of it is the picture alone.
        let pixels = |bytes: &[u8]| pinxit_image::decode(bytes, &Limits::default()).unwrap().picture;
        assert_eq!(pixels(&make(&unsigned)), pixels(&unsigned), "{what}");
    }
}

/// A file is what its first bytes say, whatever else it is.
#[test]
fn what_begins_as_something_else_is_no_picture() {
    let signed = sign(&picture(ImageFormat::Png), &generated(), &key("Jane Artist")).unwrap();
    let store = chunk_of(&signed, b"caBX");
    let svg = "<svg xmlns='http://www.w3.org/2000/svg'><metadata><c2pa:manifest xmlns:c2pa='http://c2pa.org/manifest'>";
    for start in [ZIP, b"<!DOCTYPE html>", b"%PDF-1.7\n", b"#!/bin/sh\n", svg.as_bytes(), b"<?xml version='1.0'?><svg/>"] {
        assert_eq!(state(&[start, &signed].concat()), None);
        assert_eq!(state(&[start, &store].concat()), None);
    }
    let error = verify_bytes(svg.as_bytes(), &Anchors::default()).unwrap_err();
    assert!(error.hint().is_some(), "{error}");
}

/// `mib` MiB of spaces, deflated to a thousandth: the second MiB looks to a reader like every one behind it.
fn deflated(mib: usize) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut ends = || {
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
        encoder.flush().unwrap();
        encoder.get_ref().len()
    };
    let (first, second) = (ends(), ends());
    let whole = encoder.finish().unwrap();
    [&whole[..second], &whole[first..second].repeat(mib - 2), &whole[second..]].concat()
}

/// Nobody unpacks them here: the memory of this program would not hold what they unpack to.
#[test]
fn text_and_profiles_that_unpack_to_gigabytes_are_left_packed() {
    let (png, bomb) = (picture(ImageFormat::Png), deflated(3 << 10));
    let signed = sign(&png, &generated(), &key("Jane Artist")).unwrap();
    for (name, head) in [
        (b"iTXt", &b"XML:com.adobe.xmp\0\x01\0\0\0"[..]),
        (b"iTXt", b"Comment\0\x01\0\0\0"),
        (b"zTXt", b"Raw profile type xmp\0\0"),
        (b"zTXt", b"Comment\0\0"),
        (b"iCCP", b"profile\0\0"),
    ] {
        let data = [head, &bomb].concat();
        assert_ne!(state(&with_chunk(&png, name, &data)), Some(State::Valid));
        assert_eq!(state(&with_chunk(&signed, name, &data)), Some(State::Invalid), "{}", String::from_utf8_lossy(head));
    }
}

/// A compressed manifest (C2PA 2.2, 11.2.2) of a stranger may unpack to 8 MiB; these are a few hundred bytes that want more.
#[test]
fn manifests_that_unpack_to_more_than_they_may_are_refused() {
    for mib in [9, 256] {
        let mut packed = Vec::new();
        let mut zeros = std::io::Read::take(std::io::repeat(0), mib << 20);
        brotli::BrotliCompress(&mut zeros, &mut packed, &brotli::enc::BrotliEncoderParams { quality: 2, ..Default::default() })
            .unwrap();
        assert!(packed.len() < 8 << 10, "{} bytes", packed.len());
        for kind in [b"c2cm", b"c2ma"] {
            let store = superbox(&described(kind, "urn:c2pa:bomb", &plain(b"brob", &packed)));
            let file = with_chunk(&picture(ImageFormat::Png), b"caBX", &store);
            assert_eq!(state(&file), Some(State::Invalid), "{mib} MiB");
            let report = verify_bytes(&file, &Anchors::default()).unwrap();
            assert!(format!("{:?}", report.problems).contains("exceeds maximum size"), "{mib} MiB: {:?}", report.problems);
        }
    }
}

/// XMP that expands, an ICC profile of many megabytes, Exif that points at itself.
#[test]
fn metadata_that_grows_or_turns_in_circles_costs_nothing() {
    let png = picture(ImageFormat::Png);
    let jpeg = picture(ImageFormat::Jpeg);
    let mut laughs = String::from("<!DOCTYPE x [<!ENTITY a0 'ha'>");
    (1..40).for_each(|i| laughs.push_str(&format!("<!ENTITY a{i} '&a{0};&a{0};&a{0};&a{0};'>", i - 1)));
    laughs.push_str("]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&a39;</x:xmpmeta>");
    let app = |marker: u8, content: &[u8]| [&[0xff, marker][..], &(content.len() as u16 + 2).to_be_bytes(), content].concat();
    let within = |segments: &[u8]| [&jpeg[..2], segments, &jpeg[2..]].concat();
    // Two directories that are each other's next one, and an Exif pointer back to the first.
    let mut circle = b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x1a\0\0\0".to_vec();
    circle.extend(b"\x01\0\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0\x08\0\0\0");
    let profile: Vec<u8> =
        (1..=255u8).flat_map(|i| app(0xe2, &[b"ICC_PROFILE\0", &[i, 255][..], &[7; 65_000]].concat())).collect();
    let files = [
        ("laughs in PNG", with_chunk(&png, b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", laughs.as_bytes()].concat())),
        ("laughs in JPEG", within(&app(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", laughs.as_bytes()].concat()))),
        ("deep XMP", with_chunk(&png, b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0".to_vec(), b"<a>".repeat(1 << 20)].concat())),
        ("profile of 16 MiB", within(&profile)),
        ("circle in JPEG", within(&app(0xe1, &[b"Exif\0\0", &circle[..]].concat()))),
        ("circle in PNG", with_chunk(&png, b"eXIf", &circle)),
    ];
    for (what, file) in files {
        assert_eq!(state(&file), Some(State::Missing), "{what}");
        // The picture itself is as good as before.
        let decoded = pinxit_image::decode(&file, &Limits::default());
        assert!(decoded.is_ok_and(|decoded| decoded.picture.width() == 64), "{what}");
    }
    assert_ne!(state(&circle), Some(State::Valid), "circle as TIFF");
}
