//! The person's part in a picture: what she decided on the way to it, as far as this home knows. It goes into the picture's
//! credential as one small object; `docs/labels.md` lists its fields. Nothing is invented: what is not known has no field. No paths, no
//! titles of works, no names.
//!
//! ```text
//! {"dataset":  {"works": 154, "pictures": 1848, "turned_down": 3, "overridden": 0, "licences": {"CC0-1.0": 1848}},
//!  "training": {"runs": 4, "set_by_hand": ["batch", "length.kimg"]},
//!  "selection": {"painted_with_model": 64, "signed_with_model": 2, "seed": "42"},
//!  "note": "the calm one"}
//! ```
use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use crate::{Error, Result, Studio, counted, ledger};

/// The longest note, bytes: a credential without a thumbnail shall stay below 20 kB.
const LONGEST_NOTE: usize = 2000;
/// The most licences that are told one by one.
const MOST_LICENCES: usize = 30;

/// What the ledger tells that summaries are made of.
#[derive(Debug, Default)]
pub(crate) struct History {
    imports: Vec<Map<String, Value>>,
    trainings: Vec<Map<String, Value>>,
    /// Pictures painted, by the hash of their model.
    painted: HashMap<String, u64>,
    /// Pictures signed by hand, by the hash of the model that painted them.
    signed: HashMap<String, BTreeSet<String>>,
    /// Files that were asked for, by SHA-256, and what painted them.
    known: HashMap<String, Origin>,
}

/// What painted a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Hash of the model.
    pub model_hash: String,
    /// The seed; none of a contact sheet.
    pub seed: Option<u64>,
}

impl History {
    /// Reads the ledger once; `asked` are the SHA-256 of files of which it is to be known whether they were painted here. A ledger that
    /// does not hold tells nothing.
    pub fn read(studio: &Studio, asked: &[String]) -> Self {
        let read = || -> Result<Self> {
            let mut history = History::default();
            for entry in ledger::of(studio).entries()? {
                let entry = entry?;
                history.take(&entry.kind, entry.subject, asked);
            }
            Ok(history)
        };
        read().unwrap_or_default()
    }

    fn take(&mut self, kind: &str, subject: Map<String, Value>, asked: &[String]) {
        let text = |name: &str| subject.get(name).and_then(Value::as_str).map(String::from);
        match (kind, text("model_hash")) {
            ("import", _) => self.imports.push(subject),
            ("training", _) => self.trainings.push(subject),
            ("export", Some(model_hash)) => {
                let seed = subject.get("seed").and_then(Value::as_u64);
                // A contact sheet is no picture of its own.
                *self.painted.entry(model_hash.clone()).or_default() += u64::from(seed.is_some());
                if let Some(sha256) = text("sha256").filter(|sha256| asked.contains(sha256)) {
                    self.known.insert(sha256, Origin { model_hash, seed });
                }
            }
            ("sign", Some(model_hash)) => self.signed.entry(model_hash).or_default().extend(text("of")),
            _ => {}
        }
    }

    /// What painted a file that was asked for; `None` for one that this home did not paint, or that was changed since.
    pub fn origin(&self, sha256: &str) -> Option<&Origin> {
        self.known.get(sha256)
    }

    /// The summary for a picture of this model.
    pub fn summary(&self, model_hash: &str, seed: Option<u64>, note: Option<&str>) -> Option<Value> {
        let training = self.trainings.iter().rev().find(|t| t.get("model_hash").is_some_and(|hash| hash == model_hash));
        let manifest = training.and_then(|t| t.get("manifest_hash"));
        let of_manifest = |subject: &&Map<String, Value>| manifest.is_some() && subject.get("manifest_hash") == manifest;
        let selection = json!({
            "painted_with_model": self.painted.get(model_hash).copied().unwrap_or_default(),
            "signed_with_model": self.signed.get(model_hash).map_or(0, BTreeSet::len),
            // A number above 2^53 would change in verifiers that are written in JavaScript.
            "seed": seed.map(|seed| seed.to_string()),
        });
        let told = [
            ("dataset", self.imports.iter().rev().find(of_manifest).map(dataset)),
            ("training", training.map(|own| self.training(own, of_manifest))),
            ("selection", Some(selection)),
            ("note", note.map(Value::from)),
        ];
        let fields = told.into_iter().filter_map(|(name, value)| Some((name.to_string(), without_null(value?)))).collect();
        Some(Value::Object(fields))
    }

    fn training(&self, own: &Map<String, Value>, is_tried: impl Fn(&&Map<String, Value>) -> bool) -> Value {
        let names: BTreeSet<&str> = self.trainings.iter().filter(is_tried).filter_map(|t| t.get("model")?.as_str()).collect();
        json!({ "runs": names.len(), "set_by_hand": own.get("set_by_hand") })
    }
}

/// What is said of a picture of which nothing but the note is known.
pub(crate) fn note_alone(note: Option<&str>) -> Option<Value> {
    note.map(|note| json!({ "note": note }))
}

fn dataset(import: &Map<String, Value>) -> Value {
    let turned_down = import.get("turned_down").and_then(Value::as_object);
    let licences = import.get("licences").filter(|l| l.as_object().is_some_and(|all| all.len() <= MOST_LICENCES));
    json!({
        "works": import.get("works"),
        "pictures": import.get("pictures"),
        "turned_down": turned_down.map(|all| all.values().filter_map(Value::as_u64).sum::<u64>()),
        "overridden": import.get("overridden"),
        "licences": licences,
    })
}

fn without_null(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        other => other,
    }
}

