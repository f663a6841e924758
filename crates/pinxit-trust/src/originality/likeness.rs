//! Is this picture a window of that work? Windows of six sizes, mirrored or not, are laid over it; the best of them are moved and resized by
//! less and less for as long as that fits better.
//!
//! ```text
//! picture, work -> 64 x 64     picture, window of a work -> means of 16 x 16 cells, to a fraction of a pixel
//! unlikeness = sqrt( sum (p - w)^2 / ( (V(p) + V(w)) / 2 + floor ) )      V: sum of squares about the picture's own mean
//! ```
//! 0 for a copy, about 1.4 for pictures that have nothing in common. Flat pictures are unlike all: two clear skies are no copies.
use pinxit_image::{Error, Picture, resize};

type Result<T> = std::result::Result<T, Error>;

/// Side at which pictures are compared, px.
const SIDE: usize = 64;
/// Cells along a side. A JPEG of quality 50 of a 64-px picture changes such means little; finer ones would only add its noise.
const CELLS: usize = 16;
/// Numbers of a compared picture.
const LEN: usize = CELLS * CELLS * 3;
/// Sides of the windows laid first, as shares of the work's; the smallest show half of its area.
const SHARES: [f32; 6] = [1.0, 0.93, 0.87, 0.81, 0.75, 0.7];
/// Distance of the windows laid first, px: less than a cell.
const APART: f32 = 3.0;
/// Windows that are moved.
const MOVED: usize = 3;
/// Steps of moving: the first reaches half-way to the next window, the last is below what a JPEG blurs, px.
const STEPS: (f32, f32) = (1.5, 0.15);
/// Squared unlikeness above which a window is not moved: the largest limit there is, squared, is 0.25.
const HOPELESS: f32 = 0.8;
/// Deviation below which a picture counts as flat, of 255.
const FLAT: f32 = 4.0;

/// A picture, ready to be compared with many works.
pub struct Seen {
    /// As it is, and mirrored: `[16, 16, 3]`.
    ways: [Vec<f32>; 2],
    variance: f32,
}

/// A work from which the mean of any rectangle can be read: sums of all above and to the left, `[65, 65, 3]`. 50 kB.
pub struct Summed {
    sums: Vec<f32>,
}

impl Seen {
    /// Of a picture of any shape, stretched to a square as works are.
    ///
    /// # Errors
    /// As [`pinxit_image::resize`].
    pub fn new(picture: &Picture) -> Result<Self> {
        let cells = |picture: &Picture| -> Result<Vec<f32>> {
            let mut out = vec![0f32; LEN];
            Summed::new(picture)?.means(Place::ALL, &mut out);
            Ok(out)
        };
        let ways = [cells(picture)?, cells(&picture.flip_horizontal())?];
        let variance = spread(&ways[0]);
        Ok(Seen { ways, variance })
    }

    /// How unlike the most alike window of the work is: 0 for a copy, about 1.4 for nothing in common.
    pub fn unlikeness(&self, work: &Summed) -> f64 {
        let mut cells = vec![0f32; LEN];
        let mut found: Vec<(f32, Place)> =
            Place::first().map(|place| (self.unlikeness_at(work, place, &mut cells), place)).collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.truncate(MOVED);
        let moved = found.iter().map(|&start| if start.0 > HOPELESS { start.0 } else { self.moved(work, start, &mut cells) });
        f64::from(moved.fold(f32::INFINITY, f32::min)).sqrt()
    }

    /// The least squared unlikeness that moving and resizing a window finds: whatever fits better is taken, and where nothing does, steps are halved.
    fn moved(&self, work: &Summed, (mut least, mut place): (f32, Place), cells: &mut [f32]) -> f32 {
        let mut step = STEPS.0;
        while step > STEPS.1 {
            let tried = place.around(step).map(|near| (self.unlikeness_at(work, near, cells), near));
            let best = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).filter(|best| best.0 < least);
            match best {
                Some(better) => (least, place) = better,
                None => step /= 2.0,
            }
        }
        least
    }

    /// The square of the unlikeness of one window; `cells` is for its means.
    fn unlikeness_at(&self, work: &Summed, place: Place, cells: &mut [f32]) -> f32 {
        work.means(place, cells);
        let scale = (self.variance + spread(cells)) / 2.0 + FLAT * FLAT * LEN as f32;
        self.ways.iter().map(|way| distance(way, cells)).fold(f32::INFINITY, f32::min) / scale
    }
}

/// A window of a work, px of [`SIDE`].
#[derive(Clone, Copy)]
struct Place {
    top: f32,
    left: f32,
    side: f32,
}

impl Place {
    /// All of the work.
    const ALL: Place = Place { top: 0.0, left: 0.0, side: SIDE as f32 };

    /// Those that are laid first.
    fn first() -> impl Iterator<Item = Place> {
        SHARES.iter().flat_map(|share| {
            let side = share * SIDE as f32;
            let free = SIDE as f32 - side;
            let steps = (free / APART).ceil() as usize;
            let at = move |k: usize| free * k as f32 / steps.max(1) as f32;
            (0..=steps).flat_map(move |y| (0..=steps).map(move |x| Place { top: at(y), left: at(x), side }))
        })
    }

