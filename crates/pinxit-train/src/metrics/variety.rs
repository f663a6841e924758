//! Collapse, seen without any network: how far apart are pictures of one class as 8x8 thumbnails?
use super::distances;
use pinxit_tensor::Tensor;

/// Side of a thumbnail.
const SIDE: usize = 8;
/// Pictures of a class that are compared.
const PER_CLASS: usize = 150;
/// A class with fewer pictures says nothing.
const LEAST: usize = 6;

/// Means over an 8x8 grid of each picture `[n, h, w, 3]` in -1..1, values 0..2 as rows `[n, 192]`. Each side is at least 8.
pub fn thumbnails(x: &Tensor) -> Tensor {
    let [n, h, w, c] = *x.shape() else { panic!("pictures are [n, h, w, 3], not {:?}", x.shape()) };
    let mut out = Tensor::zeros(&[n, SIDE * SIDE * c]);
    crate::parallel::chunks(out.data_mut(), SIDE * SIDE * c, |i, row| {
        let picture = &x.data()[i * h * w * c..][..h * w * c];
        for (cell, mean) in row.chunks_exact_mut(c).enumerate() {
            let span = |at: usize, side: usize| (at * side / SIDE)..(((at + 1) * side / SIDE).max(at * side / SIDE + 1));
            let (ys, xs) = (span(cell / SIDE, h), span(cell % SIDE, w));
            let count = (ys.len() * xs.len()) as f32;
            for y in ys {
                for p in picture[(y * w + xs.start) * c..(y * w + xs.end) * c].chunks_exact(c) {
                    mean.iter_mut().zip(p).for_each(|(m, v)| *m += (v.clamp(-1.0, 1.0) + 1.0) / count);
                }
            }
        }
    });
    out
}

/// For every class with at least 6 pictures: the median distance from a thumbnail to its nearest other one of the class.
/// `thumbs` `[n, d]`, `class` one entry a row (all zero without classes); ordered by class.
pub fn self_nn(thumbs: &Tensor, class: &[u32]) -> Vec<(u32, f64)> {
    let mut classes: Vec<u32> = class.to_vec();
    classes.sort_unstable();
    classes.dedup();
    let mut out = Vec::new();
    for c in classes {
        let rows: Vec<usize> = (0..class.len()).filter(|&i| class[i] == c).take(PER_CLASS).collect();
        if rows.len() >= LEAST {
            out.push((c, median(nearest_others(&take(thumbs, &rows)))));
        }
    }
    out
}

/// Median over classes of (distance among fakes / distance among reals of the same class), and the lowest class's. `None`
/// if no class has enough of both.
pub fn self_nn_ratio(real: &[(u32, f64)], fake: &[(u32, f64)]) -> Option<(f64, f64)> {
    let ratios: Vec<f32> =
        fake.iter().filter_map(|(c, f)| real.iter().find(|(r, d)| r == c && *d > 0.0).map(|(_, d)| (f / d) as f32)).collect();
    let lowest = ratios.iter().copied().min_by(f32::total_cmp)?;
    Some((median(ratios), f64::from(lowest)))
}

/// The rows asked for.
pub(crate) fn take(t: &Tensor, rows: &[usize]) -> Tensor {
    let d = t.shape()[1];
    let mut out = Vec::with_capacity(rows.len() * d);
    rows.iter().for_each(|&i| out.extend_from_slice(&t.data()[i * d..][..d]));
    Tensor::new(&[rows.len(), d], out)
}

/// Each row's distance to the nearest other.
fn nearest_others(rows: &Tensor) -> Vec<f32> {
    let (table, n) = (distances(rows, rows), rows.shape()[0]);
    let others = |i: usize| table.data()[i * n..][..n].iter().enumerate().filter(move |(j, _)| *j != i).map(|(_, &d)| d);
    (0..n).map(|i| others(i).fold(f32::INFINITY, f32::min)).collect()
}

/// Median; the mean of the middle two of an even number (numpy's).
fn median(mut values: Vec<f32>) -> f64 {
    values.sort_unstable_by(f32::total_cmp);
    super::distribution::quantile(&values, 0.5)
}
