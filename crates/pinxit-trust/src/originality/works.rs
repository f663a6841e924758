//! The works a model has seen, and which of them is closest to a picture.
//!
//! Features and small pictures propose a few works; laying the picture over each of them ([`likeness`](super::likeness)) decides. How
//! close is too close is read off the works themselves: hardly any of them comes as near to a work of another group.
use std::sync::{Mutex, OnceLock};

use pinxit_image::{Error, Picture, Window, resize};
use pinxit_tensor::{Tensor, pool};

use super::copying::quantile;
use super::likeness::{Seen, Summed};
use super::nearest::{Rows, nearest_rows};

type Result<T> = std::result::Result<T, Error>;

/// Works proposed by features.
const BY_FEATURES: usize = 8;
/// Small pictures of works, whole or windows, whose works are proposed: for the picture and for its mirror image each.
const BY_PIXELS: usize = 6;
/// Side of the small pictures, px.
const THUMB: u32 = 8;
/// Numbers of a small picture.
pub(super) const THUMB_LEN: usize = (THUMB * THUMB * 3) as usize;
/// Side of the windows of which there are small pictures too, as a share of the work's, in tenths. Without them 72 % of 200 planted windows of that
/// size were found, among 1,644 landscapes.
const WINDOW_TENTHS: u32 = 8;
/// Windows along each side.
const WINDOWS: u32 = 3;
/// Small pictures of a work: all of it, and its windows.
pub(super) const LOOKS: usize = 1 + (WINDOWS * WINDOWS) as usize;
/// Share of works that come nearer to a work of another group than the limit: one in a thousand would be blocked wrongly (TRUST.md §3).
const WRONGLY: f64 = 0.001;
/// Works from which the limit is read at most; each takes a few milliseconds.
const CALIBRATION: usize = 2000;
/// Works between two questions whether to go on.
const CALIBRATED_AT_ONCE: usize = 64;
/// Where works are few, or many are variants of each other, the quantile says little. Below the first a picture is the work saved anew (every
/// JPEG of quality 50 of 200 emoji of 64 px lay below 0.2: docs/originality.md), and counts as a copy whatever the works are like; above the second
/// more than an eighth of the variance differs, and it counts as none.
const LIMITS: (f64, f64) = (0.2, 0.5);

/// Gives the picture of a work by its place; asked from any thread.
pub type PictureOf = Box<dyn Fn(usize) -> Result<Picture> + Send + Sync>;

/// Works, each with its features, its look at several scales, and its group: pictures that belong together (patches of a work, a
/// drawing in several colours).
pub struct Works {
    features: Rows,
    /// `[n * 10, 192]`: each work, then its windows.
    thumbs: Rows,
    /// Made where a work is first proposed: 50 kB each, and most searches need few of them.
    summed: Vec<OnceLock<Summed>>,
    groups: Vec<u32>,
    picture_of: PictureOf,
}

/// The closest work to a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closest {
    /// Its place among the works.
    pub work: usize,
    /// Unlikeness: 0 for a copy, about 1.4 for nothing in common.
    pub unlikeness: f64,
}

impl Works {
    /// Of works with their features `[n, d]` and groups.
    ///
    /// # Errors
    /// As [`pinxit_image::resize`], and what `picture_of` gives.
    pub fn new(features: Tensor, groups: Vec<u32>, picture_of: PictureOf) -> Result<Self> {
        assert!(features.shape()[0] == groups.len(), "one row and one group a work");
        let looks = each(groups.len(), |i| looks(&picture_of(i)?)).into_iter().collect::<Result<Vec<_>>>()?;
        let thumbs = thumbs(&looks.concat())?;
        Ok(Self::of_parts(features, thumbs, groups, picture_of))
    }

    /// Of what [`Works::new`] makes.
    pub(super) fn of_parts(features: Tensor, thumbs: Tensor, groups: Vec<u32>, picture_of: PictureOf) -> Self {
        let summed = groups.iter().map(|_| OnceLock::new()).collect();
        Works { features: Rows::new(features), thumbs: Rows::new(thumbs), summed, groups, picture_of }
    }

    /// Number of works.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// True if there is no work.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Features of the works, `[n, d]`.
    pub fn features(&self) -> &Tensor {
        self.features.table()
    }

    /// Small pictures, `[n * 10, 192]`, 0…1.
    pub(super) fn thumbs(&self) -> &Tensor {
        self.thumbs.table()
    }

    /// Group of each work.
    pub(super) fn groups(&self) -> &[u32] {
        &self.groups
    }

