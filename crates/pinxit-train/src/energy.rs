//! A push towards variety that needs no opponent: the energy distance (Székely & Rizzo 2013) between the features of fakes
//! and of reals that carry the same labels.
//!
//! ```text
//! E = mean over pairs i≠j of one label:  2·|f_i - r_j| - |f_i - f_j|      (in units of the mean |r_i - r_j|)
//! ```
//! It is smallest when the two clouds are the same cloud: unlike a discriminator, it sees at once that all fakes of a class
//! are one picture. Maps are pooled to a small grid first. The gradient is written down, not recorded: even 32 pictures make
//! only 1,024 pairs of 512 numbers, nothing beside a convolution.
use pinxit_nn::Labels;
use pinxit_tensor::{Array, Real, Tensor};

/// Distances below this count as this, squared: keeps the derivative finite.
const FLOOR: f64 = 1e-4;

/// For every pair, whether the energy distance looks at it.
fn same_label(labels: &Labels, i: usize, j: usize) -> bool {
    i != j && labels.class[i] == labels.class[j] && labels.style[i] == labels.style[j]
}

/// A map `[n, h, w, c]` averaged to a grid of at most `side` by `side` cells (halving, so sides stay multiples), as rows.
pub fn pooled<T: Real>(map: &Tensor<T>, side: usize) -> Tensor<T> {
    let mut x = map.clone();
    while halves(x.shape(), side) {
        x = x.pool2();
    }
    let n = x.shape()[0];
    let d = x.len() / n.max(1);
    x.reshape(&[n, d])
}

/// The adjoint of [`pooled`] for a map of `shape`.
pub fn pooled_grad<T: Real>(dy: &Tensor<T>, shape: &[usize], side: usize) -> Tensor<T> {
    let (mut at, mut times) = (shape.to_vec(), 0);
    while halves(&at, side) {
        (at[1], at[2], times) = (at[1] / 2, at[2] / 2, times + 1);
    }
    (0..times).fold(dy.reshape(&at), |g, _| g.pool2_grad())
}

/// Whether a map is still larger than the grid wanted and can be halved.
fn halves(shape: &[usize], side: usize) -> bool {
    shape[1].min(shape[2]) > side && shape[1].is_multiple_of(2) && shape[2].is_multiple_of(2)
}

/// Mean distance between different rows: the unit in which a feature's energy distance is counted.
pub fn unit(rows: &Tensor) -> f64 {
    let n = rows.shape()[0];
    let table = crate::metrics::distances(rows, rows);
    let sum: f64 = table.data().iter().enumerate().filter(|(i, _)| i / n != i % n).map(|(_, &d)| f64::from(d)).sum();
    (sum / (n * n.max(2) - n).max(1) as f64).max(1e-6)
}

/// Energy distance of `fake` from `real` (rows `[n, d]`, labels in common) in multiples of `unit`, and its derivative in `fake`.
pub fn energy<T: Real>(real: &Tensor<T>, fake: &Tensor<T>, labels: &Labels, unit: f64) -> (f64, Tensor<T>) {
    let (n, d) = (fake.shape()[0], fake.shape()[1]);
    let pairs = (0..n * n).filter(|p| same_label(labels, p / n, p % n)).count();
    let mut grad = Tensor::zeros(&[n, d]);
    if pairs == 0 {
        return (0.0, grad);
    }
    let k = 1.0 / (pairs as f64 * unit);
    let sums = std::sync::Mutex::new(vec![0f64; n]);
    crate::parallel::chunks(grad.data_mut(), d, |i, g| {
        let f = &fake.data()[i * d..][..d];
        let mut sum = 0.0;
        for j in (0..n).filter(|&j| same_label(labels, i, j)) {
            // |f_i - f_j| appears twice in the double sum, once for either order: derivative twice, value once.
            for (other, value, slope) in [(&real.data()[j * d..][..d], 2.0, 2.0), (&fake.data()[j * d..][..d], -1.0, -2.0)] {
                let square: f64 = f.iter().zip(other).map(|(&a, &b)| (a - b).to_f64().powi(2)).sum();
                let distance = square.max(FLOOR).sqrt();
                sum += value * distance;
                if square > FLOOR {
                    let s = T::of(slope * k / distance);
                    g.iter_mut().zip(f).zip(other).for_each(|((g, &a), &b)| *g += s * (a - b));
                }
            }
        }
        // One entry a task, so the order of tasks cannot change the sum below.
        if let Ok(mut sums) = sums.lock() {
            sums[i] = sum;
        }
    });
    let total: f64 = sums.into_inner().unwrap_or_default().iter().sum();
    (total * k, grad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinxit_tensor::Rng;

    #[test]
    fn derivative_agrees_with_finite_differences() {
        let mut rng = Rng::stream(3, "energy");
        let (real, fake) = (rng.normal_tensor::<f64>(&[6, 10]), rng.normal_tensor::<f64>(&[6, 10]));
        let labels = Labels::new(vec![0, 0, 0, 1, 1, 2], vec![0; 6]);
        let (_, grad) = energy(&real, &fake, &labels, 2.5);
        for at in [0, 7, 13, 29, 34, 48, 59] {
            let shifted = |e: f64| {
                let mut t = fake.clone();
                t.data_mut()[at] += e;
                energy(&real, &t, &labels, 2.5).0
            };
            let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!((slope - grad.data()[at]).abs() < 1e-8, "at {at}: {slope} against {}", grad.data()[at]);
        }
    }

    #[test]
    fn it_prefers_the_right_cloud_to_its_centre() {
        let mut rng = Rng::stream(4, "energy");
        let (real, other) = (rng.normal_tensor::<f64>(&[40, 8]), rng.normal_tensor::<f64>(&[40, 8]));
        let labels = Labels::none(40, 0, 0);
        let collapsed = Tensor::zeros(&[40, 8]);
        let (good, bad) = (energy(&real, &other, &labels, 1.0).0, energy(&real, &collapsed, &labels, 1.0).0);
        assert!(good + 0.5 < bad, "a second sample {good} beats the mean repeated {bad}");
    }

    #[test]
    fn pooling_and_its_adjoint_match() {
        let mut rng = Rng::stream(5, "energy");
        let x = rng.normal_tensor::<f64>(&[2, 8, 16, 3]);
        let y = pooled(&x, 4);
        assert_eq!(y.shape(), [2, 4 * 8 * 3]);
        let dy = rng.normal_tensor::<f64>(y.shape());
        let dx = pooled_grad(&dy, x.shape(), 4);
        let dot = |a: &Tensor<f64>, b: &Tensor<f64>| a.data().iter().zip(b.data()).map(|(a, b)| a * b).sum::<f64>();
        assert!((dot(&y, &dy) - dot(&x, &dx)).abs() < 1e-10);
    }
}
