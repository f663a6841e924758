//! A training run, from its first step to its last, over as many sessions as it takes.
//!
//! ```text
//! RUN/config.toml            all settings, written before the first step
//! RUN/stats.jsonl            a line a tick
//! RUN/model-000128.safetensors   the average at 128 kimg;  model-best.safetensors   the best so far
//! RUN/state/                 what a resume needs (see `checkpoint`);  RUN/lock   held while a process trains
//! ```
//! With the length in pictures, a run stopped anywhere and resumed ends with the same weights, bit for bit, as one that was
//! not stopped (same machine, same program). With the length in seconds, the schedules follow the measured training time, which
//! is saved with the state: a resumed run goes on where the clock stood, but no two such runs are alike.
use crate::batch::Sampler;
use crate::checkpoint::Store;
use crate::config::{Discriminator, Length, TrainConfig};
use crate::lock::Lock;
use crate::metrics::{Eye, Reference};
use crate::progress::{Observer, Progress};
use crate::state::{Counters, Learner, State};
use crate::stats::Stats;
use crate::step::{Judge, Outcome, Players, ProjectedJudge, calibration, step};
use crate::{Error, Result, auto, average, finetune, schedule};
use pinxit_dataset::Dataset;
use pinxit_nn::{
    FeatureNet, Generator, GeneratorConfig, Model, OwnConfig, OwnDiscriminator, ProjectedConfig, ProjectedDiscriminator, Weights,
};
use std::path::{Path, PathBuf};
use std::time::Instant;

mod tick;

/// Steps in a row with broken gradients before the run goes back or gives up.
const BROKEN_STEPS: u32 = 20;
/// Times a run goes back to its best state before it gives up.
const ROLLBACKS: u32 = 3;
/// Fewest training pictures.
pub const LEAST_PICTURES: usize = 2;

/// How a session ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Thousands of pictures shown.
    pub kimg: f64,
    /// Training time of all sessions, seconds.
    pub secs: f64,
    /// False if it was stopped before its end.
    pub complete: bool,
    /// The newest model file.
    pub model: Option<PathBuf>,
}

/// A run that is open in this process.
pub struct Run {
    dir: PathBuf,
    config: TrainConfig,
    dataset: Dataset,
    net: FeatureNet,
    players: Players,
    state: State,
    store: Store,
    stats: Stats,
    model: Option<PathBuf>,
    damaged: Option<String>,
    session: tick::Session,
    _lock: Lock,
}

/// A folder for a new run, held by this process alone: what lies beside a run's own files is written before they are.
#[derive(Debug)]
pub struct Claim {
    dir: PathBuf,
    lock: Lock,
}

impl Claim {
    /// Makes folder `dir` if need be and takes its lock; refused where another process holds it or a run has begun.
    pub fn take(dir: &Path) -> Result<Claim> {
        std::fs::create_dir_all(dir).map_err(Error::file("create", dir))?;
        let lock = Lock::take(dir)?;
        if dir.join("config.toml").exists() {
            return Err(Error::RunExists { dir: dir.to_path_buf() });
        }
        Ok(Claim { dir: dir.to_path_buf(), lock })
    }
}

impl Run {
    /// Begins a run, from scratch or from a trained model. Writes the first state and `config.toml`.
    pub fn create(
        claim: Claim,
        mut config: TrainConfig,
        dataset: &Dataset,
        net: &FeatureNet,
        from: Option<&Model>,
    ) -> Result<Run> {
        let Claim { dir, lock } = claim;
        if let Some(model) = from {
            (config.preset, config.channels) = finetune::size(&model.generator, dataset.resolution(), &config)?;
        }
        config.check()?;
        if dataset.train().len() < LEAST_PICTURES {
            return Err(Error::TooFew { what: "training", needed: LEAST_PICTURES, found: dataset.train().len() });
        }
        let players = players(&config, dataset, net, from)?;
        let state = first_state(&players, &config, dataset, from);
        let mut store = Store::open(&dir)?;
        store.save(&state)?;
        write_atomic(&dir.join("config.toml"), config.to_toml()?.as_bytes())?;
        let stats = Stats::open(&dir, 0)?;
        Ok(Run {
            dir,
            config,
            dataset: dataset.clone(),
            net: net.clone(),
            players,
            state,
            store,
            stats,
            model: None,
            damaged: None,
            session: tick::Session::default(),
            _lock: lock,
        })
    }

    /// Opens the run in folder `dir` where it stopped; with `length`, gives it another end.
    pub fn resume(dir: &Path, dataset: &Dataset, net: &FeatureNet, length: Option<Length>) -> Result<Run> {
        let path = dir.join("config.toml");
        if !path.is_file() {
            return Err(Error::NoRun { dir: dir.to_path_buf() });
        }
        let lock = Lock::take(dir)?;
        let mut config = TrainConfig::load(&path)?;
        let mut store = Store::open(dir)?;
        let (state, damaged) = store.load()?;
        let another = length.filter(|l| *l != config.length);
        if let Some(length) = length {
            lies_ahead(length, &state.counters)?;
            config.length = length;
            config.check()?;
        }
        same_dataset(&state.counters, dataset)?;
        let players = players(&config, dataset, net, None)?;
        fits(&players, &state, &config, dir)?;
        let stats = Stats::open(dir, state.counters.stats_bytes)?;
        // Last: a resume that is refused leaves the old end standing.
        if another.is_some() {
            write_atomic(&path, config.to_toml()?.as_bytes())?;
        }
        let model = tick::saved_model(dir, state.counters.snapshot_shown);
        Ok(Run {
            dir: dir.to_path_buf(),
            config,
            dataset: dataset.clone(),
            net: net.clone(),
            players,
            state,
            store,
            stats,
            model,
            damaged,
            session: tick::Session::default(),
            _lock: lock,
        })
    }

