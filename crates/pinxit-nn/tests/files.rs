//! Model files: round trips, and every kind of damaged or hostile file refused with the right error.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
use std::collections::BTreeMap;

use pinxit_nn::model::{DatasetSummary, TrainingSummary};
use pinxit_nn::{
    Error, Generator, GeneratorConfig, Labels, Model, ModelMeta, Precision, Preset, Weights, read_tensors, write_tensors,
};
use pinxit_tensor::{Rng, Tensor};
use serde_json::{Value, json};

fn model() -> Model {
    let mut generator = GeneratorConfig::new(Preset::Xs32, (2, 3), 2, 0);
    generator.channels = vec![4, 3];
    (generator.z_dim, generator.w_dim, generator.cond_dim) = (5, 6, 4);
    let meta = ModelMeta {
        name: "småprøve".into(),
        classes: vec!["cat".into(), "\"dog\"".into()],
        training: TrainingSummary { kimg: 12.5, seed: u64::MAX, figures: [("kid".into(), 0.25)].into(), ..Default::default() },
        dataset: DatasetSummary { licences: ["CC0-1.0".into(), "MIT".into()].into(), ..Default::default() },
        parent: Some("ab".into()),
        ..Default::default()
    };
    Model { weights: Generator::new(generator.clone()).init(3), generator, meta }
}

/// The same, reading words.
fn reading() -> Model {
    let mut model = model();
    (model.generator.words, model.meta.words) = (2, vec!["red".into(), "small dog".into()]);
    model.weights = Generator::new(model.generator.clone()).init(3);
    model
}

#[test]
fn words_make_another_model_of_a_newer_format() {
    let version = |bytes: &[u8]| -> Value {
        let n = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header: Value = serde_json::from_slice(&bytes[8..8 + n]).unwrap();
        let card: Value = serde_json::from_str(header["__metadata__"]["pinxit"].as_str().unwrap()).unwrap();
        card["format_version"].clone()
    };
    let bytes = reading().to_bytes(Precision::F32).unwrap();
    assert_eq!((version(&bytes), version(&self::bytes())), (json!(2), json!(1)), "a file without words is what it was");
    let back = Model::from_bytes(&bytes).unwrap();
    assert_eq!(back.meta.words, ["red", "small dog"]);
    let mut other = back.clone();
    other.meta.words.swap(0, 1);
    assert_ne!(other.hash(), back.hash(), "words that change places paint other pictures");
    refused(&with_card(&bytes, |card| card["words"] = json!(["red"])));
}

fn same(a: &Weights<f32>, b: &Weights<f32>) -> bool {
    a.iter().eq(b.iter())
}

/// The file with its header passed through `change`; offsets and data stay as they are.
fn with_header(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let n = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + n]).unwrap();
    change(&mut header);
    let mut head = header.to_string().into_bytes();
    head.resize(head.len().next_multiple_of(8), b' ');
    [&(head.len() as u64).to_le_bytes()[..], &head, &bytes[8 + n..]].concat()
}

/// The file with the model's description passed through `change`.
fn with_card(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    with_header(bytes, |h| {
        let mut card: Value = serde_json::from_str(h["__metadata__"]["pinxit"].as_str().unwrap()).unwrap();
        change(&mut card);
        h["__metadata__"]["pinxit"] = json!(card.to_string());
    })
}

fn bytes() -> Vec<u8> {
    model().to_bytes(Precision::F32).unwrap()
}

/// The error for these bytes; it must say something and, where a person can act, how.
fn refused(bytes: &[u8]) -> Error {
    let error = Model::from_bytes(bytes).expect_err("the file must be refused");
    assert!(!error.to_string().is_empty());
    error
}

