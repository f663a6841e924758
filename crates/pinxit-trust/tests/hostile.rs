//! Files that were made to hurt: a clear answer, no panic, no minute of waiting, no gigabyte.
#![allow(clippy::unwrap_used)] // in a test a panic is the report

mod common;

use common::boxes::{chunk_of, many, superbox, with_chunk};
use common::limits::{holds, limit};
use common::{FORMATS, generated, key, picture};
use pinxit_trust::credential::sign;
use pinxit_trust::verify::{Anchors, State, verify_bytes};

fn signed(format: image::ImageFormat) -> Vec<u8> {
    limit();
    sign(&picture(format), &generated(), &key("Jane Artist")).unwrap()
}

#[test]
fn a_file_cut_anywhere_does_not_hold() {
    for (ending, format) in FORMATS {
        let whole = signed(format);
        assert!(holds(&whole), "{ending}");
        for cut in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
            assert!(!holds(&whole[..cut]), "{ending} cut at {cut} of {}", whole.len());
        }
    }
}

#[test]
fn something_behind_or_before_the_picture_does_not_hold() {
    for (ending, format) in FORMATS {
        let whole = signed(format);
        for more in [&b"PK\x03\x04 an archive"[..], b"<script>alert(1)</script>", b"\0"] {
            assert!(!holds(&[&whole, more].concat()), "{ending}: appended");
            assert!(!holds(&[more, &whole].concat()), "{ending}: prepended");
        }
        let twice = [whole.clone(), whole].concat();
        assert!(!holds(&twice), "{ending}: twice");
    }
}

#[test]
fn a_credential_moved_into_another_picture_does_not_hold() {
    let whole = signed(image::ImageFormat::Png);
    let credential = chunk_of(&whole, b"caBX");
    let other = {
        let pixels = image::RgbImage::from_pixel(64, 48, image::Rgb([1, 2, 3]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::DynamicImage::ImageRgb8(pixels).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let moved = with_chunk(&other, b"caBX", &credential);
    let report = verify_bytes(&moved, &Anchors::default()).unwrap();
    assert_eq!((report.state, report.intact), (State::Invalid, Some(false)), "{:?}", report.problems);
}

#[test]
fn nonsense_in_the_place_of_a_credential_does_not_hold() {
    let plain = picture(image::ImageFormat::Png);
    let boxes = [
        Vec::new(),
        vec![0; 64],
        vec![0xff; 4096],
        superbox(&[0xff; 3]),
        superbox(b""),
        superbox(&superbox(b"\xff\xff\xff\xffjumb")),
        // A length of zero means "to the end", of one "64 bits follow".
        b"\0\0\0\0jumb".to_vec(),
        b"\0\0\0\x01jumb\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        many(&superbox(b""), 20_000),
    ];
    for (i, credential) in boxes.into_iter().enumerate() {
        assert!(!holds(&with_chunk(&plain, b"caBX", &credential)), "case {i}");
    }
}

#[test]
fn boxes_in_boxes_do_not_exhaust_the_stack() {
    let plain = picture(image::ImageFormat::Png);
    for depth in [10, 1_000, 20_000] {
        let mut nested = superbox(b"");
        // From inside outwards each box copies all of those within it: only the header has to be written again.
        let header = nested.len();
        let mut all = Vec::with_capacity(header * (depth + 1));
        for level in (0..=depth).rev() {
            let mut head = superbox(b"");
            head[..4].copy_from_slice(&((header * (level + 1)) as u32).to_be_bytes());
            all.extend(head);
        }
        nested.clear();
        assert!(!holds(&with_chunk(&plain, b"caBX", &all)), "{depth} levels");
    }
}

#[test]
fn claimed_sizes_are_not_believed() {
    let mut huge = picture(image::ImageFormat::Png);
    huge[16..24].copy_from_slice(&[0x7f; 8]);
    assert!(!holds(&huge));
    let mut chunk = picture(image::ImageFormat::Png);
    chunk.truncate(33);
    chunk.extend(b"\x7f\xff\xff\xffcaBX");
    assert!(!holds(&chunk));
    // A TIFF whose list of directories ends in itself.
    let mut circle = b"II*\0\x08\0\0\0\0\0".to_vec();
    circle.extend(8u32.to_le_bytes());
    assert!(!holds(&circle));
}

#[test]
fn what_is_no_picture_is_named() {
    for bytes in [&b""[..], b"hello", b"%PDF-1.7", b"\x89PNG", b"GIF8", b"\xff\xd8"] {
        assert!(!holds(bytes), "{bytes:?}");
    }
}
