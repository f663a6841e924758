//! From a painted picture to the file that leaves: enlarged if its recipe says so, labelled, marked, encoded with its recipe, and signed, each if
//! that is wanted.
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pinxit_create::{Painter, Recipe};
use pinxit_image::{Disclosure, Encoding, Metadata, Picture};
use pinxit_tensor::pool;
use pinxit_trust::credential::{ModelStatement, SoftBinding};
use pinxit_trust::fingerprint;

use crate::authorship::History;
use crate::event::{Event, Watcher};
use crate::labels::{self, Labels};
use crate::mark::{Mark, Marker};
use crate::origin::Origin;
use crate::outbox::Parcel;
use crate::sign::{Made, Signer, Signing, is_signable};
use crate::{Result, Studio, paths};

/// Labels, marks and signs the pictures of one command.
pub(crate) struct Press {
    signer: Option<Signer>,
    marker: Option<Marker>,
    labels: Labels,
    /// Whose name stands in labels and credentials.
    provider: String,
    /// What the ledger knew of the models before.
    history: History,
}

/// A picture as the model painted it.
pub(crate) struct Painted<'a> {
    /// Where its file goes.
    pub path: PathBuf,
    /// The pixels, before any operation of the recipe.
    pub picture: &'a Picture,
    /// What paints it.
    pub recipe: &'a Recipe,
    /// The recipe word for word as it goes into the file.
    pub text: &'a str,
    /// What it was made from.
    pub origin: &'a Origin,
}

/// A file as it leaves.
pub(crate) struct Finished {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it shows.
    pub picture: Picture,
    /// The watermark in it.
    pub mark: Option<Mark>,
    /// What its labels and its credential disclose.
    pub disclosure: Disclosure,
    /// Whether its own unsigned self lies there, which it may replace.
    pub replaces: bool,
}

impl Press {
    /// With the studio's key opened, where pictures are to be signed; its watermark secret, where they are to be marked.
    pub fn open(studio: &Studio, signing: Option<&Signing>, watermark: bool, watcher: &mut dyn Watcher) -> Result<Self> {
        let marker = watermark.then(|| Marker::open(studio)).transpose()?;
        let signer = signing.map(|signing| Signer::open(studio, signing, watcher)).transpose()?;
        let history = if signer.is_some() { History::read(studio, &[]) } else { History::default() };
        Ok(Press { signer, marker, labels: Labels::default(), provider: labels::provider(studio), history })
    }

