//! From what a person set to what the trainer needs, with the origin of every value kept.
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use pinxit_dataset::{Dataset, counted};
use pinxit_nn::{GeneratorConfig, Model, Preset};
use pinxit_train::augment::Flip;
use pinxit_train::auto::{Collection, auto, generator};
use pinxit_train::{Length, TrainConfig, config::Discriminator, finetune};
use serde_json::{Map, Value as Json};
use toml::{Table, Value};

use super::{TrainRequest, checked, length, sizes};
use crate::event::figures;
use crate::settings::{Origin, Size, sourced};
use crate::{Error, Result};

/// A complete configuration and the origin of each of its keys (dotted) that is not a default.
#[derive(Clone, Debug)]
pub struct ResolvedConfig {
    /// For the trainer.
    pub config: TrainConfig,
    origins: BTreeMap<String, Origin>,
    /// Of every other key.
    otherwise: Origin,
}

impl ResolvedConfig {
    /// What a run was begun with, from the file that holds it; with `length`, to another end.
    pub(super) fn of_run(file: &Path, length: Option<(Length, Origin)>) -> Result<Self> {
        let (mut config, mut origins) = (TrainConfig::load(file)?, BTreeMap::new());
        if let Some((length, origin)) = length {
            config.length = length;
            origins.insert("length".into(), origin);
        }
        Ok(ResolvedConfig { config, origins, otherwise: Origin::File(file.into()) })
    }

    /// `config` (this one, or what the trainer made of it) as TOML, each line with its origin behind it.
    pub fn annotated(&self, config: &TrainConfig) -> Result<String> {
        let mut out = String::from("# Every setting of this run, and where it came from.\n");
        let mut section = String::new();
        for line in config.to_toml()?.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                section = format!("{name}.");
            }
            let origin = line.split_once(" = ").map(|(key, _)| self.origin(&format!("{section}{key}")));
            // Writing into a String cannot fail.
            let _ = match origin {
                Some(origin) => writeln!(out, "{line}  # {origin}"),
                None => writeln!(out, "{line}"),
            };
        }
        Ok(out)
    }

    /// Every setting by its dotted key, as JSON, each with its origin.
    pub fn json(&self) -> Map<String, Json> {
        let mut out = Map::new();
        self.flatten("", &figures(&self.config), &mut out);
        out
    }

    fn flatten(&self, prefix: &str, from: &Map<String, Json>, out: &mut Map<String, Json>) {
        for (key, value) in from {
            let dotted = format!("{prefix}{key}");
            match value {
                Json::Object(below) => self.flatten(&format!("{dotted}."), below, out),
                value => drop(out.insert(dotted.clone(), sourced(value, &self.origin(&dotted)))),
            }
        }
    }

    fn origin(&self, key: &str) -> Origin {
        let parent = key.rsplit_once('.').map_or(key, |(parent, _)| parent);
        self.origins.get(key).or_else(|| self.origins.get(parent)).cloned().unwrap_or_else(|| self.otherwise.clone())
    }
}

/// Lays everything over the defaults for this collection on this machine.
pub(super) fn resolve(request: &TrainRequest, dataset: &Dataset, parent: Option<&Model>) -> Result<ResolvedConfig> {
    let settings = &request.settings;
    let origin = |key: &str| request.origins.iter().find(|s| s.key == key).map_or(Origin::Default, |s| s.origin.clone());
    let mut origins = BTreeMap::new();
    let mut config = match settings.discriminator.as_deref() {
        None | Some("projected") => TrainConfig::projected(),
        Some("own") => TrainConfig::own(),
        Some(other) => {
            return Err(Error::Setting {
                message: format!("there is no discriminator \"{other}\""),
                hint: "it is projected (faster, sees through a network trained on photographs) or own (seen nothing else)".into(),
            });
        }
    };
    if settings.discriminator.is_some() {
        origins.insert("discriminator".into(), origin("discriminator"));
    }
    config = auto(config, Collection::of(dataset), crate::machine::threads());
    let why = format!(
        "{} of {} px, {}",
        counted(dataset.train().len(), "training picture"),
        Size::of(dataset.resolution()),
        counted(crate::machine::threads(), "thread")
    );
    for key in ["preset", "augment.cutout", "projected.near", "length"] {
        origins.insert(key.into(), Origin::Chosen(why.clone()));
    }
    // `auto` goes by the size alone; sides that do not suit its choice may suit another.
    if let Some(preset) = sizes::fitting(&config.preset, dataset.resolution()) {
        config.preset = preset;
    }
    if settings.preset != "auto" {
        config.preset.clone_from(&settings.preset);
        origins.insert("preset".into(), origin("preset"));
    }
    config.seed = settings.seed;
    origins.insert("seed".into(), origin("seed"));
    if let Some(batch) = settings.batch {
        config.batch = batch;
        origins.insert("batch".into(), origin("batch"));
    }
    if !settings.flip {
        config.augment.flip = Flip::Off;
        origins.insert("augment.flip".into(), origin("flip"));
    }
    if let Some((wanted, from)) = length(settings, &request.origins) {
        config.length = wanted;
        origins.insert("length".into(), from);
    }
    let mut config = overlay(config, &request.expert, &mut origins)?;
    if let Some(model) = parent {
        take_size(&mut config, &model.generator, dataset.resolution(), &mut origins)?;
    }
    fits_discriminator(&config, settings.discriminator.as_deref())?;
    if parent.is_none() {
        fits_pictures(&config, dataset)?;
    }
    Ok(ResolvedConfig { config: checked(config)?, origins, otherwise: Origin::Default })
}

