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

/// Prints a few comparisons of one round.
pub fn quick() -> Result<()> {
    let plan = Plan { rounds: 1, seconds: "1", presets: vec!["xs-64"], kernels: "16x16" };
    print!("\n{}", measure(&plan, "cargo xtask bench --quick")?);
    Ok(())
}

/// Makes every comparison, of all presets or of those named (commas between), and writes `docs/benchmarks.md`.
pub fn run(rounds: usize, names: &str) -> Result<()> {
    let named: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = named.iter().find(|name| !PRESETS.contains(name)) {
        bail!("no preset {unknown:?}; there are {PRESETS:?}");
    }
    let presets = PRESETS.iter().copied().filter(|preset| named.is_empty() || named.contains(preset)).collect();
    let only = if named.is_empty() { String::new() } else { format!(" --presets {names}") };
    let plan = Plan { rounds, seconds: "3", presets, kernels: "" };
    let page = measure(&plan, &format!("cargo xtask bench --rounds {rounds}{only}"))?;
    let path = shell::root().join("docs/benchmarks.md");
    std::fs::write(&path, page).with_context(|| path.display().to_string())?;
    println!("wrote docs/benchmarks.md");
    Ok(())
}

fn measure(plan: &Plan, command: &str) -> Result<String> {
    let load = page::load();
    let peers = Peers::set_up()?;
    build(PROGRAMS)?;
    let mut sections = vec![peak::measure(plan.rounds)?, training::measure(plan, &peers)?, painting::measure(plan, &peers)?];
    sections.extend(kernels::measure(plan, &peers)?);
    sections.push(start_up::measure(plan, &peers)?);
    if instructions::possible() {
        sections.push(instructions::measure()?);
    }
    Ok(page::page(command, &load, &sections)?)
}

/// What is built of ours: the program, and an example for each comparison.
const PROGRAMS: &str =
    "-p pinxit --bin pinxit -p pinxit-train --example speed -p pinxit-tensor --example peak --example kernel_speed";

/// Builds what `selected` names, in cargo's words.
fn build(selected: &str) -> Result<()> {
    let args: Vec<&str> = ["build", "--release", "--locked"].into_iter().chain(selected.split(' ')).collect();
    shell::step("build", &shell::cargo(), &args)
}
