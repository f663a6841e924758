//! What was taken down from this home, one file each in `takedowns/`. It outlives the datasets: imports ask it, and everything that would use a model.
use std::path::PathBuf;

use pinxit_dataset::{Identity, TakenDown};
use pinxit_nn::Model;
use pinxit_train::checkpoint::Store;
use pinxit_train::state::Counters;
use serde::{Deserialize, Serialize};

use crate::home::Kind;
use crate::shell::command;
use crate::{Error, Result, Studio};

/// Version of the files.
const VERSION: u32 = 1;
/// The folder in the home.
const FOLDER: &str = "takedowns";

/// A takedown, begun or done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Takedown {
    /// Version of the file, 1.
    pub v: u32,
    /// Its name, hex.
    pub id: String,
    /// When it began, RFC 3339, UTC.
    pub at: String,
    /// Why, in the person's words.
    pub reason: String,
    /// Whether everything was done; until then, calling `takedown` again goes on.
    pub finished: bool,
    /// The works, and the copies of them that were found.
    pub works: Vec<TakenWork>,
    /// How many of the works were asked for: copies are looked for of these alone, so that no chain of small steps leads to others.
    pub asked: usize,
    /// Datasets that held them.
    pub datasets: Vec<TakenFrom>,
    /// Models that learnt from them, also by way of another model.
    pub models: Vec<Blocked>,
    /// Runs that learnt from them.
    pub runs: Vec<Blocked>,
    /// Name of the receipt in the folder of takedowns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

/// A work that was taken down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TakenWork {
    /// What it is called.
    pub title: String,
    /// Who made it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// By what it is known again.
    #[serde(flatten)]
    pub identity: Identity,
}

impl TakenWork {
    /// `"Oak" by Ann`, or without her.
    pub fn words(&self) -> String {
        let creator = self.creator.as_ref().map(|creator| format!(" by {creator}")).unwrap_or_default();
        format!("\"{}\"{creator}", self.title)
    }
}

/// A dataset that held such works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TakenFrom {
    /// Its name.
    pub name: String,
    /// Its folder, from the home: `datasets/trees`, or in `bin/`.
    pub folder: String,
    /// Hash of its manifest with the works.
    pub before: String,
    /// Hash of its manifest without them; none while that is not done, and where nothing was left.
    pub after: Option<String>,
    /// Whether it is done.
    pub done: bool,
    /// Works that were removed.
    pub works: usize,
    /// Pictures that were cut from them.
    pub pictures: usize,
}

/// A model or a run that is blocked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blocked {
    /// Its name.
    pub name: String,
    /// Its file or folder, from the home.
    pub file: String,
    /// Hash of the model; empty for a run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// Hash of the manifest it learnt from.
    pub manifest_hash: String,
    /// Name of that dataset.
    pub dataset: String,
}

impl Takedown {
    /// A takedown that begins now, of these works.
    pub fn new(at: &str, reason: &str, works: Vec<TakenWork>) -> Self {
        use sha2::{Digest, Sha256};
        let mut hasher = Sha256::new();
        hasher.update(at.as_bytes());
        works.iter().for_each(|work| hasher.update(work.identity.blake3.as_bytes()));
        let id = hasher.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect();
        let (at, reason) = (at.into(), reason.into());
        let (datasets, models, runs) = Default::default();
        Takedown { v: VERSION, id, at, reason, finished: false, asked: works.len(), works, datasets, models, runs, receipt: None }
    }

    /// The day on which it began.
    pub fn day(&self) -> &str {
        self.at.get(..10).unwrap_or(&self.at)
    }

    /// The works in words, the first of several.
    pub fn words(&self) -> String {
        let more = match self.works.len() {
            0 | 1 => String::new(),
            n => format!(" and {}", crate::counted(n - 1, "other work")),
        };
        self.works.first().map(TakenWork::words).unwrap_or_default() + &more
    }

    /// What it says of a model that it blocks.
    pub fn blocking(&self) -> String {
        format!("learnt from {}, taken down on {}", self.words(), self.day())
    }

    /// Whether it holds a manifest that had its works.
    fn has_manifest(&self, manifest: &str) -> bool {
        !manifest.is_empty() && self.datasets.iter().any(|dataset| dataset.before == manifest)
    }

    /// Whether something that learnt from this manifest, as the model of this hash, beginning from that of the other, has learnt from its works.
    pub fn blocks(&self, manifest: &str, hash: &str, parent: Option<&str>) -> bool {
        let is_blocked = |hash: &str| !hash.is_empty() && self.models.iter().any(|model| model.hash == hash);
        self.has_manifest(manifest) || is_blocked(hash) || parent.is_some_and(is_blocked)
    }
}

/// The folder of takedowns.
pub(super) fn folder(studio: &Studio) -> PathBuf {
    studio.home().join(FOLDER)
}

