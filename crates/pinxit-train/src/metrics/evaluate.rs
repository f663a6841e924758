//! A generator against a collection: the whole table, with what real pictures themselves would score.
use super::{ClassMeans, Learnt, Measures, feature_measures, memorised, self_nn, self_nn_ratio, thumbnails};
use crate::batch::{self, pm1_from_u8, u8_from_pm1};
use crate::{Error, Result, paint};
use pinxit_dataset::Dataset;
use pinxit_nn::{FeatureNet, Generator, Labels, Weights};
use pinxit_tensor::{Array, Rng, Tensor};
use serde::{Deserialize, Serialize};

/// Fewer pictures say nothing.
pub const LEAST: usize = 20;
/// Training pictures that a dataset needs to be measured on: two halves.
pub const LEAST_PICTURES: usize = 2 * LEAST;
/// Pictures described at once.
pub const PART: usize = 32;

/// What the metrics look through.
#[derive(Clone, Copy)]
pub enum Eye<'a> {
    /// MobileNetV2, as shipped.
    Shipped(&'a FeatureNet),
    /// A network taught on the collection itself.
    Learnt(&'a Learnt),
}

impl Eye<'_> {
    /// Its name for people.
    fn name(&self) -> String {
        match self {
            Eye::Shipped(_) => "MobileNetV2 (ImageNet), 128 px, 1280 features".into(),
            Eye::Learnt(learnt) => learnt.name(),
        }
    }

    /// Features of pictures `[n, h, w, 3]` in -1..1, as rows.
    fn describe(&self, x: &Tensor) -> Tensor {
        match self {
            Eye::Shipped(net) => net.describe(&net.weights().eager(), x),
            Eye::Learnt(learnt) => learnt.describe(x),
        }
    }
}

/// Real pictures as the metrics see them: a half to compare with, and another half that tells what reals score.
pub struct Reference<'a> {
    eye: Eye<'a>,
    labels: Labels,
    real: Tensor,
    others: Tensor,
    /// Both halves together, for the memorisation rate.
    all: Tensor,
    variety: Vec<(u32, f64)>,
    /// The variety without regard to classes, for pictures that have none.
    variety_of_all: Vec<(u32, f64)>,
    classes: usize,
    judge: Option<ClassMeans>,
    floor: Measures,
}

impl<'a> Reference<'a> {
    /// Describes two random halves of at most `pictures` training pictures each.
    pub fn new(dataset: &Dataset, eye: Eye<'a>, pictures: usize, seed: u64) -> Result<Self> {
        let mut rows = dataset.train().to_vec();
        let n = pictures.min(rows.len() / 2);
        if n < LEAST {
            return Err(Error::TooFew { what: "measuring", needed: LEAST_PICTURES, found: rows.len() });
        }
        Rng::stream(seed, "evaluation halves").shuffle(&mut rows);
        let half = |rows: &[u32]| {
            let mut seen = Seen::default();
            for part in rows.chunks(PART) {
                let x = batch::pictures(dataset, part);
                seen.features.add(&eye.describe(&x));
                seen.thumbs.add(&thumbnails(&x));
            }
            (seen.features.rows(), seen.thumbs.rows(), batch::labels(dataset, rows))
        };
        let (real, thumbs, labels) = half(&rows[..n]);
        let (others, other_thumbs, other_labels) = half(&rows[n..2 * n]);
        let classes = dataset.classes().len();
        let judge = (classes > 1).then(|| ClassMeans::learn(&real, &labels.class, classes));
        let variety = self_nn(&thumbs, &labels.class);
        let variety_of_all = self_nn(&thumbs, &vec![0; n]);
        let ratio = self_nn_ratio(&variety, &self_nn(&other_thumbs, &other_labels.class));
        let floor = Measures {
            self_nn: ratio.map_or(0.0, |r| r.0),
            self_nn_lowest: judge.as_ref().and(ratio).map(|r| r.1),
            label_accuracy: judge.as_ref().map(|j| accuracy(j, &others, &other_labels.class, classes)),
            ..feature_measures(&real, &others)
        };
        let all = Tensor::concat(&[real.clone(), others.clone()], 0);
        Ok(Reference { eye, labels, real, others, all, variety, variety_of_all, classes, judge, floor })
    }

    /// Pictures in each half.
    pub fn pictures(&self) -> usize {
        self.labels.len()
    }

    /// What the second half of the reals scores against the first: no generator can expect more.
    pub fn floor(&self) -> Measures {
        self.floor
    }

    /// Features of the second half, `[n, 1280]`.
    pub fn others(&self) -> &Tensor {
        &self.others
    }

    /// Measures as many fakes as there are reals in a half, with the same labels. Fakes are rounded to bytes first, as a saved
    /// picture would be.
    pub fn measure(&self, generator: &Generator, weights: &Weights, seed: u64) -> Measures {
        let z = Rng::stream(seed, "evaluation latents").normal_tensor(&[self.labels.len(), generator.config.z_dim]);
        let mut fakes = Seen::default();
        paint::show(generator, weights, &z, &self.labels, |mut x| {
            x.data_mut().iter_mut().for_each(|v| *v = pm1_from_u8(u8_from_pm1(*v)));
            self.look(&mut fakes, &x);
        });
        self.judge(fakes, &self.labels.class)
    }

    /// Adds pictures `[n, h, w, 3]` in -1..1 to those seen so far.
    pub fn look(&self, seen: &mut Seen, x: &Tensor) {
        seen.features.add(&self.eye.describe(x));
        seen.thumbs.add(&thumbnails(x));
    }