    /// The picture of a work.
    ///
    /// # Errors
    /// What the giver of pictures says.
    pub fn picture(&self, work: usize) -> Result<Picture> {
        (self.picture_of)(work)
    }

    /// The closest work to each of `pictures` with features `[n, d]`; works of the group named in `except` do not count.
    ///
    /// # Errors
    /// As [`pinxit_image::resize`].
    pub fn closest(&self, pictures: &[Picture], features: &Tensor, except: Option<&[u32]>) -> Result<Vec<Option<Closest>>> {
        Ok(self.ranked(pictures, features, except)?.into_iter().map(|found| found.first().copied()).collect())
    }

    /// The dozen works that look closest to each of `pictures`, closest first; otherwise as [`Works::closest`].
    ///
    /// # Errors
    /// As [`pinxit_image::resize`].
    pub fn ranked(&self, pictures: &[Picture], features: &Tensor, except: Option<&[u32]>) -> Result<Vec<Vec<Closest>>> {
        let skip = |i: usize, j: usize| except.is_some_and(|groups| groups[i] == self.groups[j]);
        let mirrored: Vec<Picture> = pictures.iter().map(Picture::flip_horizontal).collect();
        let mut proposed = nearest_rows(features, &self.features, BY_FEATURES, skip);
        for way in [pictures, &mirrored] {
            let by_pixels = nearest_rows(&thumbs(way)?, &self.thumbs, BY_PIXELS, |i, look| skip(i, look / LOOKS));
            for (all, more) in proposed.iter_mut().zip(by_pixels) {
                all.extend(more.into_iter().map(|(look, distance)| (look / LOOKS, distance)));
            }
        }
        let of = |i: usize| -> Result<Vec<Closest>> {
            let seen = Seen::new(&pictures[i])?;
            let mut works: Vec<usize> = proposed[i].iter().map(|p| p.0).collect();
            works.sort_unstable();
            works.dedup();
            let closest = |work| Ok(Closest { work, unlikeness: seen.unlikeness(self.summed(work)?) });
            let mut found = works.into_iter().map(closest).collect::<Result<Vec<_>>>()?;
            found.sort_by(|a, b| a.unlikeness.total_cmp(&b.unlikeness));
            Ok(found)
        };
        each(pictures.len(), of).into_iter().collect()
    }

    fn summed(&self, work: usize) -> Result<&Summed> {
        if let Some(summed) = self.summed[work].get() {
            return Ok(summed);
        }
        let made = Summed::new(&self.picture(work)?)?;
        Ok(self.summed[work].get_or_init(|| made))
    }

    /// The unlikeness below which a picture counts as a copy: one in a thousand works comes nearer to a work of another group, but at least 0.2
    /// and at most 0.5. `go_on` is told how many of how many works are done, and ends the search with `false`: then there is none.
    ///
    /// # Errors
    /// As [`pinxit_image::resize`].
    pub fn limit(&self, go_on: &mut dyn FnMut(usize, usize) -> bool) -> Result<Option<f64>> {
        // Evenly spread, so that no class is left out.
        let step = self.len().div_ceil(CALIBRATION).max(1);
        let chosen: Vec<usize> = (0..self.len()).step_by(step).collect();
        let mut distances: Vec<f32> = Vec::new();
        for (i, part) in chosen.chunks(CALIBRATED_AT_ONCE).enumerate() {
            if !go_on(i * CALIBRATED_AT_ONCE, chosen.len()) {
                return Ok(None);
            }
            let some = part.iter().map(|&work| self.picture(work)).collect::<Result<Vec<_>>>()?;
            let groups: Vec<u32> = part.iter().map(|&work| self.groups[work]).collect();
            let found = self.closest(&some, &rows(self.features(), part), Some(&groups))?;
            distances.extend(found.into_iter().flatten().map(|c| c.unlikeness as f32));
        }
        Ok(Some(quantile(&distances, WRONGLY).clamp(LIMITS.0, LIMITS.1)))
    }
}

/// A work, and windows of it side by side, small.
fn looks(work: &Picture) -> Result<Vec<Picture>> {
    let mut out = vec![resize(work, THUMB, THUMB)?];
    let part = |side: u32| (side * WINDOW_TENTHS / 10).max(1);
    let (width, height) = (part(work.width()), part(work.height()));
    let place = |free: u32, k: u32| free * k / (WINDOWS - 1);
    for k in 0..WINDOWS * WINDOWS {
        let (x, y) = (place(work.width() - width, k % WINDOWS), place(work.height() - height, k / WINDOWS));
        out.push(resize(&work.crop(Window { x, y, width, height })?, THUMB, THUMB)?);
    }
    Ok(out)
}

