//! Rights from end to end: what is let in, what is written down, and what happens to those who change the record.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use std::process::Stdio;

use common::{Desk, code, failure, settings, stderr, stdout};
use serde_json::Value;

const REASON: &str = "Ann gave me leave in her letter of May 2026";

fn json(desk: &Desk, args: &[&str]) -> Value {
    let out = desk.run(&[args, &["--json"]].concat());
    assert_eq!(code(&out), 0, "{args:?}: {}", stderr(&out));
    serde_json::from_str(&stdout(&out)).unwrap()
}

fn ledger(desk: &Desk) -> std::path::PathBuf {
    desk.home().join("ledger.jsonl")
}

#[test]
fn pictures_without_a_licence_and_reserved_ones_stay_out() {
    let desk = Desk::new();
    desk.pictures("dots", 8);
    settings().bind(|| insta::assert_snapshot!("import-no-licence", failure(&desk, &["import", "dots", "--size", "32"])));
    std::fs::write(desk.path().join("dots/round/000.tdm.json"), "{\"tdm-reservation\": 1}").unwrap();
    let import = ["import", "dots", "--size", "32", "--license", "own"];
    settings().bind(|| insta::assert_snapshot!("import-one-reserved", failure(&desk, &import)));
    std::fs::write(desk.path().join("dots/tdmrep.json"), "[{\"location\": \"/\", \"tdm-reservation\": 1}]").unwrap();
    let import = ["import", "dots", "--into", "none", "--size", "32", "--license", "own"];
    settings().bind(|| insta::assert_snapshot!("import-all-reserved", failure(&desk, &import)));
    settings().bind(|| {
        insta::assert_snapshot!("import-no-reason", failure(&desk, &["import", "dots", "--override-reservations", "because"]));
    });
}

#[test]
fn an_override_is_told_by_report_records_manifest_model_card_and_ledger() {
    let desk = Desk::with_dots();
    std::fs::write(desk.path().join("dots/square/001.headers"), "Content-Usage: train-ai=n").unwrap();
    let import = ["import", "dots", "--into", "over", "--size", "32", "--override-reservations", REASON];
    let seen = failure(&desk, &import);
    assert!(seen.starts_with("exit 0\n") && seen.contains(&format!("for this reason: {REASON}")), "{seen}");
    assert_eq!(code(&desk.run(&["train", "over", "--kimg", "0.04", "-q"])), 0);
    let at = |file: &str| std::fs::read_to_string(desk.home().join("datasets/over").join(file)).unwrap();
    for file in ["report.json", "records.jsonl", "croissant.json", "dataset.json"] {
        assert!(at(file).contains(REASON), "{file}");
    }
    let shown = json(&desk, &["models", "show", "over"]);
    assert_eq!((&shown["dataset"]["overridden"], &shown["dataset"]["override_reason"]), (&1.into(), &REASON.into()));
    let entries = json(&desk, &["ledger", "show", "--kind", "override"]);
    assert_eq!(entries["entries"][0]["subject"]["works"][0]["file"], "square/001.bmp", "{entries}");
    assert_eq!(code(&desk.run(&["datasets", "export", "over", "-o", "files", "-q"])), 0);
    let again = failure(&desk, &["import", "files", "--into", "again", "--size", "32", "-q"]);
    assert!(again.contains("\nrejected             1\n"), "a reservation survives the export: {again}");
    let card = stdout(&desk.run(&["model", "card", "over"]));
    assert!(card.contains("learnt from against a reservation") && card.contains(REASON), "{card}");
}

#[test]
fn a_model_card_tells_what_there_is_to_know() {
    let desk = Desk::with_dots();
    let rows = "file,creator,licence\nround/000.bmp,Ann,CC-BY-SA-4.0\nround/002.bmp,Ben,bought from Ben\n";
    std::fs::write(desk.path().join("dots/labels.csv"), rows).unwrap();
    assert_eq!(code(&desk.run(&["import", "dots", "--into", "said", "--size", "32", "-q"])), 0);
    assert_eq!(code(&desk.run(&["train", "said", "--kimg", "0.04", "-q"])), 0);
    let out = desk.run(&["models", "card", "said"]);
    settings().bind(|| insta::assert_snapshot!("models-card", stdout(&out)));
    assert!(stdout(&desk.run(&["policy", "show"])).contains("not accepted here"));
    assert!(stdout(&desk.run(&["policy", "accept"])).contains("accepted here at 20"));
    assert_eq!(code(&desk.run(&["policy", "accept"])), 0);
    assert_eq!(json(&desk, &["ledger", "verify"])["kinds"]["policy"], 1, "once is enough");
    let card = json(&desk, &["models", "card", "said"]);
    assert_eq!(card["model"]["dataset"]["creators"], serde_json::json!(["Ann", "Ben"]));
    assert!(card["terms"]["CC-BY-SA-4.0"]["share_alike"] == true && card["terms"]["bought from Ben"]["known"] == false, "{card}");
    let written = desk.run(&["models", "card", "said", "-o", "card.md"]);
    assert_eq!(code(&written), 0, "{}", stderr(&written));
    let written = std::fs::read_to_string(desk.path().join("card.md")).unwrap();
    assert!(written.contains("written in: 20"), "now accepted: {written}");
}

