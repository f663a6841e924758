//! Reals and fakes of one step, in parts that are painted, judged and learnt from one after the other.
//!
//! Nothing in the own discriminator or the generator couples two pairs of real and fake, so gradients of parts add up to that of
//! the batch, and only one part's maps need to lie in memory. What is random is drawn for the whole batch: no choice depends on
//! how it is cut.
use super::{Players, Sight};
use crate::augment::Plan;
use crate::batch::Batch;
use crate::config::TrainConfig;
use crate::paint::{Fakes, Latents};
use crate::state::State;
use pinxit_nn::{Labels, View, Weights};
use pinxit_tensor::{Array, Tensor};

/// The reals, and all that determines the fakes.
pub(super) struct Round<'a> {
    players: &'a Players,
    labels: &'a Labels,
    real: Tensor,
    latents: Latents,
    plan: Plan,
    /// Of reals and fakes.
    views: [View; 2],
}

/// Some pairs, painted and seen.
pub(super) struct Part {
    fakes: Fakes,
    plan: Plan,
    /// What both turns look at.
    pub sight: Sight,
    /// Of each pair.
    pub labels: Labels,
}

impl<'a> Round<'a> {
    /// `again` names the second round of a step.
    pub fn draw(players: &'a Players, config: &TrainConfig, state: &State, batch: &'a Batch, again: &str) -> Self {
        let (n, labels) = (batch.labels.len(), &batch.labels);
        let hw = (batch.pictures.shape()[1], batch.pictures.shape()[2]);
        let rng = |purpose: &str| state.rng(config.seed, purpose);
        let plan = |rng, fakes| Plan::draw(&config.augment, &mut { rng }, n, hw, fakes);
        let real = plan(rng("augment real"), false).apply(&batch.pictures);
        let latents = Latents::draw(&players.generator, n, config, &mut rng(&format!("latents{again}")));
        let views = players.judge.views(config, &mut rng(&format!("view{again}")), n);
        Round { players, labels, real, latents, plan: plan(rng(&format!("augment fake{again}")), true), views }
    }

    /// Parts of `size` pairs (the last may be smaller), each painted when it is asked for.
    pub fn parts(&self, state: &State, size: usize) -> impl Iterator<Item = Part> {
        let n = self.labels.len();
        (0..n).step_by(size.max(1)).map(move |start| {
            let of = start..n.min(start + size);
            let (plan, labels) = (self.plan.part(of.clone()), self.labels.part(of.clone()));
            let (generator, weights) = (&self.players.generator, &state.generator.weights);
            let fakes = Fakes::paint(generator, weights, &self.latents.part(of.clone()), &labels);
            let real = self.real.narrow(0, start, of.len());
            let views = self.views.each_ref().map(|view| view.part(of.clone()));
            let sight = self.players.judge.see(&real, &plan.apply(fakes.pictures()), &labels, &views, n);
            Part { fakes, plan, sight, labels }
        })
    }
}

impl Part {
    /// The generator's gradient, from that in the augmented fakes.
    pub fn learn(self, gradient: &Tensor) -> Weights {
        self.fakes.learn(self.plan.adjoint(gradient))
    }
}
