//! A small collection, a small configuration, an observer that stops on demand, and everything that two equal runs share.
#![allow(dead_code)] // each test file uses its part
use pinxit_dataset::{Dataset, ImportOptions, import};
use pinxit_nn::{FeatureNet, Weights};
use pinxit_train::stats::Stats;
use pinxit_train::{Claim, Discriminator, Length, Observer, Progress, Run, TrainConfig};
use std::ops::ControlFlow;
use std::path::Path;

/// A 24-bit BMP of 32 x 32 px: a disc or a square of some colour somewhere, so that no two are alike.
fn bmp(k: u32) -> Vec<u8> {
    let noise = |i: u32| (k.wrapping_mul(2_654_435_761).wrapping_add(i.wrapping_mul(40_503)) >> 7) & 0xff;
    let (cx, cy, r) = (8 + noise(1) as i32 % 16, 8 + noise(2) as i32 % 16, 4 + noise(3) as i32 % 8);
    let mut out = b"BM".to_vec();
    for v in [54 + 32 * 32 * 3, 0, 54, 40, 32, 32, 1 | 24 << 16, 0, 32 * 32 * 3, 2835, 2835, 0, 0u32] {
        out.extend(v.to_le_bytes());
    }
    for at in 0..32 * 32 {
        let (x, y) = (at % 32 - cx, at / 32 - cy);
        let inside = if k.is_multiple_of(2) { x * x + y * y < r * r } else { x.abs().max(y.abs()) < r };
        let colour = if inside { [noise(4), noise(5), noise(6)] } else { [noise(7), noise(8), noise(9)] };
        out.extend(colour.map(|c| c as u8));
    }
    out
}

/// `count` pictures in two classes, imported into `dir/set`.
pub fn dataset(dir: &Path, count: u32) -> Dataset {
    for k in 0..count {
        let folder = dir.join("pictures").join(if k % 2 == 0 { "disc" } else { "square" });
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{k:03}.bmp")), bmp(k + 1)).unwrap();
    }
    let options = ImportOptions {
        resolution: (32, 32),
        default_licence: Some("own".into()),
        keep_near_duplicates: true,
        ..ImportOptions::default()
    };
    import(&[dir.join("pictures")], &options, &dir.join("set"), &mut |_| ControlFlow::Continue(())).unwrap();
    Dataset::open(&dir.join("set")).unwrap()
}

/// A run of 24 steps of a network with a few thousand weights.
pub fn config(discriminator: Discriminator) -> TrainConfig {
    let base = match discriminator {
        Discriminator::Own => TrainConfig::own(),
        Discriminator::Projected => TrainConfig::projected(),
    };
    let mut c = TrainConfig {
        preset: "xs-32".into(),
        channels: vec![16, 16, 8, 8],
        batch: 4,
        length: Length::Kimg(0.096),
        tick_kimg: 0.016,
        snapshot_kimg: 0.048,
        metric_pictures: 0,
        preview: (2, 2),
        ..base
    };
    (c.projected.feature_size, c.projected.mix, c.projected.channels, c.projected.minibatch_std) = (32, 8, 8, 4);
    c
}

/// Stops before step `limit` of the session and remembers what it was told.
#[derive(Default)]
pub struct Watch {
    /// Steps allowed; none is no limit.
    pub limit: Option<u32>,
    asked: u32,
    /// Everything said, in short.
    pub said: Vec<String>,
    /// Pictures shown at the end.
    pub complete: Option<bool>,
}

impl Watch {
    pub fn stop_after(steps: u32) -> Self {
        Watch { limit: Some(steps), ..Watch::default() }
    }
}

impl Observer for Watch {
    fn progress(&mut self, progress: Progress) {
        let name = format!("{progress:?}");
        self.said.push(name.split([' ', '{']).next().unwrap_or_default().to_string());
        if let Progress::Finished { complete, .. } = progress {
            self.complete = Some(complete);
        }
    }
    fn stop(&mut self) -> bool {
        self.asked += 1;
        self.limit.is_some_and(|limit| self.asked > limit)
    }
}

fn bits(w: &Weights) -> Vec<(String, Vec<u32>)> {
    w.iter().map(|(n, t)| (n.clone(), t.data().iter().map(|v| v.to_bits()).collect())).collect()
}

/// Every number of a run's state.
pub fn all(run: &Run) -> Vec<Vec<(String, Vec<u32>)>> {
    let s = run.state();
    let (g, d) = (&s.generator, &s.discriminator);
    [&g.weights, &g.m, &g.v, &d.weights, &d.m, &d.v, &s.spectral, &s.average].into_iter().map(bits).collect()
}

pub fn through(dir: &Path, config: &TrainConfig, set: &Dataset, net: &FeatureNet) -> Run {
    let mut run = Run::create(Claim::take(dir).unwrap(), config.clone(), set, net, None).unwrap();
    assert!(run.train(&mut ()).unwrap().complete);
    run
}

/// Log lines without what depends on the clock.
pub fn log(dir: &Path) -> Vec<String> {
    let timeless = |mut l: pinxit_train::stats::Line| {
        (l.secs, l.img_per_sec) = (0.0, 0.0);
        serde_json::to_string(&l).unwrap()
    };
    let text = std::fs::read_to_string(dir.join("stats.jsonl")).unwrap();
    let lines = Stats::read(dir).unwrap();
    assert_eq!(lines.len(), text.lines().count(), "a half line in {text}");
    lines.into_iter().map(timeless).collect()
}
