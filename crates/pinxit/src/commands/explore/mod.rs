//! `pinxit explore`
mod change;
mod find;
mod kin;
mod look;
mod printing;
mod values;
mod walk;

use clap::{Args, Subcommand};
use pinxit_studio::Result;

use crate::context::Context;

const EXAMPLES: &str = "\
Examples:
  pinxit explore loop trees --seeds 1,5,9 --seconds 6 -o trees.webp
  pinxit explore mix trees --rows 1-4 --columns 5-9 --stages 2-4
  pinxit explore directions trees
  pinxit explore move pictures/trees-000042.png --by light=2
  pinxit explore project trees my-own-picture.jpg
  pinxit explore drag pictures/trees-000042.png --point 20,30:24,30
  pinxit explore bend pictures/trees-000042.png --stage 2 --do rotate=30
  pinxit explore breed pictures/trees-000001.png pictures/trees-000005.png
  pinxit explore undo trees-000042-moved.png

Every tool works on every model. What it makes carries its recipe: generate --from paints it again, undo takes its last steps back.
Stage 0 is the coarsest (composition), the last paints the finest detail (colour, grain).";

/// Walk between pictures, mix, move, project, drag, bend and breed them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExploreArgs {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Debug, Subcommand)]
enum Tool {
    Walk(walk::WalkArgs),
    Loop(walk::LoopArgs),
    Mix(look::MixArgs),
    Directions(look::DirectionsArgs),
    Move(change::MoveArgs),
    Mutate(change::MutateArgs),
    Truncate(change::TruncateArgs),
    Bend(change::BendArgs),
    Undo(change::UndoArgs),
    Project(find::ProjectArgs),
    Drag(find::DragArgs),
    Breed(kin::BreedArgs),
    Tree(kin::TreeArgs),
}

pub fn run(args: ExploreArgs, context: &mut Context) -> Result<()> {
    match args.tool {
        Tool::Walk(args) => walk::run(args, context),
        Tool::Loop(args) => walk::run_loop(args, context),
        Tool::Mix(args) => look::mix(args, context),
        Tool::Directions(args) => look::directions(args, context),
        Tool::Move(args) => change::moved(args, context),
        Tool::Mutate(args) => change::mutated(args, context),
        Tool::Truncate(args) => change::truncated(args, context),
        Tool::Bend(args) => change::bent(args, context),
        Tool::Undo(args) => change::undone(args, context),
        Tool::Project(args) => find::project(args, context),
        Tool::Drag(args) => find::drag(args, context),
        Tool::Breed(args) => kin::breed(args, context),
        Tool::Tree(args) => kin::tree(&args, context),
    }
}
