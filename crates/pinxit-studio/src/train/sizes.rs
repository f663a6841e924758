//! Which sizes of pictures a network can learn, and the ones near a size that none can.
use pinxit_nn::Preset;
use pinxit_train::TrainConfig;
use pinxit_train::auto;

use crate::settings::Size;
use crate::{Error, Result};

/// Sides are multiples of one of these, by the size (see `auto::generator`).
const STEPS: [u32; 3] = [8, 16, 32];
/// The longest of the shorter sides.
const LONGEST: u32 = 256;
/// How many times the longer side may be the shorter (see [`has_features`]).
const RATIO: u32 = 16;

/// The presets that can paint pictures of this size, smallest first.
fn presets(size: Size) -> impl Iterator<Item = Preset> {
    let resolution = (size.height as usize, size.width as usize);
    Preset::ALL.into_iter().filter(move |preset| {
        let config = TrainConfig { preset: preset.to_string(), ..TrainConfig::default() };
        auto::generator(&config, resolution, 0, 0).is_ok()
    })
}

/// `wanted`, or the largest preset of its width (`xs` or `s`) that can paint pictures of this size, if any can.
pub(super) fn fitting(wanted: &str, resolution: (usize, usize)) -> Option<String> {
    let all: Vec<String> = presets(Size::of(resolution)).map(|p| p.to_string()).collect();
    let breadth = |preset: &str| preset.split('-').next().map(String::from);
    let alike = all.iter().rev().find(|p| breadth(p) == breadth(wanted));
    all.iter().find(|p| *p == wanted).or(alike).or(all.last()).cloned()
}

/// Whether the default discriminator can be made for pictures of this size: of a very long one its features would be too long.
fn has_features(size: Size) -> bool {
    let resolution = (size.height as usize, size.width as usize);
    auto::projected(&TrainConfig::default(), resolution, 0, 0).validate().is_ok()
}

fn is_learnable(size: Size) -> bool {
    has_features(size) && presets(size).next().is_some()
}

/// Refuses a size that no preset can train: hours of importing would be for nothing.
pub fn check_learnable(size: Size) -> Result<()> {
    if is_learnable(size) {
        return Ok(());
    }
    let is_long = size.width.max(size.height) > RATIO * size.width.min(size.height);
    let why = if is_long { format!(": one side is more than {RATIO} times the other") } else { String::new() };
    let near: Vec<String> = near(size).iter().map(|s| format!("--size {s}")).collect();
    Err(Error::Setting {
        message: format!("no preset can learn pictures of {size} px{why}"),
        hint: format!("import them with {}: sides in steps of 8, 16 or 32 px suit the networks", near.join(" or ")),
    })
}

/// The nearest sizes below and above that can be trained.
fn near(size: Size) -> Vec<Size> {
    let least = size.width.max(size.height).div_ceil(RATIO);
    let size = Size { width: size.width.max(least), height: size.height.max(least) };
    let short = size.width.min(size.height);
    let shrunk = |side: u32| if short > LONGEST { side * LONGEST / short } else { side };
    let down = |side: u32, step: u32| (shrunk(side) / step * step).max(2 * step);
    let up = |side: u32, step: u32| shrunk(side).next_multiple_of(step).max(2 * step);
    let distance = |s: &Size| s.width.abs_diff(size.width) + s.height.abs_diff(size.height);
    let of = |round: &dyn Fn(u32, u32) -> u32| {
        let sizes = STEPS.iter().map(|&step| Size { width: round(size.width, step), height: round(size.height, step) });
        sizes.filter(|s| is_learnable(*s)).min_by_key(distance)
    };
    let mut found: Vec<Size> = [of(&down), of(&up)].into_iter().flatten().collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(size: &str) -> Option<String> {
        check_learnable(size.parse().unwrap()).err().and_then(|e| e.hint())
    }

    #[test]
    fn sizes_that_suit_no_network_name_their_neighbours() {
        for good in ["16", "32", "40", "56", "64", "64x96", "112", "128", "128x192", "256"] {
            assert_eq!(hint(good), None, "{good}");
        }
        assert!(hint("33").unwrap().starts_with("import them with --size 32 or --size 40:"));
        assert!(hint("64x90").unwrap().starts_with("import them with --size 64x88 or --size 64x96:"));
        assert!(hint("1024").unwrap().starts_with("import them with --size 256:"));
        assert!(hint("100x70").unwrap().starts_with("import them with --size 96x64 or --size 112x80:"));
        // It was taken in, and the training then spoke of the feature size.
        assert!(hint("16x512").unwrap().starts_with("import them with --size 32x512:"));
        assert!(check_learnable("512x16".parse().unwrap()).unwrap_err().to_string().contains("more than 16 times the other"));
        for (side, long) in (16..=1024).flat_map(|side| [(side, 1000), (side, 1024), (side, 300)]) {
            let size = Size { width: side, height: long };
            assert!(check_learnable(size).is_ok() || !near(size).is_empty(), "{size}");
        }
    }

    #[test]
    fn a_preset_that_does_not_fit_gives_way() {
        assert_eq!(fitting("xs-64", (64, 64)).as_deref(), Some("xs-64"));
        assert_eq!(fitting("xs-64", (56, 56)).as_deref(), Some("xs-32"));
        assert_eq!(fitting("xs-128", (112, 112)).as_deref(), Some("xs-64"));
        assert_eq!(fitting("xs-64", (33, 33)), None);
    }
}