#[test]
fn a_model_survives_the_file() {
    let (dir, m) = (tempfile::tempdir().unwrap(), model());
    let path = dir.path().join("m.safetensors");
    m.save(&path, Precision::F32).unwrap();
    let back = Model::load(&path).unwrap();
    assert_eq!((&back.generator, &back.meta), (&m.generator, &m.meta));
    assert!(same(&back.weights, &m.weights), "bit for bit");
    assert_eq!(back.hash(), m.hash());
    assert_eq!(std::fs::read(&path).unwrap(), back.to_bytes(Precision::F32).unwrap(), "saving again gives the same bytes");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn half_precision_is_half_the_size_and_near() {
    let (m, full) = (model(), bytes());
    let half = m.to_bytes(Precision::F16).unwrap();
    let data = |b: &[u8]| b.len() - 8 - u64::from_le_bytes(b[..8].try_into().unwrap()) as usize;
    assert_eq!(data(&half) * 2, data(&full));
    let back = Model::from_bytes(&half).unwrap();
    for ((name, a), (_, b)) in back.weights.iter().zip(&m.weights) {
        assert!(a.data().iter().zip(b.data()).all(|(a, b)| (a - b).abs() <= b.abs() * 5e-4 + 1e-7), "{name}");
    }
    assert_eq!(
        Model::from_bytes(&back.to_bytes(Precision::F32).unwrap()).unwrap().hash(),
        back.hash(),
        "one identity from then on"
    );
    let z = Rng::new(0).normal_tensor(&[1, 5]);
    let paint = |m: &Model| m.network().generate(&m.weights.eager(), &z, &Labels::all(1, 0, 0));
    assert!(paint(&m).data().iter().zip(paint(&back).data()).all(|(a, b)| (a - b).abs() < 0.05));
}

#[test]
fn the_hash_follows_what_decides_the_pictures() {
    let (a, mut b) = (model(), model());
    b.meta.training.kimg = 99.0;
    assert_eq!(a.hash(), b.hash(), "a note about the training does not");
    b.weights.get_mut("start.bias").data_mut()[0] += 1e-3;
    assert_ne!(a.hash(), b.hash(), "a weight does");
    assert_eq!(a.hash().len(), 64);
}

#[test]
fn training_state_survives_the_file() {
    let (dir, m) = (tempfile::tempdir().unwrap(), model());
    let path = dir.path().join("state.safetensors");
    let metadata: BTreeMap<_, _> =
        [("step", "7"), ("rng", "[1, 2]"), ("a", "b"), ("z", "y")].map(|(k, v)| (k.into(), v.into())).into();
    write_tensors(&path, &m.weights, &metadata).unwrap();
    let first = std::fs::read(&path).unwrap();
    let back = read_tensors(&path).unwrap();
    assert!(same(&back.weights, &m.weights));
    assert_eq!(back.metadata, metadata);
    write_tensors(&path, &back.weights, &back.metadata).unwrap();
    assert_eq!(first, std::fs::read(&path).unwrap(), "the same bytes also with several metadata keys");
}

#[test]
fn a_write_that_fails_leaves_the_old_file() {
    let (dir, m) = (tempfile::tempdir().unwrap(), model());
    let missing = dir.path().join("no-such-folder/m.safetensors");
    let error = m.save(&missing, Precision::F32).unwrap_err();
    assert!(matches!(error, Error::Io { action: "write", .. }) && error.to_string().contains("no-such-folder"), "{error}");
    assert!(error.hint().is_some());
    let path = dir.path().join("m.safetensors");
    m.save(&path, Precision::F32).unwrap();
    let (good, mut bad) = (std::fs::read(&path).unwrap(), m);
    bad.weights.get_mut("start.bias").data_mut()[0] = f32::NAN;
    assert!(matches!(bad.save(&path, Precision::F32), Err(Error::NotFinite(name)) if name == "start.bias"));
    assert_eq!(good, std::fs::read(&path).unwrap());
}

#[test]
#[cfg(unix)]
fn a_model_is_as_readable_as_any_other_file() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let (saved, plain) = (dir.path().join("model.safetensors"), dir.path().join("plain"));
    model().save(&saved, Precision::F16).unwrap();
    std::fs::write(&plain, "").unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&saved), mode(&plain));
}

