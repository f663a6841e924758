//! Every seed and every kept input of the fuzz targets (`fuzz/`), through the same code on stable Rust: what once broke something is
//! tried again with every `cargo test`, and needs no fuzzer.
#![allow(clippy::unwrap_used)] // in a test a panic is the report

#[path = "../../../fuzz/targets.rs"]
mod targets;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pinxit_create::{ModelRef, Recipe};
use pinxit_image::{Encoding, Metadata, Picture, encode};
use pinxit_nn::{Generator, GeneratorConfig, Model, ModelMeta, Precision};
use pinxit_trust::ledger::{Kind, Ledger, New};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The files of a target, seeds first.
fn inputs(target: &str) -> Vec<PathBuf> {
    let folders = ["seeds", "corpus"].map(|kind| fuzz().join(kind).join(target));
    let entries = folders.into_iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn no_kept_input_breaks_anything() {
    let ours = listen();
    for (target, run) in targets::ALL {
        let files = inputs(target);
        assert!(files.len() > 2, "{target} has no inputs");
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            let unwound = std::panic::catch_unwind(|| run(&bytes)).is_err();
            assert!(!unwound && !ours.swap(false, Relaxed), "{target}: {}", file.display());
        }
    }
}

/// Damaged copies of the inputs, the same ones each time: what a fuzzer finds first, where there is no fuzzer.
#[test]
fn damage_breaks_nothing() {
    const COPIES: u64 = 100;
    let ours = listen();
    for (target, run) in targets::ALL {
        let files: Vec<Vec<u8>> = inputs(target).iter().map(|file| std::fs::read(file).unwrap()).collect();
        for number in 0..COPIES {
            let bytes = damaged(&files, number);
            let unwound = std::panic::catch_unwind(|| run(&bytes)).is_err();
            if unwound || ours.swap(false, Relaxed) {
                let kept = std::env::temp_dir().join(format!("pinxit-{target}-{number}"));
                std::fs::write(&kept, &bytes).unwrap();
                panic!("{target}, copy {number}: the input lies in {}", kept.display());
            }
        }
    }
}

/// One of the files with a few bytes changed, cut out, doubled, or taken from another.
fn damaged(files: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed;
    let mut random = |below: usize| {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    };
    let mut bytes = files[random(files.len())].clone();
    for _ in 0..=random(6) {
        // Most of what decides lies at the beginning.
        let reach = if random(2) == 0 { bytes.len().min(200) } else { bytes.len() };
        let (at, len) = (random(reach), 1 + random(16));
        let end = (at + len).min(bytes.len());
        match random(6) {
            0 => bytes.iter_mut().skip(at).take(1).for_each(|b| *b ^= 1 << random(8)),
            1 => bytes[at..end].fill([0, 1, 0x7f, 0x80, 0xff][random(5)]),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let part = bytes[at..end].repeat(1 + random(40));
                bytes.splice(at..at, part);
            }
            4 => {
                let other = &files[random(files.len())];
                let from = random(other.len());
                let part = other[from..(from + random(400)).min(other.len())].to_vec();
                bytes.splice(at..end, part);
            }
            _ => bytes.truncate(random(bytes.len() + 1)),
        }
    }
    bytes
}

/// From now on panics are silent and noted, those of our own code even where they are contained.
fn listen() -> &'static AtomicBool {
    static OURS: AtomicBool = AtomicBool::new(false);
    std::panic::set_hook(Box::new(|panic| {
        if targets::is_ours(panic) {
            eprintln!("{panic}");
            OURS.store(true, Relaxed);
        }
    }));
    &OURS
}

#[test]
fn what_is_kept_is_small() {
    let all = targets::ALL.iter().flat_map(|(target, _)| inputs(target));
    let bytes: u64 = all.map(|file| std::fs::metadata(file).unwrap().len()).sum();
    assert!(bytes < 1 << 20, "{bytes} bytes of seeds and corpus");
}

/// Run by hand when a format changes: `cargo test -p pinxit-studio --test corpus write_the_seeds -- --ignored`. Those of `verify` are
/// written by `cargo run -p pinxit-trust --example fixtures -- fuzz/seeds/verify` (less `ours.json`; the roots are seeds of `ledger`),
/// archives by `fuzz/archives.py`.
#[test]
#[ignore = "writes the seeds"]
fn write_the_seeds() {
    let put = |target: &str, name: &str, bytes: &[u8]| {
        let folder = fuzz().join("seeds").join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    };
    model_seeds(&put);
    recipe_seeds(&put);
    watermark_seeds(&put);
    ledger_seeds(&put);
    import_seeds(&put);
}

type Put<'a> = &'a dyn Fn(&str, &str, &[u8]);

fn small_picture() -> Picture {
    Picture::from_fn(24, 20, |x, y| [(x * 9) as u8, (y * 11) as u8, (x * y) as u8])
}

fn model_seeds(put: Put<'_>) {
    let generator = GeneratorConfig {
        channels: vec![2, 2, 2, 2],
        z_dim: 4,
        w_dim: 4,
        cond_dim: 2,
        ..GeneratorConfig::new(pinxit_nn::Preset::Xs32, (4, 4), 2, 0)
    };
    let weights = Generator::new(generator.clone()).init(1);
    let meta = ModelMeta { name: "seed".into(), classes: vec!["round".into(), "square".into()], ..ModelMeta::default() };
    let model = Model { generator, meta, weights };
    let bytes = model.to_bytes(Precision::F16).unwrap();
    put("model", "whole", &bytes);
    put("model", "cut", &bytes[..bytes.len() / 2]);
    let header = br#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  "#;
    put("model", "tensors", &[&(header.len() as u64).to_le_bytes()[..], header, &[0; 4]].concat());
}

