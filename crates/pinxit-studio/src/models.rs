//! `pinxit models`, and how a word on the command line becomes a model.
use std::io::Read;
use std::path::{Path, PathBuf};

use pinxit_nn::{Model, ModelMeta};
use serde::{Serialize, Serializer};

use crate::home::Kind;
use crate::shell::command;
use crate::{Error, Result, Studio, shipped};

/// A model file and what it is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Name, as recipes will say it.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

impl Found {
    /// Reads and checks the file; an error names it.
    pub fn load(&self) -> Result<Model> {
        let mut head = [0; 64];
        let read = fs_err::File::open(&self.path).and_then(|mut file| file.read(&mut head)).unwrap_or(0);
        if let Some(format) = pinxit_image::sniff(&head[..read]) {
            let path = self.path.display().to_string();
            return Err(Error::Setting {
                message: format!("{path} is a picture ({format}), not a model"),
                hint: format!("to paint the recipe inside it again: {}", command(&["generate", "--from", &path])),
            });
        }
        Model::load(&self.path).map_err(|e| Error::from(e).in_file(&self.path))
    }
}

impl Found {
    /// The same for whatever uses it: a model that learnt from a work which was taken down is refused.
    pub(crate) fn load_for_use(&self, studio: &Studio) -> Result<Model> {
        let model = self.load()?;
        crate::takedown::check_model(studio, &model, &self.name)?;
        Ok(model)
    }
}

/// What there is to know about a model file.
#[derive(Clone, Debug, Serialize)]
pub struct ModelCard {
    /// Name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Size of the file.
    pub bytes: u64,
    /// Hash that recipes name.
    pub hash: String,
    /// Network size.
    pub preset: String,
    /// Height and width of its pictures.
    pub resolution: (usize, usize),
    /// Numbers it learnt.
    pub parameters: usize,
    /// Why it may not be used: the work that was taken down, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
    /// Origin: labels, training, dataset, parent.
    #[serde(flatten, serialize_with = "without_clock")]
    pub meta: ModelMeta,
}

/// A run of a fixed length in pictures keeps no clock, so that its model is the same on every repetition: its time is not known, not 0.
fn without_clock<S: Serializer>(meta: &ModelMeta, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let mut fields = crate::event::figures(meta);
    if meta.training.seconds == 0.0 {
        fields["training"]["seconds"] = serde_json::Value::Null;
    }
    fields.serialize(serializer)
}

/// A model in a list.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum ModelEntry {
    /// Can be used.
    Whole(Box<ModelCard>),
    /// Cannot, and why.
    Damaged {
        /// Name.
        name: String,
        /// The reason.
        error: String,
    },
}

/// All models, by name.
pub fn list(studio: &Studio) -> Result<Vec<ModelEntry>> {
    let mut entries = Vec::new();
    for name in studio.names(Kind::Model)? {
        let found = Found { path: studio.path(Kind::Model, &name)?, name };
        entries.push(match card(studio, &found) {
            Ok(card) => ModelEntry::Whole(Box::new(card)),
            Err(e) => ModelEntry::Damaged { name: found.name, error: e.to_string() },
        });
    }
    Ok(entries)
}

/// Everything about one model.
pub fn card(studio: &Studio, found: &Found) -> Result<ModelCard> {
    let model = found.load()?;
    let blocked = crate::takedown::of_model(studio, &model)?;
    Ok(ModelCard {
        name: found.name.clone(),
        path: found.path.clone(),
        bytes: fs_err::metadata(&found.path)?.len(),
        hash: model.hash(),
        preset: model.generator.preset.clone(),
        resolution: model.generator.resolution(),
        parameters: model.weights.parameters(),
        blocked: blocked.map(|takedown| takedown.blocking()),
        meta: ModelMeta { name: found.name.clone(), ..model.meta },
    })
}

/// A model by file, by a run's folder, by name in `models/`, or by the name of a run (its best snapshot, else its newest), or
/// one that the program carries.
pub fn find(studio: &Studio, wanted: &str) -> Result<Found> {
    let path = Path::new(wanted);
    let is_path = crate::paths::is_path(wanted);
    if is_path && path.is_dir() {
        return of_run(path);
    }
    if is_path || (wanted.ends_with(".safetensors") && path.exists()) {
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok(Found { name, path: path.into() });
    }
    let name = wanted.strip_suffix(".safetensors").unwrap_or(wanted);
    let unknown = match studio.existing(Kind::Model, name) {
        Ok(path) => return Ok(Found { name: name.into(), path }),
        Err(unknown) => unknown,
    };
    match studio.existing(Kind::Run, name) {
        Ok(run) => of_run(&run),
        Err(_) => shipped::find(studio, name)?.ok_or(unknown),
    }
}

/// The model to use of the run in folder `dir`, called as the run is.
fn of_run(dir: &Path) -> Result<Found> {
    if !crate::runs::is_run(dir) {
        return Err(Error::NotKnown { path: dir.into() });
    }
    let name = crate::runs::folder_name(dir)?;
    match crate::runs::usable_model(dir) {
        Some(path) => Ok(Found { name, path }),
        None => Err(Error::Setting {
            message: format!("the run \"{name}\" has saved no model yet"),
            hint: "a run saves one at its first snapshot and at its end: let it go on".into(),
        }),
    }
}

/// The model of that hash among the models and the snapshots of all runs, those called `likely` first.
pub fn find_by_hash(studio: &Studio, hash: &str, likely: &str) -> Result<Option<(Found, Model)>> {
    let mut candidates: Vec<Found> = Vec::new();
    for name in studio.names(Kind::Model)? {
        candidates.push(Found { path: studio.path(Kind::Model, &name)?, name });
    }
    for name in studio.names(Kind::Run)? {
        let dir = studio.path(Kind::Run, &name)?;
        candidates.extend(crate::runs::snapshots(&dir).into_iter().map(|path| Found { name: name.clone(), path }));
    }
    candidates.sort_by_key(|found| found.name != likely);
    for found in candidates {
        // A damaged file cannot be the model looked for; the error for "none found" is the one that helps.
        if let Ok(model) = found.load()
            && model.hash() == hash
        {
            return Ok(Some((found, model)));
        }
    }
    shipped::find_by_hash(studio, hash)
}

/// Copies a model into `models/NAME.safetensors`, whole or not at all.
pub fn keep(studio: &Studio, from: &Path, name: &str) -> Result<PathBuf> {
    let to = studio.path(Kind::Model, name)?;
    crate::paths::make_parent(&to)?;
    pinxit_image::write_atomic(&to, &fs_err::read(from)?)?;
    Ok(to)
}
