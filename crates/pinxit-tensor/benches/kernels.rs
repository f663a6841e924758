//! Every kernel on the shapes that matter: `cargo bench -p pinxit-tensor --bench kernels -- "16x16 128"`. Reported per multiply-add, on the fastest
//! instruction set and all threads; `kernel_speed` has the other sets, and a clock that neighbours disturb less.
#[path = "../examples/cases/mod.rs"]
mod cases;

use cases::{Case, PASSES, SHAPES, noise};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pinxit_tensor::kernels::Kernels;

fn convolutions(c: &mut Criterion) {
    for &(name, shape, depthwise) in SHAPES {
        let mut case = Case::new(shape, depthwise);
        // A slash would begin a new level of criterion's folders.
        let mut group = c.benchmark_group(name.replace('/', " stride "));
        group.sample_size(10).throughput(Throughput::Elements(case.macs() as u64));
        for pass in PASSES {
            group.bench_function(pass, |b| b.iter(|| case.run(pass)));
        }
    }
}

fn products(c: &mut Criterion) {
    let mut group = c.benchmark_group("product");
    group.sample_size(10);
    for (m, k, n) in [(512, 512, 512), (32, 512, 256)] {
        let (a, b, mut to) = (noise(m * k), noise(k * n), vec![0.0; m * n]);
        group.throughput(Throughput::Elements((m * k * n) as u64));
        for (name, turn_a, turn_b) in [("plain", false, false), ("b turned", false, true), ("a turned", true, false)] {
            let name = format!("{m}x{k} by {k}x{n}, {name}");
            group.bench_function(name, |bench| bench.iter(|| f32::matmul(m, k, n, &a, turn_a, &b, turn_b, &mut to)));
        }
    }
}

criterion_group!(kernels, convolutions, products);
criterion_main!(kernels);
