//! Painting beside ONNX Runtime and PyTorch: one picture, and many at once.
use super::page::Section;
use super::peers::Peers;
use super::run::{Reports, Side, in_turns};
use super::table::{Table, ratio};
use super::{Plan, THREADS};
use anyhow::Result;

/// Pictures at once, what is told of them, and its unit: how long one takes, how many a second.
const CASES: &[(&str, &str, &str)] = &[("1", "milliseconds_per_step", "ms"), ("32", "images_per_second", "img/s")];

pub fn measure(plan: &Plan, peers: &Peers) -> Result<Section> {
    let head =
        ["preset", "what", "unit", "pinxit", "ONNX Runtime", "PyTorch", "÷ ONNX Runtime", "÷ PyTorch", "MiB", "PyTorch MiB"];
    let mut table = Table::new(3, &head);
    for &preset in &plan.presets {
        for &(batch, key, unit) in CASES {
            let ask = ["--preset", preset, "--batch", batch, "--seconds", plan.seconds, "--threads", THREADS];
            let ours = Side::example("speed", &[&ask[..], &["--mode", "generate", "--precision", "f32"]].concat());
            let ort = peers.script("bench_ort.py", &ask);
            let torch = peers.script("bench_train.py", &[&ask[..], &["--mode", "generate", "--dtype", "f32"]].concat());
            let [ours, ort, torch] = in_turns(plan.rounds, [ours, ort, torch])?;
            let figures = [ours.median(key)?, ort.median(key)?, torch.median(key)?];
            let mut row = vec![preset.to_string(), format!("paint {batch}"), unit.to_string()];
            row.extend(figures.map(|figure| format!("{figure:.1}")));
            row.extend([ratio(figures[0] / figures[1], true), ratio(figures[0] / figures[2], false)]);
            row.extend([mib(&ours)?, mib(&torch)?]);
            table.row(&row);
        }
    }
    Ok(Section { title: "Painting", says: says(plan), tables: vec![table] })
}

fn mib(reports: &Reports) -> Result<String> {
    Ok(format!("{:.0}", reports.median("peak_memory_mib")?))
}

fn says(plan: &Plan) -> String {
    format!(
        "The generator in f32 on {THREADS} threads, median of {rounds} calls of {seconds} s each: how long one picture takes, and pictures a\n\
         second of many at once. ONNX Runtime runs the graph that torch.onnx exports for that batch; its pictures are checked against\n\
         PyTorch's. For ms less is better, for img/s more.\n\n\
         A call, ours and theirs:\n\n    \
         target/release/examples/speed --preset xs-64 --mode generate --batch 1 --seconds {seconds} --threads {THREADS} --precision f32\n    \
         python benches/peers/bench_ort.py --preset xs-64 --batch 1 --seconds {seconds} --threads {THREADS}\n    \
         python benches/peers/bench_train.py --preset xs-64 --mode generate --batch 1 --seconds {seconds} --threads {THREADS} --dtype f32",
        rounds = plan.rounds,
        seconds = plan.seconds
    )
}
