//! `pinxit demo`
use std::path::PathBuf;

use clap::Args;
use pinxit_studio::Result;
use pinxit_studio::demo::{DemoRequest, demo, next};
use pinxit_studio::settings::Span;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit demo
  pinxit demo --for 10m -o my-first-gan

No network is used: pictures (public domain and CC0) and the base model are inside the program.";

/// See all of it once: take in sample pictures, fine-tune a small model on them, paint, measure
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArgs {
    /// Folder for everything the demo makes
    #[arg(short, long, value_name = "DIR", default_value = "pinxit-demo")]
    out: PathBuf,
    /// How long to train
    #[arg(long = "for", value_name = "TIME", default_value = "2m")]
    time: Span,
    /// Do not sign the pictures
    #[arg(long)]
    no_sign: bool,
    /// A folder with samples/ and models/ to use instead of those built in
    #[arg(long, value_name = "DIR", help_heading = "More")]
    assets: Option<PathBuf>,
}

pub fn run(args: DemoArgs, context: &mut Context) -> Result<()> {
    let request = DemoRequest { out: args.out, time: args.time, assets: args.assets, sign: !args.no_sign };
    let made = demo(&request, &mut context.face)?;
    if context.globals.json {
        return Ok(());
    }
    if let Some(evaluated) = &made.evaluation {
        output::data(&super::evaluate::table(evaluated));
    }
    let rows = [
        ("pictures", format!("{} in {}", made.pictures.len(), made.home.join("pictures").display())),
        ("before training", made.before.display().to_string()),
        ("contact sheet", made.sheet.display().to_string()),
        ("previews", made.previews.display().to_string()),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(what, path)| vec![what.to_string(), path]).collect();
    output::data(&output::table(&["made", "where"], &rows));
    context.next(&next(&request));
    Ok(())
}
