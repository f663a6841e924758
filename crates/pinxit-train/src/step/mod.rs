//! One step of the game: judge, learn, guard.
mod own;
mod projected;

pub use projected::{ProjectedJudge, calibration};

use crate::augment::Plan;
use crate::batch::Batch;
use crate::config::{TrainConfig, Update};
use crate::paint::Fakes;
use crate::state::{Learner, State, Sums};
use pinxit_nn::{Generator, Labels, OwnDiscriminator, Weights};
use pinxit_tensor::{Tensor, optim, with_precision};

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
    Own { both: Tensor, labels: Labels },
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

    fn see(&self, real: &Tensor, fake: &Tensor, labels: &Labels) -> Sight {
        match self {
            Judge::Own(_) => own::see(real, fake, labels),
            Judge::Projected(p) => Sight::Projected(p.see(real, fake)),
        }
    }

    fn discriminator_turn(&self, state: &State, sight: &Sight, labels: &Labels, config: &TrainConfig, gamma: f64) -> Turn {
        match (self, sight) {
            (Judge::Own(d), Sight::Own { both, labels }) => {
                own::discriminator_turn(d, &state.discriminator.weights, both, labels, config, gamma)
            }
            (Judge::Projected(p), Sight::Projected(s)) => p.discriminator_turn(state, s, labels, config),
            _ => unreachable!("a sight is made by the judge that looks at it"),
        }
    }

    /// The generator's loss and its gradient in the (augmented) fakes.
    fn generator_turn(&self, state: &State, sight: &Sight, labels: &Labels, config: &TrainConfig) -> (f64, Tensor) {
        match (self, sight) {
            (Judge::Own(d), Sight::Own { both, labels }) => {
                own::generator_turn(d, &state.discriminator.weights, both, labels, config)
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
    with_precision(config.precision.resolved(), || play(players, config, state, batch, rates))
}

fn play(players: &Players, config: &TrainConfig, state: &mut State, batch: &Batch, rates: Rates) -> Outcome {
    let labels = &batch.labels;
    let hw = (batch.pictures.shape()[1], batch.pictures.shape()[2]);
    let plan = |state: &State, purpose: &str, fakes: bool| {
        Plan::draw(&config.augment, &mut state.rng(config.seed, purpose), labels.len(), hw, fakes)
    };
    let paint = |state: &State, purpose: &str| {
        let rng = &mut state.rng(config.seed, purpose);
        Fakes::paint(&players.generator, &state.generator.weights, labels, config, rng)
    };
    let real = plan(state, "augment real", false).apply(&batch.pictures);
    let (mut fakes, mut fake_plan) = (paint(state, "latents"), plan(state, "augment fake", true));
    let mut sight = players.judge.see(&real, &fake_plan.apply(fakes.pictures()), labels);

    if let Judge::Projected(p) = &players.judge {
        p.spectral_step(state, config);
    }
    let turn = players.judge.discriminator_turn(state, &sight, labels, config, rates.gamma);
    let d_fine = finite(&turn.grads);
    let learn_d = |state: &mut State| {
        if d_fine {
            adam(&mut state.discriminator, &turn.grads, config, |_| rates.lr_d);
        }
    };
    if config.update != Update::Simultaneous {
        learn_d(state);
    }
    if config.update == Update::Alternating {
        (fakes, fake_plan) = (paint(state, "latents again"), plan(state, "augment fake again", true));
        sight = players.judge.see(&real, &fake_plan.apply(fakes.pictures()), labels);
    }
    let free = turn.fakes.filter(|_| config.update == Update::Simultaneous);
    let (loss_g, gradient) = free.unwrap_or_else(|| players.judge.generator_turn(state, &sight, labels, config));
    let grads_g = fakes.learn(fake_plan.adjoint(&gradient));
    drop(fakes); // its tape shares the weights, and writing to shared weights would copy them first
    let g_fine = finite(&grads_g);
    if config.update == Update::Simultaneous {
        learn_d(state);
    }
    if g_fine {
        let lr = |name: &str| if maps(name) { rates.lr_g * config.mapping_lr_mult } else { rates.lr_g };
        adam(&mut state.generator, &grads_g, config, lr);
    }
    conclude(config, state, d_fine && g_fine, Sums { loss_g, ..turn.sums })
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
