//! How unlike a painted picture is to its target: pixels at several sizes, and what a feature network sees.
use pinxit_nn::{Bound, FeatureNet};
use pinxit_tensor::{Array, Tape, Tensor, Var};

/// Sizes at which pixels are compared, each half of the one before.
const SCALES: usize = 3;
/// Shorter side of what the feature network sees, px.
const SEEN_PX: usize = 128;
/// Taps of the feature network that are compared; the deeper ones know what, not where.
const TAPS: usize = 3;

/// A target, ready to be compared with.
pub(crate) struct Likeness<'a> {
    net: &'a FeatureNet,
    /// The target at each size, `[1, h, w, 3]`.
    pixels: Vec<Tensor>,
    /// What the network sees in it at each tap, and one over the mean square of that.
    taps: Vec<(Tensor, f64)>,
    seen: (usize, usize),
}

impl<'a> Likeness<'a> {
    /// Of a target `[1, h, w, 3]`, -1..1.
    pub fn to(target: &Tensor, net: &'a FeatureNet) -> Self {
        let &[_, h, w, _] = target.shape() else { panic!("a target is [1, h, w, 3], not {:?}", target.shape()) };
        let side = |v: usize| (v * SEEN_PX).div_ceil(h.min(w).max(1)).next_multiple_of(16);
        let seen = (side(h), side(w));
        let taps = net.taps(&net.weights().eager(), &target.resize(seen)).into_iter().take(TAPS);
        let weighed = |t: Tensor| {
            let mean_square = t.data().iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / t.len() as f64;
            (t, 1.0 / mean_square.max(1e-6))
        };
        Likeness { net, pixels: pyramid(target), taps: taps.map(weighed).collect(), seen }
    }

    /// Mean squared difference of pixels, averaged over the sizes; a `Var` or a `Tensor` of one element.
    pub fn pixels<A: Array<T = f32>>(&self, x: &A) -> A {
        let each = pyramid(x).into_iter().zip(&self.pixels).map(|(x, t)| x.sub(&x.lift(t.clone())).square().mean());
        each.reduce(|a, b| a.add(&b)).map_or_else(|| x.mean(), |sum| sum.scale(1.0 / SCALES as f64))
    }

    /// Mean squared difference of features over their mean square, averaged over the taps.
    pub fn features<A: Array<T = f32>>(&self, net: &Bound<A>, x: &A) -> A {
        let seen = self.net.taps(net, &x.resize(self.seen));
        let each = seen.iter().zip(&self.taps).map(|(x, (t, weight))| x.sub(&x.lift(t.clone())).square().mean().scale(*weight));
        each.map(|e| e.reshape(&[1])).reduce(|a, b| a.add(&b)).map_or_else(|| x.mean(), |sum| sum.scale(1.0 / TAPS as f64))
    }

    /// The network's weights as constants of a tape.
    pub fn bound(&self, tape: &Tape<f32>) -> Bound<Var<f32>> {
        self.net.weights().bind(|_, t| tape.constant(t.clone()))
    }

    /// Peak signal to noise ratio of a picture as it would be saved, dB.
    pub fn psnr_db(&self, x: &Tensor) -> f64 {
        let saved = |v: f32| (v.clamp(-1.0, 1.0) + 1.0) * 127.5;
        let pairs = x.data().iter().zip(self.pixels[0].data());
        let mse = pairs.map(|(&a, &b)| f64::from(saved(a) - saved(b)).powi(2)).sum::<f64>() / x.len() as f64;
        10.0 * (255.0f64.powi(2) / mse.max(1e-9)).log10()
    }
}

fn pyramid<A: Array>(x: &A) -> Vec<A> {
    let mut all = vec![x.clone()];
    for i in 1..SCALES {
        all.push(all[i - 1].pool2());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinxit_tensor::Rng;

    #[test]
    fn the_target_itself_is_alike_and_noise_is_not() {
        let net = FeatureNet::shipped().unwrap();
        let target = Rng::new(1).normal_tensor::<f32>(&[1, 32, 32, 3]).clamp(-1.0, 1.0);
        let likeness = Likeness::to(&target, &net);
        let weights = net.weights().eager();
        let of = |x: &Tensor| [likeness.pixels(x).item(), likeness.features(&weights, x).item()];
        assert_eq!(of(&target), [0.0, 0.0]);
        assert!(likeness.psnr_db(&target) > 90.0);
        let off = of(&target.affine(1.0, 0.02));
        let far = of(&Rng::new(2).normal_tensor::<f32>(&[1, 32, 32, 3]));
        assert!((0..2).all(|i| 0.0 < off[i] && off[i] < far[i]), "{off:?} {far:?}");
        // 0.02 of -1..1 is 2.55 of 255, but for what is clamped.
        assert!((likeness.psnr_db(&target.affine(1.0, 0.02)) - 40.0).abs() < 2.0);
    }
}
