//! Signing: of every picture that leaves, and `pinxit sign FILE` for one that is there already.
use std::path::{Path, PathBuf};

use pinxit_image::{Disclosure, Format, Limits};
pub use pinxit_trust::credential::SourceType;
use pinxit_trust::credential::{self, Edit, FORMATS, Ingredient, Making, ModelStatement, SoftBinding, Statement};
use pinxit_trust::keys::ArtistKey;
use pinxit_trust::ledger::{Kind, New};
use pinxit_trust::verify::{self, Anchors, State, Trust, verify_bytes};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::authorship::{self, History};
use crate::event::{Event, Watcher};
use crate::keys::{self, Passphrase};
use crate::labels::{self, LabelLaw, Labels};
use crate::settings::TrainingUse;
use crate::{Error, Result, Studio, ledger, paths};

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
    /// Where the ledger ended when the key was opened.
    ledger: Option<String>,
}

/// What stands in a picture's credential beside who and when.
pub struct Made<'a> {
    /// How it came to be.
    pub making: Making<'a>,
    /// Pictures that the model was given.
    pub inputs: Vec<Ingredient<'a>>,
    /// The recipe in its file.
    pub recipe: Option<&'a str>,
    /// The model that painted it.
    pub model: Option<ModelStatement>,
    /// The watermark in its pixels.
    pub watermark: Option<SoftBinding>,
    /// The fingerprint of its pixels.
    pub fingerprint: Option<SoftBinding>,
    /// The person's part in it, as far as it is known.
    pub authorship: Option<Value>,
}

impl<'a> Made<'a> {
    /// A picture that a model painted.
    pub fn by(model: ModelStatement, recipe: Option<&'a str>) -> Self {
        Made::of(Making::Created(SourceType::TrainedAlgorithmicMedia), recipe, Some(model))
    }

    fn of(making: Making<'a>, recipe: Option<&'a str>, model: Option<ModelStatement>) -> Self {
        Made { making, inputs: Vec::new(), recipe, model, watermark: None, fingerprint: None, authorship: None }
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
        let ledger = ledger::of(studio).head()?.map(|head| head.to_string());
        Ok(Signer { key, training, anchors, ledger })
    }

    /// Whose name stands in the credentials.
    pub fn name(&self) -> &str {
        &self.key.chain().signer.name
    }

