//! Signing: of every picture that leaves, and `pinxit sign FILE` for one that is there already.
use std::path::{Path, PathBuf};

use pinxit_image::{Format, Limits};
pub use pinxit_trust::credential::SourceType;
use pinxit_trust::credential::{self, FORMATS, Making, ModelStatement, Parent, SoftBinding, Statement};
use pinxit_trust::keys::ArtistKey;
use pinxit_trust::verify::{Anchors, State, Trust, verify_bytes};
use serde::Serialize;

use crate::event::{Event, Watcher};
use crate::keys::{self, Passphrase};
use crate::settings::TrainingUse;
use crate::{Error, Result, Studio, paths};

/// How pictures are signed.
#[derive(Clone, Debug)]
pub struct Signing {
    /// Whether others may train on them.
    pub training_use: TrainingUse,
    /// What opens the key.
    pub passphrase: Option<Passphrase>,
}

impl Default for Signing {
    /// No training; the key is not locked.
    fn default() -> Self {
        Signing { training_use: TrainingUse::NotAllowed, passphrase: None }
    }
}

/// The opened key of a studio, ready to sign one picture after another.
pub struct Signer {
    key: ArtistKey,
    training: credential::TrainingUse,
    anchors: Anchors,
}

/// What stands in a picture's credential beside who and when.
pub struct Made<'a> {
    /// How it came to be.
    pub making: Making<'a>,
    /// The recipe in its file.
    pub recipe: Option<&'a str>,
    /// The model that painted it.
    pub model: Option<ModelStatement>,
    /// The watermark in its pixels.
    pub watermark: Option<SoftBinding>,
    /// The fingerprint of its pixels.
    pub fingerprint: Option<SoftBinding>,
}

impl<'a> Made<'a> {
    /// A picture that a model painted.
    pub fn by(model: ModelStatement, recipe: Option<&'a str>) -> Self {
        let making = Making::Created(SourceType::TrainedAlgorithmicMedia);
        Made { making, recipe, model: Some(model), watermark: None, fingerprint: None }
    }
}

impl Signer {
    /// Opens the studio's key. A studio without one makes one that names nobody, and says once what that means.
    pub fn open(studio: &Studio, signing: &Signing, watcher: &mut dyn Watcher) -> Result<Self> {
        let (key, is_new) = keys::open_or_make(studio, signing.passphrase.as_ref())?;
        if is_new {
            watcher.event(Event::Note { message: NEW_KEY.into() });
        }
        let training = match signing.training_use {
            TrainingUse::NotAllowed => credential::TrainingUse::NotAllowed,
            TrainingUse::Allowed => credential::TrainingUse::Allowed,
        };
        let anchors = Anchors { own: vec![key.chain().root.clone()], trusted: Vec::new() };
        Ok(Signer { key, training, anchors })
    }

    /// Whose name stands in the credentials.
    pub fn name(&self) -> &str {
        &self.key.chain().signer.name
    }

    /// The bytes of the file with a credential in it.
    pub fn sign(&self, bytes: &[u8], title: &str, made: Made<'_>) -> Result<Vec<u8>> {
        let certificate = &self.key.chain().signer;
        let statement = Statement {
            title: title.into(),
            making: made.making,
            creator: (!keys::is_nameless(certificate)).then(|| certificate.name.clone()),
            recipe: made.recipe.map(String::from),
            model: made.model,
            authorship: None,
            training: self.training,
            watermark: made.watermark,
            fingerprint: made.fingerprint,
            when: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        };
        Ok(credential::sign(bytes, &statement, &self.key)?)
    }

    /// Whether a file holds this very picture with its recipe under a credential of this key that holds: then there is no need
    /// to sign it again, and its date stays.
    pub fn has_signed(&self, path: &Path, unsigned: &[u8]) -> bool {
        let Ok(found) = fs_err::read(path) else { return false };
        let is_ours = || verify_bytes(&found, &self.anchors).is_ok_and(|r| r.state == State::Valid && r.trust == Trust::Own);
        is_same_picture(&found, unsigned) && is_ours()
    }
}

