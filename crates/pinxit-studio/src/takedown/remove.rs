//! The pixels go: out of every dataset of the home and its bin, out of unfinished imports, and off the sheets that show training works.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::find::{self, Shelved};
use super::register::{self, Takedown, TakenWork, from_home, shelves};
use crate::examine::Examination;
use crate::{Result, Studio, keys};

/// Takes the works out of everything that holds them; again and again does no harm. What is done is saved as it is done.
pub(super) fn everywhere(studio: &Studio, takedown: &mut Takedown) -> Result<()> {
    let examination = Examination { anchors: keys::anchors(studio)? };
    unfinished_imports(studio, &takedown.works, &examination)?;
    // Looked at anew: an import that was under way may have ended meanwhile.
    let (datasets, _) = find::datasets(studio)?;
    find::complete(studio, takedown, &datasets, &examination)?;
    register::save(studio, takedown)?;
    let why = format!("taken down on {}", takedown.day());
    for dataset in &datasets {
        let files: BTreeSet<String> = files_of(dataset, takedown, &examination);
        if !files.is_empty() {
            let after = pinxit_dataset::withdraw(&dataset.dir, &files, &why)?;
            let folder = from_home(studio, &dataset.dir);
            let mine = |from: &&mut register::TakenFrom| from.folder == folder && from.before == dataset.manifest;
            for from in takedown.datasets.iter_mut().filter(mine) {
                (from.after, from.done) = (after.clone(), true);
            }
            register::save(studio, takedown)?;
        }
    }
    settle(studio, takedown, &datasets)?;
    sheets(studio, takedown)
}

/// BLAKE3 of the files of a dataset that are taken down.
fn files_of(dataset: &Shelved, takedown: &Takedown, examination: &Examination) -> BTreeSet<String> {
    find::held(dataset, takedown, examination).into_iter().map(|work| work.identity.blake3.clone()).collect()
}

/// Datasets that an interrupted takedown had done, and not said so: where the folder holds another manifest now, that is the one after.
fn settle(studio: &Studio, takedown: &mut Takedown, datasets: &[Shelved]) -> Result<()> {
    for from in takedown.datasets.iter_mut().filter(|from| !from.done) {
        let now = datasets.iter().find(|dataset| from_home(studio, &dataset.dir) == from.folder);
        let dir = studio.home().join(&from.folder);
        if now.is_none() && dir.exists() {
            // It cannot be read, so nobody can say that the work is gone from it: this ends with the reason.
            pinxit_dataset::works_of(&dir)?;
        }
        (from.after, from.done) = (now.map(|dataset| dataset.manifest.clone()), true);
    }
    register::save(studio, takedown)
}

/// Unfinished imports that have read one of the works begin anew.
fn unfinished_imports(studio: &Studio, works: &[TakenWork], examination: &Examination) -> Result<()> {
    for shelf in shelves(studio) {
        for dir in pinxit_dataset::unfinished(&shelf)? {
            pinxit_dataset::forget_unfinished(&dir, &|found| {
                works.iter().any(|work| work.identity.same(found, examination).is_some())
            })?;
        }
    }
    Ok(())
}

/// The sheets of audits show training works beside painted pictures.
fn sheets(studio: &Studio, takedown: &Takedown) -> Result<()> {
    let mut folders = vec![studio.folder(crate::Kind::Model), studio.bin().join("models")];
    for runs in [studio.folder(crate::Kind::Run), studio.bin().join("runs")] {
        folders.extend(entries(&runs)?.into_iter().filter(|path| path.is_dir()));
    }
    for path in folders.iter().map(|folder| entries(folder)).collect::<Result<Vec<_>>>()?.concat() {
        let is_audit = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".audit.json"));
        if is_audit && is_about(&path, takedown) {
            for file in [path.with_extension("png"), path] {
                if file.exists() {
                    fs_err::remove_file(file)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether an audit held pictures against works of which some were taken down.
fn is_about(path: &Path, takedown: &Takedown) -> bool {
    let found: Option<serde_json::Value> = fs_err::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let hash = found.as_ref().and_then(|audit| audit["dataset_hash"].as_str());
    hash.is_some_and(|hash| takedown.datasets.iter().any(|from| from.before == hash))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    match fs_err::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        other => Ok(other?.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<_>>()?),
    }
}
