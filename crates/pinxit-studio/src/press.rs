//! From a painted picture to the file that leaves: encoded with its recipe, and signed, if that is wanted.
use std::path::{Path, PathBuf};

use pinxit_create::{Painter, Recipe};
use pinxit_image::{Encoding, Metadata, Picture};
use pinxit_trust::credential::ModelStatement;

use crate::event::{Event, Watcher};
use crate::outbox::Parcel;
use crate::sign::{Made, Signer, Signing, is_signable};
use crate::{Result, Studio, paths};

/// Signs and writes the pictures of one command.
pub(crate) struct Press {
    signer: Option<Signer>,
    overwrite: bool,
}

/// A picture as the model painted it.
pub(crate) struct Painted<'a> {
    /// The pixels.
    pub picture: &'a Picture,
    /// What paints it.
    pub recipe: &'a Recipe,
    /// The recipe word for word as it goes into the file.
    pub text: &'a str,
}

/// A file as it leaves.
pub(crate) struct Finished {
    /// The file.
    pub bytes: Vec<u8>,
    /// Whether its own unsigned self lies there, which it may replace.
    pub replaces: bool,
}

impl Press {
    /// With the studio's key opened, where pictures are to be signed.
    pub fn open(studio: &Studio, signing: Option<&Signing>, overwrite: bool, watcher: &mut dyn Watcher) -> Result<Self> {
        let signer = signing.map(|signing| Signer::open(studio, signing, watcher)).transpose()?;
        Ok(Press { signer, overwrite })
    }

    /// Whose name stands in the credentials.
    pub fn signed_by(&self) -> Option<String> {
        self.signer.as_ref().map(|signer| signer.name().to_string())
    }

    /// Says once that some of the files cannot be signed.
    pub fn warn_of(&self, encodings: &[Encoding], watcher: &mut dyn Watcher) {
        let unsignable = encodings.iter().map(|e| e.format()).find(|format| !is_signable(*format));
        if let Some(format) = unsignable.filter(|_| self.signer.is_some()) {
            let message = format!("{format} files are not signed: they carry no credential here");
            watcher.event(Event::Warning { message, hint: Some("choose png, jpeg or webp, or say --no-sign".into()) });
        }
    }

    /// The file of a painted picture, with what the ledger keeps of it.
    pub fn print(&self, path: PathBuf, painted: &Painted<'_>, encoding: Encoding, painter: &Painter) -> Result<Parcel> {
        let Painted { picture, recipe, text } = painted;
        let about = Metadata { recipe: Some(text.to_string()), title: recipe.caption.clone(), software: recipe.software.clone() };
        let unsigned = pinxit_image::encode(picture, encoding, &about)?;
        let file = self.finish(&path, unsigned, painter, Some(text))?;
        Ok(Parcel::new(path, file, picture, recipe))
    }

    /// A picture's file, signed. The same picture again is no other file: one that this key has signed stays, with its date; an
    /// unsigned one is signed now.
    fn finish(&self, path: &Path, unsigned: Vec<u8>, painter: &Painter, recipe: Option<&str>) -> Result<Finished> {
        let signer = self.signer.as_ref().filter(|_| pinxit_image::sniff(&unsigned).is_some_and(is_signable));
        let Some(signer) = signer else { return Ok(Finished { bytes: unsigned, replaces: false }) };
        if signer.has_signed(path, &unsigned) {
            return Ok(Finished { bytes: fs_err::read(path)?, replaces: false });
        }
        let model = ModelStatement {
            name: painter.model().name.clone(),
            hash: painter.model().hash.clone(),
            dataset_manifest: Some(painter.dataset_manifest().to_string()).filter(|hash| !hash.is_empty()),
        };
        let title = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let bytes = signer.sign(&unsigned, &title, Made::by(model, recipe)).map_err(|e| e.in_file(path))?;
        Ok(Finished { bytes, replaces: paths::holds(path, &unsigned) })
    }

    /// Finishes a file and writes it.
    pub fn write(&self, path: &Path, unsigned: Vec<u8>, painter: &Painter, recipe: Option<&str>) -> Result<()> {
        let file = self.finish(path, unsigned, painter, recipe)?;
        paths::write_beside_others(path, &file.bytes, self.overwrite || file.replaces)
    }

    /// Whether a file holds what [`Press::write`] would write there, but for the time and numbers of a credential.
    pub fn is_same(&self, path: &Path, unsigned: &[u8]) -> bool {
        let is_signed = || self.signer.as_ref().is_some_and(|signer| signer.has_signed(path, unsigned));
        paths::holds(path, unsigned) || is_signed()
    }
}
