//! Is this picture a window of that work? Windows of seven sizes, mirrored or not, are laid over it: every second place, then those
//! around the best.
//!
//! ```text
//! picture -> 32 x 32 -> 16 x 16 means    work -> 32/s x 32/s for s = 1 … 0.7: a window of share s of its side is 32 x 32 there
//! unlikeness = sqrt( sum (p - w)^2 / ( (V(p) + V(w)) / 2 + floor ) )      V: sum of squares about the picture's own mean
//! ```
//! 0 for a copy, about 1.4 for pictures that have nothing in common. Flat pictures are unlike all: two clear skies are no copies.
use pinxit_image::{Error, Picture, resize};

type Result<T> = std::result::Result<T, Error>;

/// Side at which pictures are compared, px. At 32 a JPEG of quality 50 of a 64-px picture changes little; finer detail would only add its noise.
const SIDE: usize = 32;
/// Sides of a work, the smallest showing all of it, the largest a window of 70 % of its side.
const SCALES: [usize; 7] = [32, 34, 36, 38, 40, 43, 46];
/// Both are compared as means of 2 x 2 px: a window that lies half a pixel off still fits (28 % of planted windows did not, pixel by
/// pixel).
const CELLS: usize = SIDE / 2;
/// Numbers of a compared picture.
const LEN: usize = CELLS * CELLS * 3;
/// Coarse windows around which finer ones are tried.
const REFINED: usize = 4;
/// Deviation below which a picture counts as flat, of 255.
const FLAT: f32 = 4.0;

/// A picture, ready to be compared with many works.
pub struct Seen {
    /// As it is, and mirrored: `[16, 16, 3]`.
    ways: [Vec<f32>; 2],
    variance: f32,
}

/// A work at all scales, 0…255: 35 kB.
pub struct Scaled {
    scales: Vec<Vec<u8>>,
}

impl Seen {
    /// Of a picture of any shape, stretched to a square as works are.
    ///
    /// # Errors
    /// As [`pinxit_image::resize`].
    pub fn new(picture: &Picture) -> Result<Self> {
        let small = square(picture, SIDE)?;
        let mirrored = small.flip_horizontal();
        let cells = |p: &Picture| {
            let mut out = vec![0f32; LEN];
            take(&means(p.pixels(), SIDE), SIDE - 1, (0, 0), &mut out);
            out
        };
        let ways = [cells(&small), cells(&mirrored)];
        let variance = spread(&ways[0]);
        Ok(Seen { ways, variance })
    }

    /// How unlike the most alike window of the work is: 0 for a copy, about 1.4 for nothing in common.
    pub fn unlikeness(&self, work: &Scaled) -> f64 {
        let mut buffer = vec![0f32; LEN];
        let mut found: Vec<(f32, Place)> =
            work.coarse_places().map(|place| (self.unlikeness_at(work, place, &mut buffer), place)).collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.truncate(REFINED);
        let around = found.iter().flat_map(|(_, place)| place.around());
        let finer = around.map(|place| self.unlikeness_at(work, place, &mut buffer)).fold(f32::INFINITY, f32::min);
        f64::from(found.first().map_or(finer, |f| f.0.min(finer))).sqrt()
    }

    /// The square of the unlikeness of one window; `buffer` is for its pixels.
    fn unlikeness_at(&self, work: &Scaled, place: Place, buffer: &mut [f32]) -> f32 {
        take(&work.scales[place.scale], SCALES[place.scale] - 1, (place.top, place.left), buffer);
        let scale = (self.variance + spread(buffer)) / 2.0 + FLAT * FLAT * LEN as f32;
        self.ways.iter().map(|way| distance(way, buffer)).fold(f32::INFINITY, f32::min) / scale
    }
}

/// A window of a work.
#[derive(Clone, Copy)]
struct Place {
    scale: usize,
    top: usize,
    left: usize,
}

impl Place {
    /// The eight windows beside it that lie inside the work.
    fn around(self) -> impl Iterator<Item = Place> {
        let last = SCALES[self.scale] - SIDE;
        let near = move |at: usize| at.saturating_sub(1)..=(at + 1).min(last);
        near(self.top).flat_map(move |top| near(self.left).map(move |left| Place { top, left, ..self }))
    }
}

impl Scaled {
    /// Every second window of every scale in either direction, and the last ones.
    fn coarse_places(&self) -> impl Iterator<Item = Place> {
        let steps = |last: usize| (0..last).step_by(2).chain([last]);
        (0..SCALES.len()).flat_map(move |scale| {
            let last = SCALES[scale] - SIDE;
            steps(last).flat_map(move |top| steps(last).map(move |left| Place { scale, top, left }))
        })
    }

    /// Of a work of any shape, stretched to a square.
    ///
    /// # Errors
    /// As [`pinxit_image::resize`].
    pub fn new(work: &Picture) -> Result<Self> {
        let scales = SCALES.iter().map(|&side| Ok(means(square(work, side)?.pixels(), side))).collect::<Result<_>>()?;
        Ok(Scaled { scales })
    }
}

