//! Pictures a second of one training step, or of painting, as one JSON line: our side of `cargo xtask bench`.
//!
//!     cargo run --release -p pinxit-train --example speed -- --preset xs-64 --mode own --batch 32 --seconds 20 --threads 2 --precision bf16
use pinxit_nn::{
    FeatureNet, Generator, GeneratorConfig, Labels, OwnConfig, OwnDiscriminator, Preset, ProjectedDiscriminator, Weights,
};
use pinxit_tensor::{Array, Rng, Tensor, with_precision};
use pinxit_train::batch::Batch;
use pinxit_train::config::Precision;
use pinxit_train::state::{Counters, Learner, State};
use pinxit_train::step::{Judge, Players, ProjectedJudge, Rates, step};
use pinxit_train::{Discriminator, TrainConfig, auto, average};
use std::error::Error;
use std::time::{Duration, Instant};

const CLASSES: usize = 10;

struct Options {
    preset: String,
    mode: String,
    batch: usize,
    seconds: f64,
    threads: usize,
    precision: Precision,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let (preset, mode) = ("xs-64".into(), "projected".into());
    let mut o = Options { preset, mode, batch: 32, seconds: 10.0, threads: 2, precision: Precision::F32 };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--preset" => o.preset = value,
            "--mode" => o.mode = value,
            "--batch" => o.batch = value.parse()?,
            "--seconds" => o.seconds = value.parse()?,
            "--threads" => o.threads = value.parse()?,
            "--precision" if value == "bf16" => o.precision = Precision::Bf16,
            "--precision" if value == "f32" => o.precision = Precision::F32,
            _ => return Err(format!("no option {word} {value}").into()),
        }
    }
    Ok(o)
}

fn main() -> Result<(), Box<dyn Error>> {
    let o = options()?;
    pinxit_tensor::set_threads(o.threads);
    let preset: Preset = o.preset.parse()?;
    let mut times = if o.mode == "generate" { paint(preset, &o) } else { train(preset, &o)? };
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!(
        "{{\"preset\":\"{}\",\"mode\":\"{}\",\"batch\":{},\"threads\":{},\"steps\":{},\"images_per_second\":{:.3},\"milliseconds_per_step\":{:.3},\"peak_memory_mib\":{:.1}}}",
        o.preset,
        o.mode,
        o.batch,
        o.threads,
        times.len(),
        o.batch as f64 / median,
        median * 1e3,
        peak_memory_mib()
    );
    Ok(())
}

/// Seconds of each call, after two to warm up.
fn clock(seconds: f64, mut call: impl FnMut()) -> Vec<f64> {
    (0..2).for_each(|_| call());
    let (begun, mut times) = (Instant::now(), Vec::new());
    while times.is_empty() || begun.elapsed() < Duration::from_secs_f64(seconds) {
        let start = Instant::now();
        call();
        times.push(start.elapsed().as_secs_f64());
    }
    times
}

fn labels(n: usize) -> Labels {
    Labels { class: (0..n as u32).map(|i| i % CLASSES as u32).collect(), style: vec![0; n] }
}

fn paint(preset: Preset, o: &Options) -> Vec<f64> {
    let generator = Generator::new(GeneratorConfig::new(preset, (4, 4), CLASSES, 0));
    let weights = generator.init(1);
    let z: Tensor = Rng::stream(1, "latents").normal_tensor(&[o.batch, generator.config.z_dim]);
    let bound = generator.plan(&weights);
    with_precision(o.precision.resolved(), || {
        clock(o.seconds, || {
            let w = generator.mapping(&bound, &z, &labels(o.batch));
            std::hint::black_box(generator.synthesize(&bound, &vec![w; generator.stages()]).tensor());
        })
    })
}

fn train(preset: Preset, o: &Options) -> Result<Vec<f64>, Box<dyn Error>> {
    let defaults = if o.mode == "own" { TrainConfig::own() } else { TrainConfig::projected() };
    let config = TrainConfig { preset: o.preset.clone(), batch: o.batch, precision: o.precision, ..defaults };
    let sizes = GeneratorConfig::new(preset, (4, 4), CLASSES, 0);
    let (h, w) = sizes.resolution();
    let batch = Batch { pictures: Rng::stream(1, "reals").normal_tensor(&[o.batch, h, w, 3]), labels: labels(o.batch) };
    let (judge, heads, spectral) = judge(preset, &config, (h, w), &batch)?;
    let generator = Generator::new(sizes);
    let painter = generator.init(2);
    let counters = Counters::start("", None);
    let mut state = State {
        average: painter.clone(),
        generator: Learner::new(painter),
        discriminator: Learner::new(heads),
        spectral,
        counters,
    };
    let players = Players { generator, judge };
    let rates = Rates { lr_g: config.lr_g, lr_d: config.lr_d, gamma: 1.0 };
    Ok(clock(o.seconds, || {
        step(&players, &config, &mut state, &batch, rates);
        average::update(&mut state.average, &state.generator.weights, 0.99);
    }))
}

fn judge(
    preset: Preset,
    config: &TrainConfig,
    hw: (usize, usize),
    batch: &Batch,
) -> Result<(Judge, Weights, Weights), Box<dyn Error>> {
    if config.discriminator == Discriminator::Own {
        let d = OwnDiscriminator::new(OwnConfig::new(preset, hw, CLASSES, 0))?;
        let weights = d.init(3);
        return Ok((Judge::Own(d), weights, Weights::new()));
    }
    let net = ProjectedDiscriminator::new(auto::projected(config, hw, CLASSES, 0), FeatureNet::shipped()?)?;
    let p = ProjectedJudge::new(net, &batch.pictures, config);
    let (weights, spectral) = p.init(config);
    Ok((Judge::Projected(p), weights, spectral))
}

/// The most memory the process has held, from the kernel's account (0 where there is none).
fn peak_memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
