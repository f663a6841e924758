//! Three tests of a model, from features of training works, of works held out, and of pictures it made.
//!
//! * C_T (Meehan, Chaudhuri and Dasgupta 2020, arXiv 2004.05675): are made pictures nearer to the training works than unseen works are? A
//!   z-score, averaged over cells of the feature space: far below 0 it copies, far above 0 it underfits.
//! * Authenticity (Alaa et al. 2022, arXiv 2102.08921): the share of made pictures that are farther from their nearest training work than
//!   that work is from its own nearest other.
//! * Memorised: the share nearer to a training work than the first percentile of the works held out, for which it is 0.01 by definition.
use pinxit_tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::nearest::{distances, nearest};

/// C_T below which a model is said to copy: three standard deviations (TRUST.md §3).
pub const COPIES_BELOW: f64 = -3.0;
/// Share of pictures nearer than the held-out works' first percentile that no longer is chance.
pub const MEMORISED_ABOVE: f64 = 0.1;
/// Share of near copies, beyond that of works held out, that no longer is chance: the limit lets one in a thousand works pass for one.
pub const NEAR_COPIES_ABOVE: f64 = 0.02;
/// Made pictures that a cell needs for its z-score to be near normal.
const LEAST_MADE: usize = 20;
/// Held-out works that a cell needs on average: with fewer there are fewer cells.
const LEAST_HELD_OUT: usize = 20;
/// Rounds of Lloyd's algorithm; cells need not be exact.
const ROUNDS: usize = 20;

/// What the tests found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Data-copying z-score; none where no cell holds works held out and 20 made pictures.
    pub c_t: Option<f64>,
    /// Cells over which it was averaged.
    pub cells: usize,
    /// Share of made pictures that are authentic, 0..=1.
    pub authenticity: f64,
    /// The same of works held out: what is to be expected.
    pub authenticity_held_out: f64,
    /// Share of made pictures nearer to a training work than 99 % of the works held out are.
    pub memorised: f64,
    /// Share of made pictures that are windows of a training work, or nearly (see [`Works`](super::Works)).
    pub near_copies: f64,
    /// The same of works held out.
    pub near_copies_held_out: f64,
    /// What follows.
    pub verdict: Verdict,
}

/// In a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// No sign of copying.
    Original,
    /// The model repeats training works more than chance would.
    Copies,
}

impl Verdict {
    /// In plain words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Original => "no sign of copying: its pictures are no nearer to the training works than unseen works are",
            Verdict::Copies => "it copies: too many of its pictures are nearer to training works than unseen works are",
        }
    }
}

/// Tests a model: features of training works `[n, d]`, of works held out `[h, d]`, of pictures it made `[m, d]`; none may be empty. `near_copies` are
/// the shares of near copies among what it made and among the works held out.
pub fn audit(training: &Tensor, held_out: &Tensor, made: &Tensor, near_copies: [f64; 2]) -> Audit {
    let (unseen, own) = (distances(held_out, training, |_, _| false), distances(made, training, |_, _| false));
    let (c_t, cells) = c_t(training, held_out, made, &unseen, &own);
    let memorised = memorised(&unseen, &own);
    let [near_copies, near_copies_held_out] = near_copies;
    let copies = c_t.is_some_and(|z| z < COPIES_BELOW)
        || memorised > MEMORISED_ABOVE
        || near_copies > near_copies_held_out + NEAR_COPIES_ABOVE;
    Audit {
        c_t,
        cells,
        authenticity: authenticity(training, made),
        authenticity_held_out: authenticity(training, held_out),
        memorised,
        near_copies,
        near_copies_held_out,
        verdict: if copies { Verdict::Copies } else { Verdict::Original },
    }
}

