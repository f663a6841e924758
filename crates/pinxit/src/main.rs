//! The picture studio: train on a collection, paint, sign.
//!
//! `cli.rs` holds what every command shares, `commands/` one file each, `face.rs` prints the events of a use case.
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that cannot go on may panic

mod cli;
mod commands;
mod context;
mod face;
mod interrupt;
mod output;
mod reference;

use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue};
use pinxit_studio::Error;

/// The request failed: input, configuration, model.
const FAILED: u8 = 1;
/// Wrong usage; clap's own code.
const USAGE: u8 = 2;
/// A check said no: a credential or a receipt is invalid or missing, a mark is not found, pictures are near copies of training works.
const CHECK_SAID_NO: u8 = 3;
/// A mistake of ours.
const INTERNAL: u8 = 70;
/// Ctrl-C; a checkpoint was saved.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| output::internal(&panic.to_string())));
    match std::panic::catch_unwind(run) {
        Ok(code) => ExitCode::from(code),
        Err(_) => ExitCode::from(INTERNAL),
    }
}

fn run() -> u8 {
    // For `cargo xtask docs`; no command of the person's, so neither help nor completions nor suggestions may know it.
    if std::env::args_os().skip(1).eq(["cli-reference"]) {
        reference::run();
        return 0;
    }
    let matches = match cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(e) => return usage(&with_variable(e)),
    };
    let parsed = match cli::Cli::from_arg_matches(&matches) {
        Ok(parsed) => parsed,
        Err(e) => return usage(&e),
    };
    let json = parsed.globals.json;
    match commands::run(parsed, &matches) {
        Ok(()) => 0,
        Err(e) => {
            // The answer about each file or picture was the object that was asked for.
            let is_said =
                matches!(e, Error::NotVouched { .. } | Error::NotMarked { .. } | Error::BadReceipt | Error::NearCopies { .. });
            output::error(&e, json && !is_said);
            match e {
                Error::Interrupted { .. } => INTERRUPTED,
                Error::NotVouched { unreadable: 0, .. } | Error::NotMarked { unreadable: 0, .. } => CHECK_SAID_NO,
                Error::BadReceipt | Error::NearCopies { .. } => CHECK_SAID_NO,
                _ => FAILED,
            }
        }
    }
}

/// Wrong usage that a variable has brought about names it.
fn with_variable(mut e: clap::Error) -> clap::Error {
    if e.use_stderr()
        && let Some(name) = cli::variable_to_blame(&e)
    {
        let tip = format!("this comes from the environment variable {name}");
        e.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    e
}

/// Prints what clap has to say: help and version on stdout with success, mistakes on stderr; with `--json` also as an object.
fn usage(e: &clap::Error) -> u8 {
    if e.use_stderr() && cli::wants_json() {
        output::usage(e);
    }
    let printed = e.print();
    if e.use_stderr() || printed.is_err() { USAGE } else { 0 }
}
