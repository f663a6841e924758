//! Speed as ratios: ours and the peer alternate in one run, so that a busy machine slows both.
use crate::shell;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fmt::Write;

const PRESETS: &[&str] = &["xs-32", "xs-64", "s-64", "xs-128", "s-128"];
/// What is timed, and how many pictures a step: training as the defaults have it, painting as contact sheets do.
const MODES: &[(&str, &str)] = &[("projected", "8"), ("own", "32"), ("generate", "32")];

/// How often each side is called, and for how long.
struct Plan {
    rounds: usize,
    seconds: &'static str,
    presets: &'static [&'static str],
}

/// Median pictures a second and peak memory of both sides in one case.
struct Row {
    preset: &'static str,
    mode: &'static str,
    ours: f64,
    peer: f64,
    our_mib: f64,
    peer_mib: f64,
}

/// Prints train and generate speed beside PyTorch; the full run (not `quick`) also writes `docs/benchmarks.md`.
pub fn run(quick: bool, rounds: usize) -> Result<()> {
    let presets = if quick { &["xs-64"] } else { PRESETS };
    let plan = Plan { rounds: if quick { 1 } else { rounds }, seconds: "3", presets };
    let python = shell::output("python3", &["benches/peers/setup.py", ".xtask/peers"])?;
    let python = python.lines().last().context("benches/peers/setup.py printed no Python")?.to_string();
    shell::step("build", &shell::cargo(), &["build", "--release", "--locked", "-p", "pinxit-train", "--example", "speed"])?;
    let mut rows = Vec::new();
    for &preset in plan.presets {
        for &(mode, batch) in MODES {
            let row = case(&plan, &python, preset, mode, batch)?;
            println!("{}", line(&row));
            rows.push(row);
        }
    }
    let page = page(&rows, &plan)?;
    if quick {
        print!("\n{page}");
        return Ok(());
    }
    let path = shell::root().join("docs/benchmarks.md");
    std::fs::write(&path, page).with_context(|| path.display().to_string())?;
    println!("wrote docs/benchmarks.md");
    Ok(())
}

/// Ours, peer, ours, peer …: the medians of each.
fn case(plan: &Plan, python: &str, preset: &'static str, mode: &'static str, batch: &str) -> Result<Row> {
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    let ask = ["--preset", preset, "--mode", mode, "--batch", batch, "--seconds", plan.seconds, "--threads", "2"];
    for _ in 0..plan.rounds {
        ours.push(measure("target/release/examples/speed", &ask)?);
        peer.push(measure(python, &[&["benches/peers/bench_train.py"], &ask[..]].concat())?);
    }
    let median = |runs: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| {
        let mut v: Vec<f64> = runs.iter().map(of).collect();
        v.sort_by(f64::total_cmp);
        v[v.len() / 2]
    };
    Ok(Row {
        preset,
        mode,
        ours: median(&ours, |r| r.0),
        peer: median(&peer, |r| r.0),
        our_mib: median(&ours, |r| r.1),
        peer_mib: median(&peer, |r| r.1),
    })
}

/// Pictures a second and peak memory (MiB) that a program reports of itself.
fn measure(program: &str, args: &[&str]) -> Result<(f64, f64)> {
    let said = shell::output(program, args)?;
    let last: Value =
        serde_json::from_str(said.lines().last().unwrap_or_default()).with_context(|| format!("{program} said {said:?}"))?;
    let number = |key: &str| last[key].as_f64().with_context(|| format!("{program} did not say {key}"));
    Ok((number("images_per_second")?, number("peak_memory_mib")?))
}

fn line(r: &Row) -> String {
    format!("{:<7} {:<10} {:>8.1} {:>8.1} {:>6.2}x", r.preset, r.mode, r.ours, r.peer, r.ours / r.peer)
}

fn page(rows: &[Row], plan: &Plan) -> Result<String> {
    let mut p = String::new();
    writeln!(p, "# Speed beside PyTorch\n")?;
    writeln!(p, "Made by `cargo xtask bench --rounds {}`; do not edit. {}\n", plan.rounds, machine())?;
    writeln!(
        p,
        "Pictures a second, two threads, f32 on both sides, median of {} calls of {} s each (at least one step), the two programs\n\
         called in turns; batch 8 for `projected`, its default, and 32 for the others. PyTorch runs channels_last with fused Adam.\n\
         `own` is the piecewise-linear discriminator with exact R1 + R2 every step (PyTorch by double backward), `generate` painting,\n\
         `projected` the default recipe (on PyTorch's side without the energy distance, a little less work).\n",
        plan.rounds, plan.seconds
    )?;
    writeln!(p, "| preset | what | pinxit | PyTorch | ratio | pinxit MiB | PyTorch MiB |\n|---|---|--:|--:|--:|--:|--:|")?;
    for r in rows {
        let ratio = r.ours / r.peer;
        writeln!(
            p,
            "| {} | {} | {:.1} | {:.1} | **{ratio:.2}×** | {:.0} | {:.0} |",
            r.preset, r.mode, r.ours, r.peer, r.our_mib, r.peer_mib
        )?;
    }
    Ok(p)
}

/// The class of machine, without its name.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| cpu.lines().find_map(|l| l.strip_prefix(name)?.split_once(':').map(|(_, v)| v.trim().to_string()));
    let wide = if cpu.contains("avx512f") { "AVX-512" } else { "no AVX-512" };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (model, family) = (field("model name").unwrap_or_else(|| "unknown CPU".into()), field("cpu family").unwrap_or_default());
    format!("Machine class: {cores} cores, {model} (family {family}, model {}), {wide}.", field("model\t\t").unwrap_or_default())
}
