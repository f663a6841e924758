//! `docs/cli.md`, written from the command line itself, so that it cannot drift.
use std::fmt::Write as _;

use clap::{Arg, Command};

const HEAD: &str = "\
# The command line

This page is written by `cargo xtask docs --write` from the program's own help texts.

Every option has an environment variable, shown beside it; an empty one counts as none. Options that are settings can also stand in `config.toml`, in
`~/.config/pinxit/` or in the studio home, under `[import]`, `[train]`, `[generate]`, `[sign]`, by their long names with `_` for `-` (only
`--for` is `time`, `--no-flip` is `flip = false`, `--no-sign` is `sign = false`, and `--no-watermark` is `watermark = false`); `PINXIT_PASSPHRASE` holds the passphrase of the key; keys of a run's own `config.toml` go under `[expert]`. Defaults give way to files, files to variables, variables to flags.

Exit codes: 0 done, 1 the request failed, 2 wrong usage, 3 a check said no (a credential or receipt is invalid or missing,
a mark is not found, pictures are near copies of training works and were not written), 70 a mistake in pinxit, 130 interrupted with
the state saved.
";

/// Prints the page.
pub fn run() {
    crate::output::data(page().trim_end());
}

fn page() -> String {
    let command = crate::cli::command();
    let mut out = HEAD.to_string();
    section(&mut out, "Everywhere", None, command.get_arguments().filter(|a| a.is_global_set()));
    for sub in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        describe(&mut out, sub, "pinxit");
    }
    out
}

fn describe(out: &mut String, command: &Command, path: &str) {
    let path = format!("{path} {}", command.get_name());
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string().replace("Usage: ", "");
    let about = format!("{about}\n\n```text\n{}\n```", usage.trim());
    section(out, &format!("`{path}`"), Some(&about), command.get_arguments().filter(|a| !a.is_global_set()));
    if let Some(examples) = command.get_after_help() {
        // Writing into a String cannot fail.
        let _ = write!(out, "\n```text\n{}\n```\n", examples.to_string().trim_end());
    }
    for sub in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        describe(out, sub, &path);
    }
}

fn section<'a>(out: &mut String, title: &str, about: Option<&str>, args: impl Iterator<Item = &'a Arg>) {
    let _ = write!(out, "\n## {title}\n");
    if let Some(about) = about {
        let _ = write!(out, "\n{about}\n");
    }
    let rows: Vec<String> = args.filter(|a| !a.is_hide_set() && !is_standard(a)).map(row).collect();
    if !rows.is_empty() {
        let _ = write!(out, "\n| option | variable | what it does |\n|---|---|---|\n{}\n", rows.join("\n"));
    }
}

fn is_standard(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

fn row(arg: &Arg) -> String {
    let takes = arg.get_action().takes_values();
    let values = arg.get_value_names().unwrap_or_default().iter().map(|v| v.to_string()).collect::<Vec<_>>().join(" ");
    let mut name = match (arg.get_short(), arg.get_long()) {
        (Some(s), Some(l)) => format!("-{s}, --{l}"),
        (None, Some(l)) => format!("--{l}"),
        _ => String::new(),
    };
    for alias in arg.get_visible_aliases().unwrap_or_default() {
        let _ = write!(name, ", --{alias}");
    }
    if takes && arg.get_long().is_some() {
        let _ = write!(name, " {values}");
    } else if takes {
        name = values;
    }
    let variable = arg.get_env().map(|v| format!("`{}`", v.to_string_lossy())).unwrap_or_default();
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> = arg.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
    if !defaults.is_empty() && takes {
        let _ = write!(help, " (default: {})", defaults.join(" "));
    }
    format!("| `{name}` | {variable} | {} |", help.replace('|', "\\|").replace('\n', " "))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_names_every_command() {
        let page = super::page();
        for command in ["import", "train", "generate", "evaluate", "datasets show", "runs remove", "doctor", "demo", "man"] {
            assert!(page.contains(&format!("## `pinxit {command}`")), "{command}\n{page}");
        }
        assert!(page.contains("`PINXIT_TRAIN_KIMG`") && !page.contains("cli-reference"));
        assert!(page.contains("| `--psi, --trunc PSI` |"), "{page}");
    }
}
