//! Distances between two clouds of features: the kernel distance and the sliced Wasserstein distance.
use pinxit_tensor::{Array, Rng, Tensor};

/// Directions the Wasserstein distance looks along.
const DIRECTIONS: usize = 200;
/// Points at which two projected distributions are compared.
const QUANTILES: usize = 300;

/// Kernel inception distance (Bińkowski et al. 2018, arXiv 1801.01401) with the cubic kernel `(x·y/d + 1)^3`, the unbiased
/// estimate over all pairs. `real` `[m, d]`, `fake` `[n, d]`.
pub fn kid(real: &Tensor, fake: &Tensor) -> f64 {
    let (m, n, d) = (real.shape()[0], fake.shape()[0], real.shape()[1]);
    assert!(m > 1 && n > 1 && fake.shape()[1] == d, "two clouds of the same features, two pictures at least");
    let (same_r, diagonal_r) = kernel_sums(real, real, d);
    let (same_f, diagonal_f) = kernel_sums(fake, fake, d);
    let (cross, _) = kernel_sums(real, fake, d);
    let (m, n) = (m as f64, n as f64);
    (same_r - diagonal_r) / (m * (m - 1.0)) + (same_f - diagonal_f) / (n * (n - 1.0)) - 2.0 * cross / (m * n)
}

/// Sum of the kernel over all pairs, and over the pairs `(i, i)`.
fn kernel_sums(a: &Tensor, b: &Tensor, d: usize) -> (f64, f64) {
    let dots = a.matmul(b, false, true);
    let columns = b.shape()[0];
    let (mut all, mut diagonal) = (0.0, 0.0);
    for (i, row) in dots.data().chunks_exact(columns).enumerate() {
        let kernel = |v: f32| (f64::from(v) / d as f64 + 1.0).powi(3);
        all += row.iter().map(|&v| kernel(v)).sum::<f64>();
        diagonal += row.get(i).map_or(0.0, |&v| kernel(v));
    }
    (all, diagonal)
}

/// Unit directions `[d, 200]`, always the same for one `d`.
pub fn swd_directions(d: usize) -> Tensor {
    let mut t: Tensor = Rng::stream(0, "swd-directions").normal_tensor(&[d, DIRECTIONS]);
    let mut norms = vec![0f64; DIRECTIONS];
    for row in t.data().chunks_exact(DIRECTIONS) {
        norms.iter_mut().zip(row).for_each(|(n, &v)| *n += f64::from(v) * f64::from(v));
    }
    for row in t.data_mut().chunks_exact_mut(DIRECTIONS) {
        row.iter_mut().zip(&norms).for_each(|(v, n)| *v = (f64::from(*v) / n.sqrt().max(1e-30)) as f32);
    }
    t
}

/// Sliced Wasserstein-2 distance, squared: mean over `directions` `[d, k]` and 300 quantiles of the squared difference
/// between the projected distributions (Rabin et al. 2011).
pub fn sliced_wasserstein(real: &Tensor, fake: &Tensor, directions: &Tensor) -> f64 {
    let (a, b) = (real.matmul(directions, false, false), fake.matmul(directions, false, false));
    let k = directions.shape()[1];
    let column = |t: &Tensor, j: usize| {
        let mut v: Vec<f32> = t.data().iter().skip(j).step_by(k).copied().collect();
        v.sort_unstable_by(f32::total_cmp);
        v
    };
    let mut sum = 0.0;
    for j in 0..k {
        let (x, y) = (column(&a, j), column(&b, j));
        for q in 0..QUANTILES {
            let at = q as f64 / (QUANTILES - 1) as f64;
            sum += (quantile(&x, at) - quantile(&y, at)).powi(2);
        }
    }
    sum / (k * QUANTILES) as f64
}

/// Quantile of sorted values, linear between neighbours (numpy's default).
pub(crate) fn quantile(sorted: &[f32], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = q * last as f64;
    let low = (at.floor() as usize).min(last);
    let high = (low + 1).min(last);
    let (a, b) = (f64::from(sorted[low]), f64::from(sorted[high]));
    a + (b - a) * (at - low as f64)
}
