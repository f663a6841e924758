//! The search: as the picture lies, then mirrored and turned, then at the scales and turns its own lattice suggests.

use super::Found;
use super::code;
use super::correlate::{Bank, Peak, Tile, fold, turned_back};
use super::filter::evened;
use super::lattice::{Lattice, candidates};
use super::pattern::TILE_LEN;
use super::plane::Plane;

/// Energy below which nothing is decoded, deviations. With a threshold of 8 the weakest message read had 8.0, and 99.9 % of
/// 684 unmarked layings had less than 5.7 (`docs/watermark.md` has the arithmetic).
const MIN_SCORE: f32 = 7.0;
/// Excess below which a picture is not laid in other ways. Marks that could be read had 1.06 and more; half
/// of the unmarked windows of 256 px had less than 1.03.
const MIN_EXCESS: f32 = 1.05;
/// Lattices that are tried.
const LATTICES: usize = 6;
/// Sizes that programs make most often, tried even where no lattice shows.
const USUAL_SCALES: [f32; 4] = [0.5, 0.75, 1.5, 2.0];

/// Everything the detector tries, in order of cost.
pub(super) fn search(bank: &Bank, luma: &Plane) -> Option<Found> {
    let seen = Folded::of(luma);
    if let Some(found) = seen.upright(bank).or_else(|| seen.mirrored_or_turned(bank)) {
        return Some(found);
    }
    let half = luma.halved();
    let mut lattices = candidates(luma, &half);
    lattices.truncate(LATTICES);
    lattices.extend(USUAL_SCALES.map(Lattice::of_scale));
    lattices.into_iter().find_map(|lattice| along(bank, luma, &half, lattice))
}

/// The picture laid as one lattice says.
fn along(bank: &Bank, luma: &Plane, half: &Plane, lattice: Lattice) -> Option<Found> {
    let plane = if lattice.halved { half } else { luma };
    let scale = lattice.scale * if lattice.halved { 2.0 } else { 1.0 };
    let seen = Folded::of(&plane.restored(lattice.scale, lattice.degrees));
    if !seen.may_be_marked() {
        return None;
    }
    let found = seen.upright(bank).or_else(|| seen.mirrored_or_turned(bank))?;
    Some(Found { scale, degrees: lattice.degrees, ..found })
}

/// A picture folded onto one tile.
pub(super) struct Folded {
    tile: Tile,
    /// Energy of the sum of the tiles over the sum of their energies: about 1 without a mark, and more with one,
    /// whatever its key, because its tiles are alike and add up.
    excess: f32,
}

impl Folded {
    pub(super) fn of(luma: &Plane) -> Self {
        let seen = evened(luma);
        let tile = fold(&seen);
        let energy = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>();
        let excess = match energy(&seen.values) {
            0.0 => 0.0, // a flat picture
            // So few tiles tell nothing.
            _ if seen.values.len() < 4 * TILE_LEN => f32::INFINITY,
            whole => energy(&tile) / whole,
        };
        Self { tile, excess }
    }

    fn may_be_marked(&self) -> bool {
        self.excess >= MIN_EXCESS
    }

    /// The picture as it lies: what the embedder checks, and what most pictures need.
    pub(super) fn upright(&self, bank: &Bank) -> Option<Found> {
        decoded(bank, &self.tile, bank.peaks(&self.tile))
    }

    /// The other seven ways to lay a picture, likeliest first.
    fn mirrored_or_turned(&self, bank: &Bank) -> Option<Found> {
        if !self.may_be_marked() {
            return None;
        }
        let folded = &self.tile;
        let mut ways: Vec<(u8, Tile, [Peak; 2])> = (1..8)
            .map(|way| {
                let tile = turned_back(folded, way & 1 == 1, way >> 1);
                let peaks = bank.peaks(&tile);
                (way, tile, peaks)
            })
            .collect();
        let best = |peaks: &[Peak; 2]| peaks[0].score.max(peaks[1].score);
        ways.sort_by(|a, b| best(&b.2).total_cmp(&best(&a.2)));
        ways.into_iter().find_map(|(way, tile, peaks)| {
            let found = decoded(bank, &tile, peaks)?;
            Some(Found { flipped: way & 1 == 1, quarter_turns: way >> 1, ..found })
        })
    }
}

/// The message at the peak of either form, if its energy and its checksum allow.
fn decoded(bank: &Bank, folded: &Tile, peaks: [Peak; 2]) -> Option<Found> {
    let mut peaks = peaks;
    peaks.sort_by(|a, b| b.score.total_cmp(&a.score));
    peaks.into_iter().filter(|peak| peak.score >= MIN_SCORE).find_map(|peak| {
        let id = code::decode(&bank.soft(folded, peak), peak.form.id_bits())?;
        Some(Found::plain(id, peak.form, peak.score))
    })
}