    /// The bytes of the file with a credential in it.
    pub fn sign(&self, bytes: &[u8], title: &str, made: Made<'_>, disclosure: Disclosure) -> Result<Vec<u8>> {
        let certificate = &self.key.chain().signer;
        let statement = Statement {
            title: title.into(),
            making: made.making,
            inputs: made.inputs,
            creator: (!keys::is_nameless(certificate)).then(|| certificate.name.clone()),
            recipe: made.recipe.map(String::from),
            model: made.model,
            authorship: made.authorship,
            ledger: self.ledger.clone(),
            training: self.training,
            watermark: made.watermark,
            fingerprint: made.fingerprint,
            disclosure,
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

/// Whether two files hold the same pixels, recipe and labels in one format. A credential holds a time and random numbers, so that two signed
/// files are never the same bytes.
pub fn is_same_picture(one: &[u8], other: &[u8]) -> bool {
    let format = |bytes: &[u8]| pinxit_image::sniff(bytes);
    let recipe = |bytes: &[u8]| pinxit_image::read_recipe(bytes).ok().flatten();
    let pixels = |bytes: &[u8]| pinxit_image::decode(bytes, &Limits::default()).ok().map(|decoded| decoded.picture);
    let laws = |bytes: &[u8]| pinxit_image::info(bytes).ok().map(|info| info.stated.laws());
    let is_alike = format(one) == format(other) && recipe(one) == recipe(other) && laws(one) == laws(other);
    is_alike && pixels(one).is_some_and(|p| Some(p) == pixels(other))
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
    /// Why she chose them, in her words.
    pub note: Option<String>,
    /// Labels on them, which say that AI made them.
    pub labels: Labels,
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

/// A file to sign.
struct Found<'a> {
    file: &'a PathBuf,
    /// Where its signed one goes.
    to: PathBuf,
    bytes: Vec<u8>,
    sha256: String,
}

/// Quality of a JPEG that has to be written anew for its label.
const LABEL_QUALITY: u8 = 95;

/// Signs files from anywhere: `NAME-signed.EXT` for each.
///
/// Without a word of the person about their making, the credential says only that she publishes them: the file is the parent, and
/// a credential it has is kept inside. Without labels nothing else in the file changes. The ledger has an entry for each: to sign by
/// hand is to choose.
pub fn sign(studio: &Studio, request: &SignRequest, watcher: &mut dyn Watcher) -> Result<Signed> {
    let note = request.note.as_deref().map(authorship::note).transpose()?;
    let files: Vec<Found<'_>> = request.files.iter().map(|file| read(file, request)).collect::<Result<_>>()?;
    ledger::check_ready(studio)?;
    let asked: Vec<String> = files.iter().map(|found| found.sha256.clone()).collect();
    let history = History::read(studio, &asked);
    let signer = Signer::open(studio, &request.signing, watcher)?;
    let mut signed = Signed { signed_by: signer.name().into(), files: Vec::new() };
    for found in &files {
        let out = signed_file(found, request, &signer, &history, note.as_deref()).map_err(|e| e.in_file(found.file))?;
        ledger::write(studio, &[entry(found, &out, &history, note.as_deref())])?;
        paths::write_beside_others(&found.to, &out, request.overwrite)?;
        watcher.event(Event::Picture { role: "picture".into(), path: found.to.clone() });
        signed.files.push(found.to.clone());
    }
    Ok(signed)
}

fn signed_file(
    found: &Found<'_>,
    request: &SignRequest,
    signer: &Signer,
    history: &History,
    note: Option<&str>,
) -> Result<Vec<u8>> {
    let title = found.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let recipe = pinxit_image::read_recipe(&found.bytes).ok().flatten();
    let disclosure = labels::disclose(signer.name());
    let mut edits = Vec::new();
    let labelled = if request.labels.is_none() { None } else { Some(relabelled(found, request, signer, &disclosure)?) };
    if labelled.is_some() {
        let drawn = request.labels.text().map(|text| format!("labelled in the picture: {text}"));
        edits.push(edit("c2pa.edited", &drawn.unwrap_or_else(|| "labelled in the metadata".into())));
    }
    edits.extend(note.map(|note| edit("c2pa.published", note)));
    let making = match request.made_as {
        Some(source) => Making::Created(source),
        None => Making::Edited { parent: Ingredient { bytes: &found.bytes, title: title.clone() }, edits },
    };
    let authorship = match history.origin(&found.sha256) {
        Some(origin) => history.summary(&origin.model_hash, origin.seed, note),
        None => authorship::note_alone(note),
    };
    let made = Made { authorship, ..Made::of(making, recipe.as_deref(), None) };
    signer.sign(labelled.as_deref().unwrap_or(&found.bytes), &title, made, disclosure)
}

fn edit(action: &str, description: &str) -> Edit {
    Edit { action: action.into(), description: description.into(), source: None }
}

/// The file with its labels, where AI made the picture: a label on any other would be untrue.
fn relabelled(found: &Found<'_>, request: &SignRequest, signer: &Signer, disclosure: &Disclosure) -> Result<Vec<u8>> {
    if !is_made_by_ai(&found.bytes, request.made_as, &signer.anchors) {
        return Err(Error::Setting {
            message: "a label would say that AI made it, and nothing in the file does".into(),
            hint: "say --made-as ai or --made-as partly-ai if it is so".into(),
        });
    }
    let drawn = pinxit_image::info(&found.bytes).ok().and_then(|info| info.stated.visible);
    if let (Some(drawn), Some(text)) = (&drawn, request.labels.text())
        && drawn != text
    {
        return Err(Error::Setting {
            message: format!("it carries the label \"{drawn}\" already, and another would lie over it"),
            hint: "paint it again without a label first: pinxit generate --from".into(),
        });
    }
    let is_ours = pinxit_image::read_recipe(&found.bytes).ok().flatten().is_some();
    if request.labels.laws().contains(&LabelLaw::California) && !is_ours {
        return Err(Error::Setting {
            message: "the label of SB 942 names the program that made the picture, and the file carries no recipe of pinxit"
                .into(),
            hint: "leave --label sb942 away".into(),
        });
    }
    let latent = request.labels.latent(disclosure);
    // The same label is not drawn a second time.
    let text = request.labels.text().filter(|_| drawn.is_none());
    Ok(pinxit_image::relabel(&found.bytes, text, latent.as_ref(), LABEL_QUALITY)?)
}

/// By the person's word, by a credential that holds, or by what the metadata says.
fn is_made_by_ai(bytes: &[u8], made_as: Option<SourceType>, anchors: &Anchors) -> bool {
    if let Some(source) = made_as {
        return matches!(source, SourceType::TrainedAlgorithmicMedia | SourceType::CompositeWithTrainedAlgorithmicMedia);
    }
    let credential =
        verify_bytes(bytes, anchors).ok().filter(|report| report.state == State::Valid).and_then(|report| report.says);
    let vouched = credential.and_then(|said| said.making);
    let term = pinxit_image::info(bytes).ok().and_then(|info| info.digital_source_type).unwrap_or_default();
    matches!(vouched, Some(verify::Making::AiGenerated | verify::Making::PartlyAiGenerated))
        || term.to_lowercase().ends_with("trainedalgorithmicmedia")
}

/// What the ledger keeps of a picture signed by hand. `of` is the file it was made from.
fn entry(found: &Found<'_>, out: &[u8], history: &History, note: Option<&str>) -> New {
    let origin = history.origin(&found.sha256);
    let subject = json!({
        "file": found.to.file_name().map(|n| n.to_string_lossy()),
        "sha256": hex(out),
        "of": found.sha256,
        "model_hash": origin.map(|o| &o.model_hash),
        "seed": origin.and_then(|o| o.seed),
        "note": note,
    });
    ledger::entry(Kind::Sign, subject)
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A file and where its signed one goes: everything that can be refused is refused before the first is written.
fn read<'a>(file: &'a PathBuf, request: &SignRequest) -> Result<Found<'a>> {
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
    Ok(Found { file, to, sha256: hex(&bytes), bytes })
}
