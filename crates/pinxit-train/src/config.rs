//! Every decision of a training run, resolved: no option is left open below this point, and the whole is saved beside the
//! run as `config.toml` before its first step.
use crate::{Error, Loss, Result, augment::AugmentConfig};
use serde::{Deserialize, Serialize};
use std::path::Path;
use toml::{Table, Value};

/// Which network judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Discriminator {
    /// Heads on frozen MobileNetV2 features (Sauer et al. 2021, arXiv 2111.01007), and one on the picture itself.
    Projected,
    /// A piecewise-linear network of one's own, with exact R1 and R2 (Huang et al. 2024, arXiv 2501.05441).
    Own,
}

/// Who learns from what within a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Update {
    /// One set of fakes, both gradients at the old weights: the cheapest step.
    Simultaneous,
    /// One set of fakes; the generator hears the discriminator after its update.
    Sequential,
    /// Fresh fakes for the generator after the discriminator's update: the textbook step.
    Alternating,
}

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// Thousands of pictures shown. Exactly repeatable.
    Kimg(f64),
    /// Seconds of training on this machine. The schedules follow the clock, so two such runs differ.
    Seconds(f64),
}

/// What dense convolutions multiply in; sums and everything else are f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// f32.
    F32,
    /// bf16 where that is the fastest way, on processors that have it; on others f32.
    Bf16,
    /// f32 with every product formed: slower than f32, to hold the others against.
    F32Direct,
}

impl Precision {
    /// What this machine makes of it.
    pub fn resolved(self) -> pinxit_tensor::Precision {
        match self {
            Precision::Bf16 if pinxit_tensor::Precision::Bf16.native() => pinxit_tensor::Precision::Bf16,
            Precision::F32Direct => pinxit_tensor::Precision::Direct,
            Precision::F32 | Precision::Bf16 => pinxit_tensor::Precision::F32,
        }
    }
}

/// The average of the generator that is kept and shipped.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AverageConfig {
    /// Half-life as a share of the pictures shown so far, so that it grows with the run.
    pub half_life_share: f64,
    /// Longest half-life, kimg.
    pub max_half_life_kimg: f64,
}

impl Default for AverageConfig {
    fn default() -> Self {
        AverageConfig { half_life_share: 0.05, max_half_life_kimg: 10.0 }
    }
}

/// The projected discriminator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectedConfig {
    /// Side in pixels at which the feature network looks (the shorter side of a rectangle).
    pub feature_size: usize,
    /// Share of the batches of larger pictures that the feature network sees from near: windows of `feature_size` px at the pictures' own
    /// scale, instead of the whole resized; 0 is off.
    pub near: f64,
    /// A further head that looks at the picture itself, `[n, h/2, w/2, 12]`; penalty and energy hold for this map as for the others.
    pub pixels: bool,
    /// Channels of the mixed features.
    pub mix: usize,
    /// Channels of the heads.
    pub channels: usize,
    /// Divides every convolution of the heads by its spectral norm.
    pub spectral_norm: bool,
    /// Neighbours whose spread the heads are told (a divisor of the batch); 0 is off.
    pub minibatch_std: usize,
    /// Divides each feature map by its spread over reals, so that no head begins louder than another.
    pub standardise: bool,
    /// Weight of the squared gradient of the scores in the features (R1 and R2 on features); 0 is off.
    pub penalty: f64,
    /// Weight of the energy distance between the pooled features of fakes and reals of one label; 0 is off.
    pub energy: f64,
    /// Side of the grid to which features are pooled for the energy distance.
    pub energy_pool: usize,
}

impl Default for ProjectedConfig {
    fn default() -> Self {
        ProjectedConfig {
            feature_size: 64,
            near: 0.0,
            pixels: true,
            mix: 32,
            channels: 32,
            spectral_norm: false,
            minibatch_std: 4,
            standardise: true,
            penalty: 20.0,
            energy: 4.0,
            energy_pool: 4,
        }
    }
}

/// The gradient penalty of the own discriminator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PenaltyConfig {
    /// Weight of R1 and R2 at the start.
    pub gamma: f64,
    /// Factor reached by a cosine at the end of the run; 1 holds it.
    pub gamma_final: f64,
    /// Doubles gamma while D is far ahead (gap above 3 for 1,000 steps), halves it while D has no hold (below 0.2).
    pub autopilot: bool,
}

impl Default for PenaltyConfig {
    fn default() -> Self {
        PenaltyConfig { gamma: 1.0, gamma_final: 1.0, autopilot: true }
    }
}

