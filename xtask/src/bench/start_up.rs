//! How soon `pinxit generate` has a picture, process start included.
use super::Plan;
use super::page::Section;
use super::peers::Peers;
use super::run::{Side, median};
use super::table::Table;
use anyhow::Result;
use std::time::Instant;

const MODEL: &str = "assets/models/base-64.safetensors";
const FOLDER: &str = "target/start-up";
/// Calls a round: they are short, and the first find cold files.
const CALLS: usize = 5;

pub fn measure(plan: &Plan, peers: &Peers) -> Result<Section> {
    let generate = |more| Side::new("target/release/pinxit", &["generate", MODEL, "--seeds", "0", "-o", FOLDER, more]);
    let sides = [
        ("`pinxit generate --dry-run`: settings and model read, nothing painted", generate("--dry-run")),
        ("`pinxit generate`: one picture painted, encoded and on disk", generate("--overwrite")),
        ("PyTorch: `import torch`", peers.python("import torch")),
        ("ONNX Runtime: `import onnxruntime`", peers.python("import onnxruntime")),
    ];
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..plan.rounds * CALLS {
        for ((_, side), times) in sides.iter().zip(&mut times) {
            let start = Instant::now();
            side.output()?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    let mut table = Table::new(1, &["what", "ms"]);
    for ((what, _), times) in sides.iter().zip(times) {
        table.row(&[what.to_string(), format!("{:.0}", median(times)?)]);
    }
    let says = format!(
        "From the start of the process to its end, on `{MODEL}`, median of {} calls in turns. The dry run does all that comes before the\n\
         first kernel; the imports are what a Python program spends before it begins.",
        plan.rounds * CALLS
    );
    Ok(Section { title: "Start-up", says, tables: vec![table] })
}
