//! `pinxit audit`
use clap::Args;
use pinxit_studio::Result;
use pinxit_studio::audit::{AuditRequest, Audited, audit, rows};

use crate::context::Context;
use crate::{face, output};

const EXAMPLES: &str = "\
Examples:
  pinxit audit trees
  pinxit audit runs/trees/model-000040.safetensors --dataset trees --samples 500

The model paints, and its pictures are compared with the works it learnt from and with works held out, which it has never seen.
The sheet shows 32 pictures, unselected, each with the training picture that lies over it best (windows and mirror images
included), the nearest by perceptual hash, and the nearest by features. It speaks of likeness: what influenced a picture cannot be read off it.
Findings are saved beside the model, as NAME.audit.json and NAME.audit.png.";

/// Find out whether a model copies the works it learnt from
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AuditArgs {
    /// A model, a run, or a model file
    #[arg(value_name = "MODEL")]
    model: String,
    /// Dataset it learnt from [default: the one named in the model]
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Pictures to paint for it
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(20..=50_000))]
    samples: u32,
    /// Seed of the first of them
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
}

pub fn run(args: AuditArgs, context: &mut Context) -> Result<()> {
    let request =
        AuditRequest { model: args.model, dataset: args.dataset, samples: args.samples as usize, first_seed: args.seed };
    let audited = audit(&context.studio, &request, &mut context.face)?;
    if context.globals.json {
        return Ok(());
    }
    output::data(&table(&audited));
    if !context.globals.quiet {
        output::say(&format!("saved in {} and {}", audited.path.display(), audited.sheet.display()));
    }
    Ok(())
}

fn table(audited: &Audited) -> String {
    let number = |v: Option<f64>| v.map_or("-".into(), face::short);
    let figures: Vec<Vec<String>> =
        rows(&audited.audit).into_iter().map(|(name, own, unseen)| vec![name.into(), number(own), number(unseen)]).collect();
    let closest: Vec<Vec<String>> = audited
        .closest
        .iter()
        .take(5)
        .map(|c| vec![c.seed.to_string(), face::short(c.unlikeness), c.title.clone(), c.creator.clone().unwrap_or_default()])
        .collect();
    format!(
        "{}: {}\n\n{} painted, {} training pictures, {} held out\n{}\n\nclosest works (a near copy is below {})\n{}",
        audited.name,
        audited.audit.verdict.words(),
        audited.samples,
        audited.works,
        audited.held_out,
        output::table(&["figure", &audited.name, "held out"], &figures),
        face::short(audited.near_copy_below),
        output::table(&["seed", "unlikeness", "work", "creator"], &closest)
    )
}
