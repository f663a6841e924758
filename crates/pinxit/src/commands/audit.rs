//! `pinxit audit`
use std::path::PathBuf;

use clap::Args;
use pinxit_studio::Result;
use pinxit_studio::audit::{AuditRequest, Audited, Judged, audit, rows};

use crate::context::Context;
use crate::{face, output};

const EXAMPLES: &str = "\
Examples:
  pinxit audit trees
  pinxit audit runs/trees/model-000040.safetensors --dataset trees --samples 500
  pinxit audit --pictures painted-elsewhere --dataset trees

The model paints, and its pictures are compared with the works it learnt from and with works held out, which it has never seen.
The sheet shows 32 pictures, unselected, each with the training picture that lies over it best (windows and mirror images
included), the nearest by perceptual hash, and the nearest by features. It speaks of likeness: what influenced a picture cannot be read off it.
Findings are saved beside the model, as NAME.audit.json and NAME.audit.png, or among the pictures, as audit.json and audit.png.";

/// Find out whether a model, or anybody's pictures, copy the works of a dataset
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AuditArgs {
    /// A model, a run, or a model file
    #[arg(value_name = "MODEL", required_unless_present = "pictures", conflicts_with = "pictures")]
    model: Option<String>,
    /// A folder of pictures to hold against the works in place of a model's
    #[arg(long, value_name = "FOLDER", requires = "dataset")]
    pictures: Option<PathBuf>,
    /// Dataset with the works [default: the one the model learnt from]
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Pictures the model paints for it
    #[arg(long, value_name = "N", conflicts_with = "pictures", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(20..=50_000))]
    samples: u32,
    /// Seed of the first of them
    #[arg(long, value_name = "SEED", conflicts_with = "pictures", default_value_t = 0)]
    seed: u64,
}

pub fn run(args: AuditArgs, context: &mut Context) -> Result<()> {
    let judged = match (args.model, args.pictures) {
        (_, Some(folder)) => Judged::Pictures(folder),
        (model, None) => Judged::Model(model.unwrap_or_default()),
    };
    let request = AuditRequest { judged, dataset: args.dataset, samples: args.samples as usize, first_seed: args.seed };
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
        .map(|c| vec![c.picture.clone(), face::short(c.unlikeness), c.title.clone(), c.creator.clone().unwrap_or_default()])
        .collect();
    format!(
        "{}: {}\n\n{} pictures, {} training pictures, {} held out\n{}\n\nclosest works (a near copy is below {})\n{}",
        audited.name,
        audited.audit.verdict.words(),
        audited.samples,
        audited.works,
        audited.held_out,
        output::table(&["figure", &audited.name, "held out"], &figures),
        face::short(audited.near_copy_below),
        output::table(&["picture", "unlikeness", "work", "creator"], &closest)
    )
}
