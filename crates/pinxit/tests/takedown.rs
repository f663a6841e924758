//! Take-down from end to end: what leaves, what is blocked, what cannot come back, and what others can check.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use std::path::Path;

use common::{Desk, code, failure, stderr, stdout};
use serde_json::Value;

const REASON: &str = "Ann asked for it in her letter of 3 May 2026";
const WORK: &str = "dots/round/004.bmp";

fn json(desk: &Desk, args: &[&str]) -> Value {
    let out = desk.run(&[args, &["--json"]].concat());
    assert_eq!(code(&out), 0, "{args:?}: {}{}", stdout(&out), stderr(&out));
    serde_json::from_str(&stdout(&out)).unwrap()
}

fn manifest(desk: &Desk, dataset: &str) -> String {
    json(desk, &["datasets", "show", dataset])["manifest_hash"].as_str().unwrap().to_string()
}

/// The packed pixels of a dataset's picture whose file is so called.
fn pixels(desk: &Desk, dataset: &str, file: &str) -> Vec<u8> {
    let dir = desk.home().join("datasets").join(dataset);
    let records = std::fs::read_to_string(dir.join("records.jsonl")).unwrap();
    let place = records.lines().position(|line| line.contains(&format!("\"file\":\"{file}\""))).unwrap();
    let size = 32 * 32 * 3;
    std::fs::read(dir.join("pixels.bin")).unwrap()[place * size..(place + 1) * size].to_vec()
}

/// Files below a folder that hold these bytes.
fn holders(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holders(&path, bytes));
        } else if std::fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Eight of the sample photographs in the folder `photos`, as a dataset of that name.
fn with_photos() -> Desk {
    let desk = Desk::with_dots();
    let (from, to) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/photographs"), desk.path().join("photos"));
    let mut files: Vec<_> = std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    std::fs::create_dir(&to).unwrap();
    for (i, file) in files.iter().filter(|file| file.extension().is_some_and(|e| e == "jpg")).take(8).enumerate() {
        std::fs::copy(file, to.join(format!("{i}.jpg"))).unwrap();
    }
    assert_eq!(code(&desk.run(&["import", "photos", "--size", "32", "--patches", "3", "-q"])), 0);
    desk
}

/// The same picture in other files, as a stranger's program would save it: as JPEG, and smaller.
fn saved_anew(from: &Path, to: &Path) {
    let picture = image::open(from).unwrap().to_rgb8();
    let save = |picture: &image::RgbImage, name: &str| {
        let file = std::fs::File::create(to.join(name)).unwrap();
        picture.write_with_encoder(image::codecs::jpeg::JpegEncoder::new_with_quality(file, 70)).unwrap();
    };
    save(&picture, "saved.jpg");
    let (w, h) = (picture.width() * 2 / 3, picture.height() * 2 / 3);
    save(&image::imageops::resize(&picture, w, h, image::imageops::FilterType::Triangle), "small.jpg");
}

