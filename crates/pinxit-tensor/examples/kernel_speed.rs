//! Prints GFLOP/s of every kernel on the shapes that matter. `kernel_speed [filter] [threads] [portable|avx2|avx512|bf16]`.
use pinxit_tensor::kernels::{Conv, Isa, Kernels, Precision, with_precision};
use pinxit_tensor::{cpu, set_isa, set_threads, threads};
use std::time::{Duration, Instant};

/// Name, `[n, h, w, ci, co, k, stride, pad]`, depthwise.
const SHAPES: &[(&str, [usize; 8], bool)] = &[
    ("8x8 256>256", [32, 8, 8, 256, 256, 3, 1, 1], false),
    ("16x16 128>128", [32, 16, 16, 128, 128, 3, 1, 1], false),
    ("32x32 64>64", [32, 32, 32, 64, 64, 3, 1, 1], false),
    ("64x64 32>32", [32, 64, 64, 32, 32, 3, 1, 1], false),
    ("4x4 160>160", [32, 4, 4, 160, 160, 3, 1, 1], false),
    ("4x4/2 64>64 at 32", [32, 32, 32, 64, 64, 4, 2, 1], false),
    ("1x1 160>128 at 8", [32, 8, 8, 160, 128, 1, 1, 0], false),
    ("rgb 3>32 at 64", [32, 64, 64, 3, 32, 3, 1, 1], false),
    ("8x8 128>128 of 8", [8, 8, 8, 128, 128, 3, 1, 1], false),
    ("16x16 96>96 of 8", [8, 16, 16, 96, 96, 3, 1, 1], false),
    ("32x32 64>64 of 8", [8, 32, 32, 64, 64, 3, 1, 1], false),
    ("4x4 160>160 of 8", [8, 4, 4, 160, 160, 3, 1, 1], false),
    ("4x4 33>32 of 16", [16, 4, 4, 33, 32, 3, 1, 1], false),
    ("4x4/2 32>32 at 8", [16, 8, 8, 32, 32, 4, 2, 1], false),
    ("4x4/2 32>32 at 16", [16, 16, 16, 32, 32, 4, 2, 1], false),
    ("4x4/2 32>32 at 32", [16, 32, 32, 32, 32, 4, 2, 1], false),
    ("1x1 64>32 at 32 of 8", [8, 32, 32, 64, 32, 1, 1, 0], false),
    ("1x1 16>96 at 32 of 8", [8, 32, 32, 16, 96, 1, 1, 0], false),
    ("1x1 96>576 at 4 of 8", [8, 4, 4, 96, 576, 1, 1, 0], false),
    ("rgb 32>3 at 64 of 8", [8, 64, 64, 32, 3, 1, 1, 0], false),
    ("rgb/2 3>32 at 64 of 8", [8, 64, 64, 3, 32, 3, 2, 1], false),
    ("one 16x16 128>128", [1, 16, 16, 128, 128, 3, 1, 1], false),
    ("depthwise 96 at 32", [32, 32, 32, 96, 96, 3, 1, 1], true),
    ("depthwise 96 small", [1, 32, 32, 96, 96, 3, 1, 1], true),
    ("depthwise/2 96 at 32", [32, 32, 32, 96, 96, 3, 2, 1], true),
];

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

fn noise(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919) % 1013) as f32 / 506.5 - 1.0).collect()
}

/// One kernel: geometry, two operands, result.
type Pass = fn(&Conv, &[f32], &[f32], &mut [f32]);

fn measure(name: &str, [n, h, w, ci, co, k, stride, pad]: [usize; 8], depthwise: bool) {
    let g = Conv { n, h, w, ci, co, kh: k, kw: k, stride, pad };
    let (mut x, mut y) = (noise(n * h * w * ci), noise(n * g.ho() * g.wo() * co));
    let mut weights = noise(k * k * ci * if depthwise { 1 } else { co });
    let macs = g.macs() / if depthwise { co } else { 1 };
    let passes: [Pass; 3] = if depthwise {
        [f32::depthwise, f32::depthwise_input_grad, f32::depthwise_weight_grad]
    } else {
        [f32::conv, f32::conv_input_grad, f32::conv_weight_grad]
    };
    let forward = speed(macs, || passes[0](&g, &x, &weights, &mut y));
    let input = speed(macs, || passes[1](&g, &y, &weights, &mut x));
    let weight = speed(macs, || passes[2](&g, &x, &y, &mut weights));
    println!("{name:22} {forward:8.1} {input:8.1} {weight:8.1}");
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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filter = arguments.first().map_or("", String::as_str);
    set_threads(arguments.get(1).and_then(|t| t.parse().ok()).unwrap_or(0));
    match arguments.get(2).map(String::as_str) {
        Some("portable") => _ = set_isa(Isa::Portable),
        Some("avx2") => _ = set_isa(Isa::Avx2),
        _ => {}
    }
    let precision = if arguments.get(2).is_some_and(|a| a == "bf16") { Precision::Bf16 } else { Precision::F32 };
    with_precision(precision, || table(filter));
}

fn table(filter: &str) {
    println!("{}\n{:22} {:>8} {:>8} {:>8}  GFLOP/s", cpu(), "", "forward", "input", "weight");
    SHAPES.iter().filter(|s| s.0.contains(filter)).for_each(|&(name, shape, depthwise)| measure(name, shape, depthwise));
    if "product".contains(filter) {
        println!("{:22} {:>8} {:>8} {:>8}", "product", "plain", "b turned", "a turned");
        measure_product(512, 512, 512);
        measure_product(32, 512, 256);
    }
}
