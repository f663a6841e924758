//! The training works of a dataset, ready to be searched for what a picture looks like. Describing them takes minutes, so it is done once:
//! the index is kept in the dataset's folder, and made anew where the dataset, the way of describing or the file itself is another.
use std::collections::BTreeMap;
use std::path::Path;

use pinxit_dataset::format::WORKS_FILE;
use pinxit_dataset::{Dataset, Record};
use pinxit_image::Picture;
use pinxit_nn::{Bound, FeatureNet};
use pinxit_tensor::Tensor;
use pinxit_train::batch::pm1_from_u8;
use pinxit_train::metrics::PART;
use pinxit_trust::originality::{Closest, Index, PictureOf, Works};

use crate::event::{Event, Task, Watcher};
use crate::{Error, Result};

/// Training pictures that are looked at, spread evenly over the collection: more would not fit a laptop's evening.
pub(crate) const MOST_WORKS: usize = 20_000;
/// Raised when features, small pictures or limit come out otherwise than before: indexes of earlier versions are made anew.
const INDEX_VERSION: u32 = 2;

/// Tells pictures by features.
pub(crate) struct Describer {
    net: FeatureNet,
    weights: Bound<Tensor>,
}

impl Describer {
    /// With the network that comes with the program.
    pub fn shipped() -> Result<Self> {
        let net = FeatureNet::shipped()?;
        let weights = net.weights().eager();
        Ok(Describer { net, weights })
    }

    /// Features of at most a part's worth of pictures, which are of one size.
    fn part(&self, pictures: &[Picture]) -> Tensor {
        let (h, w) = pictures.first().map_or((1, 1), |p| (p.height() as usize, p.width() as usize));
        let data = pictures.iter().flat_map(|p| p.pixels().iter().map(|&b| pm1_from_u8(b))).collect();
        self.net.describe(&self.weights, &Tensor::new(&[pictures.len(), h, w, 3], data))
    }

    /// Features `[n, 1280]` of `n` pictures of one size, at least one; `tick` is told how many are described, and may stop the work.
    pub fn describe(
        &self,
        n: usize,
        picture: impl Fn(usize) -> Result<Picture>,
        tick: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<Tensor> {
        let (mut rows, mut width) = (Vec::new(), 0);
        for start in (0..n).step_by(PART) {
            tick(start)?;
            let part = (start..n.min(start + PART)).map(&picture).collect::<Result<Vec<_>>>()?;
            let features = self.part(&part);
            width = features.shape()[1];
            rows.extend_from_slice(features.data());
        }
        Ok(Tensor::new(&[n, width], rows))
    }
}

/// The training works of a dataset, indexed.
pub(crate) struct TrainingWorks {
    dataset: Dataset,
    /// Place of each work among the dataset's pictures.
    rows: Vec<u32>,
    describer: Describer,
    index: Index,
}

impl TrainingWorks {
    /// Reads the index, or makes and keeps it; the dataset has pictures to learn from.
    pub fn open(dataset: &Dataset, task: Task, watcher: &mut dyn Watcher) -> Result<Self> {
        let (rows, describer) = (spread(dataset.train(), MOST_WORKS), Describer::shipped()?);
        let (key, path) = (key(dataset, &rows), dataset.dir().join(WORKS_FILE));
        let kept = fs_err::read(&path).ok();
        let kept = kept.and_then(|bytes| Index::from_bytes(&bytes, &key, rows.len(), pictures_of(dataset, &rows)));
        let index = match kept {
            Some(index) => index,
            None => {
                let index = make(dataset, &rows, &describer, task, watcher)?;
                keep(&path, &index.to_bytes(&key), watcher);
                index
            }
        };
        Ok(TrainingWorks { dataset: dataset.clone(), rows, describer, index })
    }

    /// The works themselves.
    pub fn works(&self) -> &Works {
        &self.index.works
    }

    /// Unlikeness below which a picture counts as a near copy.
    pub fn limit(&self) -> f64 {
        self.index.limit
    }

    /// What tells pictures by features.
    pub fn describer(&self) -> &Describer {
        &self.describer
    }