/// All takedowns, the first first. A file that cannot be read is an error: what it forbids is not known.
pub fn all(studio: &Studio) -> Result<Vec<Takedown>> {
    let entries = match fs_err::read_dir(folder(studio)) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut all: Vec<Takedown> = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.ends_with(".json") || name.starts_with('.') || name.starts_with(super::receipt::PREFIX) {
            continue;
        }
        let read: Takedown = serde_json::from_slice(&fs_err::read(&path)?).map_err(|e| unreadable(&path, &e.to_string()))?;
        if read.v > VERSION {
            return Err(unreadable(&path, "a newer pinxit has written it"));
        }
        all.push(read);
    }
    all.sort_by(|a, b| (&a.at, &a.id).cmp(&(&b.at, &b.id)));
    Ok(all)
}

fn unreadable(path: &std::path::Path, why: &str) -> Error {
    Error::Setting {
        message: format!("{} cannot be read, and it says what was taken down: {why}", path.display()),
        hint: "bring it back from a backup; until then nothing can be taken in, learnt or painted here".into(),
    }
}

/// Writes one, whole or not at all.
pub(super) fn save(studio: &Studio, takedown: &Takedown) -> Result<()> {
    crate::paths::make_folder(&folder(studio))?;
    let mut text = serde_json::to_vec_pretty(takedown).map_err(std::io::Error::other)?;
    text.push(b'\n');
    Ok(pinxit_image::write_atomic(&folder(studio).join(format!("{}.json", takedown.id)), &text)?)
}

/// What an import must not take in.
pub(crate) fn for_import(studio: &Studio) -> Result<Vec<TakenDown>> {
    let told = |takedown: Takedown| {
        let on = takedown.day().to_string();
        takedown.works.into_iter().map(move |work| TakenDown { identity: work.identity, on: on.clone() })
    };
    Ok(all(studio)?.into_iter().flat_map(told).collect())
}

/// Refuses a model that has learnt from a work which was taken down.
pub(crate) fn check_model(studio: &Studio, model: &Model, name: &str) -> Result<()> {
    match of_model(studio, model)? {
        Some(takedown) => Err(refusal(&format!("model \"{name}\""), &takedown, &model.meta.dataset.name)),
        None => Ok(()),
    }
}

/// The takedown that blocks a model.
pub(crate) fn of_model(studio: &Studio, model: &Model) -> Result<Option<Takedown>> {
    let all = all(studio)?;
    if all.is_empty() {
        return Ok(None);
    }
    let (manifest, hash, parent) = (&model.meta.dataset.manifest_hash, model.hash(), model.meta.parent.as_deref());
    let through_blend = |takedown: &Takedown| model.meta.blended.iter().any(|m| takedown.blocks(&m.manifest_hash, &m.hash, None));
    Ok(all.into_iter().find(|takedown| takedown.blocks(manifest, &hash, parent) || through_blend(takedown)))
}

/// Refuses a run that has learnt from such a work.
pub(crate) fn check_run(studio: &Studio, name: &str, dir: &std::path::Path, dataset: &str) -> Result<()> {
    match of_run(studio, Store::at(dir).counters().as_ref())? {
        Some(takedown) => Err(refusal(&format!("run \"{name}\""), &takedown, dataset)),
        None => Ok(()),
    }
}

/// The takedown that blocks a run whose saved state says this.
pub(crate) fn of_run(studio: &Studio, saved: Option<&Counters>) -> Result<Option<Takedown>> {
    let Some(counters) = saved else { return Ok(None) };
    let blocked = |takedown: &Takedown| takedown.blocks(&counters.dataset_hash, "", counters.parent.as_deref());
    Ok(all(studio)?.into_iter().find(blocked))
}

/// Refuses a dataset that still, or again, holds such a work.
pub(crate) fn check_dataset(studio: &Studio, name: &str, manifest: &str) -> Result<()> {
    match all(studio)?.iter().find(|takedown| takedown.has_manifest(manifest)) {
        Some(takedown) => Err(Error::TakenDown {
            what: format!("dataset \"{name}\" holds"),
            work: takedown.words(),
            on: takedown.day().into(),
            hint: "take it out: `pinxit takedown` finishes what was begun, and `pinxit takedown WORK --reason …` begins anew"
                .into(),
        }),
        None => Ok(()),
    }
}

fn refusal(what: &str, takedown: &Takedown, dataset: &str) -> Error {
    let again = match dataset.is_empty() {
        true => "train it anew on a dataset without that work".into(),
        false => format!("train it anew, on the dataset without that work: `{}`", command(&["train", dataset])),
    };
    Error::TakenDown { what: format!("{what} has learnt from"), work: takedown.words(), on: takedown.day().into(), hint: again }
}

/// A path as it is told: from the home, with `/` between the parts.
pub(super) fn from_home(studio: &Studio, path: &std::path::Path) -> String {
    let inside = path.strip_prefix(studio.home()).unwrap_or(path);
    inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The folders with datasets in them: the datasets of the home, and those in its bin.
pub(super) fn shelves(studio: &Studio) -> [PathBuf; 2] {
    [studio.folder(Kind::Dataset), studio.bin().join("datasets")]
}