const NEW_KEY: &str = "signed with a new key of this studio. It is self-issued and names nobody: others will see an unrecognised \
                       signer. To sign with your name: pinxit keys init --name \"Jane Artist\"";

/// Whether files of this format can carry a credential.
pub fn is_signable(format: Format) -> bool {
    FORMATS.contains(&format)
}

/// Whether two files hold the same pixels, recipe and format. A credential holds a time and random numbers, so that two signed
/// files are never the same bytes.
pub fn is_same_picture(one: &[u8], other: &[u8]) -> bool {
    let format = |bytes: &[u8]| pinxit_image::sniff(bytes);
    let recipe = |bytes: &[u8]| pinxit_image::read_recipe(bytes).ok().flatten();
    let pixels = |bytes: &[u8]| pinxit_image::decode(bytes, &Limits::default()).ok().map(|decoded| decoded.picture);
    format(one) == format(other) && recipe(one) == recipe(other) && pixels(one).is_some_and(|p| Some(p) == pixels(other))
}

/// Which files to sign.
#[derive(Clone, Debug)]
pub struct SignRequest {
    /// The files.
    pub files: Vec<PathBuf>,
    /// Folder for the signed ones; without it each lies beside its file.
    pub out: Option<PathBuf>,
    /// What the person says of their making; without it each is published as it was found, its own credential kept inside.
    pub made_as: Option<SourceType>,
    /// How.
    pub signing: Signing,
    /// Replace other files of the same names.
    pub overwrite: bool,
}

/// What was signed.
#[derive(Clone, Debug, Serialize)]
pub struct Signed {
    /// Whose name stands in the credentials.
    pub signed_by: String,
    /// The files, in order.
    pub files: Vec<PathBuf>,
}

/// Signs files from anywhere: `NAME-signed.EXT` for each.
///
/// Without a word of the person about their making, the credential says only that she publishes them: the file is the parent, and
/// a credential it has is kept inside. Nothing else in the file changes.
pub fn sign(studio: &Studio, request: &SignRequest, watcher: &mut dyn Watcher) -> Result<Signed> {
    let files: Vec<(&PathBuf, PathBuf, Vec<u8>)> = request.files.iter().map(|file| read(file, request)).collect::<Result<_>>()?;
    let signer = Signer::open(studio, &request.signing, watcher)?;
    let mut signed = Signed { signed_by: signer.name().into(), files: Vec::new() };
    for (file, to, bytes) in files {
        let title = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let making = match request.made_as {
            Some(source) => Making::Created(source),
            None => Making::Edited { parent: Parent { bytes: &bytes, title: title.clone() }, edits: Vec::new() },
        };
        let recipe = pinxit_image::read_recipe(&bytes).ok().flatten();
        let made = Made { making, recipe: recipe.as_deref(), model: None, watermark: None, fingerprint: None };
        let out = signer.sign(&bytes, &title, made).map_err(|e| e.in_file(file))?;
        paths::write_beside_others(&to, &out, request.overwrite)?;
        watcher.event(Event::Picture { role: "picture".into(), path: to.clone() });
        signed.files.push(to);
    }
    Ok(signed)
}

/// A file and where its signed one goes: everything that can be refused is refused before the first is written.
fn read<'a>(file: &'a PathBuf, request: &SignRequest) -> Result<(&'a PathBuf, PathBuf, Vec<u8>)> {
    let bytes = crate::verify::read(file)?;
    let format = pinxit_image::require_format(&bytes).map_err(|e| Error::from(e).in_file(file))?;
    if !is_signable(format) {
        return Err(Error::from(credential::CredentialError::Format { format }).in_file(file));
    }
    let stem = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let ending = file.extension().map_or(format.extension().into(), |e| e.to_string_lossy());
    let name = format!("{stem}-signed.{ending}");
    let to = request.out.as_ref().map_or_else(|| file.with_file_name(&name), |folder| folder.join(&name));
    if !request.overwrite && to.exists() {
        return Err(Error::InTheWay { path: to });
    }
    Ok((file, to, bytes))
}
