//! Which works are meant, and what has to do with them: datasets that hold them or copies of them, models and runs that learnt from those.
use std::path::{Path, PathBuf};

use pinxit_dataset::{Identity, ListedWork, Sameness, works_of};
use pinxit_image::Limits;
use pinxit_nn::Model;
use pinxit_train::checkpoint::Store;

use super::register::{Blocked, Takedown, TakenFrom, TakenWork, from_home, shelves};
use crate::examine::Examination;
use crate::home::Kind;
use crate::train::RunCard;
use crate::{Error, Result, Studio, runs};

/// A dataset of the home or its bin, with its works.
pub(super) struct Shelved {
    pub name: String,
    pub dir: PathBuf,
    pub manifest: String,
    pub works: Vec<ListedWork>,
}

/// Every dataset that can be read, and what is wrong with the others.
pub(super) fn datasets(studio: &Studio) -> Result<(Vec<Shelved>, Vec<String>)> {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for shelf in shelves(studio) {
        for entry in pinxit_dataset::shelf::list(&shelf)? {
            let dir = shelf.join(&entry.name);
            match works_of(&dir) {
                Ok(listed) => found.push(Shelved { name: entry.name, dir, manifest: listed.manifest_hash, works: listed.works }),
                Err(e) => unreadable.push(format!("{}: {e}", dir.display())),
            }
        }
    }
    Ok((found, unreadable))
}

/// The works that a word of the person's names: a file, `DATASET:NAME`, a SHA-256 or an ISCC.
pub(super) fn named(word: &str, datasets: &[Shelved], examination: &Examination) -> Result<Vec<TakenWork>> {
    if Path::new(word).is_file() {
        return Ok(vec![of_file(Path::new(word), examination)?]);
    }
    let all = || datasets.iter().flat_map(|dataset| &dataset.works);
    let is_hash = word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit());
    let found: Vec<&ListedWork> = if is_hash {
        let wanted = word.to_lowercase();
        all().filter(|work| work.identity.sha256.as_ref() == Some(&wanted) || work.identity.blake3 == wanted).collect()
    } else if word.starts_with("ISCC:") {
        let alike = |code: &String| pinxit_dataset::Examiner::alike(examination, code, word);
        all().filter(|work| work.identity.iscc.as_ref().is_some_and(alike)).collect()
    } else if let Some((dataset, name)) = word.split_once(':') {
        in_dataset(dataset, name, datasets)?
    } else {
        Vec::new()
    };
    if found.is_empty() {
        return Err(unknown(word));
    }
    Ok(found.into_iter().map(taken).collect())
}

fn of_file(path: &Path, examination: &Examination) -> Result<TakenWork> {
    let bytes = crate::verify::read(path)?;
    let identity = Identity::of_file(&bytes, &Limits::default(), examination).map_err(|e| Error::from(e).in_file(path))?;
    let title = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(TakenWork { title, creator: None, identity })
}

/// The work of a dataset with that file, or with that title if only one has it.
fn in_dataset<'a>(dataset: &str, name: &str, datasets: &'a [Shelved]) -> Result<Vec<&'a ListedWork>> {
    let Some(shelved) = datasets.iter().find(|shelved| shelved.name == dataset) else { return Ok(Vec::new()) };
    if let Some(work) = shelved.works.iter().find(|work| work.record.file == name) {
        return Ok(vec![work]);
    }
    let titled: Vec<&ListedWork> = shelved.works.iter().filter(|work| work.record.title == name).collect();
    match titled.len() {
        0 | 1 => Ok(titled),
        n => Err(Error::Setting {
            message: format!("{n} works of \"{dataset}\" are called \"{name}\""),
            hint: format!("name the file, such as {dataset}:{}", titled[0].record.file),
        }),
    }
}

fn taken(work: &ListedWork) -> TakenWork {
    let (title, creator) = (work.record.title.clone(), work.record.creator.clone());
    TakenWork { title, creator, identity: work.identity.clone() }
}

fn unknown(word: &str) -> Error {
    Error::Setting {
        message: format!("\"{word}\" is no file, and no work of a dataset in this home"),
        hint: "name a picture file, DATASET:FILE as records.jsonl of the dataset has it, a SHA-256, or an ISCC".into(),
    }
}

