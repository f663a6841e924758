//! Settings chosen from the collection and the machine, so that a person only has to choose pictures and time.
use crate::config::{Length, TrainConfig};
use crate::{Error, Result};
use pinxit_dataset::Dataset;
use pinxit_nn::{GeneratorConfig, OwnConfig, Preset, ProjectedConfig};

/// What the choice depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Training pictures.
    pub pictures: usize,
    /// Height and width, px.
    pub resolution: (usize, usize),
}

/// From this many pictures on, no square is cut out of them: they will not be learnt by heart.
const CUTOUT_BELOW: usize = 10_000;
/// From this many threads on, the wider networks are affordable.
const WIDE_THREADS: usize = 8;

impl Collection {
    /// Of a dataset.
    pub fn of(dataset: &Dataset) -> Self {
        Collection { pictures: dataset.train().len(), resolution: dataset.resolution() }
    }
}

/// Completes the defaults for a collection on a machine with `threads` threads.
pub fn auto(mut config: TrainConfig, collection: Collection, threads: usize) -> TrainConfig {
    let side = collection.resolution.0.min(collection.resolution.1);
    let wide = threads >= WIDE_THREADS && collection.pictures >= 2000;
    config.preset = match side {
        0..=48 => Preset::Xs32,
        49..=96 if wide => Preset::S64,
        49..=96 => Preset::Xs64,
        _ if wide => Preset::S128,
        _ => Preset::Xs128,
    }
    .to_string();
    config.augment.cutout = collection.pictures < CUTOUT_BELOW;
    // Larger pictures are halved for the feature network; every other batch it sees them from near (docs/trials.md, fourth round).
    config.projected.near = if side > config.projected.feature_size { 0.5 } else { 0.0 };
    // A small collection is learnt sooner, and then only memorised: 100 times each picture, within 100 to 400 kimg.
    config.length = Length::Kimg((collection.pictures as f64 / 10.0).clamp(100.0, 400.0));
    config
}

/// The generator for pictures of `resolution` with the preset's stages: the base grid takes the shape of the picture.
pub fn generator(config: &TrainConfig, resolution: (usize, usize), classes: usize, styles: usize) -> Result<GeneratorConfig> {
    let preset: Preset = config.preset.parse()?;
    let mut out = GeneratorConfig::new(preset, (4, 4), classes, styles);
    if !config.channels.is_empty() {
        out.channels = config.channels.clone();
    }
    let named = match config.channels.as_slice() {
        [] => format!("preset {}", config.preset),
        own => format!("channels = {own:?}"),
    };
    let factor = 1usize << (out.channels.len().max(1) - 1).min(20);
    let (h, w) = resolution;
    if h % factor != 0 || w % factor != 0 {
        return Err(Error::Config(format!("{named} needs sides that are multiples of {factor} px; the pictures are {w} x {h}")));
    }
    out.base = (h / factor, w / factor);
    if out.base.0.min(out.base.1) > 8 {
        return Err(Error::Config(format!("{named} has too few stages for pictures of {w} x {h} px: each doubles the sides")));
    }
    out.validate()?;
    Ok(out)
}

/// The own discriminator of the preset.
pub fn own(config: &TrainConfig, resolution: (usize, usize), classes: usize, styles: usize) -> Result<OwnConfig> {
    let mut out = OwnConfig::new(config.preset.parse()?, resolution, classes, styles);
    if !config.channels.is_empty() {
        // One stage fewer than the generator's, mirrored: the first halving is the space-to-depth stem.
        out.widths = config.channels.iter().rev().skip(1).copied().collect();
    }
    Ok(out)
}

/// The projected discriminator: features at `feature_size` on the shorter side, the longer in proportion.
pub fn projected(config: &TrainConfig, resolution: (usize, usize), classes: usize, styles: usize) -> ProjectedConfig {
    let p = &config.projected;
    let short = resolution.0.min(resolution.1).max(1);
    let side = |v: usize| (v * p.feature_size).div_ceil(short).next_multiple_of(16);
    let mut out = ProjectedConfig::new(resolution, classes, styles);
    out.feature_size = (side(resolution.0), side(resolution.1));
    out.pixels = p.pixels;
    (out.mix, out.channels, out.embed, out.minibatch_std) = (p.mix, p.channels, p.channels, p.minibatch_std);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_collection_choose_the_networks() {
        let choose = |pictures, resolution, threads| auto(TrainConfig::default(), Collection { pictures, resolution }, threads);
        let small = choose(300, (64, 64), 2);
        assert_eq!((small.preset.as_str(), small.augment.cutout, small.length), ("xs-64", true, Length::Kimg(100.0)));
        let large = choose(19_000, (64, 96), 16);
        assert_eq!((large.preset.as_str(), large.augment.cutout, large.length), ("s-64", false, Length::Kimg(400.0)));
        assert_eq!(choose(5000, (128, 128), 2).preset, "xs-128");
        assert_eq!((small.projected.near, choose(5000, (128, 96), 2).projected.near), (0.0, 0.5));
        assert_eq!(choose(5000, (32, 32), 2).preset, "xs-32");
        assert!(choose(19_000, (64, 96), 16).check().is_ok());
    }

    #[test]
    fn rectangles_come_from_the_base_grid() {
        let config = TrainConfig::default();
        assert_eq!(generator(&config, (64, 96), 3, 0).unwrap().base, (4, 6));
        assert!(generator(&config, (64, 90), 3, 0).unwrap_err().to_string().contains("multiples of 16"));
        assert!(generator(&config, (256, 256), 3, 0).is_err(), "a base of 16 px is no start");
        let narrow = TrainConfig { channels: vec![1], ..TrainConfig::default() };
        let said = generator(&narrow, (64, 64), 0, 0).unwrap_err().to_string();
        assert!(said.contains("channels = [1] has too few stages"), "not the preset is at fault: {said}");
        assert_eq!(projected(&config, (64, 96), 0, 0).feature_size, (64, 96));
        assert_eq!(own(&config, (64, 64), 0, 0).unwrap().widths.len(), 4);
    }
}