fn recipe_seeds(put: Put<'_>) {
    let mut recipe = Recipe::sample(ModelRef { hash: "ab12".into(), name: "seed".into() }, u64::MAX);
    recipe.class = Some("round \"one\"".into());
    let json = recipe.to_json().unwrap();
    put("recipe", "recipe.json", json.as_bytes());
    // Every operation there is; base64 of four numbers, as many as the tiny model's w has.
    let w = "AACAPwAAAEAAAEBAAACAQA==";
    let operations = format!(
        r#"[{{"op":"slerp","seed":7,"by":0.5}},{{"op":"mix","seed":7,"class":"round","by":1.0,"stages":[2]}},
        {{"op":"truncate","psi":0.5}},{{"op":"move","name":"light","direction":"{w}","by":2.0}},
        {{"op":"latents","from":"drag","parents":["0a"],"w":"{w}","stages":[1]}},{{"op":"mutate","seed":3,"by":0.2}},
        {{"op":"bend","stage":2,"do":{{"multiply":2.0}}}},{{"op":"bend","stage":1,"do":"mirror"}},{{"op":"enlarge","times":2}}]"#
    );
    put("recipe", "operations.json", json.replace("\"operations\":[]", &format!("\"operations\":{operations}")).as_bytes());
    let metadata = Metadata { recipe: Some(json), title: Some("a & b".into()), ..Metadata::default() };
    for (name, encoding) in [
        ("a.png", Encoding::Png),
        ("a.jpg", Encoding::Jpeg { quality: 40 }),
        ("a.webp", Encoding::WebP),
        ("a.avif", Encoding::Avif { quality: 30 }),
    ] {
        put("recipe", name, &encode(&small_picture(), encoding, &metadata).unwrap());
    }
}

fn watermark_seeds(put: Put<'_>) {
    put("watermark", "marked", &[0, 0, 255, 255, 1]);
    put("watermark", "marked, cut", &[7, 3, 200, 190, 1, 9, 12, 250]);
    put("watermark", "one sample", &[1, 0, 1, 0, 0, 200]);
    put("watermark", "a line", &[0xff, 0x3f, 1, 0, 0, 0, 255, 7]);
    put("watermark", "a column", &[1, 0, 0xff, 0x3f, 0, 255, 0]);
    put("watermark", "noise", &[[0, 1, 0, 1, 0].to_vec(), (0..997u32).map(|i| ((i * i * 31) >> 3) as u8).collect()].concat());
}

fn ledger_seeds(put: Put<'_>) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::at(folder.path());
    let subject = || serde_json::json!({ "name": "trees", "works": 3 }).as_object().unwrap().clone();
    let entries = [Kind::Import, Kind::Training].map(|kind| New { kind, subject: subject() });
    ledger.append("2026-01-02T03:04:05Z", &entries).unwrap();
    let bytes = std::fs::read(ledger.path()).unwrap();
    put("ledger", "ledger.jsonl", &bytes);
    put("ledger", "torn.jsonl", &bytes[..bytes.len() - 9]);
}

/// The first byte says what the others are: its place in [`targets::IMPORT_NAMES`].
fn import_seeds(put: Put<'_>) {
    let as_file = |name: &str, bytes: &[u8]| {
        let first = targets::IMPORT_NAMES.iter().position(|n| *n == name).unwrap();
        [&[first as u8], bytes].concat()
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pictures = root.join("pinxit-image/tests/fixtures");
    let reserved = root.join("pinxit-dataset/tests/fixtures/rights");
    for folder in [pictures, reserved] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let bytes = std::fs::read(&path).unwrap();
            if bytes.len() < 8 << 10 && pinxit_image::sniff(&bytes).is_some() {
                put("import", &name, &as_file("work.png", &bytes));
            }
        }
    }
    let signed = std::fs::read(fuzz().join("seeds/verify/generated.png")).unwrap();
    put("import", "signed.png", &as_file("work.png", &signed));
    for (name, text) in [
        ("a.xmp", "<x xmlns:p='http://ns.useplus.org/ldf/xmp/1.0/'><p:DataMining>DMI-PROHIBITED</p:DataMining></x>"),
        ("a.tdm.json", "{\"tdm-reservation\": 1, \"tdm-policy\": \"https://a.invalid/p\"}"),
        ("a.headers", "HTTP/1.1 200 OK\r\nContent-Usage: train-ai=n\r\nX-Robots-Tag: noai\r\n"),
        ("a.license", "SPDX-License-Identifier: CC-BY-4.0\nSPDX-FileCopyrightText: Ann\n"),
        ("tdmrep.json", "[{\"location\": \"/a*.png$\", \"tdm-reservation\": 1}]"),
        ("robots.txt", "User-agent: *\nContent-Usage: /a train-ai=n\n"),
        ("labels.csv", "file;class;caption;split;licence\na.png;round;\"a \"\"b\"\"\";train;CC0-1.0\n"),
        ("labels.tsv", "file\tstyle\tduplicate_of\na.png\toil\tb.png\n"),
        ("manifest.jsonl", "{\"file\": \"a.png\", \"class\": \"round\", \"skin_tone\": \"dark\", \"title\": \"hand: dark\"}\n"),
    ] {
        put("import", name, &as_file(name, text.as_bytes()));
    }
}
