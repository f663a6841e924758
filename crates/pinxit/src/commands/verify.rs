//! `pinxit verify`
use std::path::{Path, PathBuf};

use clap::Args;
use pinxit_studio::authorship;
use pinxit_studio::event::versioned;
use pinxit_studio::verify::{
    IngredientFact, LedgerFact, Making, Report, Said, SignerFact, State, Stated, Trust, Verified, Verifier,
};
use pinxit_studio::{Error, Result};
use serde_json::{Value, json};

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit verify picture.jpg
  pinxit verify *.png --json

Three separate facts: whether the file is as it was signed, whose name is in the signature, and whether you trust that signer
(your own key, or one that you have trusted by pinxit keys trust). Anybody can sign under any name. No network is used.
Then, whatever became of the credential: whether the picture carries this studio's watermark, and whether the ledger knows it, as this
very file, by its watermark, or by its look. No mark found says nothing.

Exit codes: 0 every file has a credential that holds (trusted or not), 3 one is invalid or missing, 1 a file cannot be read.";

/// Check who made pictures, and with what: any file from anywhere
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArgs {
    /// The pictures
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

pub fn run(args: &VerifyArgs, context: &Context) -> Result<()> {
    let verifier = Verifier::of(&context.studio)?;
    let found: Vec<(&PathBuf, Result<Verified>)> = args.files.iter().map(|file| (file, verifier.verify(file))).collect();
    if context.globals.json {
        let files: Vec<Value> = found.iter().map(|(file, found)| as_json(file, found)).collect();
        output::data(&versioned(&json!({ "files": files })));
    } else {
        for (_, found) in &found {
            match found {
                Ok(verified) => lines(verified).iter().for_each(|line| output::data(line)),
                Err(e) => output::error(e, false),
            }
        }
    }
    let unreadable = found.iter().filter(|(_, found)| found.is_err()).count();
    let bad = found.iter().filter(|(_, found)| found.as_ref().is_ok_and(|v| v.report.state != State::Valid)).count();
    if unreadable + bad == 0 { Ok(()) } else { Err(Error::NotVouched { bad, unreadable, all: found.len() }) }
}

fn as_json(file: &Path, found: &Result<Verified>) -> Value {
    match found {
        Ok(verified) => json!(verified),
        Err(e) => json!({ "path": file, "error": e.to_string(), "hint": e.hint() }),
    }
}

/// One file in words: its name, the three facts, what is wrong, what it says, whether it is of this studio.
fn lines(verified: &Verified) -> Vec<String> {
    let report = &verified.report;
    let mut rows = facts(report);
    rows.extend(report.problems.iter().map(|p| ("problem", format!("{} ({})", p.message, p.code))));
    rows.extend(report.says.iter().flat_map(said));
    rows.extend(verified.ledger_place.iter().map(|fact| ("remembers", held(fact))));
    if report.state != State::Valid {
        rows.extend(beside(verified));
    }
    rows.extend(stated(&verified.unsigned.stated, report.state == State::Valid));
    let head = format!("{}: {}, {}", verified.path.display(), report.format, in_short(report.state));
    rows.extend(super::watermark::rows(&verified.trace));
    std::iter::once(head).chain(rows.into_iter().map(|(what, text)| row(what, &text))).collect()
}

/// One fact on one line.
pub fn row(what: &str, text: &str) -> String {
    format!("  {what:<12}{}", output::plain(text))
}

fn in_short(state: State) -> &'static str {
    match state {
        State::Valid => "with a credential that holds",
        State::Invalid => "with a credential that does NOT hold",
        State::Missing => "without a credential",
    }
}

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let intact = match report.intact {
        Some(true) => "yes: the file is as it was signed",
        Some(false) => "NO: the file or its credential was changed after signing, or is damaged",
        None => return report.elsewhere.iter().map(|url| ("elsewhere", format!("{url} (not fetched)"))).collect(),
    };
    let signer = report.signer.as_ref().map_or("nobody that can be read".into(), signed_by);
    let trust = match &report.trust {
        Trust::Own => "yes: your own key".into(),
        Trust::Trusted { name } => format!("yes: you trust this root as \"{name}\""),
        Trust::Unrecognised => "unrecognised signer: nobody has checked that name (pinxit keys trust)".into(),
        Trust::Nobody => "no: the signature does not hold".into(),
    };
    vec![("intact", intact.into()), ("signed by", signer), ("trusted", trust)]
}

