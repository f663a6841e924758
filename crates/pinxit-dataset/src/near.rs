//! Near-duplicates: a perceptual hash finds candidates, a coarse comparison of colours decides.
//!
//! The hash alone is not enough: variants of one motif (skin tones, recoloured icons) share their shapes and thus their hash, and
//! they are different pictures. The colours alone are not enough either, and too slow to compare all against all.

use std::collections::HashMap;
use std::sync::LazyLock;

use image::{GrayImage, Luma};
use image_hasher::{HashAlg, Hasher, HasherConfig};
use pinxit_image::Picture;
use serde::{Deserialize, Serialize};

/// Cells a side of the coarse picture.
const CELLS: usize = 8;
/// Samples a side of the thumbnail that is hashed.
const THUMB: usize = 32;
/// Hashes of near-duplicates differ in at most this many of 64 bits.
pub(crate) const MAX_BITS: u32 = 6;
/// No cell's mean colour differs by more than this in any channel, of 255. Measured: copies saved as JPEG of quality 75 differ by up
/// to 4 (fluent3d, met) or 5 (landscapes); in fluent3d the same drawing under two names by 1 to 4, neighbouring skin tones and man
/// against person mostly by 5 and more.
pub(crate) const MAX_LEVELS: u8 = 4;

/// Lowest 8×8 DCT coefficients against their median: half of the bits are set whatever the picture, so the index below is even.
static HASHER: LazyLock<Hasher<[u8; 8]>> = LazyLock::new(|| {
    HasherConfig::with_bytes_type::<[u8; 8]>().hash_size(8, 8).hash_alg(HashAlg::Median).preproc_dct().to_hasher()
});

/// The 64-bit perceptual hash of a picture: lowest 8 x 8 DCT coefficients against their median. Near in Hamming distance = alike in shapes.
#[must_use]
pub fn perceptual_hash(picture: &Picture) -> u64 {
    Look::of(picture).hash
}

/// What a work looks like, coarsely: 200 bytes a work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// 64-bit perceptual hash: near in Hamming distance = alike in shapes.
    pub(crate) hash: u64,
    /// Mean colours of 8×8 cells, RGB.
    pub(crate) cells: [u8; CELLS * CELLS * 3],
}

impl Look {
    /// The look of a whole work, stretched to a square.
    #[must_use]
    pub fn of(picture: &Picture) -> Self {
        let thumb = thumbnail(picture);
        let grey = GrayImage::from_fn(THUMB as u32, THUMB as u32, |x, y| {
            let [r, g, b] = thumb[y as usize * THUMB + x as usize];
            // Rec. 601 luma.
            Luma([(0.299 * r + 0.587 * g + 0.114 * b).round() as u8])
        });
        let mut hash = [0; 8];
        hash.copy_from_slice(HASHER.hash_image(&grey).as_bytes());
        Self { hash: u64::from_le_bytes(hash), cells: cells(&thumb) }
    }

    /// Largest difference of a cell's colour in any channel, of 255.
    pub(crate) fn levels_from(&self, other: &Self) -> u8 {
        self.cells.iter().zip(&other.cells).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
    }

    /// Whether both look the same.
    pub(crate) fn near(&self, other: &Self) -> bool {
        (self.hash ^ other.hash).count_ones() <= MAX_BITS && self.levels_from(other) <= MAX_LEVELS
    }
}

/// Mean colours of 32×32 boxes over the picture, pixels on a border counted by their share: a copy of another size gets the same.
fn thumbnail(picture: &Picture) -> Vec<[f32; 3]> {
    let (columns, rows) = (shares(picture.width()), shares(picture.height()));
    let width = picture.width() as usize;
    let mut out = vec![[0.0; 3]; THUMB * THUMB];
    for (by, row_shares) in rows.iter().enumerate() {
        for &(y, row_share) in row_shares {
            let row = &picture.pixels()[y * width * 3..(y + 1) * width * 3];
            for (mean, column_shares) in out[by * THUMB..].iter_mut().zip(&columns) {
                for &(x, share) in column_shares {
                    (0..3).for_each(|c| mean[c] += row_share * share * f32::from(row[x * 3 + c]));
                }
            }
        }
    }
    out
}

/// For each of 32 boxes along a side of `len` px: the pixels in it and their shares of it, which sum to 1.
fn shares(len: u32) -> Vec<Vec<(usize, f32)>> {
    let scale = f64::from(len) / THUMB as f64;
    let share = |i: usize, from: f64, to: f64| ((to.min(i as f64 + 1.0) - from.max(i as f64)) / scale) as f32;
    (0..THUMB)
        .map(|b| {
            let (from, to) = (b as f64 * scale, (b + 1) as f64 * scale);
            (from as usize..(to.ceil() as usize).min(len as usize)).map(|i| (i, share(i, from, to))).collect()
        })
        .collect()
}

