//! Prints GFLOP/s of every kernel on the shapes that matter.
//! `kernel_speed [filter] [threads] [portable|neon|avx2|avx512|f32|bf16] [--json]`.
mod cases;

use cases::{Case, PASSES, SHAPES, Shape, noise};
use pinxit_tensor::kernels::{Isa, Kernels, Precision, with_precision};
use pinxit_tensor::{cpu, set_isa, set_threads, threads};
use std::time::{Duration, Instant};

/// Time this thread has computed: on a shared machine the wall clock measures the neighbours.
fn own_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

/// GFLOP/s (two operations a multiply-add): on one thread the mean over its own time, else the fastest of several runs.
fn speed(macs: usize, mut f: impl FnMut()) -> f64 {
    f();
    let (begin, own, mut best, mut runs) = (Instant::now(), own_time(), Duration::MAX, 0);
    while runs < 3 || begin.elapsed() < Duration::from_millis(300) {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed());
        runs += 1;
    }
    if let (1, Some(before), Some(after)) = (threads(), own, own_time()) {
        best = (after - before) / runs;
    }
    2.0 * macs as f64 / best.as_secs_f64() / 1e9
}

/// GFLOP/s of the three passes.
fn measure(&(_, shape, depthwise): &Shape) -> [f64; 3] {
    let mut case = Case::new(shape, depthwise);
    PASSES.map(|pass| speed(case.macs(), || case.run(pass)))
}

fn measure_product(m: usize, k: usize, n: usize) {
    let (a, b, mut c) = (noise(m * k), noise(k * n), vec![0.0; m * n]);
    let name = format!("{m}x{k} by {k}x{n}");
    let plain = speed(m * k * n, || f32::matmul(m, k, n, &a, false, &b, false, &mut c));
    let right = speed(m * k * n, || f32::matmul(m, k, n, &a, false, &b, true, &mut c));
    let left = speed(m * k * n, || f32::matmul(m, k, n, &a, true, &b, false, &mut c));
    println!("{name:22} {plain:8.1} {right:8.1} {left:8.1}");
}

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let json = words.iter().any(|word| word == "--json");
    words.retain(|word| word != "--json");
    let filter = words.first().map_or("", String::as_str);
    set_threads(words.get(1).and_then(|t| t.parse().ok()).unwrap_or(0));
    let set = words.get(2).map_or("", String::as_str);
    choose(set);
    let precision = if set == "bf16" { Precision::Bf16 } else { Precision::F32 };
    with_precision(precision, || if json { report(filter) } else { table(filter) });
}

/// Figures of another set than the one asked for would be taken for its own.
fn choose(set: &str) {
    let can = match set {
        "portable" => set_isa(Isa::Portable),
        "neon" => set_isa(Isa::Neon),
        "avx2" => set_isa(Isa::Avx2),
        "bf16" => Precision::Bf16.native(),
        "avx512" => set_isa(Isa::Avx512),
        "" | "f32" => true,
        _ => panic!("no set {set}"),
    };
    assert!(can, "this processor has no {set}");
}

fn table(filter: &str) {
    println!("{}\n{:22} {:>8} {:>8} {:>8}  GFLOP/s", cpu(), "", "forward", "input", "weight");
    for shape in SHAPES.iter().filter(|shape| shape.0.contains(filter)) {
        let [forward, input, weight] = measure(shape);
        println!("{:22} {forward:8.1} {input:8.1} {weight:8.1}", shape.0);
    }
    if "product".contains(filter) {
        println!("{:22} {:>8} {:>8} {:>8}", "product", "plain", "b turned", "a turned");
        measure_product(512, 512, 512);
        measure_product(32, 512, 256);
    }
}

/// The dense convolutions as one JSON line, shapes included, so that another program can be timed on the same.
fn report(filter: &str) {
    let one = |shape: &Shape| {
        let ([forward, input, weight], name, size) = (measure(shape), shape.0, shape.1);
        format!(r#"{{"name":"{name}","shape":{size:?},"forward":{forward:.1},"input":{input:.1},"weight":{weight:.1}}}"#)
    };
    let kernels: Vec<String> = SHAPES.iter().filter(|s| !s.2 && s.0.contains(filter)).map(one).collect();
    println!(r#"{{"cpu":"{}","kernels":[{}]}}"#, cpu(), kernels.join(","));
}
