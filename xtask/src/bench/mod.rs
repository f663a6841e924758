//! `cargo xtask bench`: ours and the peers alternate in one run; the figures become `docs/benchmarks.md`.
//!
//! Read in this order: `run` (calling programs in turns), one file for each comparison, `page` (what is written).
pub mod instructions;
mod kernels;
mod page;
mod painting;
mod peak;
mod peers;
mod run;
mod start_up;
mod table;
mod training;

use crate::shell;
use anyhow::{Context, Result, bail};
use page::Section;
use peers::Peers;

const PRESETS: &[&str] = &["xs-32", "xs-64", "s-64", "xs-128", "s-128"];
/// Threads of both sides.
const THREADS: &str = "2";

/// How often each side is called, for how long, and on what.
struct Plan {
    rounds: usize,
    seconds: &'static str,
    presets: Vec<&'static str>,
    /// Part of the names of the kernels that are measured.
    kernels: &'static str,
}

/// What can be measured by itself, in the order of the page.
const PARTS: &[&str] = &["peak", "training", "painting", "kernels", "start-up", "instructions"];

/// Prints a few comparisons of one round.
pub fn quick() -> Result<()> {
    let plan = Plan { rounds: 1, seconds: "1", presets: vec!["xs-64"], kernels: "16x16" };
    let (load, peers) = (page::load(), prepared()?);
    for part in PARTS {
        measure(part, &plan, &peers)?.iter().for_each(|s| print!("{}", page::section(s, "cargo xtask bench --quick", &load)));
    }
    Ok(())
}

/// `[--rounds N] [--presets A,B] [--parts A,B]`: measures and writes `docs/benchmarks.md`, section by section, so that a run cut short
/// keeps what it has.
pub fn run(words: &[&str]) -> Result<()> {
    let (mut rounds, mut presets, mut parts) = (5, PRESETS.to_vec(), PARTS.to_vec());
    for pair in words.chunks(2) {
        match pair {
            ["--rounds", n] => rounds = n.parse()?,
            ["--presets", names] => presets = among(PRESETS, names)?,
            ["--parts", names] => parts = among(PARTS, names)?,
            other => bail!("bench does not know {other:?}"),
        }
    }
    let command = ["cargo xtask bench", &words.join(" ")].join(" ").trim_end().to_string();
    let plan = Plan { rounds, seconds: "3", presets, kernels: "" };
    let (load, peers, path) = (page::load(), prepared()?, shell::root().join("docs/benchmarks.md"));
    for part in parts {
        for section in measure(part, &plan, &peers)? {
            let page = std::fs::read_to_string(&path).unwrap_or_default();
            let page = page::with_section(&page, &page::section(&section, &command, &load));
            std::fs::write(&path, page).with_context(|| path.display().to_string())?;
            println!("wrote \"{}\" to docs/benchmarks.md", section.title);
        }
    }
    Ok(())
}

/// Those of `all` that are named, commas between.
fn among<'a>(all: &[&'a str], names: &str) -> Result<Vec<&'a str>> {
    let known = |name: &str| all.iter().copied().find(|known| *known == name);
    names.split(',').map(|name| known(name).with_context(|| format!("no {name:?}; there are {all:?}"))).collect()
}

/// The peers, with ours built.
fn prepared() -> Result<Peers> {
    let peers = Peers::set_up()?;
    build(PROGRAMS)?;
    Ok(peers)
}

fn measure(part: &str, plan: &Plan, peers: &Peers) -> Result<Vec<Section>> {
    Ok(match part {
        "peak" => vec![peak::measure(plan.rounds)?],
        "training" => vec![training::measure(plan, peers)?],
        "painting" => vec![painting::measure(plan, peers)?],
        "kernels" => kernels::measure(plan, peers)?,
        "start-up" => vec![start_up::measure(plan, peers)?],
        _ if instructions::possible() => vec![instructions::measure()?],
        _ => Vec::new(),
    })
}

/// What is built of ours: the program, and an example for each comparison.
const PROGRAMS: &str =
    "-p pinxit --bin pinxit -p pinxit-train --example speed -p pinxit-tensor --example peak --example kernel_speed";

/// Builds what `selected` names, in cargo's words.
fn build(selected: &str) -> Result<()> {
    let args: Vec<&str> = ["build", "--release", "--locked"].into_iter().chain(selected.split(' ')).collect();
    shell::step("build", &shell::cargo(), &args)
}