/// Means of every 2 x 2 px of a picture `[side, side, 3]`: `[side - 1, side - 1, 3]`, 0…255.
fn means(pixels: &[u8], side: usize) -> Vec<u8> {
    let at = |y: usize, x: usize, c: usize| u16::from(pixels[(y * side + x) * 3 + c]);
    let mean = |y, x, c| ((at(y, x, c) + at(y, x + 1, c) + at(y + 1, x, c) + at(y + 1, x + 1, c) + 2) / 4) as u8;
    let places = (0..side - 1).flat_map(|y| (0..side - 1).map(move |x| (y, x)));
    places.flat_map(|(y, x)| [mean(y, x, 0), mean(y, x, 1), mean(y, x, 2)]).collect()
}

/// The 16 x 16 cells of the window at (top, left), from the means of `width` a row.
fn take(means: &[u8], width: usize, (top, left): (usize, usize), cells: &mut [f32]) {
    for (y, row) in cells.chunks_exact_mut(CELLS * 3).enumerate() {
        let from = &means[((top + 2 * y) * width + left) * 3..];
        for (cell, pair) in row.chunks_exact_mut(3).zip(from.chunks(6)) {
            cell.iter_mut().zip(pair).for_each(|(to, &v)| *to = f32::from(v));
        }
    }
}

fn square(picture: &Picture, side: usize) -> Result<Picture> {
    resize(picture, side as u32, side as u32)
}

/// Sum of squares about the mean of each channel.
fn spread(pixels: &[f32]) -> f32 {
    let (mut sum, mut squares) = ([0f32; 3], 0f32);
    for p in pixels.chunks_exact(3) {
        for c in 0..3 {
            sum[c] += p[c];
            squares += p[c] * p[c];
        }
    }
    let n = (pixels.len() / 3) as f32;
    (squares - sum.iter().map(|s| s * s / n).sum::<f32>()).max(0.0)
}

/// Sum of squared differences, in sixteen running sums so that it can be computed in wide registers.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; 16];
    for (x, y) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        for k in 0..16 {
            let d = x[k] - y[k];
            sums[k] += d * d;
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinxit_image::{Encoding, Metadata, Window, decode};

    /// Discs of many colours on a slope: something with edges and soft parts.
    fn picture(seed: u32, side: u32) -> Picture {
        let noise = |i: u32| (seed.wrapping_mul(2_654_435_761).wrapping_add(i.wrapping_mul(40_503)) >> 9) & 0xff;
        Picture::from_fn(side, side, |x, y| {
            let mut colour = [(noise(1) + x * 60 / side) as u8, (noise(2) / 2 + y * 90 / side) as u8, noise(3) as u8];
            for k in 0..6 {
                let at = |i: u32| f64::from(noise(10 * k + i)) / 255.0 * f64::from(side);
                let (dx, dy, r) = (f64::from(x) - at(4), f64::from(y) - at(5), 0.1 * f64::from(side) + at(6) / 5.0);
                if dx * dx + dy * dy < r * r {
                    colour = [noise(10 * k + 7) as u8, noise(10 * k + 8) as u8, noise(10 * k + 9) as u8];
                }
            }
            colour
        })
    }

    fn unlike(a: &Picture, b: &Picture) -> f64 {
        Seen::new(a).unwrap().unlikeness(&Scaled::new(b).unwrap())
    }

    #[test]
    fn copies_crops_and_mirror_images_are_alike_and_others_are_not() {
        let work = picture(1, 96);
        assert_eq!(unlike(&work, &work), 0.0);
        assert_eq!(unlike(&work.flip_horizontal(), &work), 0.0);
        let crop = work.crop(Window { x: 9, y: 4, width: 77, height: 77 }).unwrap();
        assert!(unlike(&crop, &work) < 0.2, "{}", unlike(&crop, &work));
        let saved = pinxit_image::encode(&work, Encoding::Jpeg { quality: 50 }, &Metadata::default()).unwrap();
        let saved = decode(&saved, &pinxit_image::Limits::default()).unwrap().picture;
        assert!(unlike(&saved, &work) < 0.15, "{}", unlike(&saved, &work));
        for seed in 2..12 {
            assert!(unlike(&picture(seed, 96), &work) > 0.35, "seed {seed}: {}", unlike(&picture(seed, 96), &work));
        }
    }

    #[test]
    fn clear_skies_are_no_copies() {
        let sky = |blue: u8| Picture::filled(64, 64, [120, 160, blue]);
        assert_eq!(unlike(&sky(220), &sky(220)), 0.0, "the same sky is the same sky");
        let hazy = Picture::from_fn(64, 64, |x, y| [118 + (x / 16) as u8, 160, 216 + (y / 16) as u8]);
        assert!(unlike(&hazy, &sky(220)) < 1.0);
    }
}