#[test]
fn a_work_leaves_everything_and_what_learnt_from_it_is_blocked() {
    let desk = Desk::with_model();
    assert_eq!(code(&desk.run(&["train", "dots", "--from", "dots", "--name", "child", "--kimg", "0.04", "-q"])), 0);
    // An older copy of the dataset lies in the bin, and the index of the works is there.
    assert_eq!(code(&desk.run(&["import", "dots", "--into", "dots", "--size", "32", "--replace", "-q"])), 0);
    assert_eq!(code(&desk.run(&["generate", "dots", "--seeds", "1", "--class", "round", "-o", "out", "-q"])), 0);
    let (before, gone) = (manifest(&desk, "dots"), pixels(&desk, "dots", "round/004.bmp"));
    assert_eq!(holders(&desk.home(), &gone).len(), 2, "the dataset, and the one in the bin");
    assert!(desk.home().join("datasets/dots/works.index").exists());

    let plan = failure(&desk, &["takedown", WORK, "-n"]);
    assert!(plan.starts_with("exit 0\n") && plan.contains("datasets/dots: 1 work (1 picture) would be removed"), "{plan}");
    assert_eq!(manifest(&desk, "dots"), before, "a dry run does nothing");
    let no_reason = failure(&desk, &["takedown", WORK]);
    assert!(no_reason.starts_with("exit 1\n") && no_reason.contains("needs a reason"), "{no_reason}");
    assert!(failure(&desk, &["takedown", WORK, "--reason", "because"]).starts_with("exit 2\n"));

    let done = json(&desk, &["takedown", WORK, "--reason", REASON, "-o", "receipt.json"]);
    let takedown = &done["takedowns"][0];
    let after = manifest(&desk, "dots");
    assert!(before != after && takedown["finished"] == true, "{done}");
    assert_eq!((&takedown["datasets"][0]["before"], &takedown["datasets"][0]["after"]), (&before.into(), &after.into()));
    assert_eq!(holders(&desk.home(), &gone), [""; 0], "no file of the home holds its pixels");
    let shown = json(&desk, &["datasets", "show", "dots"]);
    assert_eq!((&shown["works"], &shown["count"]), (&47.into(), &47.into()));
    let report = std::fs::read_to_string(desk.home().join("datasets/dots/report.json")).unwrap();
    assert!(report.contains("taken down on 20"), "{report}");

    blocked_are(&desk, &["dots", "child"]);
    let entries = json(&desk, &["ledger", "show", "--kind", "takedown"]);
    assert_eq!(entries["entries"][0]["subject"]["reason"], REASON, "{entries}");
    assert_eq!(json(&desk, &["ledger", "verify"])["kinds"]["takedown"], 1);

    // Learnt anew, on what is left, everything works again.
    assert_eq!(code(&desk.run(&["train", "dots", "--name", "anew", "--kimg", "0.04", "-q"])), 0);
    let paint = desk.run(&["generate", "anew", "--seeds", "1", "--class", "round", "-o", "out", "-q"]);
    assert_eq!(code(&paint), 0, "{}", stderr(&paint));
}

/// Every way to use one of these models or their runs is refused, and says why and what to do.
fn blocked_are(desk: &Desk, names: &[&str]) {
    for name in names {
        let ways = [
            vec!["generate", name, "--seeds", "1", "-o", "more"],
            vec!["audit", name, "--samples", "20"],
            vec!["evaluate", name],
            vec!["train", "dots", "--from", name, "--name", "next", "--kimg", "0.04"],
            vec!["train", "--resume", name, "--kimg", "0.08"],
            vec!["train", "--resume", name, "--kimg", "0.08", "-n"],
        ];
        for args in ways {
            let seen = failure(desk, &args);
            let says = seen.contains("has learnt from \"004\", taken down on 20") && seen.contains("pinxit train dots");
            assert!(seen.starts_with("exit 1\n") && says, "{args:?}: {seen}");
        }
        let shown = stdout(&desk.run(&["models", "show", name]));
        assert!(shown.contains("blocked") && shown.contains("taken down on 20"), "{shown}");
        let card = stdout(&desk.run(&["models", "card", name]));
        assert!(card.contains("It may not be used: it has learnt from \"004\", taken down on 20"), "{card}");
    }
    let again = failure(desk, &["generate", "--from", "out/dots-round-000001.png", "-o", "again"]);
    assert!(again.starts_with("exit 1\n") && again.contains("taken down on 20"), "{again}");
    let list = stdout(&desk.run(&["models", "list"]));
    assert_eq!(list.matches("work taken down: blocked").count(), names.len(), "{list}");
    assert!(!desk.path().join("more").exists(), "nothing was painted");
}

#[test]
fn what_was_taken_down_does_not_come_back() {
    let desk = with_photos();
    assert_eq!(code(&desk.run(&["takedown", "photos:3.jpg", "--reason", REASON, "-q"])), 0);
    // Even without any dataset the home remembers.
    std::fs::remove_dir_all(desk.home().join("datasets")).unwrap();
    let names = |dataset: &str| std::fs::read_to_string(desk.home().join(format!("datasets/{dataset}/records.jsonl"))).unwrap();
    let out = desk.run(&["import", "photos", "--into", "same", "--size", "32"]);
    assert!(code(&out) == 0 && stderr(&out).contains("3.jpg: taken down on 20"), "{}", stderr(&out));
    assert!(!names("same").contains("\"3.jpg\"") && names("same").contains("\"4.jpg\""));

    saved_anew(&desk.path().join("photos/3.jpg"), &desk.path().join("photos"));
    std::fs::remove_file(desk.path().join("photos/3.jpg")).unwrap();
    let out = desk.run(&["import", "photos", "--into", "anew", "--size", "32", "--override-reservations", REASON]);
    for file in ["saved.jpg", "small.jpg"] {
        assert!(stderr(&out).contains(&format!("{file}: taken down on 20")), "{}", stderr(&out));
        assert!(!names("anew").contains(file), "no reason of the person's helps");
    }
    let dry = failure(&desk, &["import", "photos", "--into", "dry", "--size", "32", "-n"]);
    assert!(dry.contains("saved.jpg: taken down on 20"), "{dry}");
    std::fs::create_dir(desk.path().join("alone")).unwrap();
    std::fs::rename(desk.path().join("photos/saved.jpg"), desk.path().join("alone/a.jpg")).unwrap();
    let alone = failure(&desk, &["import", "alone", "--size", "32"]);
    assert!(alone.starts_with("exit 1\n") && alone.contains("does not come back into this home"), "{alone}");
}

