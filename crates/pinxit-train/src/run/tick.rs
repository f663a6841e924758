//! What happens between steps: status line, preview, measures, health, model file, state.
use super::Run;
use crate::batch::u8_from_pm1;
use crate::config::{Discriminator, Length};
use crate::health::{self, Finding};
use crate::loss::Loss;
use crate::metrics::{Measures, Reference};
use crate::progress::{Observer, Progress};
use crate::state::{Best, Sums};
use crate::stats::Line;
use crate::{Result, paint, schedule};
use pinxit_nn::model::{DatasetSummary, TrainingSummary};
use pinxit_nn::{Labels, Model, ModelMeta, Precision};
use pinxit_tensor::{Rng, buffer_stats};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Status lines of a session before the time left is told.
const ETA_TICKS: u32 = 2;

/// What this session has measured of itself.
#[derive(Debug, Default)]
pub(super) struct Session {
    ticks: u32,
    since: Option<Mark>,
    last: Option<Mark>,
}

/// A moment and a position.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Instant,
    shown: u64,
    fraction: f64,
}

/// Where the model of that many pictures shown is written: decimals where they are no whole kimg, so that no two share a name.
pub(super) fn model_path(dir: &Path, shown: u64) -> PathBuf {
    let decimals = if shown.is_multiple_of(1000) { String::new() } else { format!(".{:03}", shown % 1000) };
    dir.join(format!("model-{:06}{decimals}.safetensors", shown / 1000))
}

/// The model of that many pictures shown, if it is there; runs begun by an earlier pinxit have names in whole kimg.
pub(super) fn saved_model(dir: &Path, shown: u64) -> Option<PathBuf> {
    let rounded = model_path(dir, (shown + 500) / 1000 * 1000);
    [model_path(dir, shown), rounded].into_iter().find(|path| path.is_file())
}

/// Where the best model so far is written.
fn best_path(dir: &Path) -> PathBuf {
    dir.join("model-best.safetensors")
}

/// Creators named in a model file: enough to thank them, few enough to read.
const NAMED_CREATORS: usize = 100;

impl Run {
    /// Says that training begins, and shows where it stands.
    pub(super) fn begin(&mut self, observer: &mut dyn Observer) {
        let (kimg, secs) = match self.config.length {
            Length::Kimg(kimg) => (Some(kimg), None),
            Length::Seconds(secs) => (None, Some(secs)),
        };
        observer.progress(Progress::Started {
            kimg: self.state.counters.kimg(),
            target_kimg: kimg,
            target_secs: secs,
            generator_parameters: self.state.generator.weights.parameters(),
            discriminator_parameters: self.state.discriminator.weights.parameters(),
            damaged_state: self.damaged.take(),
        });
        observer.progress(self.preview());
        let mark = self.mark();
        self.session = Session { ticks: 0, since: Some(mark), last: Some(mark) };
    }

    fn mark(&self) -> Mark {
        let c = &self.state.counters;
        Mark { at: Instant::now(), shown: c.shown, fraction: schedule::fraction(&self.config, c) }
    }

    /// Whether the position has passed another multiple of the tick.
    pub(super) fn tick_is_due(&self) -> bool {
        let c = &self.state.counters;
        passed(c.tick_shown, c.shown, self.config.tick_kimg) || passed(c.snapshot_shown, c.shown, self.config.snapshot_kimg)
    }

    /// Status, preview and state; at a snapshot also measures, health and the model file.
    pub(super) fn tick(&mut self, observer: &mut dyn Observer, reference: Option<&Reference>, last: bool) -> Result<()> {
        let began = Instant::now();
        let c = &self.state.counters;
        let snapshot = last || passed(c.snapshot_shown, c.shown, self.config.snapshot_kimg);
        let mut line = self.line();
        self.report(observer, &line);
        self.speak(observer, line.kimg, |history, guessing| history.line(&line, guessing));
        observer.progress(self.preview());
        if snapshot {
            if let Err(e) = self.dataset.verify_unchanged() {
                self.store.save(&self.state)?; // what was learnt so far came from the dataset as it was
                return Err(e.into());
            }
            let seed = self.config.seed;
            line.measures = reference.map(|r| r.measure(&self.players.generator, &self.state.average, seed));
            self.snapshot(observer, line.kimg, line.measures)?;
        }
        self.state.counters.sums = Sums::default();
        self.state.counters.tick_shown = self.state.counters.shown;
        self.state.counters.stats_bytes = self.stats.write(&line)?;
        self.state.counters.elapsed_secs += began.elapsed().as_secs_f64();
        self.store.save(&self.state)?;
        self.session.last = Some(self.mark());
        Ok(())
    }