/// A model that is trained further keeps its size, or grows with the pictures. Settings files speak for new networks and give way;
/// another size asked for now is a contradiction that must not pass in silence.
fn take_size(
    config: &mut TrainConfig,
    model: &GeneratorConfig,
    pictures: (usize, usize),
    origins: &mut BTreeMap<String, Origin>,
) -> Result<()> {
    can_grow(model.resolution(), pictures)?;
    let (preset, channels) = finetune::size(model, pictures, config)?;
    let same = [("preset", config.preset == preset), ("channels", config.channels == channels)];
    for (key, same) in same {
        let origin = origins.insert(key.into(), Origin::Chosen("the model it begins from".into()));
        if let Some(asked @ (Origin::Flag(_) | Origin::Environment(_))) = origin.filter(|_| !same) {
            return Err(Error::Setting {
                message: format!("the model to begin from is of size {}, and {asked} asks for another {key}", model.preset),
                hint: "leave that away to train the model further, or --from to begin anew".into(),
            });
        }
    }
    (config.preset, config.channels) = (preset, channels);
    Ok(())
}

/// The trainer would refuse the same, but only after a dry run has promised that all is well.
fn fits_pictures(config: &TrainConfig, dataset: &Dataset) -> Result<()> {
    if config.channels.is_empty() {
        sizes::check_learnable(Size::of(dataset.resolution()))?;
    }
    generator(config, dataset.resolution(), dataset.classes().len(), dataset.styles().len())?;
    Ok(())
}

/// A model learns pictures of its own size, or of its sides doubled.
fn can_grow(model: (usize, usize), pictures: (usize, usize)) -> Result<()> {
    if finetune::growth(model, pictures).is_some() {
        return Ok(());
    }
    let (model, twice, pictures) = (Size::of(model), Size::of((model.0 * 2, model.1 * 2)), Size::of(pictures));
    Err(Error::Setting {
        message: format!("the model to begin from paints {model} px, the dataset holds {pictures} px"),
        hint: format!(
            "import the pictures again with --size {model}, or {twice} to let it grow, or leave --from away to begin anew"
        ),
    })
}

/// `--set discriminator=own` alone would mix the defaults of one with the other.
fn fits_discriminator(config: &TrainConfig, asked: Option<&str>) -> Result<()> {
    let is_own = config.discriminator == Discriminator::Own;
    if is_own == (asked == Some("own")) {
        return Ok(());
    }
    Err(Error::Setting {
        message: "the discriminator cannot be set among the expert settings".into(),
        hint: "use --discriminator: it chooses the defaults of the others too".into(),
    })
}

/// Expert settings over a configuration; each must be a key the configuration has.
fn overlay(config: TrainConfig, expert: &[(Origin, Table)], origins: &mut BTreeMap<String, Origin>) -> Result<TrainConfig> {
    if expert.iter().all(|(_, table)| table.is_empty()) {
        return Ok(config);
    }
    let mut table = Table::try_from(&config).map_err(|e| pinxit_train::Error::Config(e.to_string()))?;
    for (origin, layer) in expert {
        lay(&mut table, layer, "", origin, origins);
    }
    table.try_into().map_err(|e: toml::de::Error| Error::Setting {
        message: format!("an expert setting cannot be used: {}", e.message()),
        hint: "`pinxit train DATASET --dry-run` prints every key with its value".into(),
    })
}

