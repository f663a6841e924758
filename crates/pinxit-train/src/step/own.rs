//! The turns of the own discriminator: one pass gives loss, exact R1 and R2, and the generator's gradient (RECIPE §1).
use super::{Sight, Turn};
use crate::TrainConfig;
use crate::state::Sums;
use pinxit_nn::{Labels, OwnDiscriminator, Weights};
use pinxit_tensor::{Array, Tensor};

/// Pairs looked at together, for pictures of (height, width) px. From 64 px on 16 take half the memory of 32 and cost no speed (xs-128:
/// 618 for 1113 MiB); 8 take a third, but make as many small calls again, and `xs-64` is some per cent slower. Below, 16 are such a
/// small call (`xs-32` lost 3 %), and memory is no matter.
pub(super) fn part((h, w): (usize, usize)) -> usize {
    const PAIRS: usize = 16;
    const PIXELS: usize = PAIRS * 64 * 64;
    (PIXELS / (h * w).max(1)).max(PAIRS)
}

/// Reals, then fakes, with their labels twice; `all` is the number of pairs in the batch that these are a part of.
pub(super) fn see(real: &Tensor, fake: &Tensor, labels: &Labels, all: usize) -> Sight {
    Sight::Own { both: Tensor::concat(&[real.clone(), fake.clone()], 0), labels: labels.twice(), share: 1.0 / all as f64 }
}

/// Loss and penalty of the discriminator, and from the same pass what the generator needs. `share` is what a pair counts for:
/// loss, penalty and gradients of the parts of a batch add up to those of the whole.
pub(super) fn discriminator_turn(
    d: &OwnDiscriminator,
    w: &Weights,
    both: &Tensor,
    labels: &Labels,
    share: f64,
    config: &TrainConfig,
    gamma: f64,
) -> Turn {
    let n = labels.len() / 2;
    // The penalty of a step is a mean over its own pairs.
    let found = d.penalized_step(w, both, labels, gamma * share * n as f64, |scores| {
        let (mut slopes, mut loss) = (vec![0.0; 2 * n], 0.0);
        for i in 0..n {
            let (l, dr, df) = config.loss.discriminator_at(scores[i], scores[n + i]);
            loss += l * share;
            (slopes[i], slopes[n + i]) = (dr * share, df * share);
        }
        (slopes, loss)
    });
    let sums = Sums {
        steps: 1,
        loss_d: found.loss,
        loss_g: 0.0,
        real: found.scores[..n].iter().sum::<f64>() * share,
        fake: found.scores[n..].iter().sum::<f64>() * share,
        accuracy: (0..n).filter(|&i| found.scores[i] > found.scores[n + i]).count() as f64 * share,
        penalty: found.penalty.iter().sum::<f64>() * share / 2.0,
    };
    let fakes = Some(towards(&found.scores, &found.input_grad, share, config));
    Turn { grads: found.grads, sums, fakes }
}

/// What the generator needs from a discriminator that has moved on.
pub(super) fn generator_turn(
    d: &OwnDiscriminator,
    w: &Weights,
    both: &Tensor,
    labels: &Labels,
    share: f64,
    config: &TrainConfig,
) -> (f64, Tensor) {
    let found = d.scored(w, both, labels);
    towards(&found.scores, &found.input_grad, share, config)
}

/// The generator's loss, and its gradient in the fakes: dloss/dscore times dscore/dpicture.
fn towards(scores: &[f64], input_grad: &Tensor, share: f64, config: &TrainConfig) -> (f64, Tensor) {
    let n = scores.len() / 2;
    let mut gradient = input_grad.narrow(0, n, n);
    let (size, mut loss) = (gradient.len() / n, 0.0);
    for (i, picture) in gradient.data_mut().chunks_exact_mut(size).enumerate() {
        let (l, slope) = config.loss.generator_at(scores[i], scores[n + i]);
        loss += l * share;
        let k = (slope * share) as f32;
        picture.iter_mut().for_each(|v| *v *= k);
    }
    (loss, gradient)
}