/// All settings of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Size of the networks: `xs-32`, `xs-64`, `s-64`, `xs-128`, `s-128`.
    pub preset: String,
    /// Channels of the generator's stages from the smallest up; empty takes the preset's.
    pub channels: Vec<usize>,
    /// Which network judges.
    pub discriminator: Discriminator,
    /// What it and the generator minimise.
    pub loss: Loss,
    /// Order of learning within a step.
    pub update: Update,
    /// Pictures a step, real and fake each.
    pub batch: usize,
    /// What dense convolutions multiply in.
    pub precision: Precision,
    /// Neighbours in a batch that share their labels; `batch` must be a multiple. Above 1, a batch shows how one class varies.
    pub group: usize,
    /// One number from which every random choice follows.
    pub seed: u64,
    /// Learning rate of the generator.
    pub lr_g: f64,
    /// Learning rate of the discriminator.
    pub lr_d: f64,
    /// Factor on the learning rate of the mapping network.
    pub mapping_lr_mult: f64,
    /// Adam's first decay.
    pub beta1: f64,
    /// Adam's second decay.
    pub beta2: f64,
    /// Steps over which the learning rates rise from zero.
    pub warmup_steps: u64,
    /// Factor on the learning rates at the end; 1 holds them.
    pub lr_final: f64,
    /// Share of the run after which the learning rates begin to fall, linearly, to that factor.
    pub lr_hold: f64,
    /// Probability of hiding a picture's labels, so that the model can also paint without.
    pub label_dropout: f64,
    /// Probability that a batch changes its style half-way up the generator.
    pub style_mixing: f64,
    /// Draws class `c` with weight `count(c)^-balance`: 0 as collected, 1 all classes alike.
    pub balance: f64,
    /// Between status lines, kimg.
    pub tick_kimg: f64,
    /// Between snapshots (model file, state, health check), kimg.
    pub snapshot_kimg: f64,
    /// Fakes measured at each snapshot; 0 measures nothing.
    pub metric_pictures: usize,
    /// Rows and columns of the preview grid.
    pub preview: (usize, usize),
    /// How long to train.
    pub length: Length,
    /// What is done to pictures before they are judged.
    pub augment: AugmentConfig,
    /// The average of the generator.
    pub average: AverageConfig,
    /// The projected discriminator.
    pub projected: ProjectedConfig,
    /// The own discriminator's penalty.
    pub penalty: PenaltyConfig,
}

impl Default for TrainConfig {
    fn default() -> Self {
        TrainConfig::projected()
    }
}

impl TrainConfig {
    /// Defaults with the projected discriminator, as the trials at 64 px left them (`docs/trials.md`).
    pub fn projected() -> Self {
        TrainConfig {
            preset: "xs-64".into(),
            channels: Vec::new(),
            discriminator: Discriminator::Projected,
            loss: Loss::Relativistic,
            update: Update::Sequential,
            batch: 8,
            precision: Precision::Bf16,
            group: 4,
            seed: 0,
            lr_g: 5e-4,
            lr_d: 5e-4,
            mapping_lr_mult: 1.0,
            beta1: 0.0,
            beta2: 0.99,
            warmup_steps: 50,
            lr_final: 0.2,
            lr_hold: 0.5,
            label_dropout: 0.1,
            style_mixing: 0.5,
            balance: 0.5,
            tick_kimg: 4.0,
            snapshot_kimg: 20.0,
            metric_pictures: 500,
            preview: (8, 12),
            length: Length::Kimg(400.0),
            augment: AugmentConfig::default(),
            average: AverageConfig::default(),
            projected: ProjectedConfig::default(),
            penalty: PenaltyConfig::default(),
        }
    }

    /// Defaults with a discriminator that has seen nothing but the collection.
    pub fn own() -> Self {
        TrainConfig {
            discriminator: Discriminator::Own,
            update: Update::Simultaneous,
            batch: 32,
            group: 1,
            lr_g: 1e-3,
            lr_d: 1e-3,
            lr_hold: 0.0,
            ..TrainConfig::projected()
        }
    }