    /// Height and width of every work, px.
    pub fn resolution(&self) -> (usize, usize) {
        self.dataset.resolution()
    }

    /// Place of each work among the dataset's pictures.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// What is known of a work.
    pub fn record(&self, work: usize) -> &Record {
        self.dataset.record(self.rows[work] as usize)
    }

    /// The works that look closest to each picture, closest first, each work once though several pictures were cut from it. Pictures are of one size.
    pub fn ranked(&self, pictures: &[Picture]) -> Result<Vec<Vec<Closest>>> {
        if pictures.is_empty() {
            return Ok(Vec::new());
        }
        let features = self.describer.describe(pictures.len(), |i| Ok(pictures[i].clone()), &mut |_| Ok(()))?;
        let mut ranked = self.works().ranked(pictures, &features, None)?;
        for found in &mut ranked {
            let mut seen = std::collections::BTreeSet::new();
            found.retain(|c| seen.insert(self.record(c.work).blake3.as_str()));
        }
        Ok(ranked)
    }
}

/// Describes the works, and reads off them how close is too close.
fn make(dataset: &Dataset, rows: &[u32], describer: &Describer, task: Task, watcher: &mut dyn Watcher) -> Result<Index> {
    let picture = |i: usize| Ok(dataset.picture(rows[i] as usize)?);
    let features = describer
        .describe(rows.len(), picture, &mut |done| go_on(watcher, task, "describing the training works", done, rows.len()))?;
    let works = Works::new(features, groups(dataset, rows), pictures_of(dataset, rows))?;
    let phase = "finding how alike the training works are";
    match works.limit(&mut |done, total| go_on(watcher, task, phase, done, total).is_ok())? {
        Some(limit) => Ok(Index { works, limit }),
        None => Err(Error::Interrupted { resume: None }),
    }
}

/// Keeps the index for the next time. Where that cannot be, work goes on: it only takes longer.
fn keep(path: &Path, bytes: &[u8], watcher: &mut dyn Watcher) {
    if let Err(e) = pinxit_image::write_atomic(path, bytes) {
        let message = format!("the index of the training works cannot be kept ({e}): it will be made anew each time");
        watcher.event(Event::Warning { message, hint: None });
    }
}

/// Tells of progress; an error where the person wants to stop.
pub(crate) fn go_on(watcher: &mut dyn Watcher, task: Task, phase: &str, done: usize, total: usize) -> Result<()> {
    if watcher.stop() {
        watcher.event(Event::Interrupted { task, resume: None });
        return Err(Error::Interrupted { resume: None });
    }
    watcher.event(Event::Progress { task, phase: phase.into(), step: done as u64, total: total as u64 });
    Ok(())
}

/// What an index is made of: the dataset, its rows, and the way of describing.
fn key(dataset: &Dataset, rows: &[u32]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    hasher.update(format!("pinxit works {INDEX_VERSION} {}\n", dataset.manifest_hash()).as_bytes());
    rows.iter().for_each(|row| hasher.update(row.to_le_bytes()));
    hasher.finalize().into()
}

/// At most `most` of `rows`, evenly spread.
fn spread(rows: &[u32], most: usize) -> Vec<u32> {
    rows.iter().copied().step_by(rows.len().div_ceil(most).max(1)).collect()
}

/// Gives the pictures of some rows.
fn pictures_of(dataset: &Dataset, rows: &[u32]) -> PictureOf {
    let (dataset, rows) = (dataset.clone(), rows.to_vec());
    Box::new(move |work| {
        let (h, w) = dataset.resolution();
        Picture::new(w as u32, h as u32, dataset.pixels(rows[work] as usize).to_vec())
    })
}

/// The group of each picture as a number.
fn groups(dataset: &Dataset, rows: &[u32]) -> Vec<u32> {
    let mut numbers = BTreeMap::new();
    rows.iter()
        .map(|&i| {
            let next = numbers.len() as u32;
            *numbers.entry(dataset.record(i as usize).group.as_str()).or_insert(next)
        })
        .collect()
}
