//! The watermark from outside: marks, what is done to pictures, and what is read afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report

use pinxit_image::{Encoding, Limits, Metadata, Picture, Window, decode, encode, resize};
use pinxit_trust::watermark::{Error, Key, Watermark, capacity_bits};
use std::path::PathBuf;
use std::sync::LazyLock;

static WATERMARK: LazyLock<Watermark> = LazyLock::new(|| Watermark::new(&Key::derive("tests")));

fn photograph(name: &str, side: u32) -> Picture {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../samples/photographs").join(name);
    let picture = pinxit_image::read(&path, &Limits::default()).unwrap().picture;
    let short = picture.width().min(picture.height());
    resize(&picture.crop(Window { x: 0, y: 0, width: short, height: short }).unwrap(), side, side).unwrap()
}

/// Waves, edges and a slope.
fn waves(side: u32) -> Picture {
    Picture::from_fn(side, side, |x, y| {
        let (u, v) = (f64::from(x) / f64::from(side), f64::from(y) / f64::from(side));
        let wave = 128.0 + 90.0 * (u * 41.0).sin() * (v * 33.0 + u * 9.0).cos();
        [wave as u8, (40.0 + u * 160.0) as u8, if u + v < 0.9 { 60 } else { 190 }]
    })
}

fn jpeg(picture: &Picture, quality: u8) -> Picture {
    let bytes = encode(picture, Encoding::Jpeg { quality }, &Metadata::default()).unwrap();
    decode(&bytes, &Limits::default()).unwrap().picture
}

fn quarter_turned(picture: &Picture) -> Picture {
    let height = picture.height();
    Picture::from_fn(height, picture.width(), |x, y| picture.get(y, height - 1 - x).unwrap())
}

fn id_in(picture: &Picture) -> Option<u64> {
    WATERMARK.detect(picture).map(|found| found.id)
}

#[test]
fn marks_survive_what_happens_to_pictures() {
    for (i, picture) in [photograph("mountain4.jpg", 384), photograph("sky1.jpg", 384), waves(384)].iter().enumerate() {
        let id = 0xA1B2_C3D4_E5F6 >> i;
        let marked = WATERMARK.embed(picture, id).unwrap();
        assert!(marked.survived && marked.psnr_db >= 35.5 && marked.bits == 48, "{i}: {marked:?}");
        let picture = &marked.picture;
        assert_eq!(id_in(picture), Some(id), "{i} clean");
        assert_eq!(id_in(&jpeg(picture, 75)), Some(id), "{i} JPEG 75");
        let window = Window { x: 51, y: 37, width: 288, height: 300 };
        assert_eq!(id_in(&picture.crop(window).unwrap()), Some(id), "{i} cut");
        let flipped = WATERMARK.detect(&picture.flip_horizontal()).expect("a mirrored mark");
        assert_eq!((flipped.id, flipped.flipped, flipped.quarter_turns), (id, true, 0));
        let turned = WATERMARK.detect(&quarter_turned(&picture.flip_horizontal())).expect("a turned mark");
        assert_eq!((turned.id, turned.flipped, turned.quarter_turns), (id, true, 1));
        for (width, scale) in [(192, 0.5), (576, 1.5)] {
            let found = WATERMARK.detect(&resize(picture, width, width).unwrap()).expect("a mark at another size");
            assert!(found.id == id && (found.scale - scale).abs() < 0.02, "{i}: {found:?}");
        }
    }
}

#[test]
fn small_pictures_carry_less_and_say_so() {
    assert_eq!(
        [(512, 512), (256, 999), (255, 999), (128, 128), (127, 4000), (64, 64)].map(|(w, h)| capacity_bits(w, h)),
        [48, 48, 24, 24, 0, 0]
    );
    let small = photograph("forest0.jpg", 128);
    let marked = WATERMARK.embed(&small, 0xABCDEF).unwrap();
    assert_eq!(marked.bits, 24);
    assert_eq!(id_in(&marked.picture), Some(0xABCDEF));
    assert!(matches!(WATERMARK.embed(&small, 1 << 24), Err(Error::IdTooLong { bits: 24, .. })));
    let tiny = WATERMARK.embed(&photograph("forest0.jpg", 64), 1);
    assert!(matches!(tiny, Err(Error::TooSmall { width: 64, height: 64 })));
    assert!(tiny.unwrap_err().hint().unwrap().contains("enlarge"));
    assert!(matches!(WATERMARK.embed(&waves(256), 1 << 48), Err(Error::IdTooLong { bits: 48, .. })));
}

#[test]
fn another_key_and_no_mark_find_nothing() {
    let picture = photograph("beach0.jpg", 256);
    let marked = WATERMARK.embed(&picture, 42).unwrap().picture;
    assert!(Watermark::new(&Key::derive("another")).detect(&marked).is_none());
    for name in ["beach0.jpg", "dune0.jpg", "forest1.jpg", "water0.jpg"] {
        for side in [128, 300] {
            assert!(WATERMARK.detect(&photograph(name, side)).is_none(), "{name} at {side} px");
        }
    }
}

#[test]
fn the_same_again_is_the_same() {
    let picture = photograph("hills0.jpg", 256);
    let [a, b] = [7, 7].map(|id| WATERMARK.embed(&picture, id).unwrap());
    assert!(a.picture == b.picture && a.psnr_db == b.psnr_db && a.survived == b.survived);
}

#[test]
fn no_picture_makes_the_detector_panic() {
    for (width, height) in [(1, 1), (1, 700), (3, 2), (39, 41), (64, 64), (700, 1), (1300, 40), (1100, 1030)] {
        for colour in [[0; 3], [255; 3], [128, 3, 77]] {
            assert!(WATERMARK.detect(&Picture::filled(width, height, colour)).is_none());
        }
        let stripes = Picture::from_fn(width, height, |x, y| if (x / 8 + y / 16) % 2 == 0 { [0; 3] } else { [255; 3] });
        assert!(WATERMARK.detect(&stripes).is_none(), "stripes of {width} × {height} px");
    }
}

#[test]
fn flat_pictures_are_marked_without_a_panic() {
    for colour in [[0; 3], [255; 3], [120; 3]] {
        let marked = WATERMARK.embed(&Picture::filled(256, 256, colour), 9).unwrap();
        assert!(marked.psnr_db >= 35.0, "{marked:?}");
    }
}

/// A picture marked by an earlier build: what was written must stay readable.
#[test]
fn the_published_picture_is_read() {
    let bytes = include_bytes!("data/watermark.png");
    let vectors: serde_json::Value = serde_json::from_str(include_str!("data/watermark.json")).unwrap();
    let secret = vectors["secret"].as_str().unwrap();
    let picture = decode(bytes, &Limits::default()).unwrap().picture;
    let found = Watermark::new(&Key::derive(secret)).detect(&picture).expect("the published mark");
    assert_eq!(Some(found.id), vectors["id"].as_u64());
}
