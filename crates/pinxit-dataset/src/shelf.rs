//! All datasets of a home, and looking at one.

use std::path::Path;

use fs_err as fs;
use pinxit_image::{Picture, grid};

use crate::batches::mix;
use crate::dataset::{Dataset, read_dataset_file};
use crate::error::{Error, Result};
use crate::format::DatasetFile;
use crate::place::{Place, check_name};

/// Space between the pictures of a contact sheet, px.
const GAP_PX: u32 = 2;

/// A dataset in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The folder's name, by which it is called.
    pub name: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// What `dataset.json` says, or why it cannot be read.
    pub state: std::result::Result<DatasetFile, String>,
}

/// The datasets in the folder `datasets`, by name; an absent folder holds none. Damaged ones are listed as such; other folders are not.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be read.
pub fn list(datasets: &Path) -> Result<Vec<Summary>> {
    if !datasets.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(datasets)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if check_name(&name).is_err() || !entry.path().is_dir() {
            continue;
        }
        match read_dataset_file(&entry.path()) {
            Err(Error::NotADataset(_)) => {}
            state => found.push(Summary { name, bytes: size(&entry.path())?, state: state.map_err(|e| e.to_string()) }),
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Moves the dataset in folder `dir` to `to`, on the same disk, and removes what an interrupted import into that name left. Nothing
/// but a dataset is ever moved.
///
/// # Errors
/// [`Error::NotADataset`]; [`Error::Locked`] while an import into it runs; [`Error::Io`].
pub fn remove(dir: &Path, to: &Path) -> Result<()> {
    let place = Place::take(dir, true)?;
    fs::rename(dir, to)?;
    place.discard()
}

fn size(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

impl Dataset {
    /// A sheet of up to `n` pictures that stand for the collection: always the same ones, drawn evenly from its classes in turn.
    ///
    /// # Errors
    /// [`Error::Image`] when the sheet would be too large.
    pub fn contact_sheet(&self, n: usize) -> Result<Picture> {
        let chosen = self.sample(n.clamp(1, 4096));
        let pictures: Vec<Picture> = chosen.iter().map(|&i| self.picture(i)).collect::<Result<_>>()?;
        let (h, w) = self.resolution();
        // Columns that make the sheet about square.
        let columns = ((pictures.len() * h) as f64 / w as f64).sqrt().ceil().max(1.0) as usize;
        Ok(grid(&pictures, columns, GAP_PX)?)
    }

    /// Up to `n` indices: classes in turn, works of a class in a fixed mixed order, one picture of each work before a second.
    fn sample(&self, n: usize) -> Vec<usize> {
        let mut seen = std::collections::HashMap::new();
        let mut order: Vec<(u64, u64, usize)> = (0..self.len())
            .map(|i| {
                let nth = seen.entry(self.record(i).blake3.as_str()).and_modify(|n| *n += 1).or_insert(0u64);
                (*nth, mix(i as u64), i)
            })
            .collect();
        order.sort_unstable();
        let mut by_class: std::collections::BTreeMap<Option<u32>, std::collections::VecDeque<usize>> = Default::default();
        for (_, _, i) in order {
            by_class.entry(self.class(i)).or_default().push_back(i);
        }
        let mut chosen = Vec::new();
        while chosen.len() < n.min(self.len()) {
            for queue in by_class.values_mut() {
                chosen.extend(queue.pop_front());
            }
        }
        chosen.truncate(n);
        chosen
    }
}