#[test]
fn an_absent_file_is_named() {
    let error = Model::load(std::path::Path::new("nowhere/m.safetensors")).unwrap_err();
    assert!(error.to_string().contains("nowhere") && error.hint().unwrap().contains("path"), "{error}");
}

#[test]
fn truncated_anywhere_is_damaged() {
    let b = bytes();
    for len in [0, 1, 7, 8, 9, 100, b.len() / 2, b.len() - 4, b.len() - 1] {
        let error = refused(&b[..len]);
        assert!(matches!(error, Error::Damaged(_)) && error.hint().is_some(), "{len} bytes: {error}");
    }
    assert!(matches!(refused(&[&b[..], b"more"].concat()), Error::Damaged(_)), "trailing bytes");
}

#[test]
fn every_single_changed_header_byte_is_survived() {
    let b = bytes();
    let n = u64::from_le_bytes(b[..8].try_into().unwrap()) as usize;
    for at in 0..8 + n {
        for flip in [0x01, 0x10, 0x80] {
            let mut changed = b.clone();
            changed[at] ^= flip;
            // Names of labels and notes may change without harm; nothing may panic, and sizes must stay checked.
            if let Ok(m) = Model::from_bytes(&changed) {
                assert_eq!(m.weights.parameters(), model().weights.parameters());
            }
        }
    }
}

#[test]
fn a_changed_weight_is_noticed_and_older_files_without_a_hash_are_read() {
    for precision in [Precision::F32, Precision::F16] {
        let whole = model().to_bytes(precision).unwrap();
        assert!(Model::from_bytes(&whole).is_ok());
        let mut flipped = whole.clone();
        let last = flipped.len() - 2;
        flipped[last] ^= 1;
        assert!(matches!(refused(&flipped), Error::Damaged(_)));
        assert!(matches!(refused(&with_card(&whole, |card| card["classes"][0] = json!("cow"))), Error::Damaged(_)));
        let older = with_card(&whole, |card| drop(card.as_object_mut().unwrap().remove("hash")));
        assert!(Model::from_bytes(&older).is_ok());
    }
}

#[test]
fn a_huge_header_is_refused_before_it_is_read() {
    for claim in [u64::MAX, 1 << 40, 9 << 20] {
        let mut b = bytes();
        b[..8].copy_from_slice(&claim.to_le_bytes());
        assert!(matches!(refused(&b), Error::TooLarge(_)), "{claim}");
    }
}

#[test]
fn offsets_that_overlap_or_leave_the_file_are_refused() {
    let set = |v: Value| move |h: &mut Value| h["start.bias"]["data_offsets"] = v;
    for offsets in [json!([0, 96]), json!([1_u64 << 50, (1_u64 << 50) + 96]), json!([96, 0]), json!([0, u64::MAX])] {
        let error = refused(&with_header(&bytes(), set(offsets.clone())));
        assert!(matches!(error, Error::Damaged(_)), "{offsets}: {error}");
    }
}

#[test]
fn shapes_that_overflow_or_have_too_many_dimensions_are_refused() {
    let shape = |v: Value| with_header(&bytes(), |h| h["start.bias"]["shape"] = v);
    assert!(matches!(refused(&shape(json!([u64::MAX, u64::MAX]))), Error::Damaged(_)));
    assert!(matches!(refused(&shape(json!([1_000_000_000]))), Error::Damaged(_)));
    assert!(matches!(refused(&shape(json!([1, 1, 1, 1, 1, 1, 1, 1, 24]))), Error::Shapes(_)));
}

#[test]
fn other_number_types_are_refused() {
    for (dtype, shape) in [("I32", json!([24])), ("BF16", json!([48])), ("F64", json!([12])), ("U8", json!([96]))] {
        let b = with_header(&bytes(), |h| {
            h["start.bias"]["dtype"] = json!(dtype);
            h["start.bias"]["shape"] = shape;
        });
        let error = refused(&b);
        assert!(matches!(&error, Error::NumberType { name, dtype: d } if name == "start.bias" && d == dtype), "{error}");
    }
}

