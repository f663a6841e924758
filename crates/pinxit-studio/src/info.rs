//! `pinxit info FILE`: what a file is, and what it says of itself.
use std::path::Path;

use pinxit_create::Recipe;
use pinxit_image::{Limits, Stated};
use serde::Serialize;
use serde_json::Value;

use crate::datasets::DatasetDetail;
use crate::home::Kind;
use crate::models::{Found, ModelCard};
use crate::runs::RunDetail;
use crate::shell::command;
use crate::{Error, Result, Studio};

/// Most bytes that are read of a file that claims to be a picture.
const MAX_BYTES: u64 = 256 << 20;

/// What a file is.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FileInfo {
    /// A picture.
    Picture {
        /// File format.
        format: String,
        /// Width, px.
        width: u32,
        /// Height, px.
        height: u32,
        /// Its recipe, as it stands in the file.
        recipe: Option<Value>,
        /// What its metadata states of provider, program, time and number: labels of laws, for which nobody vouches.
        #[serde(skip_serializing_if = "Stated::is_empty")]
        stated: Box<Stated>,
        /// Why the picture cannot be read whole, or its recipe not be painted, if so.
        problem: Option<String>,
    },
    /// A model.
    Model(Box<ModelCard>),
    /// A dataset.
    Dataset(Box<DatasetDetail>),
    /// A run.
    Run(Box<RunDetail>),
}

/// Looks at a file or folder.
pub fn info(studio: &Studio, path: &Path) -> Result<FileInfo> {
    if !path.exists() {
        return Err(Error::NoFile { path: path.into(), shown_by: shown_by(studio, path) });
    }
    if path.is_dir() {
        if path.join("dataset.json").exists() {
            let dataset = pinxit_dataset::Dataset::open(path)?;
            return Ok(FileInfo::Dataset(Box::new(crate::datasets::detail(&dataset))));
        }
        if crate::runs::is_run(path) {
            return Ok(FileInfo::Run(Box::new(crate::runs::detail(studio, &crate::runs::folder_name(path)?, path)?)));
        }
        return Err(Error::NotKnown { path: path.into() });
    }
    if path.extension().is_some_and(|e| e == "safetensors") {
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let found = Found { name, path: path.into() };
        return Ok(FileInfo::Model(Box::new(crate::models::card(studio, &found)?)));
    }
    picture(path).map_err(|e| e.in_file(path))
}

/// The commands that show what is called so in the home.
fn shown_by(studio: &Studio, path: &Path) -> Vec<String> {
    let name = path.to_string_lossy();
    let is_there = |kind: &Kind| studio.path(*kind, &name).is_ok_and(|p| p.exists());
    let show = |kind: Kind| command(&[&format!("{}s", kind.word()), "show", &name]);
    [Kind::Model, Kind::Dataset, Kind::Run].into_iter().filter(is_there).map(show).collect()
}

fn picture(path: &Path) -> Result<FileInfo> {
    let about = fs_err::metadata(path)?;
    if !about.is_file() || about.len() > MAX_BYTES {
        return Err(Error::NotKnown { path: path.into() });
    }
    let bytes = fs_err::read(path)?;
    let seen = pinxit_image::info(&bytes)?;
    let text = pinxit_image::read_recipe(&bytes)?;
    // A header says nothing of what follows it.
    let damage = if seen.format.is_read() { pinxit_image::decode(&bytes, &Limits::default()).err() } else { None };
    let unpaintable = text.as_deref().and_then(|t| Recipe::from_json(t).err());
    let problem = damage.map(|e| e.to_string()).or(unpaintable.map(|e| e.to_string()));
    let recipe = text.map(|t| serde_json::from_str(&t).unwrap_or(Value::String(t)));
    Ok(FileInfo::Picture {
        format: seen.format.to_string(),
        width: seen.width,
        height: seen.height,
        recipe,
        stated: Box::new(seen.stated),
        problem,
    })
}
