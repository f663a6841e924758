//! From packed bytes to the pictures and labels of one step.
use crate::{TrainConfig, state::State};
use pinxit_dataset::{Batches, Dataset, Split};
use pinxit_nn::Labels;
use pinxit_tensor::{Rng, Tensor};
use std::collections::BTreeMap;

/// Real pictures `[n, h, w, 3]` in -1..1 and their labels.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The pictures.
    pub pictures: Tensor,
    /// Their labels, some hidden.
    pub labels: Labels,
}

/// Draws batches: a pure function of (seed, step).
pub struct Sampler<'a> {
    dataset: &'a Dataset,
    order: Batches,
    /// Training pictures by (class, style).
    members: BTreeMap<(Option<u32>, Option<u32>), Vec<u32>>,
}

impl<'a> Sampler<'a> {
    /// A sampler over the training side of `dataset`.
    pub fn new(dataset: &'a Dataset, config: &TrainConfig) -> Self {
        let mut members: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for &i in dataset.train() {
            members.entry((dataset.class(i as usize), dataset.style(i as usize))).or_default().push(i);
        }
        Sampler { dataset, order: Batches::new(dataset, config.seed, config.balance, Split::Train), members }
    }

    /// The batch of the present step.
    pub fn next(&self, config: &TrainConfig, state: &State) -> Batch {
        let mut rng = state.rng(config.seed, "batch");
        let group = config.group.max(1);
        let anchors = self.order.indices(state.counters.shown / group as u64, config.batch / group);
        let (mut rows, mut hidden) = (Vec::with_capacity(config.batch), Vec::with_capacity(config.batch));
        for anchor in anchors {
            let hide = Hidden::draw(self.dataset, config, &mut rng);
            rows.push(anchor);
            for _ in 1..group {
                rows.push(self.mate(anchor, hide, &mut rng));
            }
            hidden.extend(std::iter::repeat_n(hide, group));
        }
        Batch { pictures: pictures(self.dataset, &rows), labels: partly_hidden(self.dataset, &rows, &hidden) }
    }

    /// Another picture of the same class and style; where neither is said, any picture.
    fn mate(&self, anchor: u32, hide: Hidden, rng: &mut Rng) -> u32 {
        let i = anchor as usize;
        let all = self.dataset.train();
        let unsaid = hide.class && hide.style;
        let pool = if unsaid { None } else { self.members.get(&(self.dataset.class(i), self.dataset.style(i))) };
        let pool = pool.map_or(all, Vec::as_slice);
        pool[rng.below(pool.len())]
    }
}

/// Pictures of these rows, `[n, h, w, 3]` in -1..1.
pub fn pictures(dataset: &Dataset, rows: &[u32]) -> Tensor {
    let (h, w) = dataset.resolution();
    let mut out = Tensor::zeros(&[rows.len(), h, w, 3]);
    crate::parallel::chunks(out.data_mut(), h * w * 3, |i, picture| {
        let bytes = dataset.pixels(rows[i] as usize);
        picture.iter_mut().zip(bytes).for_each(|(v, &b)| *v = pm1_from_u8(b));
    });
    out
}

/// -1..=1 from 0..=255.
pub fn pm1_from_u8(b: u8) -> f32 {
    f32::from(b) * (1.0 / 127.5) - 1.0
}

/// 0..=255 from -1..=1, rounded; what lies outside is held.
pub fn u8_from_pm1(v: f32) -> u8 {
    ((v.clamp(-1.0, 1.0) + 1.0) * 127.5).round() as u8
}

/// Labels of these rows; "no label" where the picture has none.
pub fn labels(dataset: &Dataset, rows: &[u32]) -> Labels {
    partly_hidden(dataset, rows, &vec![Hidden::default(); rows.len()])
}

/// What is not said of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hidden {
    class: bool,
    style: bool,
    words: bool,
}

impl Hidden {
    /// All with probability `label_dropout`. Where captions are learnt, also one of class and words alone, each as often again: a
    /// prompt may name no class, and a class may be asked for without a prompt.
    fn draw(dataset: &Dataset, config: &TrainConfig, rng: &mut Rng) -> Self {
        if rng.chance(config.label_dropout) {
            return Hidden { class: true, style: true, words: true };
        }
        if dataset.words().is_empty() {
            return Hidden::default();
        }
        let (class, words) = (rng.chance(2.0 * config.label_dropout), rng.chance(2.0 * config.label_dropout));
        Hidden { class: class && !words, style: false, words }
    }
}

/// Labels of these rows without what is hidden.
fn partly_hidden(dataset: &Dataset, rows: &[u32], hidden: &[Hidden]) -> Labels {
    let (classes, styles) = (dataset.classes().len() as u32, dataset.styles().len() as u32);
    let all = || rows.iter().map(|&r| r as usize).zip(hidden);
    let shown = |label: Option<u32>, hidden: bool, none: u32| label.filter(|&l| !hidden && l < none).unwrap_or(none);
    Labels {
        class: all().map(|(r, h)| shown(dataset.class(r), h.class, classes)).collect(),
        style: all().map(|(r, h)| shown(dataset.style(r), h.style, styles)).collect(),
        words: all().map(|(r, h)| if h.words { Vec::new() } else { dataset.words_of(r).to_vec() }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_the_way_there_and_back() {
        for b in 0..=255u8 {
            assert_eq!(u8_from_pm1(pm1_from_u8(b)), b);
        }
        assert_eq!((u8_from_pm1(-7.0), u8_from_pm1(7.0)), (0, 255));
    }
}
