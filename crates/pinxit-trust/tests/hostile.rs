//! Files that were made to hurt: a clear answer, no panic, no minute of waiting, no gigabyte.
#![allow(clippy::unwrap_used)] // in a test a panic is the report

mod common;

use common::{FORMATS, generated, key, picture};
use pinxit_trust::credential::sign;
use pinxit_trust::verify::{Anchors, State, verify_bytes};

/// A refusal, or anything but a credential that holds.
fn holds(bytes: &[u8]) -> bool {
    match verify_bytes(bytes, &Anchors::default()) {
        Ok(report) => {
            assert!(report.state != State::Invalid || !report.problems.is_empty(), "an invalid credential says why");
            report.state == State::Valid
        }
        Err(e) => {
            assert!(!e.to_string().is_empty() && e.hint().is_some(), "{e}");
            false
        }
    }
}

fn signed(format: image::ImageFormat) -> Vec<u8> {
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
    // Text that unpacks to a gigabyte: nobody reads it.
    let mut packed = b"bomb\0\0".to_vec();
    packed.extend(std::iter::repeat_n(0, 1 << 20));
    assert!(!holds(&with_chunk(&picture(image::ImageFormat::Png), b"zTXt", &packed)));
}

#[test]
fn what_is_no_picture_is_named() {
    for bytes in [&b""[..], b"hello", b"<svg/>", b"%PDF-1.7", b"\x89PNG", b"GIF8", b"\xff\xd8"] {
        assert!(verify_bytes(bytes, &Anchors::default()).is_err() || !holds(bytes));
    }
}

/// A JUMBF superbox (ISO 19566-5) with a description and `inside`.
fn superbox(inside: &[u8]) -> Vec<u8> {
    let description = [&[0, 0, 0, 30][..], b"jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03c2pa\0"].concat();
    let len = (8 + description.len() + inside.len()) as u32;
    [&len.to_be_bytes()[..], b"jumb", &description, inside].concat()
}

fn many(part: &[u8], n: usize) -> Vec<u8> {
    superbox(&part.repeat(n))
}

/// A PNG with one more chunk behind its header.
fn with_chunk(png: &[u8], name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let len = (data.len() as u32).to_be_bytes();
    let crc = crc32(&[name, data].concat()).to_be_bytes();
    [&png[..33], &len[..], name, data, &crc[..], &png[33..]].concat()
}

fn chunk_of(png: &[u8], name: &[u8; 4]) -> Vec<u8> {
    let mut at = 8;
    loop {
        let len = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        if &png[at + 4..at + 8] == name {
            return png[at + 8..at + 8 + len].to_vec();
        }
        at += 12 + len;
    }
}

/// CRC-32 of PNG (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg()));
    !bytes.iter().fold(!0, step)
}
