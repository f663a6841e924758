//! Pictures a second of one training step, or of painting, as one JSON line: our side of `cargo xtask bench`. The default precision
//! is that of the training's settings.
//!
//!     cargo run --release -p pinxit-train --example speed -- --preset xs-64 --mode own --batch 32 --seconds 20 --threads 2 --precision bf16
use pinxit_nn::{
    FeatureNet, Generator, GeneratorConfig, Labels, OwnConfig, OwnDiscriminator, Preset, ProjectedDiscriminator, Weights,
};
use pinxit_tensor::{Array, Rng, Tensor, multiply_adds, with_precision};
use pinxit_train::batch::Batch;
use pinxit_train::config::Precision;
use pinxit_train::state::{Counters, Learner, State};
use pinxit_train::step::{Judge, Players, ProjectedJudge, Rates, step};
use pinxit_train::{Discriminator, TrainConfig, auto, average};
use serde_json::json;
use std::error::Error;
use std::time::{Duration, Instant};

const CLASSES: usize = 10;

struct Options {
    preset: String,
    mode: String,
    batch: usize,
    seconds: f64,
    threads: usize,
    precision: Option<Precision>,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let (preset, mode) = ("xs-64".into(), "projected".into());
    let mut o = Options { preset, mode, batch: 32, seconds: 10.0, threads: 2, precision: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--preset" => o.preset = value,
            "--mode" => o.mode = value,
            "--batch" => o.batch = value.parse()?,
            "--seconds" => o.seconds = value.parse()?,
            "--threads" => o.threads = value.parse()?,
            "--precision" if value == "bf16" => o.precision = Some(Precision::Bf16),
            "--precision" if value == "f32-direct" => o.precision = Some(Precision::F32Direct),
            "--precision" if value == "f32" => o.precision = Some(Precision::F32),
            _ => return Err(format!("no option {word} {value}").into()),
        }
    }
    Ok(o)
}

fn main() -> Result<(), Box<dyn Error>> {
    let o = options()?;
    pinxit_tensor::set_threads(o.threads);
    let preset: Preset = o.preset.parse()?;
    let defaults = if o.mode == "own" { TrainConfig::own() } else { TrainConfig::projected() };
    let default = defaults.precision;
    let config = TrainConfig { preset: o.preset.clone(), batch: o.batch, precision: o.precision.unwrap_or(default), ..defaults };
    let calls = if o.mode == "generate" { paint(preset, &config, o.seconds) } else { train(preset, &config, o.seconds)? };
    report(&o, &config, default, &calls);
    Ok(())
}

/// What was timed, and on what terms.
fn report(o: &Options, config: &TrainConfig, default: Precision, calls: &Calls) {
    let median = calls.seconds[calls.seconds.len() / 2];
    let line = json!({
        "preset": o.preset,
        "mode": o.mode,
        "batch": o.batch,
        "threads": o.threads,
        "precision": config.precision,
        "default_precision": default,
        "steps": calls.seconds.len(),
        "images_per_second": o.batch as f64 / median,
        "milliseconds_per_step": median * 1e3,
        "gflops_per_second": 2.0 * calls.multiply_adds as f64 / median / 1e9,
        "peak_memory_mib": peak_memory_mib(),
    });
    println!("{line}");
}

/// Calls of one kind.
struct Calls {
    /// Of each call, from the shortest up.
    seconds: Vec<f64>,
    /// Of one call, as the direct way computes them.
    multiply_adds: u64,
}

/// Two calls to warm up, then at least one and as many as begin within `seconds`.
fn clock(seconds: f64, mut call: impl FnMut()) -> Calls {
    (0..2).for_each(|_| call());
    let (begun, before, mut times) = (Instant::now(), multiply_adds(), Vec::new());
    while times.is_empty() || begun.elapsed() < Duration::from_secs_f64(seconds) {
        let start = Instant::now();
        call();
        times.push(start.elapsed().as_secs_f64());
    }
    let each = (multiply_adds() - before) / times.len() as u64;
    times.sort_by(f64::total_cmp);
    Calls { seconds: times, multiply_adds: each }
}

fn labels(n: usize) -> Labels {
    Labels::new((0..n as u32).map(|i| i % CLASSES as u32).collect(), vec![0; n])
}

fn paint(preset: Preset, config: &TrainConfig, seconds: f64) -> Calls {
    let generator = Generator::new(GeneratorConfig::new(preset, (4, 4), CLASSES, 0));
    let weights = generator.init(1);
    let z: Tensor = Rng::stream(1, "latents").normal_tensor(&[config.batch, generator.config.z_dim]);
    let bound = generator.plan(&weights);
    with_precision(config.precision.resolved(), || {
        clock(seconds, || {
            let w = generator.mapping(&bound, &z, &labels(config.batch));
            std::hint::black_box(generator.synthesize(&bound, &vec![w; generator.stages()]).tensor());
        })
    })
}

fn train(preset: Preset, config: &TrainConfig, seconds: f64) -> Result<Calls, Box<dyn Error>> {
    let sizes = GeneratorConfig::new(preset, (4, 4), CLASSES, 0);
    let (h, w) = sizes.resolution();
    let batch = Batch { pictures: Rng::stream(1, "reals").normal_tensor(&[config.batch, h, w, 3]), labels: labels(config.batch) };
    let (judge, heads, spectral) = judge(preset, config, (h, w), &batch)?;
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
    Ok(clock(seconds, || {
        step(&players, config, &mut state, &batch, rates);
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