    /// The windows a step higher, lower, to the left, to the right, larger and smaller, as far as the work reaches.
    fn around(self, step: f32) -> [Place; 6] {
        let moved = |down: f32, right: f32, grown: f32| {
            let side = (self.side + 2.0 * grown).clamp(SHARES[SHARES.len() - 1] * SIDE as f32, SIDE as f32);
            let within = |at: f32| at.clamp(0.0, SIDE as f32 - side);
            let grown = (side - self.side) / 2.0;
            Place { top: within(self.top + down - grown), left: within(self.left + right - grown), side }
        };
        [(-step, 0.0, 0.0), (step, 0.0, 0.0), (0.0, -step, 0.0), (0.0, step, 0.0), (0.0, 0.0, step), (0.0, 0.0, -step)]
            .map(|(down, right, grown)| moved(down, right, grown))
    }
}

impl Summed {
    /// Of a work of any shape, stretched to a square.
    ///
    /// # Errors
    /// As [`pinxit_image::resize`].
    pub fn new(work: &Picture) -> Result<Self> {
        const ROW: usize = (SIDE + 1) * 3;
        let small = resize(work, SIDE as u32, SIDE as u32)?;
        let mut sums = vec![0f32; (SIDE + 1) * ROW];
        for (y, pixels) in small.pixels().chunks_exact(SIDE * 3).enumerate() {
            let (above, below) = sums[y * ROW..][..2 * ROW].split_at_mut(ROW);
            let mut row = [0f32; 3];
            for (x, pixel) in pixels.chunks_exact(3).enumerate() {
                for c in 0..3 {
                    row[c] += f32::from(pixel[c]);
                    below[(x + 1) * 3 + c] = above[(x + 1) * 3 + c] + row[c];
                }
            }
        }
        Ok(Summed { sums })
    }

    /// Means of the 16 x 16 cells of a window, 0…255: exact where its borders cut pixels.
    fn means(&self, place: Place, out: &mut [f32]) {
        let cell = place.side / CELLS as f32;
        let mut above = self.sums_along(place.top, place.left, cell);
        for (y, row) in out.chunks_exact_mut(CELLS * 3).enumerate() {
            let below = self.sums_along(place.top + cell * (y + 1) as f32, place.left, cell);
            for (i, mean) in row.iter_mut().enumerate() {
                *mean = (below[i + 3] - below[i] - above[i + 3] + above[i]) / (cell * cell);
            }
            above = below;
        }
    }

    /// Sums above the height `y`, left of each border of the cells in a row from `left` on: `[17, 3]`, linear between pixels.
    fn sums_along(&self, y: f32, left: f32, cell: f32) -> [f32; (CELLS + 1) * 3] {
        let (upper, down) = split(y);
        let rows = [upper, upper + 1].map(|y| &self.sums[y * (SIDE + 1) * 3..][..(SIDE + 1) * 3]);
        let mut out = [0f32; (CELLS + 1) * 3];
        for (k, sums) in out.chunks_exact_mut(3).enumerate() {
            let (x, right) = split(left + cell * k as f32);
            for (c, sum) in sums.iter_mut().enumerate() {
                let [high, low] = rows.map(|row| row[x * 3 + c] + right * (row[x * 3 + 3 + c] - row[x * 3 + c]));
                *sum = high + down * (low - high);
            }
        }
        out
    }
}

/// The pixel a border lies in, and how far into it, 0…=1.
fn split(at: f32) -> (usize, f32) {
    let pixel = (at.max(0.0) as usize).min(SIDE - 1);
    (pixel, (at - pixel as f32).clamp(0.0, 1.0))
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
        Seen::new(a).unwrap().unlikeness(&Summed::new(b).unwrap())
    }

    #[test]
    fn copies_crops_and_mirror_images_are_alike_and_others_are_not() {
        let work = picture(1, 96);
        assert!(unlike(&work, &work) < 1e-3, "{}", unlike(&work, &work));
        assert!(unlike(&work.flip_horizontal(), &work) < 0.01, "{}", unlike(&work.flip_horizontal(), &work));
        let crop = work.crop(Window { x: 9, y: 4, width: 77, height: 77 }).unwrap();
        assert!(unlike(&crop, &work) < 0.1, "{}", unlike(&crop, &work));
        let saved = pinxit_image::encode(&work, Encoding::Jpeg { quality: 50 }, &Metadata::default()).unwrap();
        let saved = decode(&saved, &pinxit_image::Limits::default()).unwrap().picture;
        assert!(unlike(&saved, &work) < 0.15, "{}", unlike(&saved, &work));
        for seed in 2..12 {
            assert!(unlike(&picture(seed, 96), &work) > 0.35, "seed {seed}: {}", unlike(&picture(seed, 96), &work));
        }
    }

    /// Means of cells whose borders lie between pixels, against a sum over pixels by the share of each that lies inside.
    #[test]
    fn means_of_a_window_are_exact() {
        let work = picture(3, SIDE as u32);
        let place = Place { top: 3.3, left: 7.6, side: 50.1 };
        let mut got = vec![0f32; LEN];
        Summed::new(&work).unwrap().means(place, &mut got);
        let cell = f64::from(place.side) / CELLS as f64;
        let share = |from: f64, pixel: usize| ((from + cell).min(pixel as f64 + 1.0) - from.max(pixel as f64)).max(0.0);
        for (i, got) in got.iter().enumerate() {
            let (y, x, c) = (i / 3 / CELLS, i / 3 % CELLS, i % 3);
            let (top, left) = (f64::from(place.top) + cell * y as f64, f64::from(place.left) + cell * x as f64);
            let of = |py: usize, px: usize| share(top, py) * share(left, px) * f64::from(work.pixels()[(py * SIDE + px) * 3 + c]);
            let sum: f64 = (0..SIDE).flat_map(|py| (0..SIDE).map(move |px| of(py, px))).sum();
            assert!((f64::from(*got) - sum / (cell * cell)).abs() < 0.1, "cell {y} {x}, channel {c}: {got}");
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