/// Mean colours of 8×8 cells from those of 32×32 boxes.
fn cells(thumb: &[[f32; 3]]) -> [u8; CELLS * CELLS * 3] {
    let step = THUMB / CELLS;
    let mut out = [0; CELLS * CELLS * 3];
    for (i, value) in out.iter_mut().enumerate() {
        let (cell, channel) = (i / 3, i % 3);
        let (y, x) = (cell / CELLS * step, cell % CELLS * step);
        let boxes = (0..step * step).map(|k| thumb[(y + k / step) * THUMB + x + k % step][channel]);
        *value = (boxes.sum::<f32>() / (step * step) as f32).round() as u8;
    }
    out
}

/// Works seen so far, found again by look. Not all against all: hashes within 6 bits of each other share at least two of their
/// eight bytes, so only works in the same 256-part drawers are compared, and works with one hash are compared once.
#[derive(Debug)]
pub(crate) struct Index {
    looks: Vec<Look>,
    /// For each byte of the hash and each of its values: the distinct hashes, as numbers into `hashes`.
    drawers: Vec<Vec<u32>>,
    hashes: Vec<(u64, Vec<u32>)>,
    known: HashMap<u64, u32>,
}

impl Index {
    pub fn new() -> Self {
        Self { looks: Vec::new(), drawers: vec![Vec::new(); 8 * 256], hashes: Vec::new(), known: HashMap::new() }
    }

    /// The earliest inserted work that looks the same, by its number of insertion.
    pub fn find(&self, look: &Look) -> Option<u32> {
        let mut best: Option<u32> = None;
        for (byte, drawer) in drawers(look.hash).enumerate() {
            for &h in &self.drawers[drawer] {
                let (hash, members) = &self.hashes[h as usize];
                let differing = hash ^ look.hash;
                // A hash that shares an earlier byte was met in that byte's drawer.
                let met = (0..byte).any(|b| (differing >> (8 * b)) & 0xff == 0);
                if met || differing.count_ones() > MAX_BITS {
                    continue;
                }
                let first = members.iter().copied().find(|&m| self.looks[m as usize].near(look));
                best = [best, first].into_iter().flatten().min();
            }
        }
        best
    }

    /// Adds a work; its number is how many were added before.
    pub fn insert(&mut self, look: Look) {
        let number = self.looks.len() as u32;
        let h = *self.known.entry(look.hash).or_insert_with(|| {
            let h = self.hashes.len() as u32;
            drawers(look.hash).for_each(|d| self.drawers[d].push(h));
            self.hashes.push((look.hash, Vec::new()));
            h
        });
        self.hashes[h as usize].1.push(number);
        self.looks.push(look);
    }
}

fn drawers(hash: u64) -> impl Iterator<Item = usize> {
    hash.to_le_bytes().into_iter().enumerate().map(|(i, b)| i * 256 + usize::from(b))
}

/// As hex in the journal.
impl Serialize for Look {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut text = format!("{:016x}", self.hash);
        self.cells.iter().for_each(|b| text.push_str(&format!("{b:02x}")));
        s.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Look {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let bad = || serde::de::Error::custom("not a look");
        let mut cells = [0; CELLS * CELLS * 3];
        if text.len() != 16 + 2 * cells.len() || !text.is_ascii() {
            return Err(bad());
        }
        let hash = u64::from_str_radix(&text[..16], 16).map_err(|_| bad())?;
        for (cell, at) in cells.iter_mut().zip((16..).step_by(2)) {
            *cell = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| bad())?;
        }
        Ok(Self { hash, cells })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn look(hash: u64) -> Look {
        Look { hash, cells: [100; 192] }
    }

    proptest! {
        /// The drawers find what a search of all against all finds.
        #[test]
        fn the_index_misses_nothing(base: u64, flips in prop::collection::vec(prop::collection::vec(0u32..64, 0..9), 1..40), shift in 0u8..9) {
            let mut index = Index::new();
            let mut all: Vec<Look> = Vec::new();
            for (i, bits) in flips.iter().enumerate() {
                let mut l = look(bits.iter().fold(base, |h, b| h ^ (1 << b)));
                l.cells[i % 192] += shift;
                let naive = all.iter().position(|o| o.near(&l)).map(|p| p as u32);
                prop_assert_eq!(index.find(&l), naive);
                index.insert(l);
                all.push(l);
            }
        }

        #[test]
        fn looks_survive_the_journal(hash: u64, byte: u8) {
            let l = Look { hash, cells: [byte; 192] };
            let text = serde_json::to_string(&l).unwrap();
            prop_assert_eq!(serde_json::from_str::<Look>(&text).unwrap(), l);
        }
    }

    #[test]
    fn cells_are_means() {
        let halves = Picture::from_fn(64, 32, |x, _| if x < 32 { [10, 20, 30] } else { [50, 60, 70] });
        let means = cells(&thumbnail(&halves));
        assert_eq!((&means[..3], &means[21..24]), (&[10, 20, 30][..], &[50, 60, 70][..]));
        let tiny = cells(&thumbnail(&Picture::filled(3, 5, [7, 8, 9])));
        assert_eq!(&tiny[189..], [7, 8, 9]);
        // A border at three eighths of 100 px lies within a pixel: 37.5.
        let odd = Picture::from_fn(100, 9, |x, _| [if x < 37 { 200 } else { 0 }; 3]);
        assert_eq!(cells(&thumbnail(&odd))[6], 192, "12 of 12.5 px are lit");
    }
}
