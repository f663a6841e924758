//! Signing and reading back, in every format.
#![allow(clippy::unwrap_used)] // in a test a panic is the report

mod common;

use common::{FORMATS, RECIPE, edited, generated, key, owner, picture, trusting};
use pinxit_image::Limits;
use pinxit_trust::credential::{CredentialError, Ingredient, SoftBinding, Statement, sign};
use pinxit_trust::verify::{Anchors, Making, State, Trust, verify_bytes};
use serde_json::json;

/// Without a thumbnail, so that a picture for the web grows by little.
const MANIFEST_MOST: usize = 20_000;

#[test]
fn every_format_says_what_was_signed() {
    let jane = key("Jane Artist");
    for (ending, format) in FORMATS {
        let unsigned = picture(format);
        let signed = sign(&unsigned, &generated(), &jane).unwrap();
        let added = signed.len() - unsigned.len();
        assert!(added < MANIFEST_MOST, "{ending}: {added} bytes");

        let report = verify_bytes(&signed, &Anchors::default()).unwrap();
        assert_eq!((report.state, report.intact), (State::Valid, Some(true)), "{ending}: {:?}", report.problems);
        assert_eq!(report.trust, Trust::Unrecognised, "{ending}: nobody has said that Jane is trusted");
        let signer = report.signer.unwrap();
        assert_eq!((signer.name.as_str(), signer.root.as_str()), ("Jane Artist", "root of Jane Artist"));
        assert_eq!(signer.root_fingerprint, jane.chain().root.fingerprint());
        assert!(signer.self_issued && signer.timestamp.is_none());

        let says = report.says.unwrap();
        assert_eq!(says.making, Some(Making::AiGenerated), "{ending}");
        assert_eq!(says.recipe.unwrap().to_string(), RECIPE, "{ending}: the seed is whole");
        assert_eq!((says.model.as_deref(), says.model_hash.as_deref()), (Some("trees"), Some("ab12")));
        assert_eq!(says.dataset_manifest.as_deref(), Some("cd34"));
        assert_eq!(says.creator, ["Jane Artist"]);
        assert_eq!(says.when.as_deref(), Some("2026-01-02T03:04:05Z"));
        assert_eq!(says.provider.as_deref(), Some("Jane Artist"));
        assert_eq!(says.id.as_deref(), Some("urn:uuid:0b8f6a3e-5d1c-4a2b-9c4d-001122334455"));
        assert_eq!(says.program.as_deref(), Some("pinxit 0.1.0"));
        assert_eq!(says.training["ai_generative_training"], "notAllowed");
        assert_eq!(says.ingredients[0].relationship, "inputTo");
    }
}

#[test]
fn the_pixels_stay_as_they_were() {
    let jane = key("Jane Artist");
    for (ending, format) in FORMATS {
        let unsigned = picture(format);
        let signed = sign(&unsigned, &generated(), &jane).unwrap();
        let pixels = |bytes: &[u8]| pinxit_image::decode(bytes, &Limits::default()).unwrap().picture;
        assert_eq!(pixels(&signed), pixels(&unsigned), "{ending}");
    }
}

#[test]
fn trust_is_the_word_of_the_one_who_asks() {
    let (jane, joe) = (key("Jane Artist"), key("Jane Artist"));
    let signed = sign(&picture(FORMATS[0].1), &generated(), &jane).unwrap();
    let trust = |anchors: &Anchors| verify_bytes(&signed, anchors).unwrap().trust;
    assert_eq!(trust(&owner(&jane.chain().root)), Trust::Own);
    assert_eq!(trust(&trusting("jane", &jane.chain().root)), Trust::Trusted { name: "jane".into() });
    assert_eq!(trust(&trusting("jane", &joe.chain().root)), Trust::Unrecognised, "the same name is not the same root");
}

#[test]
fn an_edit_keeps_its_parent_and_what_that_says() {
    let (jane, joe) = (key("Jane Artist"), key("Joe Editor"));
    for (ending, format) in FORMATS {
        let parent = sign(&picture(format), &generated(), &jane).unwrap();
        let signed = sign(&parent, &edited(&parent), &joe).unwrap();
        let report = verify_bytes(&signed, &owner(&joe.chain().root)).unwrap();
        assert_eq!((report.state, &report.trust), (State::Valid, &Trust::Own), "{ending}: {:?}", report.problems);
        let says = report.says.unwrap();
        assert_eq!(says.making, Some(Making::AiGenerated), "{ending}: a filtered picture of a model is one of a model");
        let kept = &says.ingredients[0];
        assert_eq!((kept.relationship.as_str(), kept.title.as_deref()), ("parentOf", Some("before.png")), "{ending}");
        assert_eq!(kept.signer.as_deref(), Some("Jane Artist"), "{ending}: its own credential is inside");
        assert_eq!(kept.problems, [""; 0], "{ending}");
        let actions: Vec<&str> = says.actions.iter().map(|a| a.action.as_str()).collect();
        assert_eq!(actions, ["c2pa.opened", "c2pa.filtered"], "{ending}");
    }
}