    /// Where the run in folder `dir` stands, from its saved state. Changes nothing; refused where the dataset is another.
    pub fn position(dir: &Path, dataset: &Dataset) -> Result<Counters> {
        if !dir.join("config.toml").is_file() {
            return Err(Error::NoRun { dir: dir.to_path_buf() });
        }
        let counters = Store::at(dir).load()?.0.counters;
        same_dataset(&counters, dataset)?;
        Ok(counters)
    }

    /// All settings.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }
    /// Where the run stands.
    pub fn counters(&self) -> &Counters {
        &self.state.counters
    }
    /// Everything the run is at this moment.
    pub fn state(&self) -> &State {
        &self.state
    }
    /// The generator's sizes.
    pub fn generator(&self) -> &GeneratorConfig {
        &self.players.generator.config
    }

    /// Trains until the end, or until the observer asks to stop.
    pub fn train(&mut self, observer: &mut dyn Observer) -> Result<Summary> {
        // Load
        let (config, dataset, net) = (self.config.clone(), self.dataset.clone(), self.net.clone());
        self.begin(observer);
        let sampler = Sampler::new(&dataset, &config);
        let reference = self.reference(&net)?;

        while !self.is_over() {
            if observer.stop() {
                return self.end(observer, false);
            }
            let began = Instant::now();

            // Batch
            let batch = sampler.next(&config, &self.state);
            let rates = schedule::rates(&config, &self.state);

            // Discriminator, generator
            let before = self.state.counters.sums;
            let outcome = step(&self.players, &config, &mut self.state, &batch, rates);
            schedule_guard(&config, &mut self.state, outcome, &before);
            self.recover_from_broken_gradients(observer)?;

            // Average
            if outcome == Outcome::Learnt {
                self.average();
            }
            self.state.counters.elapsed_secs += began.elapsed().as_secs_f64();

            // Tick: status, preview; snapshot: metrics, health, model; state
            if self.tick_is_due() {
                let last = schedule::fraction(&config, &self.state.counters) >= 1.0;
                self.tick(observer, reference.as_ref(), last)?;
            }
        }
        if self.state.counters.snapshot_shown != self.state.counters.shown {
            self.tick(observer, reference.as_ref(), true)?;
        }
        self.end(observer, true)
    }

    /// Whether the end is reached. A tick's own time may be what ends a run by the clock: then one more step follows, so that the last
    /// line of the log tells of something learnt.
    fn is_over(&self) -> bool {
        let c = &self.state.counters;
        let within_a_tick = c.tick_shown == c.shown && c.snapshot_shown != c.shown;
        schedule::fraction(&self.config, c) >= 1.0 && !within_a_tick
    }