/// Small pictures as rows `[n, 192]`, 0…1.
fn thumbs(pictures: &[Picture]) -> Result<Tensor> {
    let mut all = Vec::with_capacity(pictures.len() * THUMB_LEN);
    for picture in pictures {
        all.extend(resize(picture, THUMB, THUMB)?.pixels().iter().map(|&v| f32::from(v) / 255.0));
    }
    Ok(Tensor::new(&[pictures.len(), THUMB_LEN], all))
}

fn rows(t: &Tensor, chosen: &[usize]) -> Tensor {
    let d = t.shape()[1];
    let data = chosen.iter().flat_map(|&i| t.data()[i * d..][..d].iter().copied()).collect();
    Tensor::new(&[chosen.len(), d], data)
}

/// `job(0)`, `job(1)`, …, on all threads.
fn each<T: Send>(n: usize, job: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let found: Vec<Mutex<Option<T>>> = (0..n).map(|_| Mutex::new(None)).collect();
    pool::tasks(n, |i| {
        let value = job(i);
        // Each index is handed out once, so the lock is free; a poisoned one belongs to a panic already on its way.
        if let Ok(mut place) = found[i].lock() {
            *place = Some(value);
        }
    });
    found.into_iter().filter_map(|place| place.into_inner().ok().flatten()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Works alone in their groups.
    pub fn index(works: &[Picture]) -> Works {
        Works::new(features(works), (0..works.len() as u32).collect(), giver(works)).unwrap()
    }

    pub fn giver(works: &[Picture]) -> PictureOf {
        let works = works.to_vec();
        Box::new(move |i| Ok(works[i].clone()))
    }

    /// Two colours in stripes whose width, slope and colours follow from the seed.
    pub fn picture(seed: u32) -> Picture {
        let noise = |i: u32| (seed.wrapping_mul(2_654_435_761).wrapping_add(i.wrapping_mul(40_503)) >> 9) & 0xff;
        let [a, b] = [[noise(1) as u8, noise(2) as u8, noise(3) as u8], [noise(4) as u8, noise(5) as u8, noise(6) as u8]];
        let (slope, width) = (noise(7) % 5, 6 + noise(8) % 17);
        Picture::from_fn(64, 64, |x, y| if ((x * slope + y * 3) / width).is_multiple_of(2) { a } else { b })
    }

    /// What a feature network would say, roughly: a very small picture.
    pub fn features(pictures: &[Picture]) -> Tensor {
        let data = pictures.iter().flat_map(|p| resize(p, 2, 2).unwrap().into_pixels()).map(f32::from).collect();
        Tensor::new(&[pictures.len(), 12], data)
    }

    #[test]
    fn the_work_that_was_copied_is_found_and_the_limit_lies_between() {
        let works: Vec<Picture> = (0..120).map(picture).collect();
        let index = index(&works);
        let limit = index.limit(&mut |_, _| true).unwrap().unwrap();
        assert_eq!(index.limit(&mut |done, _| done == 0).unwrap(), None, "it stops where it is asked to");
        let copies: Vec<Picture> = (0..40u32)
            .map(|i| match i % 3 {
                0 => works[i as usize].clone(),
                1 => works[i as usize].flip_horizontal(),
                _ => works[i as usize].crop(Window { x: i % 12, y: i % 10, width: 52, height: 52 }).unwrap(),
            })
            .collect();
        let found = index.closest(&copies, &features(&copies), None).unwrap();
        let right = found.iter().enumerate().filter(|(i, c)| c.is_some_and(|c| c.work == *i)).count();
        assert!(right >= 38, "{right} of 40");
        let exact = found[0].unwrap();
        assert!(exact.unlikeness < limit && limit > 0.0, "{exact:?}, limit {limit}");
        let others = index.closest(&works[..1], &features(&works[..1]), Some(&[0])).unwrap()[0].unwrap();
        assert!(others.work != 0, "its own group does not count");
    }

    /// Two works with nothing in common would otherwise make a copy of everything that is a little like one of them; of equal ones none would
    /// be a copy.
    #[test]
    fn the_limit_has_bounds_where_works_are_few_or_alike() {
        let limit = |works: &[Picture]| index(works).limit(&mut |_, _| true).unwrap().unwrap();
        assert_eq!(limit(&[picture(1), picture(2), picture(3)]), LIMITS.1);
        assert_eq!(limit(&[picture(1), picture(1), picture(1)]), LIMITS.0);
        assert_eq!(limit(&[picture(1)]), LIMITS.0, "no other to compare with");
    }
}
