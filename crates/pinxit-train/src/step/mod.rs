//! One step of the game: judge, learn, guard.
mod own;
mod projected;
mod round;

pub use projected::{ProjectedJudge, calibration};

use crate::batch::Batch;
use crate::config::{TrainConfig, Update};
use crate::state::{Learner, State, Sums};
use pinxit_nn::{Generator, Labels, OwnDiscriminator, View, Weights};
use pinxit_tensor::{Array, Rng, Tensor, optim, with_precision};
use round::{Part, Round};

/// The networks of a run; their weights live in the [`State`].
pub struct Players {
    /// The painter.
    pub generator: Generator,
    /// The judge.
    pub judge: Judge,
}

/// Either discriminator.
pub enum Judge {
    /// Piecewise linear, with exact R1 and R2.
    Own(OwnDiscriminator),
    /// Heads on frozen features.
    Projected(ProjectedJudge),
}

/// Rates of the present step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Learning rate of the generator.
    pub lr_g: f64,
    /// Learning rate of the discriminator.
    pub lr_d: f64,
    /// Weight of the penalty on pixels (own discriminator).
    pub gamma: f64,
}

/// What the discriminator's turn found out.
struct Turn {
    grads: Weights,
    sums: Sums,
    /// Gradient of the generator's loss in the fakes with its value, where it came for free.
    fakes: Option<(f64, Tensor)>,
}

/// What both turns look at.
enum Sight {
    Own { both: Tensor, labels: Labels, share: f64 },
    Projected(projected::Sight),
}

impl Judge {
    /// Scores it gives each picture; its loss is their sum.
    pub fn head_count(&self) -> usize {
        match self {
            Judge::Own(_) => 1,
            Judge::Projected(p) => p.head_count(),
        }
    }

    /// Pairs of a batch that are painted, judged and learnt from together.
    fn part(&self, config: &TrainConfig) -> usize {
        match self {
            Judge::Own(d) => own::part(d.config.resolution),
            Judge::Projected(_) => config.batch, // neighbours' spread and the energy distance are those of a whole batch
        }
    }

    /// From where `n` reals and as many fakes are looked at.
    fn views(&self, config: &TrainConfig, rng: &mut Rng, n: usize) -> [View; 2] {
        match self {
            Judge::Own(_) => [View::Whole, View::Whole],
            Judge::Projected(p) => p.views(config, rng, n),
        }
    }

    /// Pairs of real and fake with these labels, out of `all` of the batch.
    fn see(&self, real: &Tensor, fake: &Tensor, labels: &Labels, views: &[View; 2], all: usize) -> Sight {
        match self {
            Judge::Own(_) => own::see(real, fake, labels, all),
            Judge::Projected(p) => Sight::Projected(p.see(real, fake, views)),
        }
    }

    fn discriminator_turn(&self, state: &State, sight: &Sight, labels: &Labels, config: &TrainConfig, gamma: f64) -> Turn {
        match (self, sight) {
            (Judge::Own(d), Sight::Own { both, labels, share }) => {
                own::discriminator_turn(d, &state.discriminator.weights, both, labels, *share, config, gamma)
            }
            (Judge::Projected(p), Sight::Projected(s)) => p.discriminator_turn(state, s, labels, config),
            _ => unreachable!("a sight is made by the judge that looks at it"),
        }
    }

    /// The generator's loss and its gradient in the (augmented) fakes.
    fn generator_turn(&self, state: &State, sight: &Sight, labels: &Labels, config: &TrainConfig) -> (f64, Tensor) {
        match (self, sight) {
            (Judge::Own(d), Sight::Own { both, labels, share }) => {
                own::generator_turn(d, &state.discriminator.weights, both, labels, *share, config)
            }
            (Judge::Projected(p), Sight::Projected(s)) => p.generator_turn(state, s, labels, config),
            _ => unreachable!("a sight is made by the judge that looks at it"),
        }
    }
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Both networks learnt.
    Learnt,
    /// A gradient was not finite: the network it belongs to did not learn, and the learning rate was halved.
    Skipped,
}

/// One step on `batch`: both networks learn, `state` moves on by one step (the average is the caller's).
pub fn step(players: &Players, config: &TrainConfig, state: &mut State, batch: &Batch, rates: Rates) -> Outcome {
    with_precision(config.precision.resolved(), || play(players, config, state, batch, rates, players.judge.part(config)))
}