    /// The metrics' view of the collection; none where it is too small or not wanted.
    fn reference<'a>(&self, net: &'a FeatureNet) -> Result<Option<Reference<'a>>> {
        if self.config.metric_pictures == 0 {
            return Ok(None);
        }
        match Reference::new(&self.dataset, Eye::Shipped(net), self.config.metric_pictures, self.config.seed) {
            Ok(reference) => Ok(Some(reference)),
            Err(Error::TooFew { .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn average(&mut self) {
        let (config, state) = (&self.config, &mut self.state);
        let c = &mut state.counters;
        let beta = average::beta(&config.average, c.average.updates, c.shown, config.batch);
        c.average.updates += 1;
        average::update(&mut state.average, &state.generator.weights, beta);
    }

    /// Many broken steps in a row: back to the best state, or the end.
    fn recover_from_broken_gradients(&mut self, observer: &mut dyn Observer) -> Result<()> {
        let broken = self.state.counters.skipped_in_a_row;
        if broken < BROKEN_STEPS {
            return Ok(());
        }
        let reason = format!("{broken} steps in a row had gradients that are not numbers");
        if self.roll_back(observer, reason)? { Ok(()) } else { Err(Error::Diverged(broken)) }
    }

    /// Returns to the best state, with half the learning rate; false if there is none or it did not help before.
    fn roll_back(&mut self, observer: &mut dyn Observer, reason: String) -> Result<bool> {
        let Some(good) = self.state.counters.good_step.filter(|_| self.state.counters.rollbacks < ROLLBACKS) else {
            return Ok(false);
        };
        let good = self.store.load_good(good)?;
        let to_kimg = good.counters.kimg();
        let c = &mut self.state.counters;
        c.rollbacks += 1;
        c.lr_scale = good.counters.lr_scale * 0.5f64.powi(c.rollbacks as i32);
        c.skipped_in_a_row = 0;
        c.health.rolled_back();
        observer.progress(Progress::Rollback { kimg: c.kimg(), to_kimg, reason });
        let counters = self.state.counters.clone();
        self.state = State { counters, ..good };
        Ok(true)
    }

    fn end(&mut self, observer: &mut dyn Observer, complete: bool) -> Result<Summary> {
        self.store.save(&self.state)?;
        let c = &self.state.counters;
        let summary = Summary { kimg: c.kimg(), secs: c.elapsed_secs, complete, model: self.model.clone() };
        let Summary { kimg, secs, model, .. } = summary.clone();
        observer.progress(Progress::Finished { kimg, secs, complete, model });
        Ok(summary)
    }
}

/// Refuses an end that the run has passed: it would be shortened, and stop before its first step.
pub fn lies_ahead(length: Length, counters: &Counters) -> Result<()> {
    let (at, end) = match length {
        Length::Kimg(kimg) if counters.kimg() >= kimg - 1e-9 => (format!("{} kimg", counters.kimg()), format!("{kimg} kimg")),
        Length::Seconds(secs) if counters.elapsed_secs >= secs => {
            (format!("{:.0} s of training", counters.elapsed_secs), format!("{secs} s"))
        }
        _ => return Ok(()),
    };
    Err(Error::EndPassed { at, end })
}

/// Refuses a dataset other than the one the run has learnt from.
fn same_dataset(counters: &Counters, dataset: &Dataset) -> Result<()> {
    if counters.dataset_hash == dataset.manifest_hash() {
        return Ok(());
    }
    let (expected, found) = (counters.dataset_hash.clone(), dataset.manifest_hash().to_string());
    Err(Error::DatasetChanged { expected, found })
}

/// What follows from a step's outcome for the schedules.
fn schedule_guard(config: &TrainConfig, state: &mut State, outcome: Outcome, before: &crate::state::Sums) {
    if outcome == Outcome::Learnt && config.discriminator == Discriminator::Own {
        schedule::autopilot(config, &mut state.counters, before);
    }
}

/// Builds the networks.
fn players(config: &TrainConfig, dataset: &Dataset, net: &FeatureNet, from: Option<&Model>) -> Result<Players> {
    let (resolution, classes, styles) = (dataset.resolution(), dataset.classes().len(), dataset.styles().len());
    let words = dataset.words().len();
    let generator = match from {
        Some(model) => finetune::generator(model, config, classes, styles),
        None => auto::generator(config, resolution, classes, styles)?,
    };
    let generator = GeneratorConfig { words, ..generator };
    let judge = match config.discriminator {
        Discriminator::Own => {
            let own = OwnConfig { words, ..auto::own(config, resolution, classes, styles)? };
            Judge::Own(OwnDiscriminator::new(own)?)
        }
        Discriminator::Projected => {
            let projected = ProjectedConfig { words, ..auto::projected(config, resolution, classes, styles) };
            let projected = ProjectedDiscriminator::new(projected, net.clone())?;
            Judge::Projected(ProjectedJudge::new(projected, &calibration(dataset, config.seed), config))
        }
    };
    Ok(Players { generator: Generator::new(generator), judge })
}

/// The state before the first step.
fn first_state(players: &Players, config: &TrainConfig, dataset: &Dataset, from: Option<&Model>) -> State {
    let painter = match from {
        Some(model) => {
            let mut known = finetune::weights(model, dataset.classes(), dataset.styles(), dataset.words());
            finetune::grow(&mut known, &players.generator, config.seed);
            known
        }
        None => players.generator.init(config.seed),
    };
    let (judge, spectral) = match &players.judge {
        Judge::Own(d) => (d.init(config.seed), Weights::new()),
        Judge::Projected(p) => p.init(config),
    };
    State {
        average: painter.clone(),
        generator: Learner::new(painter),
        discriminator: Learner::new(judge),
        spectral,
        counters: Counters::start(dataset.manifest_hash(), from.map(Model::hash)),
    }
}

/// Refuses a state whose tensors are not those of the networks that `config.toml` describes.
fn fits(players: &Players, state: &State, config: &TrainConfig, dir: &Path) -> Result<()> {
    let shapes = |w: &Weights| -> Vec<(String, Vec<usize>)> { w.iter().map(|(n, t)| (n.clone(), t.shape().to_vec())).collect() };
    let judge = match &players.judge {
        Judge::Own(d) => d.init(config.seed),
        Judge::Projected(p) => p.init(config).0,
    };
    let painter = players.generator.init(config.seed);
    let same = shapes(&painter) == shapes(&state.generator.weights)
        && shapes(&painter) == shapes(&state.average)
        && shapes(&judge) == shapes(&state.discriminator.weights);
    if same {
        return Ok(());
    }
    let reason = "its networks are not those of config.toml".to_string();
    Err(Error::BadState { dir: dir.join("state"), reason })
}

/// Writes a small file whole or not at all.
fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("tmp");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&temporary)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(Error::file("write", path))
}

#[cfg(test)]
mod tests;