    /// Measures pictures that were looked at, whoever made them. `class`: one entry a picture, the number of classes for none. Where
    /// none has a class, variety is measured among all of them, and there is no accuracy.
    pub fn judge(&self, fakes: Seen, class: &[u32]) -> Measures {
        let (fake, thumbs) = (fakes.features.rows(), fakes.thumbs.rows());
        let unsaid = class.iter().all(|&c| c as usize >= self.classes);
        let ratio = if unsaid {
            self_nn_ratio(&self.variety_of_all, &self_nn(&thumbs, &vec![0; class.len()]))
        } else {
            self_nn_ratio(&self.variety, &self_nn(&thumbs, class))
        };
        let judge = self.judge.as_ref().filter(|_| !unsaid);
        Measures {
            memorised: memorised(&self.all, &fake),
            self_nn: ratio.map_or(0.0, |r| r.0),
            self_nn_lowest: judge.and(ratio).map(|r| r.1),
            label_accuracy: judge.map(|j| accuracy(j, &fake, class, self.classes)),
            ..feature_measures(&self.real, &fake)
        }
    }

    /// The table of sets measured against these reals.
    pub fn report(&self, seeds: &[u64], fake: Vec<Measures>) -> Report {
        let (mean, spread) = summarise(&fake);
        let (features, pictures, real) = (self.eye.name(), self.pictures(), self.floor());
        Report { features, pictures, seeds: seeds.to_vec(), fake, mean, spread, real, learnt: None }
    }
}

/// What the metrics keep of pictures.
#[derive(Default)]
pub struct Seen {
    features: Collector,
    thumbs: Collector,
}

/// Accuracy over the pictures that have a class.
fn accuracy(judge: &ClassMeans, features: &Tensor, class: &[u32], classes: usize) -> f64 {
    let rows: Vec<usize> = (0..class.len()).filter(|&i| (class[i] as usize) < classes).collect();
    let wanted: Vec<u32> = rows.iter().map(|&i| class[i]).collect();
    judge.accuracy(&super::variety::take(features, &rows), &wanted)
}

/// Rows put together from parts.
#[derive(Default)]
struct Collector {
    width: usize,
    data: Vec<f32>,
}

impl Collector {
    fn add(&mut self, rows: &Tensor) {
        self.width = rows.shape()[1];
        self.data.extend_from_slice(rows.data());
    }
    fn rows(self) -> Tensor {
        Tensor::new(&[self.data.len() / self.width.max(1), self.width], self.data)
    }
}

/// The table of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What the figures are taken on.
    pub features: String,
    /// Fakes in each set, and reals they are compared with.
    pub pictures: usize,
    /// Seeds of the sets of fakes; none for pictures that were found.
    pub seeds: Vec<u64>,
    /// One entry a seed.
    pub fake: Vec<Measures>,
    /// Mean over the seeds.
    pub mean: Measures,
    /// Standard deviation over the seeds.
    pub spread: Measures,
    /// Real against real.
    pub real: Measures,
    /// The same in the features of a network taught on the collection, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learnt: Option<Box<Report>>,
}

/// Measures `weights` (the average) on `pictures` fakes for each of `seeds`. `progress(done, total)` after each part.
pub fn evaluate(
    generator: &Generator,
    weights: &Weights,
    dataset: &Dataset,
    eye: Eye<'_>,
    pictures: usize,
    seeds: &[u64],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Report> {
    let total = seeds.len() + 1;
    progress(0, total);
    let reference = Reference::new(dataset, eye, pictures, 0)?;
    progress(1, total);
    let mut fake = Vec::new();
    for &seed in seeds {
        fake.push(reference.measure(generator, weights, seed));
        progress(fake.len() + 1, total);
    }
    Ok(reference.report(seeds, fake))
}

/// Mean and standard deviation of every figure.
fn summarise(all: &[Measures]) -> (Measures, Measures) {
    let n = all.len().max(1) as f64;
    let both = |get: &dyn Fn(&Measures) -> f64| {
        let mean = all.iter().map(get).sum::<f64>() / n;
        (mean, (all.iter().map(|m| (get(m) - mean).powi(2)).sum::<f64>() / n).sqrt())
    };
    let (kid, swd, precision, recall) = (both(&|m| m.kid), both(&|m| m.swd), both(&|m| m.precision), both(&|m| m.recall));
    let (density, coverage, memorised) = (both(&|m| m.density), both(&|m| m.coverage), both(&|m| m.memorised));
    let (variety, lowest) = (both(&|m| m.self_nn), both(&|m| m.self_nn_lowest.unwrap_or(0.0)));
    let labels = both(&|m| m.label_accuracy.unwrap_or(0.0));
    let labelled = all.iter().all(|m| m.label_accuracy.is_some());
    let by_class = all.iter().all(|m| m.self_nn_lowest.is_some());
    let pick = |first: bool| {
        let of = |(mean, spread): (f64, f64)| if first { mean } else { spread };
        Measures {
            kid: of(kid),
            swd: of(swd),
            precision: of(precision),
            recall: of(recall),
            density: of(density),
            coverage: of(coverage),
            memorised: of(memorised),
            self_nn: of(variety),
            self_nn_lowest: by_class.then(|| of(lowest)),
            label_accuracy: labelled.then(|| of(labels)),
        }
    };
    (pick(true), pick(false))
}
