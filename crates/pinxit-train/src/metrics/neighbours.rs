//! What the nearest neighbours say: precision and recall (Kynkäänniemi et al. 2019, arXiv 1904.06991), density and
//! coverage (Naeem et al. 2020, arXiv 2002.09797), and how many fakes are copies.
use super::distribution::quantile;
use pinxit_tensor::{Array, Tensor};

/// Answers of [`neighbours`]; see [`Measures`](super::Measures) for their meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbours {
    /// Share of fakes within some real picture's neighbourhood.
    pub precision: f64,
    /// Share of reals within some fake's neighbourhood.
    pub recall: f64,
    /// Neighbourhoods a fake lies in, divided by `k`.
    pub density: f64,
    /// Share of reals with a fake within their neighbourhood.
    pub coverage: f64,
    /// Share of fakes closer to a real than the first percentile of real nearest-neighbour distances.
    pub memorised: f64,
}

/// Euclidean distances `[m, n]` between the rows of `a` `[m, d]` and of `b` `[n, d]`.
pub fn distances(a: &Tensor, b: &Tensor) -> Tensor {
    let squares = |t: &Tensor| -> Vec<f64> {
        t.data().chunks_exact(t.shape()[1]).map(|r| r.iter().map(|&v| f64::from(v) * f64::from(v)).sum()).collect()
    };
    let (sa, sb) = (squares(a), squares(b));
    let mut dots = a.matmul(b, false, true);
    let n = b.shape()[0];
    crate::parallel::chunks(dots.data_mut(), n, |i, row| {
        for (v, s) in row.iter_mut().zip(&sb) {
            *v = (sa[i] + s - 2.0 * f64::from(*v)).max(0.0).sqrt() as f32;
        }
    });
    dots
}

/// Distance of every row's `k`-th nearest other row, from a square table of distances.
fn radii(table: &Tensor, k: usize) -> Vec<f32> {
    let n = table.shape()[0];
    let mut out = vec![0f32; n];
    crate::parallel::chunks(&mut out, 1, |i, radius| {
        let mut row: Vec<f32> = table.data()[i * n..][..n].to_vec();
        row.swap_remove(i);
        let k = k.min(row.len()).saturating_sub(1);
        radius[0] = *row.select_nth_unstable_by(k, f32::total_cmp).1;
    });
    out
}

/// All the answers with `k` neighbours for `real` `[m, d]` and `fake` `[n, d]`; both need more than one row.
pub fn neighbours(real: &Tensor, fake: &Tensor, k: usize) -> Neighbours {
    let (rr, ff, rf) = (distances(real, real), distances(fake, fake), distances(real, fake));
    let (near_r, near_f) = (radii(&rr, k), radii(&ff, k));
    let (m, n) = (real.shape()[0], fake.shape()[0]);
    let (mut inside, mut nearest_real) = (vec![0usize; n], vec![f32::INFINITY; n]);
    let (mut recalled, mut covered) = (0usize, 0usize);
    for (i, row) in rf.data().chunks_exact(n).enumerate() {
        let mut closest = f32::INFINITY;
        let mut recall = false;
        for (j, &d) in row.iter().enumerate() {
            inside[j] += usize::from(d < near_r[i]);
            nearest_real[j] = nearest_real[j].min(d);
            closest = closest.min(d);
            recall |= d < near_f[j];
        }
        recalled += usize::from(recall);
        covered += usize::from(closest < near_r[i]);
    }
    let share = |count: usize, of: usize| count as f64 / of as f64;
    let limit = first_percentile(radii(&rr, 1));
    Neighbours {
        precision: share(inside.iter().filter(|&&c| c > 0).count(), n),
        recall: share(recalled, m),
        density: inside.iter().sum::<usize>() as f64 / (k * n) as f64,
        coverage: share(covered, m),
        memorised: share(nearest_real.iter().filter(|&&d| f64::from(d) < limit).count(), n),
    }
}

/// Share of fakes `[n, d]` nearer to a training picture `[m, d]` than the first percentile of the distances between each
/// training picture and its nearest other.
pub fn memorised(training: &Tensor, fake: &Tensor) -> f64 {
    let limit = first_percentile(radii(&distances(training, training), 1));
    let table = distances(fake, training);
    let rows = table.data().chunks_exact(training.shape()[0]);
    let close = rows.filter(|row| row.iter().any(|&d| f64::from(d) < limit)).count();
    close as f64 / fake.shape()[0] as f64
}

/// First percentile, linear between values.
fn first_percentile(mut values: Vec<f32>) -> f64 {
    values.sort_unstable_by(f32::total_cmp);
    quantile(&values, 0.01)
}