    /// The same, with labels on every picture.
    pub fn with_labels(self, labels: Labels) -> Self {
        Press { labels, ..self }
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

    /// Says once that pictures of these sides (px) are too small for a watermark.
    pub fn warn_of_size(&self, sides: (u32, u32), watcher: &mut dyn Watcher) {
        self.marker.iter().for_each(|marker| marker.warn_of(sides, watcher));
    }

    /// The file of a painted picture, with what the ledger keeps of it.
    pub fn print(&self, painted: &Painted<'_>, encoding: Encoding, painter: &Painter) -> Result<Parcel> {
        let Painted { path, picture, recipe, text, origin } = painted;
        let (title, software) = (recipe.caption.clone(), recipe.software.clone());
        let about = Metadata { recipe: Some(text.to_string()), title, software, ..Metadata::default() };
        let unsigned = self.marked(path, recipe.finish(picture)?, text, about, encoding)?;
        let file = self.signed(path, unsigned, painter, Some((recipe, text, origin)))?;
        Ok(Parcel::painted(path.clone(), file, recipe))
    }

    /// The same for many, in order. Each is made by one thread: marking one takes tenths of a second.
    pub fn print_all(&self, all: &[Painted<'_>], encoding: Encoding, painter: &Painter) -> Result<Vec<Parcel>> {
        let printed: Vec<OnceLock<Result<Parcel>>> = all.iter().map(|_| OnceLock::new()).collect();
        pool::tasks(all.len(), |i| {
            printed[i].get_or_init(|| self.print(&all[i], encoding, painter));
        });
        // The pool has run every task once; a slot left empty would be filled here.
        let slots = printed.into_iter().zip(all);
        slots.map(|(slot, one)| slot.into_inner().unwrap_or_else(|| self.print(one, encoding, painter))).collect()
    }

    /// The unsigned file, for `path`, of a finished picture that `text` describes: with its labels, and with a watermark where there is
    /// room for one.
    pub fn marked(&self, path: &Path, picture: Picture, text: &str, about: Metadata, encoding: Encoding) -> Result<Finished> {
        let (picture, mark) = self.mark(picture, text)?;
        let (about, disclosure) = self.about(path, about);
        let bytes = pinxit_image::encode(&picture, encoding, &about)?;
        Ok(Finished { bytes, picture, mark, disclosure, replaces: false })
    }

    /// What the file at `path` says of itself, with what the laws' labels add, and by what it discloses its making.
    pub fn about(&self, path: &Path, about: Metadata) -> (Metadata, Disclosure) {
        let disclosure = labels::disclose_again(&self.provider, path, about.recipe.as_deref());
        (self.labels.told(about, &disclosure), disclosure)
    }

    /// A picture with its visible label, and with a watermark where there is room for one.
    pub fn mark(&self, picture: Picture, text: &str) -> Result<(Picture, Option<Mark>)> {
        let picture = self.labels.drawn(picture)?;
        let marked = self.marker.as_ref().map(|marker| marker.mark(&picture, text)).transpose()?.flatten();
        Ok(marked.map_or((picture, None), |(marked, mark)| (marked, Some(mark))))
    }

    /// A picture's file, signed. The same picture again is no other file: one that this key has signed stays, with its date; an
    /// unsigned one is signed now.
    pub fn signed(
        &self,
        path: &Path,
        file: Finished,
        painter: &Painter,
        recipe: Option<(&Recipe, &str, &Origin)>,
    ) -> Result<Finished> {
        let signer = self.signer.as_ref().filter(|_| pinxit_image::sniff(&file.bytes).is_some_and(is_signable));
        let Some(signer) = signer else { return Ok(file) };
        if signer.has_signed(path, &file.bytes) {
            return Ok(Finished { bytes: fs_err::read(path)?, ..file });
        }
        let model = ModelStatement {
            name: painter.model().name.clone(),
            hash: painter.model().hash.clone(),
            dataset_manifest: Some(painter.dataset_manifest().to_string()).filter(|hash| !hash.is_empty()),
        };
        let title = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let origin = recipe.map_or(&Origin::Recipe, |(.., origin)| origin);
        let made = Made {
            making: origin.making(&model),
            inputs: origin.given(),
            authorship: self.history.summary(&model.hash, recipe.map(|(recipe, ..)| recipe.seed), None),
            watermark: file.mark.as_ref().map(Mark::soft_binding),
            // Of the pixels alone: the rest of an ISCC-CODE is made of the file's bytes, which signing changes.
            fingerprint: fingerprint::image_code(&file.picture)
                .ok()
                .map(|value| SoftBinding { alg: fingerprint::ALGORITHM.into(), value }),
            ..Made::by(model, recipe.map(|(_, text, _)| text))
        };
        let disclosure = file.disclosure.clone();
        let bytes = signer.sign(&file.bytes, &title, made, disclosure).map_err(|e| e.in_file(path))?;
        Ok(Finished { replaces: paths::holds(path, &file.bytes), bytes, ..file })
    }

    /// Whether a file holds what would be written there, but for the time and numbers of a credential.
    pub fn is_same(&self, path: &Path, unsigned: &[u8]) -> bool {
        let is_signed = || self.signer.as_ref().is_some_and(|signer| signer.has_signed(path, unsigned));
        paths::holds(path, unsigned) || is_signed()
    }
}
