//! A trained generator in one file: what it is, where it comes from, its weights.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use crate::tensorfile::Precision;
use crate::tensorfile::{Opened, first_not_finite, read_bytes, to_bytes, write_atomic};
use crate::{Error, Generator, GeneratorConfig, Result, Weights};

/// Newest version of the file's own metadata that is known; raised when an older program could no longer make the same pictures.
pub const FORMAT_VERSION: u32 = 2;
/// Version of files whose model reads no words: any pinxit paints those.
const WITHOUT_WORDS: u32 = 1;

/// The one metadata key: JSON of format version, generator and [`ModelMeta`].
const KEY: &str = "pinxit";

/// How a model was trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainingSummary {
    /// Thousands of pictures shown, those of the parent models not counted.
    pub kimg: f64,
    /// Time spent training.
    pub seconds: f64,
    /// Seed of the run.
    pub seed: u64,
    /// `projected` or `own`.
    pub discriminator: String,
    /// Version of pinxit that trained it.
    pub version: String,
    /// Measured figures by name, as in the evaluation report.
    pub figures: BTreeMap<String, f64>,
}

/// What a model was trained on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DatasetSummary {
    /// Name of the dataset.
    pub name: String,
    /// Hash of its manifest.
    pub manifest_hash: String,
    /// Number of pictures.
    pub pictures: usize,
    /// Training pictures of each class, in the order of the names; empty in files that do not say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_counts: Vec<usize>,
    /// Pictures of each style, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub style_counts: Vec<usize>,
    /// SPDX ids of every licence among them.
    pub licences: BTreeSet<String>,
    /// Works that the pictures were cut from; 0 in files that do not say.
    #[serde(skip_serializing_if = "is_zero")]
    pub works: usize,
    /// Those who made them, the most works first; at most a hundred, and empty in files that do not say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub creators: Vec<String>,
    /// Works taken in against their reservation.
    #[serde(skip_serializing_if = "is_zero")]
    pub overridden: usize,
    /// The reason for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// One of the models that a blended model was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ancestor {
    /// Its name, for people.
    pub name: String,
    /// [`Model::hash`].
    pub hash: String,
    /// Hash of the manifest of the dataset it learnt from.
    pub manifest_hash: String,
}

/// Everything about a model but its sizes and weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelMeta {
    /// Name for people.
    pub name: String,
    /// Names of the classes, as many as the generator has.
    pub classes: Vec<String>,
    /// Names of the styles, as many as the generator has.
    pub styles: Vec<String>,
    /// The words it reads, as many as the generator has: see [`Vocabulary`](crate::Vocabulary).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// How it was trained.
    pub training: TrainingSummary,
    /// On what.
    pub dataset: DatasetSummary,
    /// [`Model::hash`] of the model that training began from.
    pub parent: Option<String>,
    /// The models it was blended of, where nobody trained it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blended: Vec<Ancestor>,
}

/// A trained generator: sizes, origin, weights.
#[derive(Clone, Debug)]
pub struct Model {
    /// Sizes of the network.
    pub generator: GeneratorConfig,
    /// Origin and names.
    pub meta: ModelMeta,
    /// The weights, those of the running average.
    pub weights: Weights<f32>,
}

/// What stands in the file's metadata.
#[derive(Serialize, Deserialize)]
struct Card {
    format_version: u32,
    /// Height and width, px: for people and other programs; the generator's sizes are what counts.
    resolution: (usize, usize),
    generator: GeneratorConfig,
    /// [`Model::hash`] of the model as it will be read, so that damaged weights are noticed; empty in older files.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    hash: String,
    #[serde(flatten)]
    meta: ModelMeta,
}

/// Read first and alone, so that a newer format is named as such even when the rest cannot be understood.
#[derive(Deserialize)]
struct CardVersion {
    format_version: u32,
}

