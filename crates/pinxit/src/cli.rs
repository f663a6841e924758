//! The command line: what every command shares, and the rule that gives each option its environment variable.
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{BoolishValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, Args, Command, CommandFactory, Parser, Subcommand, ValueEnum};

use pinxit_studio::machine::MOST_THREADS;
use pinxit_studio::settings::Instructions;

use crate::commands::*;

const AFTER: &str = "\
The usual road:
  pinxit import PICTURES/ --into trees --license own   take in pictures of your own
  pinxit train trees --for 1h                          learn from them
  pinxit generate trees --seeds 0-15                   paint new ones
  pinxit evaluate trees --dataset trees                measure how good they are
  pinxit verify PICTURE                                who made it, and with what: any file

Options can also be set by environment variables (shown as [env: …]) and in config.toml of the home;
flags win over variables, variables over files. Data goes to stdout, everything else to stderr.
What is removed or replaced lies in bin/ of the home until you delete that folder: only then its space is free.

Exit codes: 0 done, 1 the request failed, 2 wrong usage, 3 a check said no (a credential or receipt is invalid or
missing, a mark is not found, pictures are near copies and were not written), 70 a mistake in pinxit, 130 interrupted with
the state saved.";

/// A picture studio: learns styles from a collection of pictures and paints new ones.
#[derive(Debug, Parser)]
#[command(name = "pinxit", version, after_help = AFTER, max_term_width = 110, propagate_version = false)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Commands,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Globals {
    /// Studio home: datasets, runs and models lie here [default: ~/pinxit]
    #[arg(long, global = true, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Print JSON on stdout: one object for a question, one line per event for long work
    #[arg(long, global = true)]
    pub json: bool,
    /// On stderr, say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// No progress bars, even on a terminal
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Threads to compute with, never more than there are cores to use [default: one per core]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_THREADS)))]
    pub threads: Option<u16>,
    /// Processor instructions to compute with: auto, portable, avx2, avx512
    #[arg(long, global = true, value_name = "SET", default_value = "auto", value_parser = words::<Instructions>(Instructions::WORDS, Instructions::ALSO), hide_possible_values = true)]
    pub isa: Instructions,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// The verbs of the artist's road, then the nouns of housekeeping.
#[derive(Debug, Subcommand)]
pub enum Commands {
    Import(import::ImportArgs),
    Train(train::TrainArgs),
    Generate(generate::GenerateArgs),
    Explore(explore::ExploreArgs),
    Evaluate(evaluate::EvaluateArgs),
    Audit(audit::AuditArgs),
    Sign(sign::SignArgs),
    Verify(verify::VerifyArgs),
    Watermark(watermark::WatermarkArgs),
    Datasets(datasets::DatasetsArgs),
    #[command(alias = "model")]
    Models(models::ModelsArgs),
    Runs(runs::RunsArgs),
    Takedown(takedown::TakedownArgs),
    Ledger(ledger::LedgerArgs),
    Policy(policy::PolicyArgs),
    Keys(keys::KeysArgs),
    Info(info::InfoArgs),
    Doctor(doctor::DoctorArgs),
    Demo(demo::DemoArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// The whole command line, with environment variables in place.
pub fn command() -> Command {
    command_but("")
}

/// The same, deaf to the variable `unheard`.
fn command_but(unheard: &str) -> Command {
    let mut command = with_environment(Cli::command(), "", unheard);
    command.build();
    with_plain_usage(command)
}

/// The variable without which `e` would not have been: clap itself names only the option.
pub fn variable_to_blame(e: &clap::Error) -> Option<String> {
    let mut set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(|name| name.starts_with("PINXIT_"));
    let is_to_blame = |name: &String| {
        let without = command_but(name).try_get_matches();
        without.err().is_none_or(|other| other.to_string() != e.to_string())
    };
    set.find(is_to_blame)
}

/// In an error clap's usage line lists what was given, and takes variables for typed: each command says its own line instead.
fn with_plain_usage(command: Command) -> Command {
    let usage = command.clone().render_usage().ansi().to_string();
    let usage = usage.split_once(' ').map_or("", |(_, line)| line).to_string();
    command.override_usage(usage).mut_subcommands(with_plain_usage)
}

/// Gives every option of `command` its variable, an empty one and `unheard` being as good as none; `name` is what was typed to
/// reach it.
fn with_environment(command: Command, name: &str, unheard: &str) -> Command {
    let named = |arg: Arg| match arg.get_long() {
        None => arg,
        Some(long) if variable(name, long) == unheard => arg,
        Some(long) if std::env::var_os(variable(name, long)).is_some_and(|value| value.is_empty()) => arg,
        Some(long) => {
            let arg_variable = variable(name, long);
            let arg = arg.env(arg_variable).hide_env_values(true);
            let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
            if is_switch { arg.value_parser(BoolishValueParser::new()) } else { arg }
        }
    };
    let nested = |sub: Command| {
        let name = format!("{name} {}", sub.get_name());
        with_environment(sub, &name, unheard)
    };
    command.mut_args(named).mut_subcommands(nested)
}

/// A closed set of words as clap knows it: shells complete them, and an error lists them. Those of `also` are only understood.
pub fn words<T>(words: &'static [&'static str], also: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    let shown = words.iter().map(|word| PossibleValue::new(*word));
    let hidden = also.iter().map(|word| PossibleValue::new(*word).hide(true));
    PossibleValuesParser::new(shown.chain(hidden)).try_map(|word| word.parse())
}

/// A closed set of words, each with what it means.
pub fn choice<T: Clone + Send + Sync + 'static>(all: &'static [(&'static str, T)]) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|(word, _)| *word)).try_map(move |word| {
        let found = all.iter().find(|(name, _)| *name == word);
        found.map(|(_, value)| value.clone()).ok_or("no such word")
    })
}

/// Whether JSON was asked for, where the command line as a whole cannot be read.
pub fn wants_json() -> bool {
    let is_true = |value: &OsString| BoolishValueParser::new().parse_ref(&Command::new("pinxit"), None, value).unwrap_or(false);
    std::env::args_os().take_while(|arg| arg != "--").any(|arg| arg == "--json")
        || std::env::var_os(variable("", "json")).is_some_and(|value| is_true(&value))
}

/// `--no-flip` of `train` is `PINXIT_TRAIN_NO_FLIP`; what every command shares has no command in its name.
pub fn variable(command: &str, long: &str) -> String {
    let words = format!("pinxit {command} {long}");
    words.split_whitespace().collect::<Vec<_>>().join("_").replace('-', "_").to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_option_has_a_variable_and_no_two_share_one() {
        fn collect(command: &Command, seen: &mut Vec<String>) {
            for arg in command.get_arguments().filter(|a| a.get_long().is_some_and(|l| l != "help" && l != "version")) {
                let variable = arg.get_env().unwrap_or_else(|| panic!("--{} has none", arg.get_id()));
                seen.push(variable.to_string_lossy().into_owned());
            }
            command.get_subcommands().for_each(|c| collect(c, seen));
        }
        let mut seen = Vec::new();
        // Not built yet: a built one holds the options of every command once for each of them.
        collect(&with_environment(Cli::command(), "", ""), &mut seen);
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count);
        assert!(seen.contains(&"PINXIT_HOME".into()) && seen.contains(&"PINXIT_TRAIN_NO_FLIP".into()), "{seen:?}");
    }
}
