//! Pictures and statements that the tests of credentials share.
#![allow(dead_code, clippy::unwrap_used)] // not every test uses all; in a test a panic is the report

pub mod boxes;
pub mod flips;
pub mod limits;

use std::io::Cursor;

use image::ImageFormat;
use pinxit_image::Disclosure;
use pinxit_trust::credential::{Edit, Ingredient, Making, ModelStatement, SourceType, Statement, TrainingUse};
use pinxit_trust::keys::{ArtistKey, Certificate, Holder, TrustedRoot, Validity};
use pinxit_trust::verify::Anchors;

/// The formats, with the ending of a file name.
pub const FORMATS: [(&str, ImageFormat); 5] = [
    ("png", ImageFormat::Png),
    ("jpg", ImageFormat::Jpeg),
    ("webp", ImageFormat::WebP),
    ("tif", ImageFormat::Tiff),
    ("gif", ImageFormat::Gif),
];

/// A picture with something to see in it.
pub fn picture(format: ImageFormat) -> Vec<u8> {
    let pixel = |x: u32, y: u32| image::Rgb([(x * 3) as u8, (y * 5) as u8, (x ^ y) as u8]);
    let picture = image::RgbImage::from_fn(64, 48, pixel);
    let mut bytes = Cursor::new(Vec::new());
    image::DynamicImage::ImageRgb8(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn key(name: &str) -> ArtistKey {
    ArtistKey::issue(&Holder::artist(name), Validity::from_now()).unwrap()
}

/// A recipe with a seed that no floating-point number holds.
pub const RECIPE: &str = r#"{"v":1,"seed":18446744073709551615,"psi":0.7}"#;

/// What `generate` says of a picture.
pub fn generated<'a>() -> Statement<'a> {
    Statement {
        title: "trees-000042.png".into(),
        making: Making::Created(SourceType::TrainedAlgorithmicMedia),
        inputs: Vec::new(),
        creator: Some("Jane Artist".into()),
        recipe: Some(RECIPE.into()),
        model: Some(ModelStatement { name: "trees".into(), hash: "ab12".into(), dataset_manifest: Some("cd34".into()) }),
        authorship: Some(authorship()),
        ledger: Some(format!("12:{}", "ab".repeat(32))),
        training: TrainingUse::NotAllowed,
        watermark: None,
        fingerprint: None,
        disclosure: Disclosure {
            provider: "Jane Artist".into(),
            system: "pinxit".into(),
            version: "0.1.0".into(),
            when: "2026-01-02T03:04:05Z".into(),
            id: "urn:uuid:0b8f6a3e-5d1c-4a2b-9c4d-001122334455".into(),
        },
    }
}

/// The person's part in it, every field.
pub fn authorship() -> serde_json::Value {
    serde_json::json!({
        "dataset": { "works": 12, "pictures": 40, "turned_down": 7, "overridden": 1, "licences": { "CC0-1.0": 40 } },
        "training": { "runs": 2, "set_by_hand": ["batch", "length.kimg"] },
        "selection": { "painted_with_model": 64, "signed_with_model": 2, "seed": u64::MAX.to_string() },
        "note": "the calm one, Größe <&> \"日本\"",
    })
}

/// What an edit of `parent` says.
pub fn edited(parent: &[u8]) -> Statement<'_> {
    let edit = Edit { action: "c2pa.filtered".into(), description: "made calmer".into(), source: None };
    let parent = Ingredient { bytes: parent, title: "before.png".into() };
    Statement { making: Making::Edited { parent, edits: vec![edit] }, recipe: None, model: None, ..generated() }
}

pub fn owner(root: &Certificate) -> Anchors {
    Anchors { own: vec![root.clone()], trusted: Vec::new() }
}

pub fn trusting(name: &str, root: &Certificate) -> Anchors {
    Anchors { own: Vec::new(), trusted: vec![TrustedRoot { name: name.into(), certificate: root.clone() }] }
}
