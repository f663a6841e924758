//! The turns of the own discriminator: one pass gives loss, exact R1 and R2, and the generator's gradient (RECIPE §1).
use super::{Sight, Turn};
use crate::TrainConfig;
use crate::state::Sums;
use pinxit_nn::{Labels, OwnDiscriminator, Weights};
use pinxit_tensor::{Array, Tensor};

/// Reals, then fakes, with their labels twice.
pub(super) fn see(real: &Tensor, fake: &Tensor, labels: &Labels) -> Sight {
    Sight::Own { both: Tensor::concat(&[real.clone(), fake.clone()], 0), labels: labels.twice() }
}

/// Loss and penalty of the discriminator, and from the same pass what the generator needs.
pub(super) fn discriminator_turn(
    d: &OwnDiscriminator,
    w: &Weights,
    both: &Tensor,
    labels: &Labels,
    config: &TrainConfig,
    gamma: f64,
) -> Turn {
    let n = labels.len() / 2;
    let share = 1.0 / n as f64;
    let found = d.penalized_step(w, both, labels, gamma, |scores| {
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
    let fakes = Some(towards(&found.scores, &found.input_grad, n, config));
    Turn { grads: found.grads, sums, fakes }
}

/// What the generator needs from a discriminator that has moved on.
pub(super) fn generator_turn(
    d: &OwnDiscriminator,
    w: &Weights,
    both: &Tensor,
    labels: &Labels,
    config: &TrainConfig,
) -> (f64, Tensor) {
    let n = labels.len() / 2;
    let found = d.scored(w, both, labels);
    towards(&found.scores, &found.input_grad, n, config)
}

/// The generator's loss, and its gradient in the fakes: dloss/dscore times dscore/dpicture.
fn towards(scores: &[f64], input_grad: &Tensor, n: usize, config: &TrainConfig) -> (f64, Tensor) {
    let mut gradient = input_grad.narrow(0, n, n);
    let (size, share) = (gradient.len() / n, 1.0 / n as f64);
    let mut loss = 0.0;
    for (i, picture) in gradient.data_mut().chunks_exact_mut(size).enumerate() {
        let (l, slope) = config.loss.generator_at(scores[i], scores[n + i]);
        loss += l * share;
        let k = (slope * share) as f32;
        picture.iter_mut().for_each(|v| *v *= k);
    }
    (loss, gradient)
}
