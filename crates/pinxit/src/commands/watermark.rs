//! `pinxit watermark`
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use pinxit_studio::event::versioned;
use pinxit_studio::trace::{By, Detected, Kept, MarkFact, Match, Sought, Trace, detect};
use pinxit_studio::{Error, Result};
use serde_json::{Value, json};

use crate::context::Context;
use crate::{face, output};

const EXAMPLES: &str = "\
Examples:
  pinxit watermark detect found.jpg
  pinxit watermark detect *.png --json

Pictures of 128 px a side and more carry a hidden number when they leave the studio (generate --no-watermark leaves it away). It
survives what takes metadata away: saving as JPEG, resizing, cutting. Only this studio's secret, keys/watermark.key, reads it.
No mark found says nothing about a picture.

Exit codes: 0 every file carries a mark of this studio, 3 one has none, 1 a file cannot be read.";

/// Read the marks of this studio in pictures
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct WatermarkArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Look for this studio's mark in pictures from anywhere, and for what the ledger has of them
    Detect {
        /// The pictures
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

pub fn run(args: &WatermarkArgs, context: &Context) -> Result<()> {
    let Action::Detect { files } = &args.action;
    let found: Vec<(&PathBuf, Result<Detected>)> = files.iter().zip(detect(&context.studio, files)?).collect();
    if context.globals.json {
        let files: Vec<Value> = found.iter().map(|(file, found)| as_json(file, found)).collect();
        output::data(&versioned(&json!({ "files": files })));
    } else {
        for (_, found) in &found {
            match found {
                Ok(detected) => lines(detected).iter().for_each(|line| output::data(line)),
                Err(e) => output::error(e, false),
            }
        }
    }
    let unreadable = found.iter().filter(|(_, found)| found.is_err()).count();
    let without = found.iter().filter(|(_, found)| found.as_ref().is_ok_and(|d| !d.is_marked())).count();
    if unreadable + without == 0 { Ok(()) } else { Err(Error::NotMarked { without, unreadable, all: found.len() }) }
}

fn as_json(file: &Path, found: &Result<Detected>) -> Value {
    match found {
        Ok(detected) => json!(detected),
        Err(e) => json!({ "path": file, "error": e.to_string(), "hint": e.hint() }),
    }
}

fn lines(detected: &Detected) -> Vec<String> {
    let head = if detected.is_marked() { "with a mark of this studio" } else { "no mark of this studio found" };
    let head = format!("{}: {head}", detected.path.display());
    let rows = rows(&detected.trace).into_iter().filter(|(what, _)| *what != "watermark" || detected.is_marked());
    std::iter::once(head).chain(rows.map(|(what, text)| super::verify::row(what, &text))).collect()
}

/// The watermark and the ledger's entry in words.
pub fn rows(trace: &Trace) -> Vec<(&'static str, String)> {
    let watermark = match &trace.watermark {
        Sought::Found(mark) => mark_in_words(mark),
        Sought::NotFound => "none of this studio found; that says nothing about the picture".into(),
        Sought::NoKey => "not looked for: this studio has no key to look for marks with".into(),
        Sought::NotLooked { why } => format!("not looked for: {why}"),
    };
    let ledger = match &trace.ledger {
        Kept::Match(found) => Some(match_in_words(found)),
        Kept::NoMatch => Some("no picture that left this studio, as far as can be told".into()),
        Kept::Empty => None,
        Kept::Unreadable { why } => Some(format!("cannot be asked: {why}")),
    };
    std::iter::once(("watermark", watermark)).chain(ledger.map(|text| ("ledger", text))).collect()
}

/// `0123456789ab, 48 bits, score 31.2; at 0.75 of its size, mirrored`
fn mark_in_words(mark: &MarkFact) -> String {
    let mut laid = Vec::new();
    if mark.scale != 1.0 {
        laid.push(format!("at {} times its size", face::short(f64::from(mark.scale))));
    }
    laid.extend(mark.flipped.then(|| "mirrored".into()));
    let degrees = 90.0 * f64::from(mark.quarter_turns) + f64::from(mark.degrees);
    laid.extend((degrees != 0.0).then(|| format!("turned by {} degrees", face::short(degrees))));
    let laid = if laid.is_empty() { String::new() } else { format!("; {}", laid.join(", ")) };
    format!("this studio's, id {} ({} bits, score {}){laid}", mark.id, mark.bits, face::short(f64::from(mark.score)))
}

fn match_in_words(found: &Match) -> String {
    let Match { by, bits_apart, others, export } = found;
    let file = export.file.as_deref().unwrap_or("a picture");
    let how = match by {
        By::File => format!("this very file, {file}"),
        By::Watermark => format!("by its watermark {file}"),
        By::Fingerprint => format!("it looks like {file} (fingerprints {} of 64 bits apart)", bits_apart.unwrap_or_default()),
    };
    let seed = export.seed.map(|seed| format!(" from seed {seed}")).unwrap_or_default();
    let hash = export.model_hash.as_deref().and_then(|hash| hash.get(..12)).map(|hash| format!(" ({hash})")).unwrap_or_default();
    let model = export.model.as_ref().map(|model| format!(", painted by {model}{hash}{seed}")).unwrap_or_default();
    let others = if *others > 0 { format!("; {others} more like it") } else { String::new() };
    format!("{how}{model}, left on {} (entry {}){others}", export.at, export.entry)
}