#[test]
fn copies_in_other_datasets_and_unfinished_imports_go_too() {
    let desk = with_photos();
    let others = desk.path().join("others");
    std::fs::create_dir(&others).unwrap();
    saved_anew(&desk.path().join("photos/3.jpg"), &others);
    std::fs::remove_file(others.join("small.jpg")).unwrap();
    for name in ["0.jpg", "1.jpg", "2.jpg"] {
        std::fs::copy(desk.path().join("photos").join(name), others.join(name)).unwrap();
    }
    assert_eq!(code(&desk.run(&["import", "others", "--size", "32", "-q"])), 0);
    unfinished(&desk);
    let found = json(&desk, &["takedown", "photos/3.jpg", "-n"]);
    let datasets = found["takedowns"][0]["datasets"].as_array().unwrap();
    let folders: Vec<&str> = datasets.iter().map(|d| d["folder"].as_str().unwrap()).collect();
    assert_eq!(folders, ["datasets/others", "datasets/photos"], "{found}");
    assert_eq!(datasets[1]["pictures"], 3, "its patches: {found}");
    assert_eq!(found["takedowns"][0]["works"].as_array().unwrap().len(), 2, "the file, and the one saved anew");
    assert_eq!(code(&desk.run(&["takedown", "photos/3.jpg", "--reason", REASON, "-q"])), 0);
    let records = std::fs::read_to_string(desk.home().join("datasets/others/records.jsonl")).unwrap();
    assert!(!records.contains("saved.jpg") && records.lines().count() == 3, "{records}");
    for dataset in ["others", "photos"] {
        let whole = desk.run(&["datasets", "export", dataset, "-o", dataset, "-q", "--overwrite"]);
        assert_eq!(code(&whole), 0, "the rewritten dataset is whole: {}", stderr(&whole));
    }
    assert!(!desk.home().join("datasets/half.partial").exists(), "an unfinished import had read it");
}

