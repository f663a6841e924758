//! `pinxit runs`
use clap::{Args, Subcommand};
use pinxit_studio::runs::{self, RunDetail, RunEntry, RunState};
use pinxit_studio::shell::command;
use pinxit_studio::{Kind, Result, event};
use serde_json::json;

use crate::context::Context;
use crate::{face, output};

const EXAMPLES: &str = "\
Examples:
  pinxit runs list
  pinxit runs show trees
  pinxit runs remove trees";

/// List, show and remove training runs
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// All runs
    List,
    /// One run: how it stands, what it measured, its snapshots
    Show {
        /// Its name
        name: String,
    },
    /// Move a run into bin/ of the home; its kept model stays
    Remove {
        /// Its name
        name: String,
    },
}

pub fn run(args: RunsArgs, context: &Context) -> Result<()> {
    match args.action {
        Action::List => list(context),
        Action::Show { name } => show(&name, context),
        Action::Remove { name } => remove(&name, context),
    }
}

fn list(context: &Context) -> Result<()> {
    let entries = runs::list(&context.studio)?;
    if context.globals.json {
        output::data(&event::versioned(&json!({ "runs": entries })));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| match entry {
            RunEntry::Whole(run) => vec![
                run.name.clone(),
                run.card.dataset.clone(),
                state(run).into(),
                run.at_kimg.to_string(),
                run.end.clone(),
                run.card.began.clone(),
            ],
            RunEntry::Damaged { name, error } => {
                vec![name.clone(), "-".into(), error.clone(), "-".into(), "-".into(), "-".into()]
            }
        })
        .collect();
    output::data(&output::table(&["name", "dataset", "state", "kimg", "end", "began"], &rows));
    if rows.is_empty() {
        context.next(&["pinxit train DATASET".into()]);
    }
    Ok(())
}

fn show(name: &str, context: &Context) -> Result<()> {
    let detail = runs::show(&context.studio, name)?;
    if context.globals.json {
        output::data(&event::versioned(&detail));
        return Ok(());
    }
    output::data(&output::table(&["what", name], &rows(&detail)));
    match detail.state {
        _ if detail.blocked.is_some() => context.next(&[command(&["train", &detail.card.dataset])]),
        RunState::Stopped => context.next(&[format!("pinxit train --resume {name}")]),
        RunState::Finished => context.next(&[format!("pinxit generate {name} --seeds 0-63 --grid")]),
        RunState::Running => {}
    }
    Ok(())
}

fn remove(name: &str, context: &Context) -> Result<()> {
    if runs::show(&context.studio, name).is_ok_and(|run| run.state == RunState::Running) {
        return Err(pinxit_studio::Error::Setting {
            message: format!("a process trains in the run \"{name}\" now"),
            hint: "stop it first with Ctrl-C: it saves its state".into(),
        });
    }
    super::remove(Kind::Run, name, context)
}

/// How it stands, in a word.
fn state(run: &RunDetail) -> &'static str {
    if run.blocked.is_some() { "blocked" } else { run.state.word() }
}

/// A run as a table.
pub fn rows(run: &RunDetail) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |what: &str, value: String| rows.push(vec![what.to_string(), value]);
    row("state", state(run).into());
    if let Some(why) = &run.blocked {
        row("blocked", format!("{why}: it may not be used, train anew"));
    }
    row("dataset", run.card.dataset.clone());
    row("began", format!("{}{}", run.card.began, run.card.from.as_ref().map(|f| format!(" from {f}")).unwrap_or_default()));
    let speed = run.last.as_ref().map(|line| format!(", {} img/s", face::short(line.img_per_sec))).unwrap_or_default();
    row("stands at", format!("{} kimg after {}{speed}", run.at_kimg, face::span(run.at_secs)));
    row("ends at", run.end.clone());
    if let Some((line, m)) = run.measured.as_ref().and_then(|l| l.measures.map(|m| (l, m))) {
        let found =
            format!("KID {}, coverage {}, self-NN {}", face::short(m.kid), face::short(m.coverage), face::short(m.self_nn));
        row("measured", format!("at {} kimg: {found}", line.kimg));
    }
    for model in &run.models {
        row("model", model.display().to_string());
    }
    if let Some(preview) = &run.preview {
        row("preview", preview.display().to_string());
    }
    row("folder", run.path.display().to_string());
    rows
}
