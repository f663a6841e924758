//! Steps of training: Adam (Kingma and Ba 2015), the moving average of weights, and the check for broken numbers.
use crate::par::{self, GRAIN};
use crate::{Real, Tensor, pool};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Settings of one Adam step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub lr: f64,
    /// Memory of the mean gradient, 0 to below 1; at 0 the mean is the gradient itself and `m` is not touched.
    pub beta1: f64,
    /// Memory of the mean squared gradient, 0 to below 1.
    pub beta2: f64,
    /// Keeps the division finite.
    pub eps: f64,
    /// Number of this step, from 1: corrects the bias of the first steps.
    pub t: u64,
}

/// One step on weights `w` with gradient `g`; `m` and `v` are the running means, of the same shape, zeros at first.
pub fn adam_step<T: Real>(w: &mut Tensor<T>, m: &mut Tensor<T>, v: &mut Tensor<T>, g: &Tensor<T>, step: AdamStep) {
    let (shape, t) = (w.shape(), step.t.max(1) as f64);
    assert!(
        m.shape() == shape && v.shape() == shape && g.shape() == shape,
        "Adam: w {shape:?}, m {:?}, v {:?}, g {:?}",
        m.shape(),
        v.shape(),
        g.shape()
    );
    let (b1, b2) = (T::of(step.beta1), T::of(step.beta2));
    let (r1, r2) = (T::of(1.0 - step.beta1), T::of(1.0 - step.beta2));
    // Bias correction folded into the step length and the square root.
    let lr = T::of(step.lr / (1.0 - step.beta1.powf(t)));
    let fix = T::of(1.0 / (1.0 - step.beta2.powf(t)));
    let eps = T::of(step.eps);
    let update = move |w: &mut T, mean: T, v: &mut T, g: T| {
        *v = *v * b2 + g * g * r2;
        *w = *w - lr * mean / ((*v * fix).sqrt() + eps);
    };
    let g = g.data();
    if step.beta1 == 0.0 {
        par::zipped([w.data_mut(), v.data_mut()], GRAIN, |i, [w, v]| {
            w.iter_mut().zip(v).zip(&g[i * GRAIN..]).for_each(|((w, v), &g)| update(w, g, v, g));
        });
        return;
    }
    par::zipped([w.data_mut(), m.data_mut(), v.data_mut()], GRAIN, |i, [w, m, v]| {
        for (((w, m), v), &g) in w.iter_mut().zip(m).zip(v).zip(&g[i * GRAIN..]) {
            *m = *m * b1 + g * r1;
            update(w, *m, v, g);
        }
    });
}

/// `average = beta * average + (1 - beta) * w`.
pub fn ema_step<T: Real>(average: &mut Tensor<T>, w: &Tensor<T>, beta: f64) {
    assert_eq!(average.shape(), w.shape(), "a moving average must have the shape of its weights");
    let (keep, take, from) = (T::of(beta), T::of(1.0 - beta), w.data());
    par::blocks(average.data_mut(), GRAIN, |i, block| {
        block.iter_mut().zip(&from[i * GRAIN..]).for_each(|(a, &w)| *a = *a * keep + w * take);
    });
}

/// Whether every number is neither infinite nor NaN.
pub fn all_finite<T: Real>(t: &Tensor<T>) -> bool {
    // 0 * x is 0 for every finite x and NaN for all others; a sum of them has no branch. One sum alone waits for itself, so there
    // are as many as fill the registers.
    const LANES: usize = 32;
    let fine = |block: &[T]| {
        let (chunks, mut sums) = (block.chunks_exact(LANES), [T::default(); LANES]);
        let rest = chunks.remainder().iter().fold(T::default(), |sum, &v| sum + v * T::default());
        chunks.for_each(|c| sums.iter_mut().zip(c).for_each(|(s, &v)| *s += v * T::default()));
        sums.into_iter().fold(rest, |a, b| a + b).is_finite()
    };
    let all = AtomicBool::new(true);
    pool::tasks(t.len().div_ceil(GRAIN), |i| {
        if !fine(&t.data()[i * GRAIN..t.len().min((i + 1) * GRAIN)]) {
            all.store(false, Relaxed)
        }
    });
    all.into_inner()
}
