//! How large and how far turned the tiles lie: the mark repeats every tile, so the picture resembles itself at every
//! multiple of the tile's side. One autocorrelation finds scale and turn together, without the key.

use super::filter::evened;
use super::fourier::Fft2;
use super::pattern::TILE_PX;
use super::plane::Plane;
use rustfft::num_complex::Complex;

/// Longest lag that is looked at, px: beyond it the search would need a finer grid and find the same.
const LAG_PX: usize = 320;
/// Only the middle of a larger picture is looked at, px.
const MIDDLE_PX: usize = 1024;
/// The scales searched at one resolution; the picture at half size covers twice these.
const SCALES: [f32; 2] = [0.47, 1.08];
/// The largest turn, degrees.
const TURN_DEGREES: f32 = 4.0;
/// Candidates below this are noise, deviations.
const MIN_SCORE: f32 = 4.0;
/// Candidates taken from each resolution.
const PER_LEVEL: usize = 4;

/// A way in which the tiles may lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lattice {
    /// The picture is looked at at this fraction of its size: 1 or ½.
    pub halved: bool,
    /// Tile side there over 64 px.
    pub scale: f32,
    /// Turn, degrees, within ±4.
    pub degrees: f32,
    /// Sum of the autocorrelation at the lattice's points, in its deviations.
    pub score: f32,
}

impl Lattice {
    /// The upright lattice of a picture that was scaled by `scale`.
    pub(super) fn of_scale(scale: f32) -> Self {
        let halved = scale > SCALES[1];
        Self { halved, scale: if halved { scale / 2.0 } else { scale }, degrees: 0.0, score: 0.0 }
    }
}

