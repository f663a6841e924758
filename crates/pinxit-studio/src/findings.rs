//! What the last audit of a model found, for its card: read from the file that `pinxit audit` left beside the model.
use std::fmt::Write as _;
use std::path::Path;

use pinxit_trust::originality::Verdict;
use serde::Serialize;
use serde_json::Value;

use crate::audit::findings_path;

/// Closest works that a card names.
const CLOSEST: usize = 3;

/// The findings, as a card tells them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Findings {
    /// Name of the dataset it was held against.
    pub dataset: String,
    /// Hash of the dataset's manifest.
    pub dataset_hash: String,
    /// Pictures that were looked at.
    pub samples: u64,
    /// Training pictures they were held against.
    pub works: u64,
    /// Pictures held out.
    pub held_out: u64,
    /// What follows.
    pub verdict: Option<Verdict>,
    /// The tests by name; the model's figures, and what works held out score where that was measured.
    pub tests: Vec<Test>,
    /// The pictures that come closest to a work, closest first.
    pub closest: Vec<Close>,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Test {
    /// Its name, and what is better.
    pub name: &'static str,
    /// Of the model; absent where it could not be measured.
    pub value: Option<f64>,
    /// Of works held out, which copy nothing.
    pub held_out: Option<f64>,
}

/// A picture and the work it comes closest to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Close {
    /// `seed 7`.
    pub picture: String,
    /// Title of the work.
    pub title: String,
    /// 0 for a copy, about 1.4 for nothing in common.
    pub unlikeness: f64,
    /// Whether it passes for a copy.
    pub near_copy: bool,
}

impl Findings {
    /// Those about this very model: a file that an earlier model of the name left behind says nothing of this one.
    pub fn of(model: &Path, hash: &str) -> Option<Self> {
        let bytes = fs_err::read(findings_path(model)).ok()?;
        let found: Value = serde_json::from_slice(&bytes).ok()?;
        (found["model"] == hash).then(|| Self::read(&found))
    }

    fn read(found: &Value) -> Self {
        let text = |name: &str| found[name].as_str().unwrap_or_default().to_string();
        let number = |name: &str| found[name].as_u64().unwrap_or_default();
        let test =
            |name, key: &str| Test { name, value: found[key].as_f64(), held_out: found[format!("{key}_held_out")].as_f64() };
        let close = |c: &Value| {
            Some(Close {
                picture: c["picture"].as_str()?.into(),
                title: c["title"].as_str()?.into(),
                unlikeness: c["unlikeness"].as_f64()?,
                near_copy: c["near_copy"].as_bool()?,
            })
        };
        let closest = found["closest"].as_array().map(|all| all.iter().take(CLOSEST).filter_map(close).collect());
        Findings {
            dataset: text("dataset"),
            dataset_hash: text("dataset_hash"),
            samples: number("samples"),
            works: number("works"),
            held_out: number("held_out"),
            verdict: serde_json::from_value(found["verdict"].clone()).ok(),
            tests: vec![
                test("C_T (below -3: copies)", "c_t"),
                test("authentic (higher)", "authenticity"),
                test("memorised (lower)", "memorised"),
                test("near copies (lower)", "near_copies"),
            ],
            closest: closest.unwrap_or_default(),
        }
    }

    /// As a section of the card.
    pub(crate) fn markdown(&self, out: &mut String) -> std::fmt::Result {
        let plain = |text: &str| text.replace('|', "\\|");
        writeln!(out, "\n## Originality\n")?;
        writeln!(
            out,
            "`pinxit audit`: {} pictures held against {} of dataset \"{}\" (manifest `{}`), {} held out.\n",
            self.samples, self.works, self.dataset, self.dataset_hash, self.held_out
        )?;
        writeln!(out, "| | model | works held out |\n|---|---|---|")?;
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_string(), |v| format!("{v:.3}"));
        for test in &self.tests {
            writeln!(out, "| {} | {} | {} |", test.name, figure(test.value), figure(test.held_out))?;
        }
        if let Some(verdict) = self.verdict {
            writeln!(out, "\nVerdict: {}.", verdict.words())?;
        }
        if !self.closest.is_empty() {
            writeln!(out, "\nClosest works (0 is a copy, 1.4 nothing in common):\n")?;
        }
        for close in &self.closest {
            let verdict = if close.near_copy { ", a near copy" } else { "" };
            writeln!(out, "* {}: \"{}\", {:.3}{verdict}", close.picture, plain(&close.title), close.unlikeness)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_findings_of_another_model_of_the_name_are_not_this_ones() {
        let dir = tempfile::tempdir().unwrap();
        let model = dir.path().join("oaks.v2.safetensors");
        let found = serde_json::json!({
            "v": 1, "model": "h", "name": "oaks.v2", "dataset": "oaks", "dataset_hash": "m", "samples": 64, "works": 50,
            "held_out": 6, "near_copy_below": 0.4, "c_t": -3.5, "authenticity": 0.5, "authenticity_held_out": 0.9,
            "memorised": 0.2, "near_copies": 0.25, "near_copies_held_out": null, "verdict": "copies",
            "closest": [
                { "picture": "seed 7", "title": "Oak | 1", "unlikeness": 0.1, "near_copy": true },
                { "picture": "seed 8", "title": "Oak 2", "unlikeness": 0.2, "near_copy": false },
                { "picture": "seed 9", "title": "Oak 3", "unlikeness": 0.3, "near_copy": false },
                { "picture": "seed 1", "title": "Oak 4", "unlikeness": 0.4, "near_copy": false },
            ],
        });
        fs_err::write(dir.path().join("oaks.v2.audit.json"), found.to_string()).unwrap();
        assert_eq!(Findings::of(&model, "another"), None);
        let findings = Findings::of(&model, "h").unwrap();
        assert_eq!((findings.closest.len(), findings.tests[0].value), (CLOSEST, Some(-3.5)));
        let mut out = String::new();
        findings.markdown(&mut out).unwrap();
        for line in [
            "`pinxit audit`: 64 pictures held against 50 of dataset \"oaks\" (manifest `m`), 6 held out.",
            "| C_T (below -3: copies) | -3.500 | - |",
            "Verdict: it copies: too many",
            "| authentic (higher) | 0.500 | 0.900 |",
            "* seed 7: \"Oak \\| 1\", 0.100, a near copy",
        ] {
            assert!(out.contains(line), "{line}\n{out}");
        }
    }
}