#[test]
fn what_a_model_was_given_is_named_and_by_its_hash_where_it_carries_no_credential() {
    let (jane, joe) = (key("Jane Artist"), key("Joe Photographer"));
    let signed = sign(&picture(FORMATS[0].1), &generated(), &joe).unwrap();
    let bitmap = picture(image::ImageFormat::Bmp);
    let given = [("a.png", &signed), ("b.bmp", &bitmap), ("c.png", &b"\x89PNG\r\n\x1a\n, and no picture".to_vec())];
    let inputs = given.map(|(title, bytes)| Ingredient { bytes, title: title.into() }).to_vec();
    for (ending, format) in FORMATS {
        let statement = Statement { inputs: inputs.clone(), ..generated() };
        let report = verify_bytes(&sign(&picture(format), &statement, &jane).unwrap(), &owner(&jane.chain().root)).unwrap();
        assert_eq!((report.state, &report.trust), (State::Valid, &Trust::Own), "{ending}: {:?}", report.problems);
        let says = report.says.unwrap();
        assert_eq!((says.making, says.actions.len()), (Some(Making::AiGenerated), 1), "{ending}");
        let mut pictures: Vec<_> = says.ingredients.into_iter().filter(|i| !i.is_model).collect();
        pictures.sort_by(|a, b| a.title.cmp(&b.title));
        assert!(pictures.iter().all(|i| i.relationship == "inputTo" && i.problems.is_empty()), "{ending}: {pictures:?}");
        let named: Vec<_> = pictures.iter().map(|i| (i.title.as_deref().unwrap(), i.signer.as_deref())).collect();
        assert_eq!(named, [("a.png", Some("Joe Photographer")), ("b.bmp", None), ("c.png", None)], "{ending}");
    }
}

/// A picture may be changed as often as its artist likes.
#[test]
fn a_long_line_of_edits_does_not_grow_for_ever() {
    let jane = key("Jane Artist");
    let mut last = sign(&picture(FORMATS[0].1), &generated(), &jane).unwrap();
    let (mut largest, mut kept) = (0, Vec::new());
    for _ in 0..7 {
        let authorship = Some(json!({ "note": "n".repeat(300_000) }));
        let statement = Statement { model: generated().model, authorship, ..edited(&last) };
        let next = sign(&picture(FORMATS[0].1), &statement, &jane).unwrap();
        let report = verify_bytes(&next, &owner(&jane.chain().root)).unwrap();
        assert_eq!((report.state, &report.trust), (State::Valid, &Trust::Own), "{:?}", report.problems);
        let says = report.says.unwrap();
        let parent = says.ingredients.iter().find(|i| i.relationship == "parentOf").unwrap();
        kept.push(parent.signer.is_some());
        (largest, last) = (largest.max(next.len()), next);
    }
    assert_eq!(kept, [true, true, true, true, false, true, true], "from a megabyte on the parent is named by its hash");
    assert!(largest < 2 << 20, "{largest}");
}

#[test]
fn an_edit_of_a_broken_picture_says_so() {
    let jane = key("Jane Artist");
    let mut parent = sign(&picture(FORMATS[0].1), &generated(), &jane).unwrap();
    let last = parent.len() - 30;
    parent[last] ^= 1;
    let after = picture(FORMATS[1].1);
    let signed = sign(&after, &edited(&parent), &jane).unwrap();
    let says = verify_bytes(&signed, &Anchors::default()).unwrap().says.unwrap();
    assert!(says.ingredients[0].problems.iter().any(|code| code.contains("mismatch")), "{:?}", says.ingredients);
}

#[test]
fn soft_bindings_are_kept_and_the_watermark_is_an_action() {
    let (jane, mut statement) = (key("Jane Artist"), generated());
    let mark = SoftBinding { alg: "org.pinxit.watermark.v1".into(), value: "0123456789abcdef".into() };
    let iscc = SoftBinding { alg: "io.iscc.v0".into(), value: "ISCC:KEDOFIPYXPMJOQG4".into() };
    (statement.watermark, statement.fingerprint) = (Some(mark.clone()), Some(iscc.clone()));
    let signed = sign(&picture(FORMATS[0].1), &statement, &jane).unwrap();
    let report = verify_bytes(&signed, &Anchors::default()).unwrap();
    assert_eq!(report.state, State::Valid, "{:?}", report.problems);
    let says = report.says.unwrap();
    assert_eq!(says.soft_bindings, [mark, iscc]);
    assert_eq!(says.authorship, Some(common::authorship()));
    assert_eq!(says.ledger, statement.ledger);
    assert!(says.actions.iter().any(|a| a.action == "c2pa.watermarked.bound"));
}

/// The longest note, thirty licences, thirty settings, everything there is to bind.
#[test]
fn a_persons_part_leaves_the_manifest_small() {
    let (jane, mut statement) = (key("Jane Artist"), generated());
    let licences: serde_json::Map<_, _> = (0..30).map(|i| (format!("LicenseRef-of-the-museum-{i}"), json!(1000))).collect();
    let keys: Vec<String> = (0..30).map(|i| format!("augment.setting_{i}")).collect();
    statement.authorship = Some(json!({
        "dataset": { "works": 20_000, "pictures": 100_000, "turned_down": 300, "overridden": 3, "licences": licences },
        "training": { "runs": 12, "set_by_hand": keys },
        "selection": { "painted_with_model": 4096, "signed_with_model": 12, "seed": u64::MAX.to_string() },
        "note": "n".repeat(2000),
    }));
    statement.ledger = Some(format!("123456:{}", "ab".repeat(32)));
    for (ending, format) in FORMATS {
        let unsigned = picture(format);
        let added = sign(&unsigned, &statement, &jane).unwrap().len() - unsigned.len();
        assert!(added < MANIFEST_MOST, "{ending}: {added} bytes");
    }
}

#[test]
fn what_cannot_carry_a_credential_is_named() {
    let jane = key("Jane Artist");
    let bitmap = picture(image::ImageFormat::Bmp);
    let error = sign(&bitmap, &generated(), &jane).unwrap_err();
    assert!(matches!(error, CredentialError::Format { .. }) && error.hint().is_some(), "{error}");
    assert_eq!(verify_bytes(&bitmap, &Anchors::default()).unwrap().state, State::Missing);
    assert!(matches!(sign(b"hello", &generated(), &jane), Err(CredentialError::Picture(_))));
}