fn lay(table: &mut Table, layer: &Table, prefix: &str, origin: &Origin, origins: &mut BTreeMap<String, Origin>) {
    for (key, value) in layer {
        let dotted = format!("{prefix}{key}");
        match (table.get_mut(key), value) {
            // A length is one thing or the other, never both.
            (Some(Value::Table(below)), Value::Table(over)) if key != "length" => {
                lay(below, over, &format!("{dotted}."), origin, origins);
            }
            _ => {
                table.insert(key.clone(), value.clone());
                origins.insert(dotted, origin.clone());
            }
        }
    }
}

/// The keys, dotted, that a person has set in an annotated configuration: on the command line, in the environment, in a settings file.
/// `None` where no line says where it came from.
pub(super) fn set_by_hand(annotated: &str) -> Option<Vec<String>> {
    let (mut section, mut said, mut keys) = (String::new(), false, Vec::new());
    for line in annotated.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = format!("{name}.");
        }
        let Some((assignment, origin)) = line.rsplit_once("  # ") else { continue };
        let Some((key, _)) = assignment.split_once(" = ") else { continue };
        said = true;
        if origin != "default" && !origin.starts_with("chosen: ") {
            keys.push(format!("{section}{key}"));
        }
    }
    said.then_some(keys)
}

/// The names of all presets, and `auto`.
pub fn presets() -> Vec<String> {
    std::iter::once("auto".into()).chain(Preset::ALL.map(|p| p.to_string())).collect()
}

/// `augment.cutout=true` as a table. A value that is no TOML is taken as text.
pub fn set(assignment: &str) -> std::result::Result<Table, String> {
    let (key, value) = assignment.split_once('=').ok_or_else(|| format!("\"{assignment}\" is not KEY=VALUE"))?;
    toml::from_str(assignment)
        .or_else(|_| toml::from_str(&format!("{key} = {}", Value::String(value.trim().into()))))
        .map_err(|_| format!("\"{assignment}\" is not KEY=VALUE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_toml_or_text() {
        assert_eq!(set("augment.cutout=true").unwrap()["augment"]["cutout"], Value::Boolean(true));
        assert_eq!(set("preset=xs-64").unwrap()["preset"], Value::String("xs-64".into()));
        assert_eq!(set("channels=[8, 8]").unwrap()["channels"].as_array().unwrap().len(), 2);
        assert!(set("cutout").is_err() && set("=3").is_err());
    }

    #[test]
    fn later_layers_win_and_unknown_keys_are_refused() {
        let mut origins = BTreeMap::new();
        let file = Origin::File("c.toml".into());
        let flag = Origin::Flag("--set".into());
        let layers = [(file.clone(), set("augment.cutout=true").unwrap()), (flag.clone(), set("batch=4").unwrap())];
        let config = overlay(TrainConfig::default(), &layers, &mut origins).unwrap();
        assert!(config.augment.cutout && config.batch == 4);
        let resolved = ResolvedConfig { config: config.clone(), origins, otherwise: Origin::Default };
        assert_eq!(resolved.origin("augment.cutout"), file);
        assert_eq!(resolved.origin("augment.flip"), Origin::Default);
        let text = resolved.annotated(&config).unwrap();
        assert!(text.contains("batch = 4  # flag --set\n") && text.contains("cutout = true  # c.toml\n"), "{text}");
        assert_eq!(toml::from_str::<TrainConfig>(&text).unwrap(), config, "comments change nothing");

        assert_eq!(set_by_hand(&text), Some(vec!["batch".into(), "augment.cutout".into()]), "{text}");
        assert_eq!(set_by_hand(&config.to_toml().unwrap()), None);

        let bad = [(flag, set("bach=4").unwrap())];
        let error = overlay(TrainConfig::default(), &bad, &mut BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("bach"), "{error}");
    }

    #[test]
    fn another_length_replaces_the_first() {
        let layers = [(Origin::Default, set("length.seconds=60.0").unwrap())];
        let config = overlay(TrainConfig::default(), &layers, &mut BTreeMap::new()).unwrap();
        assert_eq!(config.length, pinxit_train::Length::Seconds(60.0));
    }
}
