//! `pinxit explore mix` and `directions`: sheets to look at
use std::path::{Path, PathBuf};

use clap::Args;
use pinxit_studio::event::versioned;
use pinxit_studio::explore::directions::{self, Direction, Method};
use pinxit_studio::explore::{self, Painter, Pictures, Recipe, sheet};
use pinxit_studio::{Error, Result};
use serde_json::json;

use super::printing::PrintingArgs;
use super::values::{Stages, stages};
use crate::commands::generate::{Seeds, parse_seeds, psi};
use crate::context::Context;
use crate::{cli, output};

/// A sheet of pictures, each with some stages of another (style mixing)
#[derive(Debug, Args)]
pub struct MixArgs {
    /// A model, a run, or a model file
    model: String,
    /// Seeds at the left: these keep the other stages
    #[arg(long, value_name = "SEEDS", value_parser = parse_seeds, default_value = "0-3")]
    rows: Seeds,
    /// Seeds at the top: these give the stages
    #[arg(long, value_name = "SEEDS", value_parser = parse_seeds, default_value = "4-8")]
    columns: Seeds,
    /// Stages taken from the top: 2-4, or 0,1; 0 is the coarsest [default: the finer half]
    #[arg(long, value_name = "STAGES", value_parser = stages)]
    stages: Option<Stages>,
    /// Class of all
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Style of all
    #[arg(long, value_name = "STYLE")]
    style: Option<String>,
    /// Truncation [default: 1]
    #[arg(long, value_name = "PSI", allow_negative_numbers = true, value_parser = psi)]
    psi: Option<f64>,
    /// The file
    #[arg(short, long, value_name = "FILE", default_value = "mix.png")]
    out: PathBuf,
    #[command(flatten)]
    printing: PrintingArgs,
}

pub fn mix(args: MixArgs, context: &mut Context) -> Result<()> {
    let mut painter = explore::open(&context.studio, &args.model)?;
    let sample = |painter: &Painter, seeds: &Seeds| -> Result<Vec<Recipe>> {
        let one = |seed: &u64| painter.recipe(*seed, args.class.as_deref(), args.style.as_deref(), args.psi.unwrap_or(1.0));
        Ok(seeds.0.iter().map(one).collect::<std::result::Result<_, _>>()?)
    };
    let (rows, columns) = (sample(&painter, &args.rows)?, sample(&painter, &args.columns)?);
    let stages = args.stages.map_or_else(|| (painter.stages() / 2..painter.stages()).collect(), |s| s.0);
    let printing = args.printing.printing(PathBuf::from("."), context)?;
    check_free(&args.out, printing.overwrite)?;
    let drawn = sheet::mix(&context.studio, &mut painter, (&rows, &columns), &stages, (&args.out, &printing), &mut context.face)?;
    if !context.globals.json {
        output::data(&drawn.sheet.display().to_string());
    }
    Ok(())
}

/// A sheet says nothing by which it could be known again: another file of its name stays.
fn check_free(file: &Path, overwrite: bool) -> Result<()> {
    if file.exists() && !overwrite { Err(Error::InTheWay { path: file.into() }) } else { Ok(()) }
}

