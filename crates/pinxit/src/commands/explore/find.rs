//! `pinxit explore project` and `drag`: latents looked for
use std::path::PathBuf;

use clap::Args;
use pinxit_studio::explore::find::{self, DragRequest, ProjectRequest, Search, Space};
use pinxit_studio::{Error, Result};

use super::printing::{PaintedBy, PrintingArgs};
use super::values::{self, Points};
use crate::commands::generate::say;
use crate::context::Context;
use crate::{cli, output};

/// Find your own picture in a model: what is nearest to it among all that the model can paint
///
/// The picture is cut to the shape of the model's. What is written is the model's picture, which every other tool takes up.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// A model, a run, or a model file
    model: String,
    /// The picture, from anywhere
    picture: PathBuf,
    /// w+: most alike; w: most editable
    #[arg(long, value_name = "SPACE", default_value = "w+", value_parser = cli::choice(&[("w+", Space::WPlus), ("w", Space::W)]))]
    space: Space,
    /// Steps: more are more alike
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: u32,
    /// Starts that are tried
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    starts: u8,
    /// Seed of the starts
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Tune the model's weights to the picture too (pivotal tuning), and keep them as a model of this name
    #[arg(long, value_name = "NAME")]
    tune_as: Option<String>,
    /// Show the picture by now in this file, written anew every few steps: .png, .jpg or .webp
    #[arg(long, value_name = "FILE")]
    preview: Option<PathBuf>,
    /// Folder for the picture
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    printing: PrintingArgs,
}

pub fn project(args: ProjectArgs, context: &mut Context) -> Result<()> {
    let printing = args.printing.printing(args.out, context)?;
    let search = Search {
        space: args.space,
        steps: args.steps as usize,
        starts: args.starts.into(),
        seed: args.seed,
        ..Search::default()
    };
    let request =
        ProjectRequest { model: args.model, picture: args.picture, search, tune_as: args.tune_as, preview: args.preview };
    let found = find::project(&context.studio, &request, &printing, &mut context.face)?;
    if !context.globals.json {
        output::say(&format!(
            "likeness {:.1} dB, unlikeness of features {:.2}, off centre {:.2} (about 1 for the model's own pictures)",
            found.psnr_db, found.features, found.off_centre
        ));
        if let Some(tuned) = &found.tuned {
            output::say(&format!("the tuned model is {}", tuned.display()));
        }
    }
    say(&found.made, context, &[])
}

/// Take hold of points of a painted picture and move them
#[derive(Debug, Args)]
pub struct DragArgs {
    /// A picture that a studio has painted
    picture: PathBuf,
    #[command(flatten)]
    by: PaintedBy,
    /// From where to where: 20,30:24,30 in pixels, or 40%,50%:45%,50% (repeatable)
    #[arg(long = "point", value_name = "X,Y:X,Y", required = true, value_parser = values::points)]
    points: Vec<Points>,
    /// A picture that is light where anything may change, and dark where it shall stay
    #[arg(long, value_name = "FILE")]
    mask: Option<PathBuf>,
    /// Steps at most
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    steps: u32,
    /// Show the picture by now in this file, written anew every few steps: .png, .jpg or .webp
    #[arg(long, value_name = "FILE")]
    preview: Option<PathBuf>,
    /// Folder for the picture
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    printing: PrintingArgs,
}

pub fn drag(args: DragArgs, context: &mut Context) -> Result<()> {
    let printing = args.printing.printing(args.out, context)?;
    let sides = find::sides(&args.picture)?;
    let outside = || Error::Setting {
        message: format!("a point lies outside of {}, which is {}x{} px", args.picture.display(), sides.0, sides.1),
        hint: "points are counted from the upper left corner: X to the right, Y down".into(),
    };
    let handles = args.points.iter().map(|p| p.handle(sides).ok_or_else(outside)).collect::<Result<_>>()?;
    let request = DragRequest {
        picture: args.picture.clone(),
        model: args.by.model(),
        handles,
        mask: args.mask,
        steps: args.steps as usize,
        preview: args.preview,
    };
    let found = find::drag(&context.studio, &request, &printing, &mut context.face)?;
    if !context.globals.json {
        let left: Vec<String> = found.left_px.iter().map(|px| format!("{px:.1}")).collect();
        output::say(&format!("{} steps; px left: {}", found.steps, left.join(", ")));
    }
    say(&found.made, context, &[])
}
