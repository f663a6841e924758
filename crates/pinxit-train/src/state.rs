//! Everything a run is at one moment: what is here and in `config.toml` determines all that follows.
//!
//! No random generator appears: every random choice is drawn from a stream named by (seed, purpose, step), so the step number
//! is all there is to save, and adding a preview never changes the training.
use crate::{average::AverageState, health::History};
use pinxit_nn::Weights;
use pinxit_tensor::Rng;
use serde::{Deserialize, Serialize};

/// A network that learns: its weights and Adam's memory of its gradients.
#[derive(Clone, Debug)]
pub struct Learner {
    /// The numbers being learnt.
    pub weights: Weights,
    /// Adam's running mean of the gradient.
    pub m: Weights,
    /// Adam's running mean of its square.
    pub v: Weights,
    /// Updates done, for Adam's correction of the start.
    pub updates: u64,
}

impl Learner {
    /// A learner that has learnt nothing yet.
    pub fn new(weights: Weights) -> Self {
        let (m, v) = (weights.zeros_like(), weights.zeros_like());
        Learner { weights, m, v, updates: 0 }
    }
}

/// Sums since the last status line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Steps summed.
    pub steps: u32,
    /// Loss of the discriminator.
    pub loss_d: f64,
    /// Loss of the generator.
    pub loss_g: f64,
    /// Mean real score.
    pub real: f64,
    /// Mean fake score.
    pub fake: f64,
    /// Share of pairs in which the real picture scores higher.
    pub accuracy: f64,
    /// Squared gradient of the score in the real and fake pictures (own discriminator), unweighted.
    pub penalty: f64,
}

impl Sums {
    /// Adds one step.
    pub fn add(&mut self, o: &Sums) {
        self.steps += o.steps;
        self.loss_d += o.loss_d;
        self.loss_g += o.loss_g;
        self.real += o.real;
        self.fake += o.fake;
        self.accuracy += o.accuracy;
        self.penalty += o.penalty;
    }

    /// Means over the steps summed.
    pub fn mean(&self) -> Sums {
        let k = 1.0 / f64::from(self.steps.max(1));
        Sums {
            steps: self.steps,
            loss_d: self.loss_d * k,
            loss_g: self.loss_g * k,
            real: self.real * k,
            fake: self.fake * k,
            accuracy: self.accuracy * k,
            penalty: self.penalty * k,
        }
    }
}

/// The best snapshot so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// When.
    pub kimg: f64,
    /// KID - coverage: lower is better (see `health.rs`).
    pub rank: f64,
}

/// All that is not a tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Steps begun and ended.
    pub step: u64,
    /// Real pictures shown.
    pub shown: u64,
    /// Training time of all sessions together, seconds. Steers schedules only where the length is given in seconds.
    pub elapsed_secs: f64,
    /// Factor on the learning rates, halved by accidents.
    pub lr_scale: f64,
    /// Steps skipped because a gradient was not finite, in all.
    pub skipped: u32,
    /// The same, in a row.
    pub skipped_in_a_row: u32,
    /// Factor on gamma set by the autopilot.
    pub gamma_mult: f64,
    /// Steps in a row with D far ahead (positive) or without hold (negative).
    pub gap_steps: i64,
    /// Times the run went back to a good state.
    pub rollbacks: u32,
    /// Pictures shown at the last status line.
    pub tick_shown: u64,
    /// Pictures shown at the last snapshot.
    pub snapshot_shown: u64,
    /// Since the last status line.
    pub sums: Sums,
    /// What the health rules remember.
    pub health: History,
    /// Best snapshot so far.
    pub best: Option<Best>,
    /// Step of the last state found healthy, kept as `state/good-STEP.bin`.
    pub good_step: Option<u64>,
    /// Length of `stats.jsonl` at this moment, bytes.
    pub stats_bytes: u64,
    /// The dataset the run began with.
    pub dataset_hash: String,
    /// The model the run began from, if any.
    pub parent: Option<String>,
    /// The average's own counters.
    pub average: AverageState,
}

impl Counters {
    /// At the first step, on the dataset with this manifest hash.
    pub fn start(dataset_hash: &str, parent: Option<String>) -> Self {
        Counters {
            step: 0,
            shown: 0,
            elapsed_secs: 0.0,
            lr_scale: 1.0,
            skipped: 0,
            skipped_in_a_row: 0,
            gamma_mult: 1.0,
            gap_steps: 0,
            rollbacks: 0,
            tick_shown: 0,
            snapshot_shown: 0,
            sums: Sums::default(),
            health: History::default(),
            best: None,
            good_step: None,
            stats_bytes: 0,
            dataset_hash: dataset_hash.to_string(),
            parent,
            average: AverageState::default(),
        }
    }

    /// Thousands of real pictures shown.
    pub fn kimg(&self) -> f64 {
        self.shown as f64 / 1000.0
    }
}

/// A training run at one moment.
#[derive(Clone, Debug)]
pub struct State {
    /// The painter.
    pub generator: Learner,
    /// The judge (for `projected` its heads).
    pub discriminator: Learner,
    /// Singular vectors of the judge's weights, for its spectral norm (empty where there is none).
    pub spectral: Weights,
    /// The average of the painter: what is shown, measured and shipped.
    pub average: Weights,
    /// All that is not a tensor.
    pub counters: Counters,
}

impl State {
    /// The stream of `purpose` for the present step. A rollback changes it, so that the same accident is not replayed.
    pub fn rng(&self, seed: u64, purpose: &str) -> Rng {
        let c = &self.counters;
        Rng::stream(seed, &format!("{purpose} step {} rollback {}", c.step, c.rollbacks))
    }
}