/// Find directions in which pictures change most, see them as strips, and name them
///
/// The directions found are kept as sefa-1, sefa-2 … (or pca-1 …): look at the sheet, one strip a row, and name those that mean
/// something. A step of 1 along a direction is one deviation.
#[derive(Debug, Args)]
pub struct DirectionsArgs {
    /// A model, a run, or a model file
    model: String,
    /// sefa: from the weights; pca: from samples
    #[arg(long, value_name = "METHOD", default_value = "sefa", value_parser = cli::choice(&[("sefa", Method::Sefa), ("pca", Method::Pca)]))]
    method: Method,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    count: u8,
    /// Only in these stages: 0-2
    #[arg(long, value_name = "STAGES", value_parser = stages)]
    stages: Option<Stages>,
    /// The picture that the strips begin from
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// How far the strips go either way, deviations
    #[arg(long, value_name = "N", default_value_t = 3.0, value_parser = reach)]
    reach: f64,
    /// The sheet of strips
    #[arg(short, long, value_name = "FILE", default_value = "directions.png")]
    out: PathBuf,
    /// Pictures that have something (repeatable): makes a direction of your own, with --away and --as
    #[arg(long, value_name = "PICTURE", requires_all = ["away", "as_name"])]
    toward: Vec<PathBuf>,
    /// Pictures that have not (repeatable)
    #[arg(long, value_name = "PICTURE", requires = "toward")]
    away: Vec<PathBuf>,
    /// Name of the direction that is made
    #[arg(id = "as_name", long = "as", value_name = "NAME")]
    as_name: Option<String>,
    /// Give a kept direction another name: sefa-2=light
    #[arg(long, value_name = "OLD=NEW", value_parser = renaming, conflicts_with = "toward")]
    rename: Option<(String, String)>,
    /// List those that are kept
    #[arg(long, conflicts_with_all = ["toward", "rename"])]
    list: bool,
    #[command(flatten)]
    printing: PrintingArgs,
}

/// Pictures of a strip.
const STEPS: usize = 7;

fn reach(text: &str) -> std::result::Result<f64, String> {
    text.parse().ok().filter(|v| (0.1..=20.0).contains(v)).ok_or_else(|| format!("\"{text}\" is no number from 0.1 to 20"))
}

fn renaming(text: &str) -> std::result::Result<(String, String), String> {
    let named = text.split_once('=').filter(|(old, new)| !old.is_empty() && !new.is_empty());
    named.map(|(old, new)| (old.into(), new.into())).ok_or_else(|| format!("\"{text}\" is not OLD=NEW, such as sefa-2=light"))
}

pub fn directions(args: DirectionsArgs, context: &mut Context) -> Result<()> {
    let mut painter = explore::open(&context.studio, &args.model)?;
    let model = painter.model().hash.clone();
    if args.list {
        return list(&directions::list(&context.studio, &model)?, context);
    }
    if let Some((old, new)) = &args.rename {
        directions::rename(&context.studio, &model, (old, new))?;
        return list(&directions::list(&context.studio, &model)?, context);
    }
    let printing = args.printing.printing(PathBuf::from("."), context)?;
    check_free(&args.out, printing.overwrite)?;
    let found = match &args.as_name {
        Some(name) if !args.toward.is_empty() => {
            let recipes = |files: &[PathBuf]| explore::recipes_of(&context.studio, Pictures { files, model: Some(&args.model) });
            let ((_, toward), (_, away)) = (recipes(&args.toward)?, recipes(&args.away)?);
            vec![directions::pick(&mut painter, &toward, &away, name)?]
        }
        Some(_) => {
            return Err(Error::Setting {
                message: "a name alone makes no direction".into(),
                hint: "--toward and --away name pictures; --rename sefa-2=light names one that was found".into(),
            });
        }
        None => directions::find(&painter, args.method, args.count.into(), args.stages.map(|s| s.0))?,
    };
    for direction in &found {
        // What is found anew in the same way is the same; a name the artist gave is never one of these.
        directions::keep(&context.studio, direction, args.as_name.is_none() || printing.overwrite)?;
    }
    let start = painter.recipe(args.seed, None, None, 1.0)?;
    let strips = directions::strips(&start, &found, (args.reach, STEPS));
    let drawn = sheet::draw(&context.studio, &mut painter, &strips, STEPS, (&args.out, &printing), &mut context.face)?;
    if !context.globals.json {
        output::data(&drawn.sheet.display().to_string());
        found.iter().for_each(|d| output::data(&d.name));
    }
    Ok(())
}

fn list(all: &[Direction], context: &Context) -> Result<()> {
    if context.globals.json {
        let rows: Vec<_> = all.iter().map(|d| json!({ "name": d.name, "method": d.method, "stages": d.stages })).collect();
        output::data(&versioned(&json!({ "directions": rows })));
    } else {
        all.iter().for_each(|d| output::data(&d.name));
    }
    Ok(())
}