impl Model {
    /// Reads a model. The file may come from anywhere: nothing in it is believed before it is checked.
    pub fn load(path: &Path) -> Result<Self> {
        Self::from_bytes(&read_bytes(path)?)
    }

    /// The same from memory.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let opened = Opened::new(bytes)?;
        let card = read_card(&opened.metadata)?;
        card.generator.validate()?;
        check_names(&card.generator, &card.meta)?;
        opened.expect(&Generator::new(card.generator.clone()).specs())?;
        let model = Model { generator: card.generator, meta: card.meta, weights: opened.weights()? };
        if !card.hash.is_empty() && card.hash != model.hash() {
            return Err(Error::Damaged("its weights or labels are not the ones that were saved".into()));
        }
        Ok(model)
    }

    /// Writes the model, whole or not at all. Refuses what [`load`](Self::load) would refuse.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<()> {
        write_atomic(path, &self.to_bytes(precision)?)
    }

    /// The file in memory; the same model gives the same bytes.
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>> {
        self.generator.validate()?;
        check_names(&self.generator, &self.meta)?;
        if let Some(name) = first_not_finite(&self.weights) {
            return Err(Error::NotFinite(name.to_string()));
        }
        let with = |hash: String| -> Result<Vec<u8>> {
            let card = Card {
                format_version: self.version(),
                resolution: self.generator.resolution(),
                generator: self.generator.clone(),
                hash,
                meta: self.meta.clone(),
            };
            let card = serde_json::to_string(&card).map_err(|e| Error::NotAModel(e.to_string()))?;
            Ok(to_bytes(&self.weights, &BTreeMap::from([(KEY.to_string(), card)]), precision))
        };
        // Rounding to f16 changes the weights, so the hash is that of the file read back.
        let read_back = Self::from_bytes(&with(String::new())?)?;
        with(read_back.hash())
    }

    /// What decides the pictures, as 64 hex digits of BLAKE3: sizes, names of the labels, weights. The same for a file and the
    /// model read from it and saved again; a note about the training does not change it.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let sizes = match self.meta.words.as_slice() {
            [] => serde_json::json!([self.version(), self.generator, self.meta.classes, self.meta.styles]),
            words => serde_json::json!([self.version(), self.generator, self.meta.classes, self.meta.styles, words]),
        };
        hasher.update(sizes.to_string().as_bytes());
        for (name, tensor) in &self.weights {
            hasher.update(name.as_bytes());
            let bytes: Vec<u8> = tensor.data().iter().flat_map(|v| v.to_le_bytes()).collect();
            hasher.update(&bytes);
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The oldest version of the format that can say what this model is.
    fn version(&self) -> u32 {
        if self.meta.words.is_empty() { WITHOUT_WORDS } else { FORMAT_VERSION }
    }

    /// The generator that these weights belong to.
    pub fn network(&self) -> Generator {
        Generator::new(self.generator.clone())
    }
}

fn read_card(metadata: &BTreeMap<String, String>) -> Result<Card> {
    let text = metadata.get(KEY).ok_or_else(|| Error::NotAModel("the file does not say what its tensors are".into()))?;
    let version: CardVersion = serde_json::from_str(text).map_err(unreadable)?;
    if version.format_version > FORMAT_VERSION {
        return Err(Error::Version { found: version.format_version, known: FORMAT_VERSION });
    }
    serde_json::from_str(text).map_err(unreadable)
}

fn unreadable(e: serde_json::Error) -> Error {
    Error::NotAModel(format!("its description is not readable ({e})"))
}

fn check_names(generator: &GeneratorConfig, meta: &ModelMeta) -> Result<()> {
    let names = [("class", &meta.classes), ("style", &meta.styles), ("word", &meta.words)];
    for ((what, names), count) in names.into_iter().zip([generator.classes, generator.styles, generator.words]) {
        if names.len() != count {
            return Err(Error::Config(format!("{} {what} names for {count} in the network", names.len())));
        }
    }
    Ok(())
}
