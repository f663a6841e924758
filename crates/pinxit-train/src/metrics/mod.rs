//! How good are the pictures? Several answers at once, because each alone can be fooled: KID alone selects collapsed
//! models (measured, RECIPE §7).
//!
//! All features are rows of a matrix `[pictures, features]`, `f32`. They come from MobileNetV2, so none of these numbers may
//! be compared with published ones taken on Inception, and a discriminator that looks through MobileNetV2 is flattered.
mod distribution;
mod evaluate;
mod labels;
mod learnt;
mod neighbours;
mod variety;

pub use distribution::{kid, sliced_wasserstein, swd_directions};
pub use evaluate::{Eye, LEAST, LEAST_PICTURES, PART, Reference, Report, Seen, evaluate};
pub use labels::ClassMeans;
pub use learnt::Learnt;
pub use neighbours::{Neighbours, distances, memorised, neighbours};
pub use variety::{self_nn, self_nn_ratio, thumbnails};

use pinxit_tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Neighbours in density and coverage, precision and recall.
pub const K: usize = 5;

/// One set of pictures measured against the real ones. `NaN`-free: what cannot be measured is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Kernel distance of MobileNetV2 features, unbiased: 0 is perfect, it may be slightly negative.
    pub kid: f64,
    /// Sliced Wasserstein distance of the features, squared: 0 is perfect.
    pub swd: f64,
    /// Share of fakes among the reals, 0..=1.
    pub precision: f64,
    /// Share of reals among the fakes, 0..=1.
    pub recall: f64,
    /// How densely the fakes sit among the reals; about 1 is real.
    pub density: f64,
    /// Share of reals with a fake close by, 0..=1: the variety.
    pub coverage: f64,
    /// Share of fakes nearer to a real picture than 99 % of reals are to each other, 0..=1.
    pub memorised: f64,
    /// Distance of fakes to each other against that of reals, per class: below 0.5 is collapse.
    pub self_nn: f64,
    /// The same of the class that varies least; absent without classes.
    #[serde(default)]
    pub self_nn_lowest: Option<f64>,
    /// Share of fakes that look like the class asked for, 0..=1; absent without classes.
    pub label_accuracy: Option<f64>,
}

/// Everything that follows from features alone; `self_nn` and `label_accuracy` are left for the caller.
pub fn feature_measures(real: &Tensor, fake: &Tensor) -> Measures {
    let n = neighbours(real, fake, K);
    Measures {
        kid: kid(real, fake),
        swd: sliced_wasserstein(real, fake, &swd_directions(real.shape()[1])),
        precision: n.precision,
        recall: n.recall,
        density: n.density,
        coverage: n.coverage,
        memorised: n.memorised,
        ..Measures::default()
    }
}
