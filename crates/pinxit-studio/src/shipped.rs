//! Models that the program carries with it. One is laid into `models/` of the home when it is first asked for, a file like any other from then on.
use std::path::PathBuf;

use pinxit_nn::Model;

use crate::home::Kind;
use crate::models::Found;
use crate::{Result, Studio};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Names, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    MODELS.iter().map(|(file, _)| stem(file))
}

/// The one called `name`, laid out; `None` if none is called so.
pub(crate) fn find(studio: &Studio, name: &str) -> Result<Option<Found>> {
    MODELS.iter().find(|(file, _)| stem(file) == name).map(|(file, bytes)| lay_out(studio, stem(file), bytes)).transpose()
}

/// The one of that hash, laid out.
pub(crate) fn find_by_hash(studio: &Studio, hash: &str) -> Result<Option<(Found, Model)>> {
    for (file, bytes) in MODELS {
        let model = Model::from_bytes(bytes)?;
        if model.hash() == hash {
            return Ok(Some((lay_out(studio, stem(file), bytes)?, model)));
        }
    }
    Ok(None)
}

/// Written under its name, or, where another model has that, under the next free one.
fn lay_out(studio: &Studio, name: &str, bytes: &[u8]) -> Result<Found> {
    let name = studio.free_name(Kind::Model, name)?;
    let path: PathBuf = studio.path(Kind::Model, &name)?;
    crate::paths::make_parent(&path)?;
    pinxit_image::write_atomic(&path, bytes)?;
    Ok(Found { name, path })
}

fn stem(file: &'static str) -> &'static str {
    file.strip_suffix(".safetensors").unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shipped_model_is_laid_out_once_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let studio = Studio::at(dir.path());
        let name = names().next().unwrap();
        let found = crate::models::find(&studio, name).unwrap();
        assert_eq!((found.name.as_str(), found.path.clone()), (name, studio.path(Kind::Model, name).unwrap()));
        let hash = found.load().unwrap().hash();
        assert_eq!(crate::models::find(&studio, name).unwrap(), found, "found where it was laid");
        assert_eq!(studio.names(Kind::Model).unwrap(), [name]);
        std::fs::write(&found.path, b"another model of that name").unwrap();
        let (beside, model) = crate::models::find_by_hash(&studio, &hash, name).unwrap().unwrap();
        assert_eq!((beside.name, model.hash()), (format!("{name}-2"), hash));
        assert_eq!(std::fs::read(&found.path).unwrap(), b"another model of that name");
    }
}