#[test]
fn tensors_that_do_not_fit_the_network_are_refused() {
    let renamed = with_header(&bytes(), |h| {
        let tensor = h.as_object_mut().unwrap().remove("start.bias").unwrap();
        h["start.bios"] = tensor;
    });
    assert!(refused(&renamed).to_string().contains("\"start.bias\" is missing"));
    let mut more = model();
    more.weights.insert("zz", Tensor::zeros(&[2]));
    assert!(matches!(more.to_bytes(Precision::F32), Err(Error::Shapes(_))), "not even written");
    let turned = with_header(&bytes(), |h| h["start.bias"]["shape"] = json!([2, 12]));
    assert!(refused(&turned).to_string().contains("has shape [2, 12], must have [24]"));
}

#[test]
fn an_additional_tensor_is_refused() {
    let b = bytes();
    let end = b.len() - 8 - u64::from_le_bytes(b[..8].try_into().unwrap()) as usize;
    let mut more = with_header(&b, |h| h["zz"] = json!({"dtype": "F32", "shape": [1], "data_offsets": [end, end + 4]}));
    more.extend([0; 4]);
    assert!(refused(&more).to_string().contains("\"zz\" is no part of it"));
}

#[test]
fn sizes_no_picture_can_have_are_refused_before_anything_is_allocated() {
    let bombs: [(&str, Value); 8] = [
        ("base", json!([60_000, 60_000])),
        ("base", json!([0, 4])),
        ("channels", json!([1_000_000_000_u64, 4])),
        ("channels", json!(vec![4; 40])),
        ("channels", json!([])),
        ("z_dim", json!(1_u64 << 60)),
        ("classes", json!(4_000_000_000_u64)),
        ("w_dim", json!(0)),
    ];
    for (key, value) in bombs {
        let error = refused(&with_card(&bytes(), |c| c["generator"][key] = value));
        assert!(matches!(error, Error::Config(_)), "{key}: {error}");
    }
    let tall = with_card(&bytes(), |c| {
        c["generator"]["channels"] = json!(vec![2; 9]);
        c["generator"]["base"] = json!([8, 8]);
    });
    assert!(refused(&tall).to_string().contains("the picture height is 2048"), "each within its limit, but not together");
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut b = bytes();
        let end = b.len();
        b[end - 4..].copy_from_slice(&value.to_le_bytes());
        let error = refused(&b);
        assert!(matches!(error, Error::NotFinite(_)) && error.hint().unwrap().contains("earlier"), "{error}");
    }
}

#[test]
fn descriptions_that_make_no_sense_are_refused() {
    let other = with_header(&bytes(), |h| h["__metadata__"] = json!({"format": "pt"}));
    assert!(matches!(refused(&other), Error::NotAModel(_)), "tensors of another program");
    let newer = with_card(&bytes(), |c| *c = json!({"format_version": 3, "anything": []}));
    let error = refused(&newer);
    assert!(matches!(error, Error::Version { found: 3, known: 2 }) && error.hint().unwrap().contains("update"), "{error}");
    let unknown = with_card(&bytes(), |c| c["generator"]["architecture"] = json!("diffusion"));
    assert!(matches!(refused(&unknown), Error::NotAModel(_)));
    let names = with_card(&bytes(), |c| c["classes"] = json!(["one"]));
    assert!(refused(&names).to_string().contains("1 class names for 2"));
    let mut deep = "[".repeat(200_000);
    deep.push_str(&"]".repeat(200_000));
    let nested = with_header(&bytes(), |h| h["__metadata__"]["pinxit"] = json!(deep));
    assert!(matches!(refused(&nested), Error::NotAModel(_)), "nesting does not exhaust the stack");
}

#[test]
fn presets_are_named() {
    for p in Preset::ALL {
        assert_eq!(p.to_string().parse::<Preset>().unwrap(), p);
    }
    let error = "xl-9000".parse::<Preset>().unwrap_err();
    assert!(error.hint().unwrap().contains("xs-64"));
}
