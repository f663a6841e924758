//! The pictures that a picture was made from, as they lay there when the work began: they become ingredients of its credential.
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pinxit_trust::credential::{Edit, Ingredient, Making, ModelStatement, SourceType};

use crate::Result;

/// A picture that another was made from.
#[derive(Debug)]
pub struct Source {
    title: String,
    bytes: Vec<u8>,
}

impl Source {
    /// Reads it: after a search of minutes another file may lie there.
    pub fn read(path: &Path) -> Result<Arc<Self>> {
        let title = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Arc::new(Source { title, bytes: crate::verify::read(path)? }))
    }

    fn ingredient(&self) -> Ingredient<'_> {
        Ingredient { bytes: &self.bytes, title: self.title.clone() }
    }
}

/// What a painted picture was made from.
#[derive(Clone, Debug, Default)]
pub enum Origin {
    /// No picture: its recipe alone.
    #[default]
    Recipe,
    /// A painted picture that was changed, and how: `moved`.
    Edit(Arc<Source>, String),
    /// Pictures that the model was given: a picture to find in it, parents of a child, key frames. Nothing of their pixels is in what it paints.
    Inputs(Vec<Arc<Source>>),
}

impl Origin {
    /// Reads the pictures that a model is given.
    pub fn inputs(pictures: &[PathBuf]) -> Result<Self> {
        Ok(Origin::Inputs(pictures.iter().map(|path| Source::read(path)).collect::<Result<_>>()?))
    }

    /// How the picture came to be, as its credential says it.
    pub(crate) fn making(&self, model: &ModelStatement) -> Making<'_> {
        let source = SourceType::TrainedAlgorithmicMedia;
        match self {
            Origin::Recipe | Origin::Inputs(_) => Making::Created(source),
            Origin::Edit(parent, word) => {
                let description = format!("{word}, and painted anew by the model {} ({})", model.name, model.hash);
                let edit = Edit { action: "c2pa.edited".into(), description, source: Some(source) };
                Making::Edited { parent: parent.ingredient(), edits: vec![edit] }
            }
        }
    }

    /// What the model was given.
    pub(crate) fn given(&self) -> Vec<Ingredient<'_>> {
        match self {
            Origin::Recipe | Origin::Edit(..) => Vec::new(),
            Origin::Inputs(all) => all.iter().map(|source| source.ingredient()).collect(),
        }
    }
}
