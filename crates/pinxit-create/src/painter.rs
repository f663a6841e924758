//! One model, ready to paint recipes.
use std::collections::BTreeMap;
use std::sync::OnceLock;

use pinxit_image::Picture;
use pinxit_nn::{Bound, Generator, Labels, Model, Vocabulary};
use pinxit_tensor::{Array, Rng, Tensor, pool};

use crate::{Error, ModelRef, Prompt, Recipe, Result};

/// Latents averaged for the mean w of a label: 4096 puts its error near 1.5 % of the spread of w.
const MEAN_SAMPLES: usize = 4096;
/// Latents mapped at once for the mean.
const MEAN_BATCH: usize = 256;
/// Seed of the latents behind the mean w; part of what a recipe means, never to change within recipe version 1.
const MEAN_SEED: u64 = 0;

/// Class and style as the network counts them (the count itself means "no label"), and words.
type LabelSet = (u32, u32, Vec<u32>);

/// One model, ready to paint.
pub struct Painter {
    model: ModelRef,
    generator: Generator,
    classes: Vec<String>,
    styles: Vec<String>,
    vocabulary: Vocabulary,
    dataset_manifest: String,
    class_counts: Vec<usize>,
    style_counts: Vec<usize>,
    weights: Bound<Tensor>,
    means: BTreeMap<LabelSet, Tensor>,
}

impl Painter {
    /// Takes a model that was read and checked by `pinxit-nn`. `name` goes into recipes, for people.
    pub fn open(model: Model, name: &str) -> Self {
        let (hash, generator) = (model.hash().to_string(), Generator::new(model.generator));
        Painter {
            model: ModelRef { hash, name: name.into() },
            classes: model.meta.classes.clone(),
            styles: model.meta.styles.clone(),
            vocabulary: Vocabulary::new(model.meta.words.clone()),
            dataset_manifest: model.meta.dataset.manifest_hash.clone(),
            class_counts: model.meta.dataset.class_counts.clone(),
            style_counts: model.meta.dataset.style_counts.clone(),
            weights: generator.plan(&model.weights),
            generator,
            means: BTreeMap::new(),
        }
    }

    /// What this model is called in recipes.
    pub fn model(&self) -> &ModelRef {
        &self.model
    }
    /// Hash of the manifest of the dataset it learnt from; empty where the model does not say.
    pub fn dataset_manifest(&self) -> &str {
        &self.dataset_manifest
    }
    /// Class names, in the order of training.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }
    /// Style names, in the order of training.
    pub fn styles(&self) -> &[String] {
        &self.styles
    }
    /// The words it reads; none where it learnt no captions.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }
    /// What a text asks this model for.
    pub fn prompt(&self, text: &str) -> Prompt {
        Prompt::read(text, self)
    }
    /// A class as often as the pictures it learnt from had it; every class alike where the model does not say. None if it knows none.
    pub fn draw_class(&self, rng: &mut Rng) -> Option<&str> {
        draw(&self.classes, &self.class_counts, rng)
    }
    /// A style, likewise.
    pub fn draw_style(&self, rng: &mut Rng) -> Option<&str> {
        draw(&self.styles, &self.style_counts, rng)
    }
    /// Height and width of every picture as it is painted, in pixels.
    pub fn resolution(&self) -> (usize, usize) {
        self.generator.config.resolution()
    }