/// C_T over cells of the training works, and their number. `unseen` and `own` are the distances of held-out works and made pictures to
/// their nearest training work.
fn c_t(training: &Tensor, held_out: &Tensor, made: &Tensor, unseen: &[f32], own: &[f32]) -> (Option<f64>, usize) {
    let centres = centres(training, (unseen.len() / LEAST_HELD_OUT).clamp(1, 10));
    let cell = |rows: &Tensor| -> Vec<usize> { nearest(rows, &centres, 1, |_, _| false).iter().map(|f| f[0].0).collect() };
    let (cells_p, cells_q) = (cell(held_out), cell(made));
    let of = |values: &[f32], cells: &[usize], k: usize| -> Vec<f32> {
        values.iter().zip(cells).filter(|(_, c)| **c == k).map(|(v, _)| *v).collect()
    };
    let (mut sum, mut weight, mut used) = (0.0, 0.0, 0);
    for k in 0..centres.shape()[0] {
        let (p, q) = (of(unseen, &cells_p, k), of(own, &cells_q, k));
        if !p.is_empty() && q.len() >= LEAST_MADE {
            sum += p.len() as f64 * z_u(&q, &p);
            weight += p.len() as f64;
            used += 1;
        }
    }
    ((used > 0).then(|| sum / weight), used)
}

