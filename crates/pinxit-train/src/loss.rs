//! What the two networks want, as the gradient of their wishes at each score.
//!
//! A loss here is a number and its derivative in every score: the derivative seeds the backward pass, so no graph is
//! built for it. Score maps are `[n, h, w, 1]` (a pooled score is a map of one pixel); the loss of a map is its mean over
//! pixels and samples, and maps of several heads are added up.
//!
//! * Hinge (Lim & Ye 2017, Tran et al. 2017): `D: mean max(0, 1-r) + mean max(0, 1+f)`, `G: -mean f`.
//! * Relativistic pairing (Huang et al. 2024, arXiv 2501.05441): `D: mean softplus(-(r-f))`, `G: mean softplus(r-f)`.
use pinxit_tensor::{Real, Tensor};
use serde::{Deserialize, Serialize};

/// Which loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Margin of one on either side.
    Hinge,
    /// Real and fake in pairs with the same label.
    Relativistic,
}

/// A loss over all heads and its derivative in each score.
#[derive(Clone, Debug)]
pub struct Seeds<T: Real = f32> {
    /// The loss.
    pub loss: f64,
    /// `dloss/dreal`, one tensor a head.
    pub real: Vec<Tensor<T>>,
    /// `dloss/dfake`, one tensor a head.
    pub fake: Vec<Tensor<T>>,
}

/// `1 / (1 + e^-x)`, for either sign without overflow.
fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// `ln(1 + e^x)` without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

impl Loss {
    /// Loss of one pair of scores and its derivatives `(loss, d/dreal, d/dfake)` for the discriminator.
    pub fn discriminator_at(self, real: f64, fake: f64) -> (f64, f64, f64) {
        match self {
            Loss::Hinge => {
                let (r, f) = (1.0 - real, 1.0 + fake);
                (r.max(0.0) + f.max(0.0), if r > 0.0 { -1.0 } else { 0.0 }, if f > 0.0 { 1.0 } else { 0.0 })
            }
            Loss::Relativistic => {
                let q = sigmoid(fake - real);
                (softplus(fake - real), -q, q)
            }
        }
    }

    /// Loss of one pair of scores and its derivative in the fake score, for the generator.
    pub fn generator_at(self, real: f64, fake: f64) -> (f64, f64) {
        match self {
            Loss::Hinge => (-fake, -1.0),
            Loss::Relativistic => (softplus(real - fake), -sigmoid(real - fake)),
        }
    }

    /// The discriminator's loss over all heads.
    pub fn discriminator<T: Real>(self, real: &[Tensor<T>], fake: &[Tensor<T>]) -> Seeds<T> {
        over_heads(real, fake, |r, f| self.discriminator_at(r, f))
    }

    /// The generator's loss over all heads; `real` seeds are zero by definition and left empty.
    pub fn generator<T: Real>(self, real: &[Tensor<T>], fake: &[Tensor<T>]) -> Seeds<T> {
        let mut seeds = over_heads(real, fake, |r, f| {
            let (loss, df) = self.generator_at(r, f);
            (loss, 0.0, df)
        });
        seeds.real.clear();
        seeds
    }
}

/// Applies a pairwise loss to every pixel of every head; means within a head, sum over heads.
fn over_heads<T: Real>(real: &[Tensor<T>], fake: &[Tensor<T>], at: impl Fn(f64, f64) -> (f64, f64, f64)) -> Seeds<T> {
    assert_eq!(real.len(), fake.len(), "as many heads for real as for fake");
    let mut out = Seeds { loss: 0.0, real: Vec::new(), fake: Vec::new() };
    for (r, f) in real.iter().zip(fake) {
        assert_eq!(r.shape(), f.shape(), "scores of real and fake have one shape");
        let share = 1.0 / r.len().max(1) as f64;
        let (mut dr, mut df) = (Vec::with_capacity(r.len()), Vec::with_capacity(r.len()));
        for (&r, &f) in r.data().iter().zip(f.data()) {
            let (loss, gr, gf) = at(r.to_f64(), f.to_f64());
            out.loss += loss * share;
            dr.push(T::of(gr * share));
            df.push(T::of(gf * share));
        }
        out.real.push(Tensor::new(r.shape(), dr));
        out.fake.push(Tensor::new(f.shape(), df));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_agree_with_finite_differences() {
        let eps = 1e-6;
        for loss in [Loss::Hinge, Loss::Relativistic] {
            for (r, f) in [(0.3, -0.2), (2.5, 0.7), (-1.4, -3.0), (40.0, -60.0), (-0.2, 1.9)] {
                let (_, dr, df) = loss.discriminator_at(r, f);
                let nr = (loss.discriminator_at(r + eps, f).0 - loss.discriminator_at(r - eps, f).0) / (2.0 * eps);
                let nf = (loss.discriminator_at(r, f + eps).0 - loss.discriminator_at(r, f - eps).0) / (2.0 * eps);
                assert!((dr - nr).abs() < 1e-6 && (df - nf).abs() < 1e-6, "{loss:?} D at {r} {f}: {dr} {nr} {df} {nf}");
                let (_, dg) = loss.generator_at(r, f);
                let ng = (loss.generator_at(r, f + eps).0 - loss.generator_at(r, f - eps).0) / (2.0 * eps);
                assert!((dg - ng).abs() < 1e-6, "{loss:?} G at {r} {f}: {dg} {ng}");
            }
        }
    }

    #[test]
    fn heads_are_means_added_up() {
        let one = Tensor::<f64>::new(&[2, 1, 1, 1], vec![0.0, 0.0]);
        let four = Tensor::<f64>::zeros(&[2, 2, 2, 1]);
        let seeds = Loss::Hinge.discriminator(&[one.clone(), four.clone()], &[one.clone(), four.clone()]);
        assert!((seeds.loss - 4.0).abs() < 1e-12, "two heads, each 1 + 1");
        assert!(seeds.real[1].data().iter().all(|&v| (v + 1.0 / 8.0).abs() < 1e-12));
        let g = Loss::Relativistic.generator(&[one.clone(), four.clone()], &[one, four]);
        assert!((g.loss - 2.0 * 2f64.ln()).abs() < 1e-12 && g.real.is_empty());
        assert!((g.fake[0].data()[0] + 0.25).abs() < 1e-12);
    }
}
