//! `pinxit takedown`
use std::path::PathBuf;

use clap::Args;
use pinxit_studio::event::versioned;
use pinxit_studio::settings::{SignPartial, SignSettings};
use pinxit_studio::shell::command;
use pinxit_studio::takedown::{self, Checked, Done, Takedown, TakedownRequest, Trust};
use pinxit_studio::{Error, Result, check_reason_to, counted};
use serde_json::{Value, json};

use super::signing;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit takedown oak.jpg -n                       what would be done
  pinxit takedown oak.jpg --reason 'Ann asked for it by letter on 3 May 2026' -o receipt.json
  pinxit takedown trees:round/oak.jpg --reason …   a work of a dataset, as its records.jsonl has it
  pinxit takedown ISCC:KE… --reason …              by its ISCC, or by the SHA-256 of its file
  pinxit takedown --check receipt.json

The work, its patches, and files that show the same leave every dataset of this home, also those in its bin. The datasets
get new manifests. The work is remembered: imports refuse it and copies of it. Models and runs that learnt from it, or began
from a model that did, are blocked for good: train anew. The ledger gets an entry, and whoever asked a signed receipt, which
anybody can check (docs/rights.md).
Files outside this home, such as your originals and pictures you exported, stay where they are. There is no way back.
An interrupted takedown is finished by the next one, or by `pinxit takedown` alone.

Exit codes: with --check 0 the receipt holds (whether you trust the signer is said), 3 it does not, 1 it cannot be read.";

/// Take works down: out of every dataset, never to come back, with a signed receipt
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TakedownArgs {
    /// A picture file, DATASET:FILE, a SHA-256, or an ISCC
    #[arg(value_name = "WORK", conflicts_with = "check")]
    works: Vec<String>,
    /// Why; it stands in the ledger and in the receipt
    #[arg(long, value_name = "REASON", value_parser = reason, conflicts_with = "check")]
    reason: Option<String>,
    /// Also write the receipt there; one lies in takedowns/ of the home anyway
    #[arg(short, long, value_name = "FILE", conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Replace another file of that name
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long, conflicts_with = "check")]
    dry_run: bool,
    /// Check a receipt, from this home or any other
    #[arg(long, value_name = "RECEIPT")]
    check: Option<PathBuf>,
    /// File whose first line is the passphrase of the key; PINXIT_PASSPHRASE holds it as well
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    passphrase_file: Option<PathBuf>,
}

fn reason(text: &str) -> std::result::Result<String, String> {
    check_reason_to(text, "say who asked for it, and why")?;
    Ok(text.trim().to_owned())
}

pub fn run(args: TakedownArgs, context: &Context) -> Result<()> {
    if let Some(receipt) = &args.check {
        return check(receipt, context);
    }
    let mut request = TakedownRequest {
        works: args.works,
        reason: args.reason.unwrap_or_default(),
        passphrase: None,
        out: args.out,
        overwrite: args.overwrite,
    };
    if args.dry_run {
        let done = takedown::plan(&context.studio, &request)?;
        let object = json!({ "dry_run": "takedown", "takedowns": done.takedowns, "unreadable": done.unreadable });
        output::dry_run(context.globals.json, object, &told(&done, "would be"));
        return Ok(());
    }
    if !request.works.is_empty() && request.reason.is_empty() {
        return Err(Error::Setting {
            message: "a takedown needs a reason".into(),
            hint: "say who asked for it, and why: --reason \"…\"; or look first what would be done: -n".into(),
        });
    }
    let (settings, _) = context.resolve(|file| &file.sign, &SignPartial::default(), SignSettings::resolve);
    request.passphrase = signing::passphrase(args.passphrase_file.as_deref(), &settings, context)?;
    let done = takedown::takedown(&context.studio, &request)?;
    if context.globals.json {
        output::data(&versioned(&done));
        return Ok(());
    }
    output::data(&told(&done, "was"));
    for receipt in &done.receipts {
        output::data(&format!("receipt: {}", receipt.display()));
    }
    if done.is_nameless && !context.globals.quiet {
        output::say(
            "the receipt is signed by a key that names nobody; to sign with your name: pinxit keys init --name \"Jane Artist\"",
        );
    }
    context.next(&next(&done));
    Ok(())
}

/// The datasets that are left are there to be learnt anew.
fn next(done: &Done) -> Vec<String> {
    let blocked = done.takedowns.iter().filter(|takedown| !takedown.models.is_empty());
    let left =
        blocked.flat_map(|takedown| &takedown.datasets).find(|from| from.after.is_some() && from.folder.starts_with("datasets/"));
    let receipt = done.receipts.last().map(|receipt| command(&["takedown", "--check", &receipt.display().to_string()]));
    left.map(|from| command(&["train", &from.name])).into_iter().chain(receipt).collect()
}