    /// Refuses values that cannot train, naming the setting.
    pub fn check(&self) -> Result<()> {
        let no = |what: &str| Err(Error::Config(what.to_string()));
        let share = |v: f64| (0.0..=1.0).contains(&v);
        if self.batch == 0 || self.batch > 4096 {
            return no("batch must lie between 1 and 4096");
        }
        if self.group == 0 || !self.batch.is_multiple_of(self.group) {
            return no(&format!("the batch must be a multiple of {} (group), and is {}", self.group, self.batch));
        }
        if !(self.lr_g > 0.0 && self.lr_d > 0.0 && self.lr_g < 1.0 && self.lr_d < 1.0) {
            return no("learning rates must lie between 0 and 1");
        }
        let shares = [self.label_dropout, self.style_mixing, self.lr_hold, self.augment.probability, self.projected.near];
        if !shares.into_iter().all(share) {
            return no("probabilities, lr_hold and projected.near must lie between 0 and 1");
        }
        if !(self.tick_kimg > 0.0 && self.snapshot_kimg > 0.0) {
            return no("tick_kimg and snapshot_kimg must be positive");
        }
        if !(0.0..1.0).contains(&self.beta1) || !(0.0..1.0).contains(&self.beta2) {
            return no("betas must lie in 0..1");
        }
        if self.preview.0 == 0 || self.preview.1 == 0 || self.preview.0 * self.preview.1 > 1024 {
            return no("the preview must have between 1 and 1024 pictures");
        }
        let p = &self.projected;
        if p.feature_size < 32 || !p.feature_size.is_multiple_of(16) {
            return no("projected.feature_size must be a multiple of 16, at least 32");
        }
        if self.discriminator == Discriminator::Projected && p.minibatch_std > 0 && !self.batch.is_multiple_of(p.minibatch_std) {
            let (batch, group) = (self.batch, p.minibatch_std);
            return no(&format!("the batch must be a multiple of {group} (projected.minibatch_std), and is {batch}"));
        }
        if p.energy_pool == 0 || p.energy < 0.0 || p.penalty < 0.0 {
            return no("weights in [projected] must not be negative");
        }
        if self.metric_pictures != 0 && self.metric_pictures < 20 {
            return no("metric_pictures must be 0 or at least 20");
        }
        match self.length {
            Length::Kimg(v) | Length::Seconds(v) if !(v > 0.0 && v.is_finite()) => no("the length must be positive"),
            _ => Ok(()),
        }
    }

    /// Reads and checks a `config.toml`.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path).map_err(Error::file("read", path))?;
        let wrong = |e: toml::de::Error| Error::ConfigFile { path: path.to_path_buf(), reason: e.to_string() };
        let mut table: Table = toml::from_str(&text).map_err(wrong)?;
        complete(&mut table);
        let config: Self = table.try_into().map_err(wrong)?;
        config.check()?;
        Ok(config)
    }

    /// As TOML.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::Config(e.to_string()))
    }
}

/// Gives a run begun before a setting existed the value it was begun with, which is not today's default.
fn complete(table: &mut Table) {
    table.entry("precision").or_insert(Value::String("f32".into()));
    for (section, key, value) in [("projected", "pixels", Value::Boolean(false)), ("augment", "probability", Value::Float(1.0))] {
        if let Some(Value::Table(section)) = table.get_mut(section) {
            section.entry(key).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_run_keeps_what_it_was_begun_with() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let today = TrainConfig::default().to_toml().unwrap();
        let older: Vec<&str> = today.lines().filter(|l| !l.starts_with("pixels") && !l.starts_with("probability")).collect();
        std::fs::write(&path, older.join("\n")).unwrap();
        let config = TrainConfig::load(&path).unwrap();
        assert!(!config.projected.pixels && config.augment.probability == 1.0);
        std::fs::write(&path, today).unwrap();
        assert_eq!(TrainConfig::load(&path).unwrap(), TrainConfig::default());
    }

    #[test]
    fn toml_round_trip_and_partial_files() {
        for config in [TrainConfig::projected(), TrainConfig::own()] {
            let text = config.to_toml().unwrap();
            assert_eq!(toml::from_str::<TrainConfig>(&text).unwrap(), config);
        }
        let partial: TrainConfig = toml::from_str("batch = 8\nlength = { seconds = 60.0 }\n[augment]\ncutout = false\n").unwrap();
        assert_eq!((partial.batch, partial.length), (8, Length::Seconds(60.0)));
        assert!(!partial.augment.cutout && partial.lr_g == TrainConfig::default().lr_g);
        assert!(toml::from_str::<TrainConfig>("bach = 8").is_err(), "a misspelt setting is refused");
    }

    #[test]
    fn nonsense_is_refused() {
        let bad = |f: fn(&mut TrainConfig)| {
            let mut c = TrainConfig::default();
            f(&mut c);
            c.check().is_err()
        };
        assert!(TrainConfig::default().check().is_ok() && TrainConfig::own().check().is_ok());
        assert!(bad(|c| c.batch = 0) && bad(|c| c.lr_g = -1.0) && bad(|c| c.length = Length::Kimg(f64::NAN)));
        assert!(bad(|c| c.label_dropout = 1.5) && bad(|c| c.projected.feature_size = 100) && bad(|c| c.preview = (0, 4)));
    }
}
