//! `pinxit explore move`, `mutate`, `truncate`, `bend`, `undo`: painted pictures, changed
use std::path::PathBuf;

use clap::Args;
use pinxit_studio::Result;
use pinxit_studio::explore::{self, Act, Area, Bend, Change, Operation, directions, find, move_along};

use super::printing::{PaintedBy, PrintingArgs};
use super::values::{self, Channels, Stages, stages};
use crate::commands::generate::say;
use crate::context::Context;

/// What every change needs.
#[derive(Debug, Args)]
struct ChangeArgs {
    /// Pictures that a studio has painted
    #[arg(value_name = "PICTURE", required = true)]
    pictures: Vec<PathBuf>,
    #[command(flatten)]
    by: PaintedBy,
    /// Folder for the new ones
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    printing: PrintingArgs,
}

impl ChangeArgs {
    fn run(self, word: &str, change: &Change, context: &mut Context) -> Result<()> {
        let printing = self.printing.printing(self.out, context)?;
        let made =
            explore::change(&context.studio, self.by.pictures(&self.pictures), (word, change), &printing, &mut context.face)?;
        say(&made, context, &[])
    }
}

/// Move pictures along directions that are kept
#[derive(Debug, Args)]
pub struct MoveArgs {
    #[command(flatten)]
    all: ChangeArgs,
    /// A direction and how many deviations along it: light=2 (repeatable)
    #[arg(long = "by", value_name = "NAME=AMOUNT", required = true, value_parser = values::amount)]
    by: Vec<(String, f64)>,
    /// Only in these stages [default: those it was found for]
    #[arg(long, value_name = "STAGES", value_parser = stages)]
    stages: Option<Stages>,
}

pub fn moved(args: MoveArgs, context: &mut Context) -> Result<()> {
    let (painter, _) = explore::recipes_of(&context.studio, args.all.by.pictures(&args.all.pictures))?;
    let stages = args.stages.map(|s| s.0);
    let mut operations = Vec::new();
    for (name, by) in &args.by {
        let direction = directions::named(&context.studio, &painter.model().hash, name)?;
        operations.push(move_along(&direction, *by, stages.clone()));
    }
    args.all.run("moved", &Change::Do(operations), context)
}

/// Change pictures a little by chance
#[derive(Debug, Args)]
pub struct MutateArgs {
    #[command(flatten)]
    all: ChangeArgs,
    /// Of the chance
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// How strongly, in deviations of w
    #[arg(long, value_name = "N", default_value_t = 0.3)]
    by: f64,
    /// Only in these stages
    #[arg(long, value_name = "STAGES", value_parser = stages)]
    stages: Option<Stages>,
}

pub fn mutated(args: MutateArgs, context: &mut Context) -> Result<()> {
    let operation = Operation::Mutate { seed: args.seed, by: args.by, stages: args.stages.map(|s| s.0) };
    args.all.run("mutated", &Change::Do(vec![operation]), context)
}

/// Draw some stages of pictures to the mean: calmer forms or calmer colours
#[derive(Debug, Args)]
pub struct TruncateArgs {
    #[command(flatten)]
    all: ChangeArgs,
    /// 1 leaves it, 0 is the mean, above 1 is wilder
    #[arg(long, value_name = "PSI", allow_negative_numbers = true, default_value_t = 0.5)]
    psi: f64,
    /// Only in these stages
    #[arg(long, value_name = "STAGES", value_parser = stages)]
    stages: Option<Stages>,
}

pub fn truncated(args: TruncateArgs, context: &mut Context) -> Result<()> {
    let operation = Operation::Truncate { psi: args.psi, stages: args.stages.map(|s| s.0) };
    args.all.run("truncated", &Change::Do(vec![operation]), context)
}

/// Change the maps inside the network while pictures are painted (network bending)
#[derive(Debug, Args)]
pub struct BendArgs {
    #[command(flatten)]
    all: ChangeArgs,
    /// Stage whose map is changed; 0 is the coarsest
    #[arg(long, value_name = "STAGE")]
    stage: usize,
    /// multiply=N, boost=N, mute, invert, add=N, threshold=N, noise=N or noise=N,SEED, rotate=DEGREES, move=RIGHT,DOWN, zoom=N, mirror
    /// (repeatable)
    #[arg(long = "do", value_name = "ACT", required = true, value_parser = values::act)]
    acts: Vec<Act>,
    /// Channels it is done to: 0-15 [default: all]
    #[arg(long, value_name = "CHANNELS", value_parser = values::channels, conflicts_with = "cluster")]
    channels: Option<Channels>,
    /// One group of channels that light up in the same places: 2/6 is the second of six
    #[arg(long, value_name = "N/OF", value_parser = values::cluster)]
    cluster: Option<(usize, usize)>,
    /// Part of the picture it is done to, in percent: X,Y,WIDTH,HEIGHT
    #[arg(long, value_name = "AREA", value_parser = values::area)]
    area: Option<Area>,
    /// The ellipse within that part
    #[arg(long, requires = "area")]
    ellipse: bool,
}

pub fn bent(args: BendArgs, context: &mut Context) -> Result<()> {
    let channels = match args.cluster {
        None => args.channels.map(|c| c.0),
        Some(wanted) => {
            let (mut painter, recipes) = explore::recipes_of(&context.studio, args.all.by.pictures(&args.all.pictures))?;
            Some(find::cluster(&mut painter, &recipes[0], args.stage, wanted)?)
        }
    };
    let area = args.area.map(|area| Area { ellipse: args.ellipse, ..area });
    let bend = |act: &Act| Operation::Bend(Bend { stage: args.stage, act: *act, channels: channels.clone(), area });
    args.all.run("bent", &Change::Do(args.acts.iter().map(bend).collect()), context)
}

/// Take the last steps of pictures back
#[derive(Debug, Args)]
pub struct UndoArgs {
    #[command(flatten)]
    all: ChangeArgs,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1)]
    steps: usize,
}

pub fn undone(args: UndoArgs, context: &mut Context) -> Result<()> {
    args.all.run("undone", &Change::Undo(args.steps), context)
}
