//! One training step beside PyTorch's.
use super::page::Section;
use super::peers::Peers;
use super::run::{Reports, Side, in_turns};
use super::table::{Table, percent, ratio};
use super::{Plan, THREADS, peak};
use anyhow::Result;

/// Discriminator, and pictures a step as the defaults have it.
const MODES: &[(&str, &str)] = &[("projected", "8"), ("own", "32")];

/// The four sides of a case, ours on one thread, and the processor's peak meanwhile.
struct Case {
    f32: Reports,
    bf16: Reports,
    one_thread: Reports,
    peak: Reports,
    torch_f32: Reports,
    torch_bf16: Reports,
}

pub fn measure(plan: &Plan, peers: &Peers) -> Result<Section> {
    let mut speed = Table::new(
        2,
        &["preset", "what", "f32", "bf16", "PyTorch f32", "PyTorch bf16", "f32 ÷ f32", "f32 ÷ bf16", "bf16 ÷ f32", "bf16 ÷ bf16"],
    );
    let mut rest = Vec::new();
    for &preset in &plan.presets {
        for &(mode, batch) in MODES {
            let case = case(plan, peers, &["--preset", preset, "--mode", mode, "--batch", batch])?;
            let what = [preset.to_string(), format!("{mode}, batch {batch}")];
            speed.row(&speeds(&what, &case)?);
            rest.push(costs(&what, &case)?);
        }
    }
    let head = [
        "preset",
        "what",
        "f32 GFLOP/s",
        "of the peak",
        "bf16 GFLOP/s",
        "of the peak",
        "threads 1 → 2",
        "f32 MiB",
        "bf16 MiB",
        "PyTorch f32 MiB",
        "PyTorch bf16 MiB",
    ];
    let mut cost = Table::new(2, &head);
    rest.iter().for_each(|row| cost.row(row));
    Ok(Section { title: "Training", says: says(plan), tables: vec![speed, cost] })
}

fn case(plan: &Plan, peers: &Peers, what: &[&str]) -> Result<Case> {
    let ask = [what, &["--seconds", plan.seconds, "--threads"]].concat();
    let ours = |precision, threads| Side::example("speed", &[&ask[..], &[threads, "--precision", precision]].concat());
    let torch = |dtype| peers.script("bench_train.py", &[&ask[..], &[THREADS, "--dtype", dtype]].concat());
    let sides = [ours("f32", THREADS), torch("f32"), ours("bf16", THREADS), torch("bf16"), ours("f32", "1"), peak::side()];
    let [f32, torch_f32, bf16, torch_bf16, one_thread, peak] = in_turns(plan.rounds, sides)?;
    Ok(Case { f32, bf16, one_thread, peak, torch_f32, torch_bf16 })
}

/// Pictures a second and their ratios; those of the default precision are bold.
fn speeds(what: &[String; 2], case: &Case) -> Result<Vec<String>> {
    let speed = |reports: &Reports| reports.median("images_per_second");
    let (f32, bf16) = (speed(&case.f32)?, speed(&case.bf16)?);
    let (torch_f32, torch_bf16) = (speed(&case.torch_f32)?, speed(&case.torch_bf16)?);
    let default = &case.f32.last()?["default_precision"];
    let mut row = what.to_vec();
    row.extend([f32, bf16, torch_f32, torch_bf16].map(|speed| format!("{speed:.1}")));
    row.extend([torch_f32, torch_bf16].map(|peer| ratio(f32 / peer, default == "f32")));
    row.extend([torch_f32, torch_bf16].map(|peer| ratio(bf16 / peer, default == "bf16")));
    Ok(row)
}

/// GFLOP/s and its share of the peak in both precisions, what a second thread brings, and peak memory.
fn costs(what: &[String; 2], case: &Case) -> Result<Vec<String>> {
    let mut row = what.to_vec();
    for (side, precision) in [(&case.f32, "f32"), (&case.bf16, "bf16")] {
        let speed = side.median("gflops_per_second")?;
        row.push(format!("{speed:.0}"));
        row.push(peak::of(&case.peak, precision).map_or("–".into(), |peak| percent(speed / peak)));
    }
    row.push(ratio(case.f32.median("images_per_second")? / case.one_thread.median("images_per_second")?, false));
    for side in [&case.f32, &case.bf16, &case.torch_f32, &case.torch_bf16] {
        row.push(format!("{:.0}", side.median("peak_memory_mib")?));
    }
    Ok(row)
}

fn says(plan: &Plan) -> String {
    format!(
        "Pictures a second on {THREADS} threads, median of {rounds} calls of {seconds} s each (at least one step), each preset with the batch\n\
         that is the discriminator's default. `own` is the piecewise-linear discriminator with exact R1 + R2 every step (PyTorch by double\n\
         backward), `projected` the default recipe (on PyTorch's side without the energy distance, a little less work). bf16 rounds the\n\
         factors of dense convolutions where that is the fastest way, on processors that have it; weights and sums stay f32 (PyTorch by\n\
         autocast). PyTorch runs channels_last with fused Adam. Ratios are ours ÷ theirs, those of the default precision bold.\n\
         GFLOP/s count the convolutions and matrix products of a whole step as the direct way computes them (Winograd multiplies less, so\n\
         that a share may pass 100 %), over the time of all of it.\n\n\
         A call, ours and theirs:\n\n    \
         target/release/examples/speed --preset xs-64 --mode own --batch 32 --seconds {seconds} --threads {THREADS} --precision f32\n    \
         python benches/peers/bench_train.py --preset xs-64 --mode own --batch 32 --seconds {seconds} --threads {THREADS} --dtype f32",
        rounds = plan.rounds,
        seconds = plan.seconds
    )
}
