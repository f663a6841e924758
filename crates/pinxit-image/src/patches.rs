//! Several windows of one large picture, each showing a scene.

use crate::error::Result;
use crate::fit::largest;
use crate::picture::{Picture, Window, byte_count};
use crate::resize::resize;
use crate::saliency::Detail;

/// A window is at least this share of the largest that fits: sky, ground and horizon stay together. Smaller
/// windows show leaves and clouds, and teach textures instead of landscapes.
const SMALLEST_SCALE: f64 = 0.5;

/// Windows that share this much or more of their joint area with another count as the same view.
const SAME_VIEW: f64 = 0.8;

/// Candidates for each window; Mitchell's best-candidate sampling ("Spectrally optimal sampling for distribution
/// ray tracing", SIGGRAPH 1991) with overlap in the place of distance.
const CANDIDATES: u32 = 48;

/// What a window's share of the picture's detail is worth, next to the overlap (0…1) that it costs.
const DETAIL_WORTH: f64 = 0.25;

/// Up to `n` windows of a picture, scaled to `width × height` px; see [`patch_windows`].
///
/// # Errors
/// [`crate::Error::Shape`] when a side is 0 or a patch would take more than 4 GiB.
pub fn patches(picture: &Picture, n: usize, width: u32, height: u32, seed: u64) -> Result<Vec<Picture>> {
    let cut = |window: Window| resize(&picture.crop(window)?, width, height);
    patch_windows(picture, n, width, height, seed)?.into_iter().map(cut).collect()
}

/// Up to `n` windows of the shape `width : height`, spread over the picture with as little overlap as can be.
///
/// Their scale is random between the largest that fits and half of that, but none is smaller than
/// `width × height` px where the picture allows: nothing is enlarged that need not be. Windows without detail
/// (empty sky) are chosen last. Where fewer than `n` different views exist, fewer are returned, at least one
/// for `n > 0`. The same picture, sizes and seed give the same windows, and the first of them do not depend on `n`.
///
/// # Errors
/// [`crate::Error::Shape`] when a side is 0 or a patch would take more than 4 GiB.
pub fn patch_windows(picture: &Picture, n: usize, width: u32, height: u32, seed: u64) -> Result<Vec<Window>> {
    byte_count(width, height)?;
    let (most_w, most_h) = largest(picture, width, height);
    let floor = (f64::from(width) / f64::from(most_w)).clamp(SMALLEST_SCALE, 1.0);
    let detail = Detail::of(picture);
    let mut random = SplitMix(seed);
    let mut chosen: Vec<Window> = Vec::new();
    for _ in 0..n {
        let mut best: Option<(f64, Window)> = None;
        for _ in 0..CANDIDATES {
            let scale = floor + (1.0 - floor) * random.unit();
            let side = |most: u32| ((f64::from(most) * scale).round() as u32).clamp(1, most);
            let (w, h) = (side(most_w), side(most_h));
            let place = |free: u32, unit: f64| ((f64::from(free) + 1.0) * unit) as u32;
            let (x, y) = (place(picture.width() - w, random.unit()), place(picture.height() - h, random.unit()));
            let window = Window { x, y, width: w, height: h };
            let overlap = chosen.iter().map(|other| shared(window, *other)).fold(0.0, f64::max);
            let score = DETAIL_WORTH * detail.share(window) - overlap;
            if overlap < SAME_VIEW && best.is_none_or(|(s, _)| score > s) {
                best = Some((score, window));
            }
        }
        match best {
            Some((_, window)) => chosen.push(window),
            None => break,
        }
    }
    Ok(chosen)
}

/// Shared area over joint area of two windows, 0…1.
fn shared(a: Window, b: Window) -> f64 {
    let common = |a0: u32, al: u32, b0: u32, bl: u32| u64::from((a0 + al).min(b0 + bl).saturating_sub(a0.max(b0)));
    let both = common(a.x, a.width, b.x, b.width) * common(a.y, a.height, b.y, b.height);
    let area = |w: Window| u64::from(w.width) * u64::from(w.height);
    both as f64 / (area(a) + area(b) - both) as f64
}

/// SplitMix64 (Steele, Lea, Flood 2014): all the randomness that choosing windows needs.
struct SplitMix(u64);

impl SplitMix {
    /// Uniform in [0, 1).
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    fn textured(width: u32, height: u32) -> Picture {
        Picture::from_fn(width, height, |x, y| [(x * 7 % 251) as u8, (y * 11 % 241) as u8, ((x ^ y) % 199) as u8])
    }

    #[test]
    fn windows_are_scenes_inside_the_picture_in_the_right_shape() {
        let picture = textured(900, 400);
        let windows = patch_windows(&picture, 12, 96, 64, 5).unwrap();
        assert_eq!(windows.len(), 12);
        for w in &windows {
            assert!(picture.crop(*w).is_ok());
            assert!(w.height >= 200, "at least half the height: {w:?}");
            assert!((f64::from(w.width) / f64::from(w.height) - 1.5).abs() < 0.02, "{w:?}");
        }
        let scales: std::collections::BTreeSet<u32> = windows.iter().map(|w| w.height).collect();
        assert!(scales.len() > 6, "the scale varies: {scales:?}");
    }

    #[test]
    fn two_windows_of_a_wide_picture_do_not_overlap() {
        for seed in 0..20 {
            let windows = patch_windows(&textured(1200, 300), 2, 64, 64, seed).unwrap();
            assert!(shared(windows[0], windows[1]) < 0.01, "seed {seed}: {windows:?}");
        }
    }

    #[test]
    fn the_seed_decides_and_n_only_adds() {
        let picture = textured(500, 400);
        let four = patch_windows(&picture, 4, 64, 64, 9).unwrap();
        assert_eq!(four, patch_windows(&picture, 4, 64, 64, 9).unwrap());
        assert_eq!(four[..2], patch_windows(&picture, 2, 64, 64, 9).unwrap()[..]);
        assert_ne!(four, patch_windows(&picture, 4, 64, 64, 10).unwrap());
    }

    #[test]
    fn a_picture_no_larger_than_a_patch_gives_one() {
        assert_eq!(patch_windows(&textured(64, 64), 5, 64, 64, 1).unwrap().len(), 1);
        assert_eq!(patches(&textured(10, 9), 5, 64, 64, 1).unwrap().len(), 1);
        assert!(patches(&textured(10, 9), 0, 64, 64, 1).unwrap().is_empty());
    }

    #[test]
    fn nothing_is_enlarged_that_need_not_be() {
        for w in patch_windows(&textured(300, 80), 6, 64, 64, 3).unwrap() {
            assert!(w.height >= 64, "{w:?}");
        }
    }

    #[test]
    fn empty_sky_is_chosen_last() {
        let picture = Picture::from_fn(1000, 100, |x, y| {
            if x < 500 || (x / 24 + y / 24).is_multiple_of(2) { [120, 170, 230] } else { [60, 90, 20] }
        });
        for seed in 0..10 {
            let first = patch_windows(&picture, 1, 64, 64, seed).unwrap()[0];
            assert!(first.x + first.width > 550, "seed {seed}: {first:?}");
        }
    }
}