#[test]
fn what_happens_is_written_down_and_pictures_are_found_again() {
    let desk = Desk::with_model();
    let paint = ["generate", "dots", "--seeds", "1-3", "--class", "round", "-o", "out", "-q"];
    assert_eq!(code(&desk.run(&paint)), 0);
    let verified = json(&desk, &["ledger", "verify"]);
    let kinds = serde_json::json!({ "export": 3, "import": 1, "training": 1 });
    assert_eq!((&verified["kinds"], &verified["confirmed"]), (&kinds, &1.into()), "the run remembers its place");
    assert_eq!(code(&desk.run(&paint)), 0, "the same bytes again");
    assert_eq!(json(&desk, &["ledger", "verify"])["kinds"], kinds, "they left before");
    let entries = json(&desk, &["ledger", "show"]);
    let export = &entries["entries"][2]["subject"];
    assert!(export["iscc"].as_str().unwrap().starts_with("ISCC:KE") && export["file"] == "dots-round-000001.png", "{export}");
    let head = format!("{}:{}", verified["head"]["count"], verified["head"]["hash"].as_str().unwrap());
    assert_eq!(code(&desk.run(&["ledger", "verify", "--holds", &head])), 0);
    let other = failure(&desk, &["ledger", "verify", "--holds", &format!("2:{}", "0".repeat(64))]);
    assert!(other.starts_with("exit 1\n") && other.contains("the place asked for remembers"), "{other}");
    assert!(failure(&desk, &["ledger", "verify", "--holds", "2"]).starts_with("exit 2\n"));
    assert_eq!(code(&desk.run(&["ledger", "export", "-o", "copy.jsonl"])), 0);
    assert_eq!(std::fs::read(desk.path().join("copy.jsonl")).unwrap(), std::fs::read(ledger(&desk)).unwrap());
    settings().bind(|| insta::assert_snapshot!("ledger-show", stdout(&desk.run(&["ledger", "show"]))));
    settings().bind(|| insta::assert_snapshot!("ledger-verify", stdout(&desk.run(&["ledger", "verify"]))));
}

#[test]
fn a_ledger_that_was_changed_torn_or_cut_is_noticed() {
    let desk = Desk::with_model();
    let whole = std::fs::read_to_string(ledger(&desk)).unwrap();
    let paint = ["generate", "dots", "--seeds", "1", "--class", "round", "-o", "out"];
    let verify = |name: &str, text: &str| {
        std::fs::write(ledger(&desk), text).unwrap();
        settings().bind(|| insta::assert_snapshot!(name, failure(&desk, &["ledger", "verify"])));
    };
    verify("ledger-changed", &whole.replacen("\"works\":48", "\"works\":47", 1));
    assert!(failure(&desk, &["ledger", "repair"]).starts_with("exit 1\n"), "tampering is not repaired");
    verify("ledger-cut", &whole[..whole.find('\n').unwrap() + 1]);
    assert!(failure(&desk, &paint).starts_with("exit 1\n"), "nothing leaves that cannot be written down");
    assert!(!desk.path().join("out").exists());
    verify("ledger-torn", &format!("{whole}{{\"v\":1,\"seq\""));
    let repaired = failure(&desk, &["ledger", "repair"]);
    assert!(repaired.starts_with("exit 0\n") && repaired.contains("ledger.torn"), "{repaired}");
    assert_eq!(code(&desk.run(&paint)), 0);
    assert_eq!(json(&desk, &["ledger", "verify"])["kinds"]["repair"], 1);
    assert!(failure(&desk, &["ledger", "repair"]).contains("nothing to repair"));
    // Begun anew, as if nothing had been: the run still knows better.
    for file in ["ledger.jsonl", "ledger.head"] {
        std::fs::remove_file(desk.home().join(file)).unwrap();
    }
    settings().bind(|| insta::assert_snapshot!("ledger-gone", failure(&desk, &["ledger", "verify"])));
}

#[test]
fn two_programs_write_one_ledger() {
    let desk = Desk::with_model();
    let paint = |folder: &str| {
        let args = ["generate", "dots", "--seeds", "0-199", "--class", "round", "--threads", "1", "-q", "-o", folder];
        desk.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = ["one", "two", "three"].map(paint);
    for child in both {
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", stderr(&out));
    }
    assert_eq!(json(&desk, &["ledger", "verify"])["kinds"]["export"], 600);
}

/// What a studio signs is reserved against training by others, unless its artist says otherwise; to herself it is her own.
#[test]
fn signed_pictures_are_reserved_for_their_own_studio() {
    let desk = Desk::with_model();
    assert_eq!(code(&desk.run(&["generate", "dots", "--seeds", "0-3", "-o", "mine", "-q"])), 0);
    let at_home =
        desk.run(&["import", "mine", "--into", "again", "--size", "32", "--license", "own", "--keep-near-duplicates", "-q"]);
    assert_eq!(code(&at_home), 0, "{}", stderr(&at_home));
    let stranger = Desk::new();
    let taken = desk.path().join("mine").display().to_string();
    let refused = failure(&stranger, &["import", &taken, "--into", "theirs", "--size", "32", "--license", "own"]);
    assert!(refused.starts_with("exit 1\n") && refused.contains("ai_generative_training: notAllowed"), "{refused}");
}
