//! Folding a picture onto one tile, and correlating the tile with every pattern at every shift.

use super::fourier::Fft2;
use super::pattern::{TILE_LEN, TILE_PX, patterns};
use super::plane::Plane;
use super::{Form, Key};
use rustfft::num_complex::Complex;

/// A 64 × 64 array, row-major: a picture folded onto one tile, or numbers per shift.
pub(super) type Tile = Vec<f32>;

/// The patterns of a key, ready to be looked for.
pub(super) struct Bank {
    /// `[pattern, 64, 64]`, unit norm.
    pub tiles: Vec<Tile>,
    /// Conjugate spectra, two patterns in one (the second times i), so that one inverse transform correlates with both.
    pairs: Vec<Vec<Complex<f32>>>,
    fft: Fft2<f32>,
}

/// Where a form of the message shows best in a folded picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peak {
    pub form: Form,
    /// Energy of all bits there, in deviations above what an unmarked picture has in the mean.
    pub score: f32,
    /// Shift of the tile, px.
    pub x: usize,
    pub y: usize,
}

impl Bank {
    pub(super) fn new(key: &Key) -> Self {
        let tiles: Vec<Tile> = patterns(key, Form::Full.coded_bits())
            .into_iter()
            .map(|pattern| pattern.into_iter().map(|value| value as f32).collect())
            .collect();
        let fft = Fft2::new(TILE_PX, TILE_PX);
        let spectrum = |tile: &Tile| fft.forward(tile.iter().map(|value| Complex::new(*value, 0.0)).collect());
        let pair = |two: &[Tile]| {
            let [first, second] = [&two[0], &two[1]].map(spectrum);
            let both = first.iter().zip(&second).map(|(a, b)| (a.conj() + Complex::<f32>::i() * b.conj()) / TILE_LEN as f32);
            both.collect()
        };
        let pairs = tiles.chunks_exact(2).map(pair).collect();
        Self { tiles, pairs, fft }
    }

    /// The best shift for each form of the message, and what one coded bit's noise measures.
    pub(super) fn peaks(&self, folded: &Tile) -> [Peak; 2] {
        let spectrum = self.fft.forward(folded.iter().map(|value| Complex::new(*value, 0.0)).collect());
        let mut energy = vec![0.0f32; TILE_LEN];
        let mut peaks = [Form::Short, Form::Full].map(|form| Peak { form, score: f32::NEG_INFINITY, x: 0, y: 0 });
        for (i, pair) in self.pairs.iter().enumerate() {
            let product = spectrum.iter().zip(pair).map(|(f, p)| f * p).collect();
            let both = self.fft.inverse(product);
            energy.iter_mut().zip(&both).for_each(|(e, c)| *e += c.norm_sqr());
            for peak in peaks.iter_mut().filter(|peak| peak.form.coded_bits() == 2 * (i + 1)) {
                *peak = highest(&energy, peak.form);
            }
        }
        peaks
    }

    /// The correlation of a folded picture, shifted back by `(x, y)`, with each of the form's patterns, in deviations
    /// of what patterns at a wrong place would give.
    pub(super) fn soft(&self, folded: &Tile, peak: Peak) -> Vec<f32> {
        let mut shifted = vec![0.0; TILE_LEN];
        for (row, line) in shifted.chunks_exact_mut(TILE_PX).enumerate() {
            let from = &folded[(row + peak.y) % TILE_PX * TILE_PX..][..TILE_PX];
            line[..TILE_PX - peak.x].copy_from_slice(&from[peak.x..]);
            line[TILE_PX - peak.x..].copy_from_slice(&from[..peak.x]);
        }
        self.tiles[..peak.form.coded_bits()].iter().map(|tile| tile.iter().zip(&shifted).map(|(a, b)| a * b).sum()).collect()
    }
}

/// The shift with the most energy. Under no mark the energy of `k` bits, divided by its mean and times `k`, is
/// chi-squared with `k` degrees of freedom: mean `k`, deviation `√(2k)`.
fn highest(energy: &[f32], form: Form) -> Peak {
    let bits = form.coded_bits() as f32;
    let mean = energy.iter().sum::<f32>() / TILE_LEN as f32;
    let (at, most) = energy.iter().enumerate().fold((0, 0.0f32), |best, (i, e)| if *e > best.1 { (i, *e) } else { best });
    let score = if mean > 0.0 { (most / mean - 1.0) * (bits / 2.0).sqrt() } else { f32::NEG_INFINITY };
    Peak { form, score, x: at % TILE_PX, y: at / TILE_PX }
}

/// The sum of all tiles of a plane that is cut into tiles from its upper left corner.
pub(super) fn fold(plane: &Plane) -> Tile {
    let mut tile = vec![0.0f32; TILE_LEN];
    for (y, row) in plane.values.chunks_exact(plane.width).enumerate() {
        let line = &mut tile[y % TILE_PX * TILE_PX..][..TILE_PX];
        for part in row.chunks(TILE_PX) {
            line.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
        }
    }
    tile
}

/// A folded picture that was mirrored left to right (if `flipped`) and then turned clockwise by `quarters`, as it was
/// before, up to a shift.
pub(super) fn turned_back(folded: &Tile, flipped: bool, quarters: u8) -> Tile {
    let side = TILE_PX as isize;
    let source = |i: usize| {
        let (mut x, mut y) = ((i % TILE_PX) as isize, (i / TILE_PX) as isize);
        if flipped {
            x = -x;
        }
        for _ in 0..quarters {
            (x, y) = (-y, x);
        }
        (y.rem_euclid(side) * side + x.rem_euclid(side)) as usize
    };
    (0..TILE_LEN).map(|i| folded[source(i)]).collect()
}