/// An import of the photographs into `half` as a kill in the middle leaves it.
fn unfinished(desk: &Desk) {
    let partial = desk.home().join("datasets/half.partial");
    for _ in 0..20 {
        let mut child =
            desk.command(&["import", "photos", "--into", "half", "--size", "64", "--patches", "400", "-q"]).spawn().unwrap();
        for _ in 0..2000 {
            std::thread::sleep(std::time::Duration::from_millis(2));
            if partial.join("done").exists() {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if partial.join("work/journal").exists() {
            return;
        }
        let _ = std::fs::remove_dir_all(desk.home().join("datasets/half"));
    }
    panic!("the import was always quicker");
}

#[test]
fn a_dataset_of_which_too_little_is_left_is_gone() {
    let desk = Desk::with_dots();
    desk.pictures("two", 2);
    assert_eq!(code(&desk.run(&["import", "two", "--size", "32", "-q"])), 0);
    let done = json(&desk, &["takedown", "two:round/000.bmp", "--reason", REASON]);
    let datasets = done["takedowns"][0]["datasets"].as_array().unwrap();
    assert!(datasets.iter().any(|d| d["folder"] == "datasets/two" && d["after"].is_null() && d["done"] == true), "{done}");
    assert!(!desk.home().join("datasets/two").exists() && !desk.home().join("datasets/two.old").exists());
    assert!(desk.home().join("datasets/dots").exists(), "the same picture was in it, and much else");
}

#[test]
fn an_interrupted_takedown_is_finished_by_the_next_call() {
    let desk = Desk::with_model();
    // A folder that cannot be written to stops it after the blocking.
    let lock = std::fs::File::create(desk.home().join("datasets/.dots.lock")).unwrap();
    lock.lock().unwrap();
    let stopped = failure(&desk, &["takedown", WORK, "--reason", REASON]);
    assert!(stopped.starts_with("exit 1\n") && stopped.contains("another import into dots is running"), "{stopped}");
    let refused = failure(&desk, &["generate", "dots", "--seeds", "1", "-o", "out"]);
    assert!(refused.starts_with("exit 1\n") && refused.contains("taken down on 20"), "blocked first: {refused}");
    let train = failure(&desk, &["train", "dots", "--name", "more", "--kimg", "0.04"]);
    assert!(train.starts_with("exit 1\n") && train.contains("pinxit takedown"), "the dataset still holds it: {train}");
    drop(lock);
    let done = json(&desk, &["takedown"]);
    assert!(done["takedowns"][0]["finished"] == true && done["takedowns"].as_array().unwrap().len() == 1, "{done}");
    assert_eq!(json(&desk, &["ledger", "verify"])["kinds"]["takedown"], 1, "one entry");
    assert_eq!(code(&desk.run(&["train", "dots", "--name", "more", "--kimg", "0.04", "-q"])), 0);
    let nothing = failure(&desk, &["takedown"]);
    assert!(nothing.starts_with("exit 1\n") && nothing.contains("no work is named"), "{nothing}");
}

#[test]
fn a_receipt_holds_until_it_is_changed() {
    let desk = Desk::with_dots();
    assert_eq!(code(&desk.run(&["keys", "init", "--name", "Jane Artist"])), 0);
    assert_eq!(code(&desk.run(&["takedown", WORK, "--reason", REASON, "-o", "receipt.json", "-q"])), 0);
    let seen = stdout(&desk.run(&["takedown", "--check", "receipt.json"]));
    for fact in
        ["a receipt that holds", "signed by   Jane Artist", "yes: your own key", "ledger of this home holds", REASON, "004"]
    {
        assert!(seen.contains(fact), "{fact}\n{seen}");
    }
    let stranger = Desk::new();
    let receipt = desk.path().join("receipt.json");
    std::fs::copy(&receipt, stranger.path().join("receipt.json")).unwrap();
    let seen = failure(&stranger, &["takedown", "--check", "receipt.json"]);
    assert!(seen.starts_with("exit 0\n") && seen.contains("unrecognised signer"), "{seen}");
    let text = std::fs::read_to_string(&receipt).unwrap();
    std::fs::write(stranger.path().join("changed.json"), text.replacen("Ann asked", "Ben asked", 1)).unwrap();
    let changed = failure(&stranger, &["takedown", "--check", "changed.json"]);
    assert!(changed.starts_with("exit 3\n") && changed.contains("does NOT hold"), "{changed}");
    let value: Value = serde_json::from_str(&stdout(&stranger.run(&["takedown", "--check", "changed.json", "--json"]))).unwrap();
    assert_eq!(value["receipt"]["intact"], false, "one object, and it says so");
    assert!(failure(&stranger, &["takedown", "--check", "absent.json"]).starts_with("exit 1\n"));
}

#[test]
fn works_are_named_in_many_ways_and_a_wrong_name_is_said() {
    let desk = Desk::with_dots();
    let records = std::fs::read_to_string(desk.home().join("datasets/dots/records.jsonl")).unwrap();
    let record: Value = serde_json::from_str(records.lines().find(|line| line.contains("square/007.bmp")).unwrap()).unwrap();
    for word in ["dots:square/007.bmp", "dots:007", record["sha256"].as_str().unwrap(), record["iscc"].as_str().unwrap()] {
        let plan = json(&desk, &["takedown", word, "-n"]);
        let works = plan["takedowns"][0]["works"].as_array().unwrap();
        assert!(works.iter().any(|work| work["title"] == "007"), "{word}: {plan}");
    }
    for word in ["absent.png", "dots:absent.bmp", "nowhere:007", &"0".repeat(64)] {
        let seen = failure(&desk, &["takedown", word, "-n"]);
        assert!(seen.starts_with("exit 1\n") && seen.contains("is no file, and no work"), "{word}: {seen}");
    }
    // A takedown that cannot be read forbids nobody knows what.
    std::fs::create_dir_all(desk.home().join("takedowns")).unwrap();
    std::fs::write(desk.home().join("takedowns/0.json"), "{").unwrap();
    let seen = failure(&desk, &["import", "dots", "--into", "again", "--size", "32"]);
    assert!(seen.starts_with("exit 1\n") && seen.contains("what was taken down"), "{seen}");
}