fn signed_by(signer: &SignerFact) -> String {
    let organisation = signer.organisation.as_ref().filter(|o| **o != signer.name).map(|o| format!(", {o}")).unwrap_or_default();
    let issued = if signer.self_issued { "self-issued, " } else { "" };
    let when = signer.timestamp.as_ref().map(|t| format!(", timestamp {t}")).unwrap_or_default();
    format!("{}{organisation} ({issued}root {}{when})", signer.name, &signer.root_fingerprint[..12])
}

/// What the credential says, the answers that people look for first.
fn said(said: &Said) -> Vec<(&'static str, String)> {
    let made = match said.making {
        Some(Making::AiGenerated) => "generated by AI (a trained model)",
        Some(Making::PartlyAiGenerated) => "generated in part by AI (a trained model)",
        Some(Making::NotAiGenerated) => "not generated by AI, it says",
        None => "it does not say whether AI generated it",
    };
    let mut rows = vec![("made", made.to_string())];
    let mut row = |what, text: Option<String>| rows.extend(text.filter(|t| !t.is_empty()).map(|text| (what, text)));
    row("title", said.title.clone());
    row("creator", Some(said.creator.join(", ")));
    row("provider", said.provider.clone().filter(|provider| !said.creator.contains(provider)));
    let when = said.when.as_ref().map(|when| format!(" on {when}, by the signer's clock")).unwrap_or_default();
    row("program", said.program.as_ref().map(|program| format!("{program}{when}")));
    let hash = said.model_hash.as_ref().map(|hash| format!(" ({hash})")).unwrap_or_default();
    row("model", said.model.as_ref().map(|model| format!("{model}{hash}")));
    row("dataset", said.dataset_manifest.as_ref().map(|hash| format!("manifest {hash}")));
    row("recipe", said.recipe.as_ref().map(Value::to_string));
    row("number", said.id.clone());
    for (what, text) in said.authorship.iter().flat_map(authorship::words) {
        row(what, Some(text));
    }
    row("training", said.training.get("ai_generative_training").map(|word| training(word).into()));
    for binding in &said.soft_bindings {
        row("bound to", Some(format!("{} {}", binding.alg, binding.value)));
    }
    for ingredient in said.ingredients.iter().filter(|i| !i.is_model) {
        row("made from", Some(made_from(ingredient)));
    }
    rows
}

/// Whether the ledger still holds the place that an own credential remembers.
fn held(fact: &LedgerFact) -> String {
    match fact {
        LedgerFact::Holds => "a place in the ledger, which holds it: nothing before it was changed since".into(),
        LedgerFact::Lost => {
            "a place that the ledger does NOT hold: it was written anew, or the picture was signed in another home".into()
        }
        LedgerFact::Broken { why } => format!("a place in the ledger, which is not in order: {why} (pinxit ledger verify)"),
    }
}

/// Labels of laws in the metadata. Under a credential that holds, the signer stands for them.
pub fn stated(stated: &Stated, vouched: bool) -> Vec<(&'static str, String)> {
    let whose = if vouched { "" } else { "; anybody can write that" };
    let system = [&stated.system, &stated.version].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    let parts = [stated.provider.clone(), Some(system).filter(|s| !s.is_empty()), stated.when.clone(), stated.id.clone()];
    let told: Vec<String> = parts.into_iter().flatten().collect();
    let told = (!told.is_empty()).then(|| ("metadata", format!("{}{whose}", told.join("; "))));
    let visible = stated.visible.iter().map(|text| ("label", format!("\"{text}\" in the picture{whose}")));
    told.into_iter().chain(visible).chain(stated.aigc.iter().map(|json| ("AIGC", format!("{json}{whose}")))).collect()
}

fn training(word: &str) -> &str {
    match word {
        "notAllowed" => "others may not train on it",
        "allowed" => "others may train on it",
        "constrained" => "others may train on it under conditions",
        other => other,
    }
}

fn made_from(ingredient: &IngredientFact) -> String {
    let title = ingredient.title.as_deref().unwrap_or("a picture without a title");
    let signer = match &ingredient.signer {
        Some(signer) => format!("signed by {signer}"),
        None => "without a credential".into(),
    };
    let broken = if ingredient.problems.is_empty() { "" } else { ", which did NOT hold" };
    format!("{title} ({signer}{broken})")
}

/// What the file says by itself, where no credential answers.
fn beside(verified: &Verified) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(source) = &verified.unsigned.digital_source_type {
        let term = source.rsplit('/').next().unwrap_or(source);
        rows.push(("unsigned", format!("its metadata says {term}; anybody can write that")));
    }
    if verified.unsigned.has_recipe {
        rows.push(("unsigned", "it carries a recipe (pinxit info)".into()));
    }
    rows
}