/// The works of a dataset that are taken down, and copies of those that were asked for.
pub(super) fn held<'a>(dataset: &'a Shelved, takedown: &Takedown, examination: &Examination) -> Vec<&'a ListedWork> {
    let is_taken = |work: &&ListedWork| {
        takedown.works.iter().enumerate().any(|(i, taken)| match taken.identity.same(&work.identity, examination) {
            Some(Sameness::File) => true,
            how => how.is_some() && i < takedown.asked,
        })
    };
    dataset.works.iter().filter(is_taken).collect()
}

/// Adds what the takedown has to do with: the datasets that hold its works, these works as they are called there, and then what learnt from
/// them.
pub(super) fn complete(studio: &Studio, takedown: &mut Takedown, datasets: &[Shelved], examination: &Examination) -> Result<()> {
    for dataset in datasets {
        let found = held(dataset, takedown, examination);
        if found.is_empty() {
            continue;
        }
        let (works, pictures) = (found.len(), found.iter().map(|work| work.pictures).sum());
        for work in found {
            match takedown.works.iter_mut().find(|known| known.identity.blake3 == work.identity.blake3) {
                // A file tells its pixels and looks; the dataset, what it is called and who made it.
                Some(known) => (known.title, known.creator) = (work.record.title.clone(), work.record.creator.clone()),
                None => takedown.works.push(taken(work)),
            }
        }
        let (name, folder, before) = (dataset.name.clone(), from_home(studio, &dataset.dir), dataset.manifest.clone());
        let is_known = |known: &TakenFrom| known.folder == folder && known.before == before;
        if !takedown.datasets.iter().any(is_known) {
            takedown.datasets.push(TakenFrom { name, folder, before, after: None, done: false, works, pictures });
        }
    }
    learners(studio, takedown)
}

/// Models and runs that learnt from the works, and models that began from such models.
fn learners(studio: &Studio, takedown: &mut Takedown) -> Result<()> {
    let mut open: Vec<(Blocked, Option<String>)> = Vec::new();
    for name in studio.names(Kind::Model)? {
        let path = studio.path(Kind::Model, &name)?;
        open.extend(learner(studio, name, &path));
    }
    for name in studio.names(Kind::Run)? {
        let dir = studio.path(Kind::Run, &name)?;
        for path in runs::snapshots(&dir) {
            open.extend(learner(studio, name.clone(), &path));
        }
    }
    // Until nothing more follows: a model may have begun from one that began from one.
    while let Some(i) =
        open.iter().position(|(model, parent)| takedown.blocks(&model.manifest_hash, &model.hash, parent.as_deref()))
    {
        let (model, _) = open.swap_remove(i);
        if !takedown.models.iter().any(|known| known.file == model.file && known.hash == model.hash) {
            takedown.models.push(model);
        }
    }
    takedown.models.sort_by(|a, b| a.file.cmp(&b.file));
    for name in studio.names(Kind::Run)? {
        let dir = studio.path(Kind::Run, &name)?;
        let (Some(counters), Ok(card)) = (Store::at(&dir).counters(), RunCard::load(&dir)) else { continue };
        let file = from_home(studio, &dir);
        let is_new = !takedown.runs.iter().any(|known| known.file == file);
        if is_new && takedown.blocks(&counters.dataset_hash, "", counters.parent.as_deref()) {
            let (manifest_hash, dataset) = (counters.dataset_hash, card.dataset);
            takedown.runs.push(Blocked { name, file, hash: String::new(), manifest_hash, dataset });
        }
    }
    Ok(())
}

/// A model file with the hash of the model it began from; none where it cannot be read, for then it cannot be used.
fn learner(studio: &Studio, name: String, path: &Path) -> Option<(Blocked, Option<String>)> {
    let model = Model::load(path).ok()?;
    let (hash, meta) = (model.hash(), model.meta);
    let (manifest_hash, dataset) = (meta.dataset.manifest_hash, meta.dataset.name);
    Some((Blocked { name, file: from_home(studio, path), hash, manifest_hash, dataset }, meta.parent))
}
