//! `pinxit ledger`
use std::path::PathBuf;

use clap::{Args, Subcommand};
use pinxit_studio::{Head, Result, counted, event, ledger, paths};
use serde_json::{Value, json};

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit ledger show --kind export --last 5
  pinxit ledger verify
  pinxit ledger export -o ledger.jsonl

Every import, override, training and export is a line of ledger.jsonl in the home, chained to the line before by its hash. `verify`
notices lines that were changed, moved, left out or cut off, and asks every run whether the ledger still holds what it remembers.
It cannot notice that all of the home was replaced by an older copy: keep the place that `verify` prints, and ask for it with --holds.";

/// Verify, show and export the record of imports, trainings and exports
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct LedgerArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check every line, the end, and what runs remember
    Verify {
        /// Check also that the ledger holds this place, as an earlier `verify` printed it (repeatable)
        #[arg(long, value_name = "COUNT:HASH")]
        holds: Vec<Head>,
    },
    /// The last entries
    Show {
        /// Only those of one kind: import, override, training, export, sign, takedown, repair
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
    },
    /// Write all entries to a file, verified, as JSON lines
    Export {
        /// The file
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
        /// Replace another file of that name
        #[arg(long)]
        overwrite: bool,
    },
    /// Put a ledger in order that a crash has torn or somebody has cut: whole lines stay, and an entry says what was done
    Repair,
}

pub fn run(args: LedgerArgs, context: &Context) -> Result<()> {
    match args.action {
        Action::Verify { holds } => verify(&holds, context),
        Action::Show { kind, last } => show(kind.as_deref(), last, context),
        Action::Export { out, overwrite } => {
            let bytes = ledger::export(&context.studio)?;
            paths::write_beside_others(&out, &bytes, overwrite)?;
            if context.globals.json {
                output::data(&event::versioned(&json!({ "exported": out })));
            } else {
                output::data(&out.display().to_string());
            }
            Ok(())
        }
        Action::Repair => repair(context),
    }
}

fn verify(holds: &[Head], context: &Context) -> Result<()> {
    let verified = ledger::verify(&context.studio, holds)?;
    if context.globals.json {
        output::data(&event::versioned(&verified));
        return Ok(());
    }
    let Some(head) = &verified.head else {
        output::data("the ledger is empty: nothing was written down yet");
        return Ok(());
    };
    let mut rows: Vec<Vec<String>> = verified.kinds.iter().map(|(kind, n)| vec![kind.clone(), n.to_string()]).collect();
    rows.push(vec!["remembered elsewhere, and found".into(), verified.confirmed.to_string()]);
    output::data(&output::table(&["entries", "count"], &rows));
    output::data(&format!("whole; ends at {head}"));
    Ok(())
}

fn show(kind: Option<&str>, last: usize, context: &Context) -> Result<()> {
    let entries = ledger::show(&context.studio, kind, last)?;
    if context.globals.json {
        output::data(&event::versioned(&json!({ "entries": entries })));
        return Ok(());
    }
    let about = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Some(format!("{name} {text}")),
        Value::Number(n) => Some(format!("{name} {n}")),
        _ => None,
    };
    let row = |entry: &ledger::Entry| {
        let subject: Vec<String> = entry.subject.iter().filter_map(about).collect();
        vec![entry.seq.to_string(), entry.at.clone(), entry.kind.clone(), subject.join(" · ")]
    };
    output::data(&output::table(&["entry", "at", "kind", "about"], &entries.iter().map(row).collect::<Vec<_>>()));
    Ok(())
}

fn repair(context: &Context) -> Result<()> {
    let repaired = ledger::repair(&context.studio)?;
    if context.globals.json {
        output::data(&event::versioned(&json!({ "repaired": repaired })));
        return Ok(());
    }
    let Some(done) = repaired else {
        output::data("nothing to repair");
        return Ok(());
    };
    output::data(&format!("kept {}; ends at {}", counted(done.kept as usize, "whole line"), done.head));
    if let Some(known) = done.known.filter(|&known| known > done.kept) {
        output::data(&format!("lost: {} of {known} that there were", known - done.kept));
    }
    if let Some(path) = done.set_aside {
        output::data(&format!("the torn line lies in {}", path.display()));
    }
    Ok(())
}