    /// The status line of the moment.
    fn line(&mut self) -> Line {
        let (c, now) = (&self.state.counters, self.mark());
        let (mean, rates) = (c.sums.mean(), schedule::rates(&self.config, &self.state));
        let last = self.session.last.unwrap_or(now);
        let secs = now.at.duration_since(last.at).as_secs_f64().max(1e-9);
        Line {
            step: c.step,
            kimg: c.kimg(),
            secs: c.elapsed_secs,
            img_per_sec: (now.shown - last.shown) as f64 / secs,
            loss_d: mean.loss_d,
            loss_g: mean.loss_g,
            gap: mean.real - mean.fake,
            accuracy: mean.accuracy,
            penalty: mean.penalty,
            lr: rates.lr_g,
            gamma: if self.config.discriminator == Discriminator::Own { rates.gamma } else { self.config.projected.penalty },
            skipped: c.skipped,
            measures: None,
        }
    }

    fn report(&mut self, observer: &mut dyn Observer, line: &Line) {
        let now = self.mark();
        self.session.ticks += 1;
        let measured = self.session.since.filter(|s| self.session.ticks >= ETA_TICKS && now.fraction > s.fraction);
        let eta_secs =
            measured.map(|s| now.at.duration_since(s.at).as_secs_f64() * (1.0 - now.fraction) / (now.fraction - s.fraction));
        observer.progress(Progress::Tick {
            kimg: line.kimg,
            fraction: now.fraction,
            img_per_sec: line.img_per_sec,
            eta_secs,
            loss_d: line.loss_d,
            loss_g: line.loss_g,
            gap: line.gap,
            memory_bytes: (buffer_stats().live_bytes + buffer_stats().free_bytes) as u64,
        });
    }

    /// Lets the health rules look, and passes on what they find.
    fn speak(&mut self, observer: &mut dyn Observer, kimg: f64, look: impl FnOnce(&mut health::History, f64) -> Vec<Finding>) {
        let guessing = self.players.judge.head_count() as f64
            * match self.config.loss {
                Loss::Hinge => 2.0,
                Loss::Relativistic => std::f64::consts::LN_2,
            };
        for Finding { rule, message } in look(&mut self.state.counters.health, guessing) {
            observer.progress(Progress::Health { kimg, rule: rule.name(), message, hint: rule.hint() });
        }
    }

    /// The model file; what the measures say; the best and the good state; a rollback.
    fn snapshot(&mut self, observer: &mut dyn Observer, kimg: f64, measures: Option<Measures>) -> Result<()> {
        let shown = self.state.counters.shown;
        self.state.counters.snapshot_shown = shown;
        let path = model_path(&self.dir, shown);
        let model = self.model(measures);
        model.save(&path, Precision::F32)?;
        self.model = Some(path.clone());
        observer.progress(Progress::Snapshot { kimg, path });
        let Some(m) = measures else { return Ok(()) };
        let rank = health::rank(&m);
        // While gradients are broken the weights may be, though the average still measures well: no state to return to.
        let is_sound = rank.is_finite() && self.state.counters.skipped_in_a_row == 0;
        let best = is_sound && self.state.counters.best.is_none_or(|b| rank < b.rank);
        observer.progress(Progress::Metrics { kimg, measures: m, best });
        self.speak(observer, kimg, |history, _| history.snapshot(kimg, &m));
        if best {
            self.state.counters.best = Some(Best { kimg, rank });
            self.state.counters.good_step = Some(self.state.counters.step);
            model.save(&best_path(&self.dir), Precision::F32)?;
            self.store.save_good(&self.state)?;
        } else if let Some(reason) = self.state.counters.health.collapsed(&m)
            && self.roll_back(observer, reason)?
        {
            self.model = Some(best_path(&self.dir)); // should the run end here, a collapsed model is not what is kept
        }
        Ok(())
    }

