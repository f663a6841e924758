//! `pinxit models`
use std::path::PathBuf;

use clap::{Args, Subcommand};
use pinxit_studio::blend::{Blend, BlendRequest, How, blend};
use pinxit_studio::models::{self, ModelCard, ModelEntry};
use pinxit_studio::shell::command;
use pinxit_studio::{Kind, Result, card, counted, event, paths, shipped};
use serde_json::json;

use crate::context::Context;
use crate::{face, output};

const EXAMPLES: &str = "\
Examples:
  pinxit models list
  pinxit models show trees
  pinxit models card trees -o trees.md
  pinxit models blend trees oaks --by 0.5 --as between
  pinxit models blend trees oaks --from-stage 3 --as oaks-in-trees-colours
  pinxit models remove trees";

/// List, show, describe and remove models
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ModelsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// All models, and those that the program carries with it
    List,
    /// One model: what it learnt from, for how long, under which licences
    Show {
        /// Its name, a run, or a file
        name: String,
    },
    /// The model card, in Markdown or JSON: works, licences and what they ask, training, measures, limits, ledger
    Card {
        /// Its name, a run, or a file
        name: String,
        /// Write it there instead of printing it
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Replace another file of that name
        #[arg(long, requires = "out")]
        overwrite: bool,
    },
    /// Make a model of two related ones: one trained from the other, or both from a third
    Blend {
        /// The first
        first: String,
        /// The second
        second: String,
        /// Weights so far from the first to the second: 0.5 is halfway
        #[arg(long, value_name = "N", allow_negative_numbers = true, required_unless_present = "from_stage")]
        by: Option<f64>,
        /// Stages from this one on are the second's (layer swap); 1 is the second coarsest
        #[arg(long, value_name = "STAGE", conflicts_with_all = ["by", "minus"])]
        from_stage: Option<usize>,
        /// Add to the first what sets the second apart from this one, so much as --by says (model arithmetic)
        #[arg(long, value_name = "MODEL")]
        minus: Option<String>,
        /// Name of the new model
        #[arg(id = "as_name", long = "as", value_name = "NAME")]
        name: String,
    },
    /// Move a model into bin/ of the home
    Remove {
        /// Its name
        name: String,
    },
}

pub fn run(args: ModelsArgs, context: &Context) -> Result<()> {
    match args.action {
        Action::List => list(context),
        Action::Show { name } => show(&name, context),
        Action::Card { name, out, overwrite } => write_card(&name, out, overwrite, context),
        Action::Blend { first, second, by, from_stage, minus, name } => {
            let by = by.unwrap_or(0.5);
            let how = match (from_stage, minus) {
                (Some(from_stage), _) => How::Of(Blend::Swap { from_stage }),
                (None, Some(minus)) => How::Difference { minus, by },
                (None, None) => How::Of(Blend::Between { by }),
            };
            let path = blend(&context.studio, &BlendRequest { first, second, how, name })?;
            match context.globals.json {
                true => output::data(&event::versioned(&json!({ "model": path }))),
                false => output::data(&path.display().to_string()),
            }
            Ok(())
        }
        Action::Remove { name } => super::remove(Kind::Model, &name, context),
    }
}

fn list(context: &Context) -> Result<()> {
    let entries = models::list(&context.studio)?;
    if context.globals.json {
        let shipped: Vec<&str> = shipped::names().collect();
        output::data(&event::versioned(&json!({ "models": entries, "built_in": shipped })));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| match entry {
            ModelEntry::Whole(card) => vec![
                card.name.clone(),
                card.preset.clone(),
                size(card),
                card.meta.training.kimg.to_string(),
                dataset(card),
                card.hash[..12].to_string(),
            ],
            ModelEntry::Damaged { name, error } => {
                vec![name.clone(), "-".into(), "-".into(), "-".into(), "-".into(), error.clone()]
            }
        })
        .collect();
    output::data(&output::table(&["name", "preset", "size", "kimg", "dataset", "hash"], &rows));
    output::data(&format!("built in: {}", shipped::names().collect::<Vec<_>>().join(", ")));
    if rows.is_empty() {
        let first = shipped::names().next().map(|name| format!("pinxit generate {name} --seeds 0-63 --grid"));
        let next: Vec<String> = ["pinxit train DATASET".into(), "pinxit demo".into()].into_iter().chain(first).collect();
        context.next(&next);
    }
    Ok(())
}

fn show(name: &str, context: &Context) -> Result<()> {
    let card = models::card(&context.studio, &models::find(&context.studio, name)?)?;
    if context.globals.json {
        output::data(&event::versioned(&card));
        return Ok(());
    }
    output::data(&output::table(&["what", &card.name], &rows(&card)));
    let next = match card.blocked {
        Some(_) => command(&["train", &card.meta.dataset.name]),
        None => command(&["generate", name, "--seeds", "0-15", "--grid"]),
    };
    context.next(&[next]);
    Ok(())
}

fn write_card(name: &str, out: Option<PathBuf>, overwrite: bool, context: &Context) -> Result<()> {
    let page = card::page(&context.studio, &models::find(&context.studio, name)?)?;
    let text = if context.globals.json { event::versioned(&page) } else { page.markdown() };
    match out {
        None => output::data(text.trim_end()),
        Some(path) => {
            paths::write_beside_others(&path, format!("{}\n", text.trim_end()).as_bytes(), overwrite)?;
            output::data(&path.display().to_string());
        }
    }
    Ok(())
}

/// The first words of many.
fn first(words: &[String]) -> String {
    const FEW: usize = 24;
    let rest = if words.len() > FEW { ", …" } else { "" };
    words[..words.len().min(FEW)].join(", ") + rest
}

/// A model card as a table.
pub fn rows(card: &ModelCard) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row =
        |what: &str, value: String| rows.push(vec![what.to_string(), if value.is_empty() { "-".into() } else { value }]);
    let (training, dataset) = (&card.meta.training, &card.meta.dataset);
    row("file", card.path.display().to_string());
    row("hash", card.hash.clone());
    row("pictures", format!("{} px, {} ({} weights)", size(card), card.preset, card.parameters));
    row("classes", card.meta.classes.join(", "));
    row("styles", card.meta.styles.join(", "));
    if !card.meta.words.is_empty() {
        row("words", format!("{}, the most frequent first: {}", card.meta.words.len(), first(&card.meta.words)));
    }
    // A run of a fixed length in pictures keeps no clock, so that its model is the same on every repetition.
    let time = if training.seconds > 0.0 { format!(" in {}", face::span(training.seconds)) } else { String::new() };
    row("trained", format!("{} kimg{time}, {}", training.kimg, training.discriminator));
    row(
        "dataset",
        format!(
            "{} ({}, {})",
            dataset.name,
            counted(dataset.pictures, "picture"),
            dataset.manifest_hash.get(..12).unwrap_or("no hash")
        ),
    );
    row("licences", dataset.licences.iter().cloned().collect::<Vec<_>>().join(", "));
    if let Some(why) = &card.blocked {
        row("blocked", format!("{why}: it may not be used, train it anew"));
    }
    row("parent", card.meta.parent.clone().unwrap_or_default());
    for (name, value) in &training.figures {
        row(name, face::short(*value));
    }
    rows
}

/// The dataset, and that a work of it was taken down.
fn dataset(card: &ModelCard) -> String {
    let blocked = if card.blocked.is_some() { " (work taken down: blocked)" } else { "" };
    format!("{}{blocked}", card.meta.dataset.name)
}

fn size(card: &ModelCard) -> String {
    format!("{}x{}", card.resolution.1, card.resolution.0)
}
