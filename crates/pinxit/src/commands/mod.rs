//! One file per command: its arguments, its help with examples, and what it prints.
pub mod audit;
pub mod completions;
pub mod datasets;
pub mod demo;
pub mod doctor;
pub mod evaluate;
pub mod explore;
pub mod generate;
pub mod import;
pub mod info;
pub mod keys;
mod labelling;
pub mod ledger;
pub mod man;
pub mod models;
pub mod policy;
pub mod runs;
pub mod sign;
mod signing;
pub mod takedown;
pub mod train;
pub mod verify;
pub mod watermark;

use clap::ArgMatches;
use pinxit_studio::{Error, Result};

use crate::cli::{Cli, Commands};
use crate::context::Context;
use crate::interrupt;

/// Runs the command that was typed.
pub fn run(cli: Cli, matches: &ArgMatches) -> Result<()> {
    let mut context = Context::new(cli.globals, matches)?;
    // Only work with safe points of its own listens: everything else ends at once, and has written nothing by halves.
    let stops_safely = match &cli.command {
        Commands::Import(_) | Commands::Train(_) | Commands::Generate(_) => true,
        Commands::Explore(_) | Commands::Audit(_) | Commands::Demo(_) => true,
        Commands::Datasets(args) => args.is_export(),
        _ => false,
    };
    if stops_safely {
        interrupt::listen();
    }
    dispatch(cli.command, &mut context).map_err(|e| match e {
        Error::Interrupted { resume: Some(command) } => Error::Interrupted { resume: Some(context.at_home(&command)) },
        other => other,
    })
}

fn dispatch(command: Commands, context: &mut Context) -> Result<()> {
    match command {
        Commands::Import(args) => import::run(args, context),
        Commands::Train(args) => train::run(args, context),
        Commands::Explore(args) => explore::run(args, context),
        Commands::Generate(args) => generate::run(args, context),
        Commands::Evaluate(args) => evaluate::run(args, context),
        Commands::Audit(args) => audit::run(args, context),
        Commands::Datasets(args) => datasets::run(args, context),
        Commands::Models(args) => models::run(args, context),
        Commands::Runs(args) => runs::run(args, context),
        Commands::Ledger(args) => ledger::run(args, context),
        Commands::Policy(args) => policy::run(&args, context),
        Commands::Info(args) => info::run(&args, context),
        Commands::Keys(args) => keys::run(args, context),
        Commands::Sign(args) => sign::run(args, context),
        Commands::Verify(args) => verify::run(&args, context),
        Commands::Takedown(args) => takedown::run(args, context),
        Commands::Watermark(args) => watermark::run(&args, context),
        Commands::Doctor(args) => doctor::run(&args, context),
        Commands::Demo(args) => demo::run(args, context),
        Commands::Completions(args) => completions::run(&args),
        Commands::Man(args) => man::run(&args, context),
    }
}

/// Moves a thing into the bin and says where it lies now, and how its space is had back.
fn remove(kind: pinxit_studio::Kind, name: &str, context: &Context) -> Result<()> {
    let to = context.studio.remove(kind, name)?;
    if context.globals.json {
        let answer = serde_json::json!({ "removed": name, "kind": kind.word(), "moved_to": to });
        crate::output::data(&pinxit_studio::event::versioned(&answer));
    } else {
        crate::output::data(&format!("moved to {}", to.display()));
    }
    if !context.globals.quiet && !context.globals.json {
        crate::output::say(&format!("its space is free again when {} is deleted", context.studio.bin().display()));
    }
    Ok(())
}