    /// Width and height, px, of the picture that a recipe gives, its operations done.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn sides(&self, recipe: &Recipe) -> Result<(u32, u32)> {
        let (height, width) = self.resolution();
        recipe.sides((width as u32, height as u32))
    }

    /// A recipe of this model for `seed`, with labels checked.
    pub fn recipe(&self, seed: u64, class: Option<&str>, style: Option<&str>, psi: f64) -> Result<Recipe> {
        let mut recipe = Recipe::sample(self.model.clone(), seed);
        recipe.class = class.map(String::from);
        recipe.style = style.map(String::from);
        recipe.psi = psi;
        recipe.check()?;
        self.labels(&recipe)?;
        Ok(recipe)
    }

    /// Paints recipes of this model, in order: the pictures as the model gives them. [`Recipe::finish`] does the operations.
    ///
    /// A picture does not depend on its neighbours: each runs through the network by itself, because a matrix product may
    /// sum in another order when it has more rows. Several are painted at once, one a thread.
    pub fn paint(&mut self, recipes: &[Recipe]) -> Result<Vec<Picture>> {
        for recipe in recipes {
            let labels = self.check(recipe)?;
            if recipe.psi != 1.0 && !self.means.contains_key(&labels) {
                let mean = self.compute_mean(&labels);
                self.means.insert(labels, mean);
            }
        }
        let painted: Vec<OnceLock<Result<Picture>>> = recipes.iter().map(|_| OnceLock::new()).collect();
        let painter = &*self;
        pool::tasks(recipes.len(), |i| {
            painted[i].get_or_init(|| painter.paint_one(&recipes[i]));
        });
        // The pool has run every task once; a slot left empty would be painted here.
        let slots = painted.into_iter().zip(recipes);
        slots.map(|(slot, recipe)| slot.into_inner().unwrap_or_else(|| painter.paint_one(recipe))).collect()
    }

    /// The labels of a recipe that this painter can paint.
    fn check(&self, recipe: &Recipe) -> Result<LabelSet> {
        recipe.check()?;
        self.sides(recipe)?;
        if recipe.model.hash != self.model.hash {
            return Err(Error::OtherModel { wanted: recipe.model.hash.clone(), found: self.model.hash.clone() });
        }
        self.labels(recipe)
    }

    fn paint_one(&self, recipe: &Recipe) -> Result<Picture> {
        let labels = self.labels(recipe)?;
        let z = Rng::stream(recipe.seed, "latents").normal_tensor(&[1, self.generator.config.z_dim]);
        let mut w = self.map(&z, &labels);
        if let Some(mean) = self.means.get(&labels).filter(|_| recipe.psi != 1.0) {
            w = mean.add(&w.sub(mean).scale(recipe.psi));
        }
        let ws = vec![w; self.generator.stages()];
        let pm1 = self.generator.synthesize(&self.weights, &ws);
        picture_from_pm1(&pm1).ok_or(Error::NotFinite { seed: recipe.seed })
    }

    /// `[n, z]` to `[n, w]`, all with the same labels.
    fn map(&self, z: &Tensor, (class, style, words): &LabelSet) -> Tensor {
        let n = z.shape()[0];
        let labels = Labels { class: vec![*class; n], style: vec![*style; n], words: vec![words.clone(); n] };
        self.generator.mapping(&self.weights, z, &labels)
    }

    /// The mean w of these labels, `[1, w]`.
    fn compute_mean(&self, labels: &LabelSet) -> Tensor {
        let mut rng = Rng::stream(MEAN_SEED, "truncation");
        let mut sum = vec![0.0f64; self.generator.config.w_dim];
        for _ in 0..MEAN_SAMPLES / MEAN_BATCH {
            let z = rng.normal_tensor(&[MEAN_BATCH, self.generator.config.z_dim]);
            let w = self.map(&z, labels);
            for row in w.data().chunks_exact(sum.len()) {
                sum.iter_mut().zip(row).for_each(|(s, x)| *s += f64::from(*x));
            }
        }
        Tensor::new(&[1, sum.len()], sum.iter().map(|s| (s / MEAN_SAMPLES as f64) as f32).collect())
    }

    fn labels(&self, recipe: &Recipe) -> Result<LabelSet> {
        let class = label_index("class", recipe.class.as_deref(), &self.classes)?;
        let style = label_index("style", recipe.style.as_deref(), &self.styles)?;
        let words = recipe.caption.as_deref().map(|text| self.vocabulary.read(text).known).unwrap_or_default();
        Ok((class, style, words))
    }
}

/// A name by its count. Counts come from a file: those that do not belong to the names are not believed.
fn draw<'a>(names: &'a [String], counts: &[usize], rng: &mut Rng) -> Option<&'a str> {
    let total = counts.iter().try_fold(0usize, |sum, n| sum.checked_add(*n)).unwrap_or(0);
    let i = match names.len() {
        0 => return None,
        n if counts.len() != n || total == 0 => rng.below(n),
        _ => {
            let mut left = rng.below(total);
            counts.iter().position(|&n| left.checked_sub(n).map(|rest| left = rest).is_none())?
        }
    };
    names.get(i).map(String::as_str)
}

fn label_index(kind: &'static str, wanted: Option<&str>, known: &[String]) -> Result<u32> {
    let Some(wanted) = wanted else { return Ok(known.len() as u32) };
    match known.iter().position(|k| k == wanted) {
        Some(i) => Ok(i as u32),
        None => Err(Error::Label { kind, wanted: wanted.into(), known: known.to_vec() }),
    }
}

/// `[1, h, w, 3]` in about -1..1 to sRGB bytes: clamped, rounded half up. None if any value is not a number.
fn picture_from_pm1(pm1: &Tensor) -> Option<Picture> {
    let &[_, h, w, _] = pm1.shape() else { return None };
    if pm1.data().iter().any(|v| !v.is_finite()) {
        return None;
    }
    let pixels = pm1.data().iter().map(|v| ((v.clamp(-1.0, 1.0) + 1.0) * 127.5 + 0.5) as u8).collect();
    Picture::new(w as u32, h as u32, pixels).ok()
}
