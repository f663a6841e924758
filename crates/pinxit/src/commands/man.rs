//! `pinxit man`
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use pinxit_studio::{Result, event};
use serde_json::json;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit man ~/.local/share/man/man1";

/// Write manual pages, one a command
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ManArgs {
    /// Folder to write into
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

pub fn run(args: &ManArgs, context: &Context) -> Result<()> {
    pinxit_studio::paths::make_parent(&args.dir.join("page"))?;
    let command = crate::cli::command();
    let mut written = 0;
    write(&command, "pinxit", &args.dir, &mut written)?;
    if context.globals.json {
        output::data(&event::versioned(&json!({ "pages": written, "folder": args.dir })));
        return Ok(());
    }
    output::data(&format!("{written} pages in {}", args.dir.display()));
    context.next(&[format!("man -l {}", args.dir.join("pinxit.1").display())]);
    Ok(())
}

fn write(command: &Command, name: &str, dir: &Path, written: &mut usize) -> Result<()> {
    let mut page = Vec::new();
    let titled = command.clone().name(name.to_string()).bin_name(name.replace('-', " "));
    clap_mangen::Man::new(titled).render(&mut page)?;
    std::fs::write(dir.join(format!("{name}.1")), page)?;
    *written += 1;
    for sub in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        write(sub, &format!("{name}-{}", sub.get_name()), dir, written)?;
    }
    Ok(())
}
