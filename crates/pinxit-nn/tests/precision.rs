//! What bf16 costs a picture.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
use pinxit_nn::{Generator, Labels, Model};
use pinxit_tensor::{Precision, Rng, Tensor, with_precision};

const PICTURES: usize = 32;
/// Rounding of the products nobody sees: 45 dB is an error of 1.4 in 255, less than a step of most screens.
const LEAST_DB: f64 = 45.0;

/// Of numbers in -1..1, so with a peak of 2. Eight bits would hide errors below half a step.
fn psnr_db(a: &[f32], b: &[f32]) -> f64 {
    let square = |(a, b): (&f32, &f32)| f64::from(a.clamp(-1.0, 1.0) - b.clamp(-1.0, 1.0)).powi(2);
    let mean = a.iter().zip(b).map(square).sum::<f64>() / a.len() as f64;
    10.0 * (4.0 / mean).log10()
}

/// Pictures of the shipped model in f32 and in bf16 (imitated where the processor lacks it), `together` at a time.
fn both(together: usize) -> [Vec<f32>; 2] {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models/base-64.safetensors");
    let model = Model::load(&path).unwrap();
    let (g, classes) = (Generator::new(model.generator.clone()), model.generator.classes as u32);
    let plan = g.plan(&model.weights);
    let paint = |first: usize| {
        let z: Tensor = Rng::stream(first as u64, "latents").normal_tensor(&[together, g.config.z_dim]);
        let class = (first..first + together).map(|i| i as u32 % (classes + 1)).collect();
        g.generate(&plan, &z, &Labels::new(class, vec![0; together])).to_vec()
    };
    [Precision::F32, Precision::Bf16].map(|p| with_precision(p, || (0..PICTURES).step_by(together).flat_map(paint).collect()))
}

/// One at a time more of a picture is multiplied in bf16: Winograd's form in f32 wants larger maps or more of them.
#[test]
fn pictures_in_bf16_are_those_in_f32() {
    for together in [PICTURES, 1] {
        let [exact, rounded] = both(together);
        assert!(exact != rounded, "bf16 was not used");
        let each = exact.len() / PICTURES;
        let worst = exact.chunks(each).zip(rounded.chunks(each)).map(|(a, b)| psnr_db(a, b)).fold(f64::INFINITY, f64::min);
        let said = format!("{:.1} dB over {PICTURES} pictures painted {together} at a time", psnr_db(&exact, &rounded));
        println!("{said}, {worst:.1} dB for the worst");
        assert!(worst >= LEAST_DB, "{said}, {worst:.1} dB for the worst");
    }
}
