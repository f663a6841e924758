//! `pinxit explore breed` and `tree`
use std::path::PathBuf;

use clap::Args;
use pinxit_studio::event::versioned;
use pinxit_studio::explore::breed::{self, Breeding};
use pinxit_studio::{Error, Result};
use serde_json::json;

use super::printing::{PaintedBy, PrintingArgs};
use crate::commands::generate::say;
use crate::context::Context;
use crate::output;

/// Parents into children: each takes every stage from one of the parents, and is mutated a little
#[derive(Debug, Args)]
pub struct BreedArgs {
    /// Pictures that one model has painted; a single one has mutants
    #[arg(value_name = "PARENT", required = true)]
    parents: Vec<PathBuf>,
    #[command(flatten)]
    by: PaintedBy,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..=1000))]
    children: u16,
    /// One number from which every choice follows
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Strength of the mutation, in deviations of w; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0.2, value_parser = mutation)]
    mutation: f64,
    /// Also a contact sheet
    #[arg(long)]
    grid: bool,
    /// Folder for the children
    #[arg(short, long, value_name = "DIR", default_value = "children")]
    out: PathBuf,
    #[command(flatten)]
    printing: PrintingArgs,
}

fn mutation(text: &str) -> std::result::Result<f64, String> {
    text.parse().ok().filter(|v| (0.0..=5.0).contains(v)).ok_or_else(|| format!("\"{text}\" is no number from 0 to 5"))
}

pub fn breed(args: BreedArgs, context: &mut Context) -> Result<()> {
    let mut printing = args.printing.printing(args.out, context)?;
    printing.sheet = args.grid.then_some(None);
    let breeding = Breeding { children: args.children.into(), seed: args.seed, mutation: args.mutation };
    let made = breed::breed(&context.studio, args.by.pictures(&args.parents), &breeding, &printing, &mut context.face)?;
    say(&made, context, &[])
}

/// The family tree of the pictures in a folder
#[derive(Debug, Args)]
pub struct TreeArgs {
    /// The folder
    #[arg(default_value = ".")]
    folder: PathBuf,
}

pub fn tree(args: &TreeArgs, context: &Context) -> Result<()> {
    let members = breed::family(&args.folder)?;
    if members.is_empty() {
        return Err(Error::Setting {
            message: format!("no picture in {} carries a recipe", args.folder.display()),
            hint: "name a folder with pictures that a studio has painted".into(),
        });
    }
    if context.globals.json {
        output::data(&versioned(&json!({ "pictures": members })));
    } else {
        breed::tree(&members).iter().for_each(|line| output::data(line));
    }
    Ok(())
}
