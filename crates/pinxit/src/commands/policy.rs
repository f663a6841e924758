//! `pinxit policy`
use clap::{Args, Subcommand};
use pinxit_studio::{Result, event, policy};

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit policy show
  pinxit policy accept

Nothing depends on it but the model cards, which tell whether and when it was accepted.";

/// Show and accept the rules for painting with models
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PolicyArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The rules, and whether they were accepted in this home
    Show,
    /// Write down in the ledger that you accept them
    Accept,
}

pub fn run(args: &PolicyArgs, context: &Context) -> Result<()> {
    let policy = match args.action {
        Action::Show => policy::show(&context.studio)?,
        Action::Accept => policy::accept(&context.studio)?,
    };
    if context.globals.json {
        output::data(&event::versioned(&policy));
        return Ok(());
    }
    let state = policy.accepted_at.map_or("not accepted here".into(), |at| format!("accepted here at {at}"));
    output::data(&format!("{}\nversion {}, {state}", policy.text, policy.version));
    Ok(())
}