/// A note of the person's as it is kept: one line, not too long.
pub fn note(text: &str) -> Result<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let wrong = |message: String, hint: &str| Err(Error::Setting { message, hint: hint.into() });
    if text.is_empty() {
        return wrong("the note is empty".into(), "say in a few words why you chose the picture");
    }
    if text.len() > LONGEST_NOTE {
        return wrong(format!("the note has {} bytes, and the limit is {LONGEST_NOTE}", text.len()), "say it shorter");
    }
    Ok(text)
}

/// The summary in words, one line for each part, for `pinxit verify`. A stranger's object is read with the same care: what is not as
/// expected is left out.
pub fn words(authorship: &Value) -> Vec<(&'static str, String)> {
    let (dataset, training, selection) = (&authorship["dataset"], &authorship["training"], &authorship["selection"]);
    let number = |of: &Value, name: &str, what: &str| of[name].as_u64().map(|n| format!("{n} {what}"));
    let some = |name: &str, what: &str| number(dataset, name, what).filter(|text| !text.starts_with("0 "));
    let licences = dataset["licences"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>().join(", "));
    let by_hand = training["set_by_hand"].as_array().map(|keys| {
        let keys: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
        if keys.is_empty() { "no setting by hand".into() } else { format!("set by hand: {}", keys.join(", ")) }
    });
    let (runs, painted) = (training["runs"].as_u64(), selection["painted_with_model"].as_u64());
    let lines: [(&'static str, Vec<Option<String>>); 4] = [
        (
            "works",
            vec![
                number(dataset, "works", "taken in"),
                some("turned_down", "turned down"),
                some("overridden", "against a reservation"),
                licences,
            ],
        ),
        ("learnt", vec![runs.map(|n| format!("{} on these works", counted(n as usize, "run"))), by_hand]),
        (
            "chosen",
            vec![
                painted.map(|n| format!("{} painted with the model before", counted(n as usize, "picture"))),
                number(selection, "signed_with_model", "of them signed by hand").filter(|text| !text.starts_with("0 ")),
                selection["seed"].as_str().map(|seed| format!("seed {seed}")),
            ],
        ),
        ("note", vec![authorship["note"].as_str().map(|note| format!("\"{note}\""))]),
    ];
    let told = lines.into_iter().map(|(what, parts)| (what, parts.into_iter().flatten().collect::<Vec<_>>().join("; ")));
    told.filter(|(_, text)| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn history() -> History {
        let mut history = History::default();
        let import = json!({ "manifest_hash": "m", "works": 12, "pictures": 40, "licences": { "CC0-1.0": 40 },
            "turned_down": { "unlicensed": 1, "reserved": 2, "left_out": 4 }, "overridden": 0 });
        history.take("import", subject(import), &[]);
        for (model, hash) in [("oaks", "h0"), ("oaks", "h"), ("oaks-2", "h2")] {
            let training = json!({ "model": model, "model_hash": hash, "manifest_hash": "m", "set_by_hand": ["batch"] });
            history.take("training", subject(training), &[]);
        }
        for seed in 0..3u64 {
            let export = json!({ "model_hash": "h", "seed": seed, "sha256": format!("s{seed}"), "file": "secret.png" });
            history.take("export", subject(export), &["s1".into(), "s9".into()]);
        }
        history.take("sign", subject(json!({ "model_hash": "h", "of": "s1" })), &[]);
        history.take("sign", subject(json!({ "model_hash": "h", "of": "s1" })), &[]);
        history
    }

    #[test]
    fn a_summary_counts_what_the_ledger_knows() {
        let summary = history().summary("h", Some(u64::MAX), Some("the calm one")).unwrap();
        let wanted = json!({
            "dataset": { "works": 12, "pictures": 40, "turned_down": 7, "overridden": 0, "licences": { "CC0-1.0": 40 } },
            "training": { "runs": 2, "set_by_hand": ["batch"] },
            "selection": { "painted_with_model": 3, "signed_with_model": 1, "seed": "18446744073709551615" },
            "note": "the calm one",
        });
        assert_eq!(summary, wanted);
        assert!(!summary.to_string().contains("secret"), "no file names");
    }

    #[test]
    fn what_is_not_known_has_no_field() {
        let summary = history().summary("another", None, None).unwrap();
        assert_eq!(summary, json!({ "selection": { "painted_with_model": 0, "signed_with_model": 0 } }));
        assert_eq!(note_alone(None), None);
    }

    #[test]
    fn only_files_painted_here_and_unchanged_are_known() {
        assert_eq!(history().origin("s1"), Some(&Origin { model_hash: "h".into(), seed: Some(1) }));
        assert_eq!(history().origin("s9"), None);
        assert_eq!(history().origin("s2"), None, "it was not asked for");
    }

    #[test]
    fn it_reads_as_words_and_a_strangers_nonsense_as_nothing() {
        let told = words(&history().summary("h", Some(4), Some("calm")).unwrap());
        let text: Vec<String> = told.iter().map(|(what, text)| format!("{what}: {text}")).collect();
        assert_eq!(
            text,
            [
                "works: 12 taken in; 7 turned down; CC0-1.0",
                "learnt: 2 runs on these works; set by hand: batch",
                "chosen: 3 pictures painted with the model before; 1 of them signed by hand; seed 4",
                "note: \"calm\"",
            ]
        );
        for nonsense in [json!(null), json!(3), json!({ "dataset": [], "training": "x", "selection": { "seed": 4 }, "note": {} })]
        {
            assert!(words(&nonsense).is_empty(), "{nonsense}");
        }
    }

    #[test]
    fn notes_are_one_line_and_not_too_long() {
        assert_eq!(note(" the\n calm  one ").unwrap(), "the calm one");
        assert!(note(" \n").is_err() && note(&"a".repeat(LONGEST_NOTE + 1)).is_err() && note(&"a".repeat(LONGEST_NOTE)).is_ok());
    }
}