/// Mann and Whitney's U of the first sample among both, standardised: below 0 where the first tends to be smaller. Equal values share their
/// ranks.
pub fn z_u(first: &[f32], second: &[f32]) -> f64 {
    let mut all: Vec<(f32, bool)> = first.iter().map(|&v| (v, true)).chain(second.iter().map(|&v| (v, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut at) = (0.0, 0);
    while at < all.len() {
        let alike = all[at..].iter().take_while(|v| v.0 == all[at].0).count();
        let rank = at as f64 + (alike as f64 + 1.0) / 2.0;
        ranks += rank * all[at..at + alike].iter().filter(|v| v.1).count() as f64;
        at += alike;
    }
    let (m, n) = (first.len() as f64, second.len() as f64);
    let u = ranks - m * (m + 1.0) / 2.0;
    (u - m * n / 2.0) / (m * n * (m + n + 1.0) / 12.0).sqrt()
}

/// Share of rows farther from their nearest training work than that is from its nearest other.
pub fn authenticity(training: &Tensor, rows: &Tensor) -> f64 {
    let between = distances(training, training, |i, j| i == j);
    let near = nearest(rows, training, 1, |_, _| false);
    let authentic = near.iter().filter(|f| f.first().is_none_or(|&(work, d)| d > between[work])).count();
    authentic as f64 / near.len().max(1) as f64
}

/// Share of `own` below the first percentile of `unseen`.
fn memorised(unseen: &[f32], own: &[f32]) -> f64 {
    let limit = quantile(unseen, 0.01);
    own.iter().filter(|&&d| f64::from(d) < limit).count() as f64 / own.len().max(1) as f64
}

/// Quantile, linear between values (numpy's); 0 of none.
pub fn quantile(values: &[f32], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (f64::from(sorted[place as usize]), f64::from(sorted[(place as usize + 1).min(last)]));
    below + (above - below) * place.fract()
}

/// Centres `[k, d]` by Lloyd's algorithm, begun at the row farthest from those chosen: the same rows give the same cells.
fn centres(rows: &Tensor, k: usize) -> Tensor {
    let d = rows.shape()[1];
    let row = |i: usize| &rows.data()[i * d..][..d];
    let mut chosen: Vec<f32> = mean(rows.data().chunks_exact(d), d);
    for _ in 1..k {
        let so_far = Tensor::new(&[chosen.len() / d, d], chosen.clone());
        let far = distances(rows, &so_far, |_, _| false);
        let farthest = (0..far.len()).max_by(|&a, &b| far[a].total_cmp(&far[b])).unwrap_or(0);
        chosen.extend_from_slice(row(farthest));
    }
    let mut centres = Tensor::new(&[k, d], chosen);
    for _ in 0..ROUNDS {
        let cell: Vec<usize> = nearest(rows, &centres, 1, |_, _| false).iter().map(|f| f[0].0).collect();
        let moved: Vec<f32> = (0..k)
            .flat_map(|c| {
                let mine: Vec<usize> = (0..cell.len()).filter(|&i| cell[i] == c).collect();
                if mine.is_empty() { centres.data()[c * d..][..d].to_vec() } else { mean(mine.into_iter().map(row), d) }
            })
            .collect();
        if moved == centres.data() {
            break;
        }
        centres = Tensor::new(&[k, d], moved);
    }
    centres
}

fn mean<'a>(rows: impl Iterator<Item = &'a [f32]>, d: usize) -> Vec<f32> {
    let (mut sum, mut count) = (vec![0f64; d], 0usize);
    for row in rows {
        sum.iter_mut().zip(row).for_each(|(s, &v)| *s += f64::from(v));
        count += 1;
    }
    sum.iter().map(|s| (s / count.max(1) as f64) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinxit_tensor::Rng;

    /// By hand: in 1 2 3 4 5 with the first sample {1, 2}, R = 1 + 2 = 3, U = 3 - 3 = 0, mean 2*3/2 = 3, variance 2*3*6/12 = 3.
    #[test]
    fn z_of_a_case_done_by_hand() {
        assert!((z_u(&[1.0, 2.0], &[3.0, 4.0, 5.0]) + 3.0 / 3f64.sqrt()).abs() < 1e-12);
        assert!((z_u(&[3.0, 4.0, 5.0], &[1.0, 2.0]) - 3.0 / 3f64.sqrt()).abs() < 1e-12);
        assert_eq!(z_u(&[1.0, 1.0], &[1.0, 1.0, 1.0]), 0.0, "equal values share their ranks");
    }

    /// Works on a line at 0, 10, 20 …; one cell. By hand: distances of the held-out 1, 2, 3, 4, 5 and of twenty made pictures that stand
    /// at 0.5 from a work: each of the 100 pairs has the made one below, U = 0, z = -50 / sqrt(100 * 26 / 12).
    #[test]
    fn c_t_agrees_with_the_definition() {
        let line = |places: &[f32]| Tensor::new(&[places.len(), 1], places.to_vec());
        let works = line(&[0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        let held_out = line(&[1.0, 12.0, 23.0, 34.0, 45.0]);
        let made: Vec<f32> = (0..20).map(|i| (i % 6) as f32 * 10.0 + 0.5).collect();
        let found = audit(&works, &held_out, &line(&made), [0.0; 2]);
        let z = -50.0 / (100.0 * 26.0 / 12.0f64).sqrt();
        assert!((found.c_t.unwrap() - z).abs() < 1e-9, "{found:?}, by hand {z}");
        assert_eq!((found.cells, found.authenticity, found.verdict), (1, 0.0, Verdict::Copies));
        // Held out 5 away is half as far as the works from each other, 10: not authentic either by that measure.
        assert_eq!((found.authenticity_held_out, found.memorised), (0.0, 1.0));
    }

    #[test]
    fn copies_are_told_from_pictures_of_the_same_kind() {
        let mut rng = Rng::new(3);
        let draw = |n: usize, rng: &mut Rng| -> Tensor { rng.normal_tensor(&[n, 12]) };
        let (works, held_out) = (draw(400, &mut rng), draw(120, &mut rng));
        let honest = audit(&works, &held_out, &draw(500, &mut rng), [0.0; 2]);
        assert!(honest.c_t.unwrap().abs() < 3.0 && honest.verdict == Verdict::Original, "{honest:?}");
        let blocked = audit(&works, &held_out, &draw(50, &mut rng), [0.05, 0.01]);
        assert_eq!(blocked.verdict, Verdict::Copies, "one picture in twenty is a near copy");
        assert!(honest.cells > 1 && (honest.authenticity - honest.authenticity_held_out).abs() < 0.15, "{honest:?}");
        let noise: Tensor = rng.normal_tensor(&[400, 12]);
        let near = works.data().iter().zip(noise.data()).map(|(w, e)| w + 0.3 * e).collect();
        let copies = audit(&works, &held_out, &Tensor::new(&[400, 12], near), [0.0; 2]);
        assert!(copies.c_t.unwrap() < -3.0 && copies.verdict == Verdict::Copies && copies.authenticity < 0.2, "{copies:?}");
    }

    #[test]
    fn quantiles_are_numpys() {
        assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.5), 2.5);
        assert!((quantile(&[0.0, 10.0], 0.01) - 0.1).abs() < 1e-9);
        assert_eq!((quantile(&[7.0], 0.3), quantile(&[], 0.3)), (7.0, 0.0));
    }
}
