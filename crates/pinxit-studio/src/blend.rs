//! `pinxit models blend`: a model made of others.
use std::path::PathBuf;

use pinxit_create::blend;
pub use pinxit_create::blend::Blend;
use pinxit_nn::Model;
use pinxit_nn::model::Precision;
use pinxit_trust::ledger::Kind as Entry;
use serde_json::json;

use crate::home::Kind;
use crate::{Error, Result, Studio, ledger, models};

/// What to make.
#[derive(Clone, Debug)]
pub struct BlendRequest {
    /// The first model: its labels and its place count where both have one.
    pub first: String,
    /// The second.
    pub second: String,
    /// How.
    pub how: How,
    /// Name of the new model.
    pub name: String,
}

/// How models become one.
#[derive(Clone, Debug)]
pub enum How {
    /// Two into one.
    Of(Blend),
    /// `first + by (second - minus)`.
    Difference {
        /// What is taken off the second.
        minus: String,
        /// How much of the difference.
        by: f64,
    },
}

/// Blends models and keeps the result.
pub fn blend(studio: &Studio, request: &BlendRequest) -> Result<PathBuf> {
    let path = studio.path(Kind::Model, &request.name)?;
    if path.exists() {
        return Err(Error::Taken { kind: "model", name: request.name.clone() });
    }
    ledger::check_ready(studio)?;
    let (first, second) = (open(studio, &request.first)?, open(studio, &request.second)?);
    let mut blended = match &request.how {
        How::Of(how) => blend::blend(&first, &second, how)?,
        How::Difference { minus, by } => blend::add_difference(&first, &second, &open(studio, minus)?, *by)?,
    };
    blended.meta.name.clone_from(&request.name);
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    blended.save(&path, Precision::F32)?;
    let of: Vec<_> = blended.meta.blended.iter().map(|m| json!({ "model": m.name, "model_hash": m.hash })).collect();
    let subject = json!({ "model": request.name, "model_hash": Model::load(&path)?.hash(), "blended_of": of });
    ledger::write(studio, &[ledger::entry(Entry::Training, subject)])?;
    Ok(path)
}

/// A model with the name it goes by here.
fn open(studio: &Studio, wanted: &str) -> Result<Model> {
    let found = models::find(studio, wanted)?;
    let mut model = found.load_for_use(studio)?;
    model.meta.name = found.name;
    Ok(model)
}
