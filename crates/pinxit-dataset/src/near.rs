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
const CELLS: u32 = 8;
/// Samples a side of the thumbnail that is hashed.
const THUMB: u32 = 32;
/// Hashes of near-duplicates differ in at most this many of 64 bits.
pub(crate) const MAX_BITS: u32 = 6;
/// No cell's mean colour differs by more than this in any channel, of 255.
pub(crate) const MAX_LEVELS: u8 = 6;

/// Lowest 8×8 DCT coefficients against their median: half of the bits are set whatever the picture, so the index below is even.
static HASHER: LazyLock<Hasher<[u8; 8]>> = LazyLock::new(|| {
    HasherConfig::with_bytes_type::<[u8; 8]>().hash_size(8, 8).hash_alg(HashAlg::Median).preproc_dct().to_hasher()
});

/// What a work looks like, coarsely: 200 bytes a work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// 64-bit perceptual hash: near in Hamming distance = alike in shapes.
    pub hash: u64,
    /// Mean colours of 8×8 cells, RGB.
    pub cells: [u8; (CELLS * CELLS * 3) as usize],
}

impl Look {
    /// The look of a whole work, stretched to a square.
    pub fn of(picture: &Picture) -> Self {
        let thumb = box_mean(picture, THUMB);
        let grey = GrayImage::from_fn(THUMB, THUMB, |x, y| {
            let i = (y * THUMB + x) as usize * 3;
            // Rec. 601 luma, in 1/256.
            let sum = 77 * u32::from(thumb[i]) + 150 * u32::from(thumb[i + 1]) + 29 * u32::from(thumb[i + 2]);
            Luma([(sum >> 8) as u8])
        });
        let mut hash = [0; 8];
        hash.copy_from_slice(HASHER.hash_image(&grey).as_bytes());
        let mut cells = [0; (CELLS * CELLS * 3) as usize];
        cells.copy_from_slice(&box_mean(picture, CELLS));
        Self { hash: u64::from_le_bytes(hash), cells }
    }

    /// Largest difference of a cell's colour in any channel, of 255.
    pub fn levels_from(&self, other: &Self) -> u8 {
        self.cells.iter().zip(&other.cells).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
    }

    fn near(&self, other: &Self) -> bool {
        (self.hash ^ other.hash).count_ones() <= MAX_BITS && self.levels_from(other) <= MAX_LEVELS
    }
}

/// Mean colours of `side` × `side` boxes over the picture; boxes of a picture smaller than that are single pixels.
fn box_mean(picture: &Picture, side: u32) -> Vec<u8> {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let side = side as usize;
    let edge = |i: usize, len: usize| i * len / side;
    let mut out = Vec::with_capacity(side * side * 3);
    for by in 0..side {
        let (top, bottom) = (edge(by, h), edge(by + 1, h).max(edge(by, h) + 1).min(h));
        for bx in 0..side {
            let (left, right) = (edge(bx, w), edge(bx + 1, w).max(edge(bx, w) + 1).min(w));
            let mut sum = [0u64; 3];
            for y in top..bottom {
                for pixel in picture.pixels()[(y * w + left) * 3..(y * w + right) * 3].chunks_exact(3) {
                    (0..3).for_each(|c| sum[c] += u64::from(pixel[c]));
                }
            }
            let count = ((bottom - top) * (right - left)).max(1) as u64;
            out.extend(sum.map(|s| ((s + count / 2) / count) as u8));
        }
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
        let mut cells = [0; (CELLS * CELLS * 3) as usize];
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
    fn box_means_are_means() {
        let picture = Picture::from_fn(64, 32, |x, _| if x < 32 { [10, 20, 30] } else { [50, 60, 70] });
        let cells = box_mean(&picture, 8);
        assert_eq!(cells[..3], [10, 20, 30]);
        assert_eq!(cells[21..24], [50, 60, 70]);
        let tiny = box_mean(&Picture::filled(3, 5, [7, 8, 9]), 8);
        assert_eq!((tiny.len(), &tiny[189..]), (192, &[7, 8, 9][..]));
    }
}
