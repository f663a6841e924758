//! `pinxit info`
use std::path::PathBuf;

use clap::Args;
use pinxit_studio::info::{FileInfo, info};
use pinxit_studio::shell::command;
use pinxit_studio::{Result, counted, event};

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit info trees-000042.png          the recipe inside a picture
  pinxit info model.safetensors         what a model learnt from
  pinxit info ~/pinxit/runs/trees       how a run stands";

/// Say what a file is: picture and recipe, model, dataset, run
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InfoArgs {
    /// A picture, a model file, a dataset's or a run's folder
    #[arg(value_name = "FILE")]
    path: PathBuf,
}

pub fn run(args: &InfoArgs, context: &Context) -> Result<()> {
    let info = info(&context.studio, &args.path)?;
    if context.globals.json {
        output::data(&event::versioned(&info));
        return Ok(());
    }
    match info {
        FileInfo::Picture { format, width, height, recipe, stated, problem } => {
            output::data(&format!("picture: {format}, {width}x{height} px"));
            match &recipe {
                Some(recipe) => output::data(&format!("recipe: {recipe:#}")),
                None => output::data("recipe: none"),
            }
            for (what, text) in super::verify::stated(&stated, false) {
                output::data(&output::plain(&format!("{what}: {text}")));
            }
            if let Some(problem) = problem {
                output::data(&format!("problem: {problem}"));
            } else if recipe.is_some() {
                context.next(&[command(&["generate", "--from", &args.path.display().to_string()])]);
            }
        }
        FileInfo::Model(card) => output::data(&output::table(&["model", &card.name], &super::models::rows(&card))),
        FileInfo::Dataset(detail) => {
            let f = &detail.file;
            output::data(&format!(
                "dataset {}: {} of {}x{} px, {} held out",
                f.name,
                counted(f.count, "picture"),
                f.width,
                f.height,
                f.held_out
            ));
        }
        FileInfo::Run(detail) => output::data(&output::table(&["run", &detail.name], &super::runs::rows(&detail))),
    }
    Ok(())
}
