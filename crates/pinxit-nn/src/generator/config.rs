//! Sizes of a generator: presets, and the limits within which a file may ask for others.
use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The sizes that are trained and measured. The number is the height and width of the picture for a square base of 4 x 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Preset {
    /// 32 px, for tests and very quick tries.
    Xs32,
    /// 64 px, small: the default on a CPU.
    Xs64,
    /// 64 px with half as many channels again.
    S64,
    /// 128 px, small.
    Xs128,
    /// 128 px with half as many channels again.
    S128,
}

impl Preset {
    /// All presets, smallest first.
    pub const ALL: [Preset; 5] = [Preset::Xs32, Preset::Xs64, Preset::S64, Preset::Xs128, Preset::S128];

    /// Channels of the generator's stages, from the base grid upwards.
    pub fn channels(self) -> &'static [usize] {
        match self {
            Preset::Xs32 => &[160, 128, 96, 64],
            Preset::Xs64 => &[160, 128, 96, 64, 32],
            Preset::S64 => &[256, 192, 128, 96, 48],
            Preset::Xs128 => &[160, 128, 96, 64, 40, 20],
            Preset::S128 => &[256, 192, 128, 96, 64, 32],
        }
    }

    /// Widths of the own discriminator's stages, from half the picture's size downwards.
    pub fn discriminator_widths(self) -> &'static [usize] {
        match self {
            Preset::Xs32 => &[64, 96, 128],
            Preset::Xs64 => &[48, 80, 128, 160],
            Preset::S64 => &[64, 128, 192, 256],
            Preset::Xs128 => &[32, 64, 96, 128, 160],
            Preset::S128 => &[48, 64, 128, 192, 256],
        }
    }

    /// Length of the style vector w.
    pub fn w_dim(self) -> usize {
        match self {
            Preset::S64 | Preset::S128 => 256,
            Preset::Xs32 | Preset::Xs64 | Preset::Xs128 => 128,
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Preset::Xs32 => "xs-32",
            Preset::Xs64 => "xs-64",
            Preset::S64 => "s-64",
            Preset::Xs128 => "xs-128",
            Preset::S128 => "s-128",
        })
    }
}

impl FromStr for Preset {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        Preset::ALL.into_iter().find(|p| p.to_string() == s).ok_or_else(|| Error::Preset(s.to_string()))
    }
}

/// Which generator a model holds. A second one is a variant here and a file beside `style.rs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// Style-based: mapping network, modulated convolutions, skip RGB.
    #[default]
    Style,
}

/// Sizes of a generator; with these and the weights the pictures are determined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratorConfig {
    /// Which generator.
    pub architecture: Architecture,
    /// Name of the preset that the sizes came from, for people only.
    pub preset: String,
    /// Channels of each stage, from the base grid upwards; every stage after the first doubles the size.
    pub channels: Vec<usize>,
    /// Height and width of the first map, px. A rectangle comes from a base that is none, never from stretching.
    pub base: (usize, usize),
    /// Length of the latent z.
    pub z_dim: usize,
    /// Length of the style vector w.
    pub w_dim: usize,
    /// Length of the label embedding.
    pub cond_dim: usize,
    /// Number of classes, 0 for none.
    pub classes: usize,
    /// Number of styles, 0 for none.
    pub styles: usize,
    /// Number of words, 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub words: usize,
}

/// Left out of files where it is zero: those without words stay what they were.
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Above these no picture and no machine of ours goes; a file that asks for more is refused before anything is allocated.
mod limit {
    pub const SIDE_PX: usize = 1024;
    pub const BASE_PX: usize = 32;
    pub const STAGES: usize = 9;
    pub const CHANNELS: usize = 2048;
    pub const DIM: usize = 4096;
    pub const LABELS: usize = 100_000;
}

impl GeneratorConfig {
    /// The preset's sizes over a base grid of `base` = (height, width) px, (4, 4) for a square.
    pub fn new(preset: Preset, base: (usize, usize), classes: usize, styles: usize) -> Self {
        GeneratorConfig {
            architecture: Architecture::Style,
            preset: preset.to_string(),
            channels: preset.channels().to_vec(),
            base,
            z_dim: 128,
            w_dim: preset.w_dim(),
            cond_dim: 64,
            classes,
            styles,
            words: 0,
        }
    }

    /// Number of stages, each with its own w.
    pub fn stages(&self) -> usize {
        self.channels.len()
    }

    /// Height and width of the picture, px.
    pub fn resolution(&self) -> (usize, usize) {
        let factor = 1 << (self.stages().max(1) - 1);
        (self.base.0 * factor, self.base.1 * factor)
    }

    /// Refuses sizes outside the limits: at most 1024 px a side, 2048 channels, 9 stages.
    pub fn validate(&self) -> Result<()> {
        let within = |what: &str, v: usize, lo: usize, hi: usize| match (lo..=hi).contains(&v) {
            true => Ok(()),
            false => Err(Error::Config(format!("{what} is {v}, must lie within {lo} to {hi}"))),
        };
        within("the number of stages", self.stages(), 1, limit::STAGES)?;
        self.channels.iter().try_for_each(|&c| within("a number of channels", c, 1, limit::CHANNELS))?;
        within("the base height", self.base.0, 1, limit::BASE_PX)?;
        within("the base width", self.base.1, 1, limit::BASE_PX)?;
        let (h, w) = self.resolution();
        within("the picture height", h, 1, limit::SIDE_PX)?;
        within("the picture width", w, 1, limit::SIDE_PX)?;
        within("z_dim", self.z_dim, 1, limit::DIM)?;
        within("w_dim", self.w_dim, 1, limit::DIM)?;
        within("cond_dim", self.cond_dim, 1, limit::DIM)?;
        within("the number of classes", self.classes, 0, limit::LABELS)?;
        within("the number of styles", self.styles, 0, limit::LABELS)?;
        within("the number of words", self.words, 0, limit::LABELS)
    }
}
