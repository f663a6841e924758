//! `pinxit explore walk` and `loop`
use std::path::PathBuf;

use clap::Args;
use pinxit_studio::explore::animate::{Animated, animate, recipe_in};
use pinxit_studio::explore::{self, AnimationRecipe, Easing, Painter, Pictures, RECIPE_VERSION, Recipe, Through};
use pinxit_studio::{Error, Result};

use super::printing::PrintingArgs;
use crate::commands::generate::{Seeds, parse_seeds, psi};
use crate::context::Context;
use crate::{cli, output};

/// From key frame to key frame, once
///
/// Key frames are seeds of a model, or pictures that one has painted.
#[derive(Debug, Args)]
pub struct WalkArgs {
    #[command(flatten)]
    way: WayArgs,
    /// Make the animation found in a file again
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "keys"])]
    from: Option<PathBuf>,
}

/// From key frame to key frame and back to the first: no seam
///
/// Key frames are seeds of a model, or pictures that one has painted.
#[derive(Debug, Args)]
pub struct LoopArgs {
    #[command(flatten)]
    way: WayArgs,
}

#[derive(Debug, Args)]
struct WayArgs {
    /// A model, a run, or a model file; not needed where pictures are named that a model of this home painted
    model: Option<String>,
    /// Key frames: 1,5,9 or 0-3
    #[arg(long, value_name = "SEEDS", value_parser = parse_seeds, conflicts_with = "keys")]
    seeds: Option<Seeds>,
    /// A picture as a key frame (repeatable)
    #[arg(id = "keys", long = "key", value_name = "PICTURE")]
    keys: Vec<PathBuf>,
    /// Class of the key frames (repeatable: one for each, in turn)
    #[arg(long, value_name = "CLASS")]
    class: Vec<String>,
    /// Style of the key frames (repeatable)
    #[arg(long, value_name = "STYLE")]
    style: Vec<String>,
    /// Truncation: 1 full variety, 0.7 calmer [default: 1]
    #[arg(long, value_name = "PSI", allow_negative_numbers = true, value_parser = psi)]
    psi: Option<f64>,
    /// Length [default: 2 seconds a key frame]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    seconds: Option<f64>,
    /// Frames a second
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: u32,
    /// smooth: slow near each key frame; linear: at one speed
    #[arg(long, value_name = "WORD", default_value = "smooth", value_parser = cli::choice(&[("smooth", Easing::Smooth), ("linear", Easing::Linear)]))]
    easing: Easing,
    /// w: straight, the smoothest; z: every frame could have been drawn (seeds only)
    #[arg(long, value_name = "SPACE", default_value = "w", value_parser = cli::choice(&[("w", Through::W), ("z", Through::Z)]))]
    through: Through,
    /// The file: .gif, .png (APNG), .webp; .mp4 and .webm where there is an ffmpeg
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    printing: PrintingArgs,
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    text.parse()
        .ok()
        .filter(|s| (0.01..=3600.0).contains(s))
        .ok_or_else(|| format!("\"{text}\" is no number of seconds, 0.01 to 3600"))
}

pub fn run(args: WalkArgs, context: &mut Context) -> Result<()> {
    match args.from {
        None => way(args.way, false, context),
        Some(file) => {
            let recipe = recipe_in(&file)?;
            let WayArgs { model, out, printing, .. } = args.way;
            let mut painter = explore::painter_of(&context.studio, &recipe.animation[0], &file, model.as_deref())?;
            let printing = printing.printing(PathBuf::from("."), context)?;
            let made = animate(&context.studio, &mut painter, (&recipe, &[]), (&out, &printing), &mut context.face)?;
            say(&made, context)
        }
    }
}

pub fn run_loop(args: LoopArgs, context: &mut Context) -> Result<()> {
    way(args.way, true, context)
}

fn way(args: WayArgs, closed: bool, context: &mut Context) -> Result<()> {
    let (mut painter, mut keys) = key_frames(&args, context)?;
    let printing = args.printing.printing(PathBuf::from("."), context)?;
    keys.iter_mut().for_each(|key| explore::enlarged(key, printing.settings.enlarge));
    let seconds = args.seconds.unwrap_or(2.0 * keys.len() as f64);
    let frames = ((seconds * f64::from(args.fps)).round() as usize).max(1);
    let recipe = AnimationRecipe {
        v: RECIPE_VERSION,
        animation: keys,
        frames,
        fps: args.fps,
        closed,
        easing: args.easing,
        through: args.through,
    };
    let made = animate(&context.studio, &mut painter, (&recipe, &args.keys), (&args.out, &printing), &mut context.face)?;
    say(&made, context)
}

/// Of pictures, or of seeds, whose labels are given in turn.
fn key_frames(args: &WayArgs, context: &Context) -> Result<(Painter, Vec<Recipe>)> {
    if !args.keys.is_empty() {
        return explore::recipes_of(&context.studio, Pictures { files: &args.keys, model: args.model.as_deref() });
    }
    let (Some(model), Some(seeds)) = (&args.model, &args.seeds) else {
        return Err(Error::Setting {
            message: "between what shall it walk?".into(),
            hint: "name a model and seeds (--seeds 1,5,9), or pictures it has painted (--key PICTURE …)".into(),
        });
    };
    let painter = explore::open(&context.studio, model)?;
    let turn = |all: &[String], i: usize| (!all.is_empty()).then(|| all[i % all.len()].clone());
    let key = |(i, seed): (usize, &u64)| {
        let (class, style) = (turn(&args.class, i), turn(&args.style, i));
        painter.recipe(*seed, class.as_deref(), style.as_deref(), args.psi.unwrap_or(1.0))
    };
    let keys = seeds.0.iter().enumerate().map(key).collect::<std::result::Result<Vec<_>, _>>()?;
    Ok((painter, keys))
}

fn say(made: &Animated, context: &Context) -> Result<()> {
    if !context.globals.json {
        output::data(&made.file.display().to_string());
    }
    Ok(())
}