/// What was done, or would be, in lines.
fn told(done: &Done, was: &str) -> String {
    let mut lines: Vec<String> = done.takedowns.iter().flat_map(|takedown| lines(takedown, was)).collect();
    lines.extend(done.unreadable.iter().map(|why| format!("not looked at: {why}")));
    if lines.is_empty() {
        lines.push("nothing to do".into());
    }
    lines.join("\n")
}

fn lines(takedown: &Takedown, was: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for work in &takedown.works {
        lines.push(format!("{} (sha256 {})", work.words(), work.identity.sha256.as_deref().unwrap_or("not known")));
    }
    if takedown.datasets.is_empty() {
        lines.push("  no dataset of this home holds it; imports refuse it from now on".into());
    }
    for from in &takedown.datasets {
        let (works, pictures) = (counted(from.works, "work"), counted(from.pictures, "picture"));
        let manifests = match (&from.after, from.done) {
            (Some(after), _) => format!("manifest {} -> {}", short(&from.before), short(after)),
            (None, true) => "too little was left: the dataset is gone".into(),
            (None, false) => format!("manifest {}", short(&from.before)),
        };
        lines.push(format!("  {}: {works} ({pictures}) {was} removed; {manifests}", from.folder));
    }
    for blocked in takedown.models.iter().chain(&takedown.runs) {
        let is = if was == "was" { "is" } else { "would be" };
        lines.push(format!("  {} {is} blocked: it has learnt from it", blocked.file));
    }
    lines
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn check(path: &std::path::Path, context: &Context) -> Result<()> {
    let checked = takedown::check(&context.studio, path).map_err(|e| e.in_file(path))?;
    if context.globals.json {
        output::data(&versioned(&json!({ "path": path, "receipt": checked })));
    } else {
        output::data(&format!("{}: a receipt that {}", path.display(), if checked.intact { "holds" } else { "does NOT hold" }));
        facts(&checked).iter().for_each(|(what, text)| output::data(&format!("  {what:<12}{}", output::plain(text))));
    }
    if checked.intact { Ok(()) } else { Err(Error::BadReceipt) }
}

fn facts(checked: &Checked) -> Vec<(&'static str, String)> {
    let mut rows: Vec<(&'static str, String)> = Vec::new();
    let intact = if checked.intact { "yes: it is as it was signed" } else { "NO" };
    rows.push(("intact", intact.into()));
    rows.extend(checked.problem.iter().map(|problem| ("problem", problem.clone())));
    let root = checked.root_fingerprint.as_deref().map(short).unwrap_or_default();
    rows.extend(checked.signed_by.iter().map(|name| ("signed by", format!("{name} (self-issued, root {root})"))));
    let trust = match &checked.trust {
        Trust::Own => "yes: your own key".into(),
        Trust::Trusted { name } => format!("yes: you trust this root as \"{name}\""),
        Trust::Unrecognised => "unrecognised signer: nobody has checked that name (pinxit keys trust)".into(),
        Trust::Nobody => "no: the signature does not hold".into(),
    };
    rows.push(("trusted", trust));
    let ledger =
        |held| if held { "the ledger of this home holds its entry" } else { "the ledger of this home does NOT hold its entry" };
    rows.extend(checked.in_ledger.map(|held| ("ledger", ledger(held).into())));
    rows.extend(checked.statement.iter().flat_map(said));
    rows
}

/// What the receipt says, in short.
fn said(statement: &Value) -> Vec<(&'static str, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_string();
    let mut rows = vec![("taken down", text(&statement["at"])), ("reason", text(&statement["reason"]))];
    let all = |what: &str| statement[what].as_array().cloned().unwrap_or_default();
    rows.extend(all("works").iter().map(|work| ("work", format!("{} (sha256 {})", text(&work["title"]), text(&work["sha256"])))));
    for from in all("datasets") {
        let after = from["manifest_after"].as_str().map_or("gone", short).to_string();
        let before = from["manifest_before"].as_str().map(short).unwrap_or_default().to_string();
        rows.push(("dataset", format!("{}: manifest {before} -> {after}", text(&from["folder"]))));
    }
    rows.extend(
        all("models_blocked").iter().map(|model| ("blocked", format!("{} ({})", text(&model["file"]), text(&model["hash"])))),
    );
    rows
}
