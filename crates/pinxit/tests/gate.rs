//! The gate of near copies, as a person meets it: pictures that a training work is too near to do not leave.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use common::{Desk, code, failure, stderr, stdout};
use serde_json::Value;

const REASON: &str = "I painted these works myself, and want this very likeness";
const PAINT: [&str; 9] = ["generate", "copies", "--class", "round", "--no-sign", "--seeds", "0-7", "-o", "out"];

/// A model that has learnt its works by heart: those are its own first pictures. `dots` paints them, they are taken in with the dots, and the
/// model's file is told that they are what it learnt from (its hash is of what it paints, not of that).
fn with_copies() -> (Desk, Vec<String>) {
    let desk = Desk::with_model();
    let paint = ["generate", "dots", "--class", "round", "--no-sign", "--seeds", "0-3", "-o", "dots/copied", "-q"];
    let out = desk.run(&paint);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let out = desk.run(&["import", "dots", "--into", "copies", "--size", "32", "--keep-near-duplicates", "-q"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let hash = |dataset: &str| -> String {
        let text = std::fs::read_to_string(desk.home().join(format!("datasets/{dataset}/dataset.json"))).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["manifest_hash"].as_str().unwrap().into()
    };
    let (mut bytes, old, new) = (std::fs::read(desk.model("dots")).unwrap(), hash("dots"), hash("copies"));
    let place = bytes.windows(old.len()).position(|window| window == old.as_bytes()).unwrap();
    bytes[place..place + new.len()].copy_from_slice(new.as_bytes());
    std::fs::write(desk.model("copies"), bytes).unwrap();
    let records = std::fs::read_to_string(desk.home().join("datasets/copies/records.jsonl")).unwrap();
    let records: Vec<Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let learnt = records.iter().filter(|r| r["class"] == "copied" && r["split"] == "train");
    let learnt: Vec<String> = learnt.map(|r| r["title"].as_str().unwrap().to_owned()).collect();
    assert!(!learnt.is_empty(), "some of them are learnt from, not held out");
    (desk, learnt)
}

fn finished(out: &std::process::Output) -> Value {
    let text = stdout(out);
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["event"], "finished", "{text}");
    last["result"].clone()
}

fn paths(result: &Value) -> Vec<String> {
    result["pictures"].as_array().unwrap().iter().map(|path| path.as_str().unwrap().to_owned()).collect()
}

#[test]
fn near_copies_are_withheld_and_named() {
    let (desk, learnt) = with_copies();
    let seen = failure(&desk, &PAINT);
    assert!(seen.starts_with("exit 3\n") && seen.contains("not written"), "{seen}");
    assert!(seen.contains("comes as near as 0.000 to \"dots-round-00000") && seen.contains("--allow-near-copies"), "{seen}");
    let out = desk.run(&[&PAINT[..], &["--closest", "2", "--json"]].concat());
    assert_eq!(code(&out), 3);
    let result = finished(&out);
    let copies = result["near_copies"].as_array().unwrap();
    assert_eq!(result["gate"], "near copies withheld");
    for title in &learnt {
        let copy =
            copies.iter().find(|copy| copy["picture"] == format!("copies{}.png", title.trim_start_matches("dots"))).unwrap();
        assert!(copy["unlikeness"].as_f64().unwrap() < 1e-3, "the work itself: {copy}");
    }
    assert_eq!(paths(&result).len() + copies.len(), 8, "the others are written");
    for copy in copies {
        let (unlikeness, below) = (copy["unlikeness"].as_f64().unwrap(), copy["below"].as_f64().unwrap());
        assert!(unlikeness < below && copy["sha256"].is_string(), "{copy}");
        assert!(!desk.path().join("out").join(copy["picture"].as_str().unwrap()).exists(), "not written: {copy}");
    }
    let closest = result["closest"].as_array().unwrap();
    assert!(closest.len() == 8 && closest.iter().all(|c| c["works"].as_array().unwrap().len() == 2), "{result}");
    let enlarged = failure(&desk, &[&PAINT[..8], &["large", "--enlarge", "4"]].concat());
    assert!(
        enlarged.starts_with("exit 3\n") && enlarged.contains("comes as near as 0.0"),
        "enlarged it is the same copy: {enlarged}"
    );
    let table = desk.run(&[&PAINT[..], &["--closest"]].concat());
    assert!(stdout(&table).contains("closest works in the training set (a near copy is below "), "{}", stdout(&table));
}

#[test]
fn a_reason_lets_them_out_and_is_kept() {
    let (desk, learnt) = with_copies();
    assert!(failure(&desk, &[&PAINT[..], &["--allow-near-copies", "because"]].concat()).starts_with("exit 2\n"));
    let out = desk.run(&[&PAINT[..], &["--allow-near-copies", REASON, "--json"]].concat());
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let result = finished(&out);
    let written = paths(&result);
    assert_eq!((written.len(), &result["gate"]), (8, &"near copies allowed".into()));
    assert!(written.is_sorted(), "in the order of the seeds: {written:?}");
    let ledger = std::fs::read_to_string(desk.home().join("ledger.jsonl")).unwrap();
    let entries: Vec<Value> = ledger.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let overrides: Vec<&Value> = entries.iter().filter(|entry| entry["kind"] == "override").collect();
    assert_eq!(overrides.len(), 1, "one for the command");
    let subject = &overrides[0]["subject"];
    let named = subject["near_copies"].as_array().unwrap();
    assert!(subject["reason"] == REASON && named.len() >= learnt.len() && named[0]["seed"].is_number(), "{subject}");
    let gates = |word: &str| entries.iter().filter(|entry| entry["subject"]["gate"] == word).count();
    assert_eq!((gates("near copies allowed"), gates("passed")), (named.len(), 8 - named.len() + 4));
    // Painted again from its recipe, a near copy needs a reason again.
    let near = format!("out/{}", named[0]["picture"].as_str().unwrap());
    let again = failure(&desk, &["generate", "--from", &near, "-o", "again"]);
    assert!(again.starts_with("exit 3\n") && again.contains("the picture is a near copy"), "{again}");
    assert!(!desk.path().join("again").exists());
    assert_eq!(code(&desk.run(&["generate", "--from", &near, "-o", "again", "--allow-near-copies", REASON, "-q"])), 0);
}

#[test]
fn without_the_works_it_says_that_it_did_not_look() {
    let desk = Desk::with_model();
    std::fs::rename(desk.home().join("datasets/dots"), desk.home().join("datasets/renamed")).unwrap();
    let paint = |seed| desk.run(&["generate", "dots", "--class", "round", "--seeds", seed, "-o", "out", "--json"]);
    assert_eq!(finished(&paint("1"))["gate"], "passed", "whatever the dataset is called now");
    std::fs::remove_dir_all(desk.home().join("datasets")).unwrap();
    let out = paint("2");
    let result = finished(&out);
    assert!(result["gate"] == "not run" && result["near_copy_below"].is_null(), "{result}");
    assert_eq!(
        stdout(&out).matches("near copies were not looked for: the works that \\\"dots\\\" learnt from are not here").count(),
        1
    );
    let ledger = std::fs::read_to_string(desk.home().join("ledger.jsonl")).unwrap();
    let said = |word: &str| ledger.matches(&format!("\"gate\":\"{word}\"")).count();
    assert_eq!((said("passed"), said("not run")), (1, 1), "{ledger}");
}

#[test]
fn the_index_is_kept_and_made_anew_where_it_is_damaged() {
    let desk = Desk::with_model();
    let index = desk.home().join("datasets/dots/works.index");
    let paint = |folder: &str| {
        let out = desk.run(&["generate", "dots", "--class", "round", "--seeds", "0-3", "-o", folder, "--closest", "--json"]);
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        (stdout(&out).contains("describing the training works"), finished(&out)["closest"].clone())
    };
    assert!(!index.exists());
    let first = paint("one");
    let whole = std::fs::read(&index).unwrap();
    assert_eq!((first.0, paint("two")), (true, (false, first.1.clone())), "kept, and the same is found with it");
    for damage in [&whole[..whole.len() - 1], b"", b"pixels"] {
        std::fs::write(&index, damage).unwrap();
        let again = paint("three");
        assert!(again.0 && again.1 == first.1, "made anew");
        assert_eq!(std::fs::read(&index).unwrap(), whole, "to the byte");
    }
    let audit = desk.run(&["audit", "dots", "--samples", "20", "--json"]);
    assert!(
        code(&audit) == 0 && !stdout(&audit).contains("describing the training works"),
        "audit uses it too: {}",
        stderr(&audit)
    );
}
