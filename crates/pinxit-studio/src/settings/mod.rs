//! Settings in layers: defaults ← user file ← file of the home ← environment ← flags.
//!
//! A layer is a partial, every field of it an `Option`; `resolve` lays the layers over the defaults into a config without
//! gaps and remembers for each value where it came from. Nothing below this crate reads files, environment or flags.
mod files;
mod labels;
mod values;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use files::{file, files, resolved_json, sourced, write_resolved};
pub use labels::VisibleLabel;
pub use values::{Condition, FitTo, ImageFormat, Instructions, LabelWord, Size, Span, TrainingUse};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A settings file.
    File(PathBuf),
    /// An environment variable, by name.
    Environment(String),
    /// A flag of the command line, as typed.
    Flag(String),
    /// Decided by the program from what it saw; the reason.
    Chosen(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Default => write!(f, "default"),
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::Flag(flag) => write!(f, "flag {flag}"),
            Origin::Chosen(why) => write!(f, "chosen: {why}"),
        }
    }
}

/// One resolved value, as `--dry-run` prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Name, as in the settings file.
    pub key: &'static str,
    /// The value; null where none was set.
    pub value: serde_json::Value,
    /// The layer it came from.
    pub origin: Origin,
}

/// A partial whose values may come from different places: `origin` is asked for each key it sets.
pub struct Layer<'a, P> {
    /// The values this layer sets.
    pub partial: &'a P,
    /// Where the value of a key came from.
    pub origin: &'a dyn Fn(&str) -> Origin,
}

/// Writes one section three times: the config without gaps, the partial, and how the one is resolved from the other. A
/// field is described once, here, and its description serves the docs of both.
macro_rules! section {
    ($(#[$about:meta])* $full:ident, $partial:ident { $($(#[$doc:meta])* $name:ident: $kind:ty = $default:expr;)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Serialize)]
        pub struct $full { $($(#[$doc])* pub $name: $kind,)* }

        /// One layer of the section: what it sets.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $partial {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $name: Option<$kind>,)*
        }

        impl Default for $full {
            fn default() -> Self { $full { $($name: $default,)* } }
        }

        impl $full {
            /// The layers over the defaults, later ones stronger; with the origin of each value.
            pub fn resolve(layers: &[Layer<'_, $partial>]) -> (Self, Vec<Setting>) {
                let mut full = $full::default();
                let mut settings = Vec::new();
                $({
                    let key = stringify!($name);
                    let mut origin = Origin::Default;
                    for layer in layers {
                        if let Some(value) = &layer.partial.$name {
                            full.$name = value.clone();
                            origin = (layer.origin)(key);
                        }
                    }
                    settings.push(Setting { key, value: values::json(&full.$name), origin });
                })*
                (full, settings)
            }
        }
    };
}

section! {
    /// How pictures are taken in.
    ImportSettings, ImportPartial {
        /// Size of every picture in the dataset.
        size: Size = Size { width: 64, height: 64 };
        /// What to do with pictures of another shape.
        fit: FitTo = FitTo::Smart;
        /// Patches cut from each large picture; 0 takes each picture whole.
        patches: u32 = 0;
        /// Licence of pictures for which nothing else states one; `own` for the person's own.
        license: Option<String> = None;
        /// Keep near-duplicates instead of dropping all but one.
        keep_near_duplicates: bool = false;
    }
}

section! {
    /// How a model is trained.
    TrainSettings, TrainPartial {
        /// Network size, such as `xs-64`; `auto` chooses by the dataset and this machine.
        preset: String = "auto".into();
        /// Thousands of pictures to train on.
        kimg: Option<f64> = None;
        /// Time to train for.
        time: Option<Span> = None;
        /// Pictures a step.
        batch: Option<usize> = None;
        /// Seed of everything random in the run.
        seed: u64 = 0;
        /// `projected` or `own`.
        discriminator: Option<String> = None;
        /// Which labels the model learns to obey.
        condition: Condition = Condition::Both;
        /// Show every picture mirrored half of the time.
        flip: bool = true;
    }
}

section! {
    /// How pictures are painted.
    GenerateSettings, GeneratePartial {
        /// Truncation: 1 full variety, 0 the mean picture.
        psi: f64 = 1.0;
        /// File format.
        format: ImageFormat = ImageFormat::Png;
        /// Quality of lossy formats, 1 to 100.
        quality: u8 = 90;
        /// Longer sides after painting: 1 as painted, 2 to 8 so many times as long.
        enlarge: u32 = 1;
        /// Hide a watermark in pictures that are large enough.
        watermark: bool = true;
        /// Sign the pictures with the studio's key.
        sign: bool = true;
        /// What is written into the pictures for people to read.
        visible_label: VisibleLabel = VisibleLabel::Auto;
        /// The laws in whose form the metadata says that AI made them.
        label: Vec<LabelWord> = Vec::new();
    }
}

section! {
    /// What a credential says beside the picture, and what opens the key.
    SignSettings, SignPartial {
        /// Whether others may train on the pictures.
        training_use: TrainingUse = TrainingUse::NotAllowed;
        /// File with the passphrase of the key, on its first line.
        passphrase_file: Option<PathBuf> = None;
    }
}

/// A settings file: every section, nothing mandatory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SettingsFile {
    /// Studio home; only in the user's file.
    #[serde(default)]
    pub home: Option<PathBuf>,
    /// Worker threads.
    #[serde(default)]
    pub threads: Option<usize>,
    /// `[import]`.
    #[serde(default)]
    pub import: ImportPartial,
    /// `[train]`.
    #[serde(default)]
    pub train: TrainPartial,
    /// `[generate]`.
    #[serde(default)]
    pub generate: GeneratePartial,
    /// `[sign]`.
    #[serde(default)]
    pub sign: SignPartial,
    /// `[expert]`: any key of a run's `config.toml`, for those who know why.
    #[serde(default)]
    pub expert: toml::Table,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Origin {
        Origin::File("config.toml".into())
    }

    #[test]
    fn a_later_layer_wins_and_is_named_even_when_it_equals_the_default() {
        let file_layer: TrainPartial = toml::from_str("batch = 8\nseed = 4\nflip = false").unwrap();
        let flags = TrainPartial { seed: Some(0), ..Default::default() };
        let (train, settings) = TrainSettings::resolve(&[
            Layer { partial: &file_layer, origin: &|_| file() },
            Layer { partial: &flags, origin: &|key| Origin::Flag(format!("--{key}")) },
        ]);
        assert_eq!((train.batch, train.seed, train.flip), (Some(8), 0, false));
        let origin = |key: &str| settings.iter().find(|s| s.key == key).unwrap().origin.clone();
        assert_eq!(origin("seed"), Origin::Flag("--seed".into()));
        assert_eq!(origin("batch"), file());
        assert_eq!(origin("preset"), Origin::Default);
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let error = toml::from_str::<SettingsFile>("[train]\nkimgs = 3").unwrap_err().to_string();
        assert!(error.contains("unknown field `kimgs`"), "{error}");
    }

    #[test]
    fn values_read_as_people_write_them() {
        let text =
            "threads = 2\n[import]\nsize = \"64x96\"\nfit = \"letterbox\"\n[train]\ntime = \"1h30m\"\ncondition = \"class\"";
        let parsed: SettingsFile = toml::from_str(text).unwrap();
        assert_eq!(parsed.import.size, Some(Size { width: 64, height: 96 }));
        assert_eq!(parsed.train.time, Some(Some(Span::from_secs(5400))));
        assert_eq!(parsed.train.condition, Some(Condition::Class));
    }
}
