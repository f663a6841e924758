//! Each dense convolution beside oneDNN's, on one thread.
use super::Plan;
use super::page::Section;
use super::peers::Peers;
use super::run::{Reports, Side, in_turns};
use super::table::{Table, ratio};
use anyhow::{Context, Result};
use serde_json::Value;

const PASSES: [&str; 3] = ["forward", "input", "weight"];

/// One instruction set and precision on both sides.
struct Match {
    title: &'static str,
    /// What `kernel_speed` calls it.
    set: &'static str,
    /// Instruction set and precision as the peak has them: without that line the processor cannot run it.
    needs: (&'static str, &'static str),
    dtype: &'static str,
    env: &'static [(&'static str, &'static str)],
}

const MATCHES: &[Match] = &[
    Match { title: "Kernels beside oneDNN: f32", set: "f32", needs: ("avx512", "f32"), dtype: "f32", env: &[] },
    Match { title: "Kernels beside oneDNN: bf16", set: "bf16", needs: ("avx512", "bf16"), dtype: "bf16", env: &[] },
    Match {
        title: "Kernels beside oneDNN: f32 on AVX2",
        set: "avx2",
        needs: ("avx2", "f32"),
        dtype: "f32",
        env: &[("ONEDNN_MAX_CPU_ISA", "AVX2")],
    },
];

/// A section for each match that this processor can run.
pub fn measure(plan: &Plan, peers: &Peers) -> Result<Vec<Section>> {
    let peaks = super::peak::side().call()?;
    let can = |(set, precision): (&str, &str)| {
        peaks["peaks"].as_array().into_iter().flatten().any(|p| p["set"] == set && p["precision"] == precision)
    };
    MATCHES.iter().filter(|m| can(m.needs)).map(|m| play(plan, peers, m)).collect()
}

fn play(plan: &Plan, peers: &Peers, m: &Match) -> Result<Section> {
    let ours = || Side::example("kernel_speed", &[plan.kernels, "1", m.set, "--json"]);
    let shapes = ours().call()?["kernels"].clone();
    let theirs = peers.script("bench_kernels.py", &["--dtype", m.dtype, "--shapes", &shapes.to_string()]).with_env(m.env);
    let [ours, theirs] = in_turns(plan.rounds, [ours(), theirs])?;
    let mut table =
        Table::new(1, &["shape", "forward", "oneDNN", "ratio", "input", "oneDNN", "ratio", "weight", "oneDNN", "ratio"]);
    for shape in shapes.as_array().context("kernel_speed told no kernels")? {
        let mut row = vec![shape["name"].as_str().unwrap_or_default().to_string()];
        for pass in PASSES {
            if pass == "weight" && frozen(&row[0]) {
                row.extend(["–", "–", "–"].map(String::from));
                continue;
            }
            let (our, their) = (speed(&ours, &shape["name"], pass)?, speed(&theirs, &shape["name"], pass)?);
            row.extend([format!("{our:.0}"), format!("{their:.0}"), ratio(our / their, true)]);
        }
        table.row(&row);
    }
    Ok(Section { title: m.title, says: says(m, plan), tables: vec![table] })
}

/// Whether this is a shape of the frozen feature network alone, whose weights no step asks a gradient of.
fn frozen(name: &str) -> bool {
    ["1x1 16>96", "1x1 96>576", "rgb/2"].iter().any(|shape| name.starts_with(shape))
}

/// Median GFLOP/s of a pass on a shape.
fn speed(reports: &Reports, name: &Value, pass: &str) -> Result<f64> {
    reports.median_of(|report| report["kernels"].as_array()?.iter().find(|k| &k["name"] == name)?[pass].as_f64())
}

fn says(m: &Match, plan: &Plan) -> String {
    let also = match m.set {
        "bf16" => " PyTorch's maps are bf16 already; ours are f32 and rounded on the way.",
        "avx2" => " oneDNN is kept to AVX2 by `ONEDNN_MAX_CPU_ISA=AVX2`.",
        _ => "",
    };
    format!(
        "GFLOP/s as the direct way counts them, one thread, over the time the thread computes; median of {} calls. oneDNN as\n\
         PyTorch calls it, channels_last; gradients of input and weights each by themselves. A name tells side, channels in > out,\n\
         batch (32 where it is not said).{also}\n\n\
         A call, ours and theirs (SHAPES are the `kernels` that ours prints):\n\n    \
         target/release/examples/kernel_speed \"\" 1 {} --json\n    \
         python benches/peers/bench_kernels.py --dtype {} --shapes SHAPES",
        plan.rounds, m.set, m.dtype
    )
}