/// The likeliest lattices, best first; at most 8.
pub(super) fn candidates(luma: &Plane, half: &Plane) -> Vec<Lattice> {
    let mut found: Vec<Lattice> = at_level(luma, false);
    found.extend(at_level(half, true));
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

fn at_level(luma: &Plane, halved: bool) -> Vec<Lattice> {
    let shortest = luma.width.min(luma.height);
    if shortest < TILE_PX / 2 + 8 {
        return Vec::new();
    }
    let map = Autocorrelation::of(&evened(&luma.middle(MIDDLE_PX)));
    // A tile's pattern is about 1.4 px wide: half of that at the farthest lag is the coarsest step that misses nothing.
    let step = 0.7 / map.lag.min(shortest / 2) as f32;
    let (scales, turns) = grid(step);
    let mut scored = Vec::with_capacity(scales.len() * turns.len());
    for scale in &scales {
        scored.extend(turns.iter().map(|turn| (map.score(*scale, *turn), *scale, *turn)));
    }
    scored.retain(|(score, ..)| *score >= MIN_SCORE);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut best: Vec<(f32, f32, f32)> = Vec::new();
    for candidate in scored {
        let near = |b: &(f32, f32, f32)| (b.1 / candidate.1).ln().abs() < 3.5 * step && (b.2 - candidate.2).abs() < 3.5 * step;
        if best.len() < PER_LEVEL && !best.iter().any(near) {
            best.push(candidate);
        }
    }
    best.into_iter().map(|candidate| refined(&map, candidate, step, halved)).collect()
}

/// Scales in equal ratios and turns in equal angles (radians) about 0.
fn grid(step: f32) -> (Vec<f32>, Vec<f32>) {
    let count = ((SCALES[1] / SCALES[0]).ln() / step).ceil() as i32;
    let turns = (TURN_DEGREES.to_radians() / step).floor() as i32;
    let scales = (0..=count).map(|i| SCALES[0] * (i as f32 * step).exp()).collect();
    (scales, (-turns..=turns).map(|i| i as f32 * step).collect())
}

/// Climbs to the best place nearby in steps of a third.
fn refined(map: &Autocorrelation, mut best: (f32, f32, f32), step: f32, halved: bool) -> Lattice {
    for part in [0.5, 0.25] {
        let (_, scale, turn) = best;
        for i in -2..=2 {
            for j in -2..=2 {
                let (s, t) = (scale * (i as f32 * part * step).exp(), turn + j as f32 * part * step);
                let score = map.score(s, t);
                if score > best.0 {
                    best = (score, s, t);
                }
            }
        }
    }
    Lattice { halved, scale: best.1, degrees: best.2.to_degrees(), score: best.0 }
}

/// How much a residual resembles itself at each lag.
struct Autocorrelation {
    /// Longest lag along each side, px.
    lag: usize,
    /// `[2 lag + 1, 2 lag + 1]`, lag 0 in the middle: sums of products.
    values: Vec<f32>,
    /// Sides of the residual, px.
    sides: [f32; 2],
    /// Variance of a sum per product in it.
    variance: f32,
}

impl Autocorrelation {
    fn of(residual: &Plane) -> Self {
        let (width, height) = (residual.width, residual.height);
        let lag = LAG_PX.min(width.max(height) * 3 / 4);
        let [w, h] = [width, height].map(|side| good_length(side + lag + 1));
        let fft = Fft2::new(w, h);
        let mut padded = vec![Complex::new(0.0f32, 0.0); w * h];
        for (to, from) in padded.chunks_exact_mut(w).zip(residual.values.chunks_exact(width)) {
            to.iter_mut().zip(from).for_each(|(to, from)| to.re = *from);
        }
        let mut spectrum = fft.forward(padded);
        spectrum.iter_mut().for_each(|value| *value = Complex::new(value.norm_sqr() / (w * h) as f32, 0.0));
        let all = fft.inverse(spectrum);
        let at = |d: usize, side: usize| (d + side - lag) % side;
        let side = 2 * lag + 1;
        let values = (0..side * side).map(|i| all[at(i / side, h) * w + at(i % side, w)].re).collect();
        let mut map = Self { lag, values, sides: [width as f32, height as f32], variance: 1.0 };
        map.variance = map.noise();
        map
    }

    /// Mean square over products, of lags longer than a pattern's own resemblance (24 px).
    fn noise(&self) -> f32 {
        let side = 2 * self.lag + 1;
        let (mut sum, mut count) = (0.0f64, 0u32);
        for (i, value) in self.values.iter().enumerate() {
            let (x, y) = ((i % side) as f32 - self.lag as f32, (i / side) as f32 - self.lag as f32);
            let overlap = self.overlap(x, y);
            if overlap > 256.0 && x * x + y * y > 24.0 * 24.0 {
                sum += f64::from(value * value / overlap);
                count += 1;
            }
        }
        if count == 0 || sum <= 0.0 { f32::INFINITY } else { (sum / f64::from(count)) as f32 }
    }

    /// Products in the sum at a lag.
    fn overlap(&self, x: f32, y: f32) -> f32 {
        (self.sides[0] - x.abs()).max(0.0) * (self.sides[1] - y.abs()).max(0.0)
    }

    /// The sum over half the lattice's points (the other half is the same), in deviations.
    fn score(&self, scale: f32, turn: f32) -> f32 {
        let side_px = TILE_PX as f32 * scale;
        let (sin, cos) = turn.sin_cos();
        let (ux, uy) = (side_px * cos, side_px * sin);
        let reach = (self.lag as f32 * 1.415 / side_px) as i32;
        let limit = self.lag as f32 - 1.0;
        let (mut sum, mut products) = (0.0, 0.0);
        for j in 0..=reach {
            let first = if j == 0 { 1 } else { -reach };
            for i in first..=reach {
                let (x, y) = (i as f32 * ux - j as f32 * uy, i as f32 * uy + j as f32 * ux);
                if x.abs() < limit && y.abs() < limit {
                    let overlap = self.overlap(x, y);
                    if overlap > 256.0 {
                        sum += self.at(x, y);
                        products += overlap;
                    }
                }
            }
        }
        if products > 0.0 { sum / (products * self.variance).sqrt() } else { 0.0 }
    }

    /// The value at a real lag, between the four around it.
    fn at(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x + self.lag as f32, y + self.lag as f32);
        let (x0, y0) = (x as usize, y as usize);
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let i = y0 * (2 * self.lag + 1) + x0;
        let below = i + 2 * self.lag + 1;
        let upper = self.values[i] * (1.0 - fx) + self.values[i + 1] * fx;
        upper * (1.0 - fy) + (self.values[below] * (1.0 - fx) + self.values[below + 1] * fx) * fy
    }
}

/// The next length of the form 2ᵃ 3ᵇ, which transforms fast.
fn good_length(least: usize) -> usize {
    (least..)
        .find(|n| n >> n.trailing_zeros() == 3usize.pow((n >> n.trailing_zeros()).checked_ilog(3).unwrap_or(0)))
        .unwrap_or(least)
}