    /// The average as a model. Its training time is told only where the run's length is a time: otherwise the file is the same
    /// for every run with the same settings, stopped and resumed or not.
    fn model(&self, measures: Option<Measures>) -> Model {
        let (c, d) = (&self.state.counters, &self.dataset);
        let seconds = if matches!(self.config.length, Length::Seconds(_)) { c.elapsed_secs } else { 0.0 };
        let discriminator = match self.config.discriminator {
            Discriminator::Own => "own",
            Discriminator::Projected => "projected",
        };
        let training = TrainingSummary {
            kimg: c.kimg(),
            seconds,
            seed: self.config.seed,
            discriminator: discriminator.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            figures: measures.map(figures).unwrap_or_default(),
        };
        let dataset = DatasetSummary {
            name: d.name().into(),
            manifest_hash: d.manifest_hash().into(),
            pictures: d.train().len(),
            class_counts: counts(d.classes().len(), d.train().iter().filter_map(|&i| d.class(i as usize))),
            style_counts: counts(d.styles().len(), d.train().iter().filter_map(|&i| d.style(i as usize))),
            licences: d.licences(),
            works: d.examined_works(),
            creators: d.creators(NAMED_CREATORS),
            overridden: d.description().overridden,
            override_reason: d.description().override_reason.clone(),
        };
        let meta = ModelMeta {
            name: d.name().into(),
            classes: d.classes().to_vec(),
            styles: d.styles().to_vec(),
            words: d.words().to_vec(),
            training,
            dataset,
            parent: c.parent.clone(),
            blended: Vec::new(),
        };
        Model { generator: self.players.generator.config.clone(), meta, weights: self.state.average.clone() }
    }

    /// The grid: the same latents at every tick, one class a column.
    fn preview(&self) -> Progress {
        let (rows, columns) = self.config.preview;
        let g = &self.players.generator;
        let ((h, w), n) = (g.config.resolution(), rows * columns);
        let z = Rng::stream(self.config.seed, "previews").normal_tensor(&[n, g.config.z_dim]);
        let of = |count: usize| (0..n).map(|i| if count == 0 { 0 } else { (i % columns % count) as u32 }).collect();
        let labels = Labels::new(of(g.config.classes), of(g.config.styles));
        let (width, height) = (columns * w, rows * h);
        let (mut rgb, mut at) = (vec![0u8; width * height * 3], 0);
        paint::show(g, &self.state.average, &z, &labels, |pictures| {
            for picture in pictures.data().chunks_exact(h * w * 3) {
                let (top, left) = (at / columns * h, at % columns * w);
                for (y, row) in picture.chunks_exact(w * 3).enumerate() {
                    let to = &mut rgb[((top + y) * width + left) * 3..][..w * 3];
                    to.iter_mut().zip(row).for_each(|(b, &v)| *b = u8_from_pm1(v));
                }
                at += 1;
            }
        });
        Progress::Preview { kimg: self.state.counters.kimg(), width, height, rgb }
    }
}

/// Whether a multiple of `every` kimg lies in (`last`, `now`].
fn passed(last: u64, now: u64, every: f64) -> bool {
    let index = |shown: u64| (shown as f64 / 1000.0 / every + 1e-9).floor();
    index(now) > index(last)
}

/// How often each of `n` labels occurs.
fn counts(n: usize, labels: impl Iterator<Item = u32>) -> Vec<usize> {
    let mut counts = vec![0; n];
    labels.for_each(|label| counts[label as usize] += 1);
    counts
}

/// The measures by name, for the model's card.
fn figures(m: Measures) -> BTreeMap<String, f64> {
    let mut all: Vec<(&str, f64)> = vec![
        ("kid", m.kid),
        ("swd", m.swd),
        ("precision", m.precision),
        ("recall", m.recall),
        ("density", m.density),
        ("coverage", m.coverage),
        ("memorised", m.memorised),
        ("self_nn", m.self_nn),
    ];
    all.extend(m.self_nn_lowest.map(|a| ("self_nn_lowest", a)));
    all.extend(m.label_accuracy.map(|a| ("label_accuracy", a)));
    all.into_iter().map(|(k, v)| (k.to_string(), v)).collect()
}