/// `size` is that of a part.
fn play(players: &Players, config: &TrainConfig, state: &mut State, batch: &Batch, rates: Rates, size: usize) -> Outcome {
    match &players.judge {
        Judge::Projected(p) => p.spectral_step(state, config),
        Judge::Own(_) => {
            for learner in [&mut state.generator, &mut state.discriminator] {
                learner.weights = learner.weights.kept(); // packed once for all parts, until Adam changes them
            }
        }
    }
    let (judge, mut found, mut waiting) = (&players.judge, Found::default(), Vec::new());
    let round = Round::draw(players, config, state, batch, "");
    for part in round.parts(state, size) {
        let mut turn = judge.discriminator_turn(state, &part.sight, &part.labels, config, rates.gamma);
        let free = turn.fakes.take();
        found.judged(turn);
        match config.update {
            Update::Simultaneous => found.painted(judge, state, config, part, free),
            Update::Sequential => waiting.push(part),
            Update::Alternating => {}
        }
    }
    let d_fine = finite(&found.grads_d);
    if d_fine && config.update != Update::Simultaneous {
        adam(&mut state.discriminator, &found.grads_d, config, |_| rates.lr_d);
    }
    let again = (config.update == Update::Alternating).then(|| Round::draw(players, config, state, batch, " again"));
    for part in waiting.into_iter().chain(again.iter().flat_map(|round| round.parts(state, size))) {
        found.painted(judge, state, config, part, None);
    }
    let g_fine = finite(&found.grads_g);
    if d_fine && config.update == Update::Simultaneous {
        adam(&mut state.discriminator, &found.grads_d, config, |_| rates.lr_d);
    }
    if g_fine {
        let lr = |name: &str| if maps(name) { rates.lr_g * config.mapping_lr_mult } else { rates.lr_g };
        adam(&mut state.generator, &found.grads_g, config, lr);
    }
    conclude(config, state, d_fine && g_fine, Sums { steps: 1, ..found.sums })
}

/// What the parts of a step found out, added up.
#[derive(Default)]
struct Found {
    grads_d: Weights,
    grads_g: Weights,
    sums: Sums,
}

impl Found {
    fn judged(&mut self, turn: Turn) {
        self.sums.add(&turn.sums);
        add(&mut self.grads_d, turn.grads);
    }

    /// `free` is the generator's loss and its gradient in the fakes, where the discriminator's turn has them already.
    fn painted(&mut self, judge: &Judge, state: &State, config: &TrainConfig, part: Part, free: Option<(f64, Tensor)>) {
        let (loss, gradient) = free.unwrap_or_else(|| judge.generator_turn(state, &part.sight, &part.labels, config));
        self.sums.loss_g += loss;
        add(&mut self.grads_g, part.learn(&gradient));
    }
}

/// `sum += part`; a sum begins empty.
fn add(sum: &mut Weights, part: Weights) {
    if sum.is_empty() {
        *sum = part;
        return;
    }
    for (name, g) in &part {
        let to = sum.get_mut(name);
        *to = to.add(g);
    }
}

/// Counts the step, and slows down after an accident.
fn conclude(config: &TrainConfig, state: &mut State, fine: bool, sums: Sums) -> Outcome {
    let c = &mut state.counters;
    c.step += 1;
    c.shown += config.batch as u64;
    if fine {
        c.skipped_in_a_row = 0;
        c.sums.add(&sums);
        return Outcome::Learnt;
    }
    c.skipped += 1;
    c.skipped_in_a_row += 1;
    c.lr_scale *= 0.5;
    Outcome::Skipped
}

/// Whether a weight belongs to the layers of the mapping network (its label tables do not).
fn maps(name: &str) -> bool {
    name.strip_prefix("mapping.").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn finite(grads: &Weights) -> bool {
    grads.iter().all(|(_, g)| optim::all_finite(g))
}

/// Adam on every weight that has a gradient, with the learning rate of its name.
fn adam(learner: &mut Learner, grads: &Weights, config: &TrainConfig, lr: impl Fn(&str) -> f64) {
    learner.updates += 1;
    let t = learner.updates;
    for (name, g) in grads {
        let step = optim::AdamStep { lr: lr(name), beta1: config.beta1, beta2: config.beta2, eps: 1e-8, t };
        optim::adam_step(learner.weights.get_mut(name), learner.m.get_mut(name), learner.v.get_mut(name), g, step);
    }
}

#[cfg(test)]
mod tests;
