//! A larger batch of the own discriminator's takes hardly more memory: it is worked off in parts. Alone in its process, because
//! the counters are those of all threads.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
use pinxit_nn::{Generator, GeneratorConfig, Labels, OwnConfig, OwnDiscriminator, Preset, Weights};
use pinxit_tensor::{Rng, buffer_stats, release_buffers};
use pinxit_train::TrainConfig;
use pinxit_train::batch::Batch;
use pinxit_train::state::{Counters, Learner, State};
use pinxit_train::step::{Judge, Players, Rates, step};

/// Bytes of all buffers that two steps with `n` pairs of real and fake made.
fn bytes(n: usize) -> usize {
    let sizes = GeneratorConfig { channels: vec![16, 16, 8, 8, 8], ..GeneratorConfig::new(Preset::Xs64, (4, 4), 2, 0) };
    let widths = vec![8, 8, 16];
    let d = OwnDiscriminator::new(OwnConfig { widths, ..OwnConfig::new(Preset::Xs64, (64, 64), 2, 0) }).unwrap();
    let (heads, generator, config) = (d.init(3), Generator::new(sizes), TrainConfig { batch: n, ..TrainConfig::own() });
    let painter = generator.init(2);
    let mut state = State {
        average: painter.clone(),
        generator: Learner::new(painter),
        discriminator: Learner::new(heads),
        spectral: Weights::new(),
        counters: Counters::start("", None),
    };
    let players = Players { generator, judge: Judge::Own(d) };
    let batch = Batch { pictures: Rng::stream(1, "reals").normal_tensor(&[n, 64, 64, 3]), labels: Labels::none(n, 2, 0) };
    release_buffers();
    let before = buffer_stats().live_bytes;
    for _ in 0..2 {
        step(&players, &config, &mut state, &batch, Rates { lr_g: 1e-3, lr_d: 1e-3, gamma: 1.0 });
    }
    let stats = buffer_stats();
    stats.live_bytes + stats.free_bytes - before
}

#[test]
fn memory_hardly_grows_with_the_batch() {
    let (small, large) = (bytes(16), bytes(64));
    assert!(large < 2 * small, "{small} bytes for 16 pairs, {large} for 64");
}
