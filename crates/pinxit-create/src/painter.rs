//! One model, ready to paint recipes.
use std::collections::BTreeMap;
use std::sync::OnceLock;

use pinxit_image::Picture;
use pinxit_nn::{Bound, Generator, Model, Vocabulary};
use pinxit_tensor::{Rng, Tensor, pool};

use crate::bend::Bend;
use crate::project::WSpace;
use crate::sampling::{LabelSet, Moments, Sampling};
use crate::{Error, Latents, ModelRef, Operation, Prompt, Recipe, Result};

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
    moments: BTreeMap<LabelSet, Moments>,
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
            moments: BTreeMap::new(),
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
        self.sample().labels(&recipe)?;
        Ok(recipe)
    }

    /// Paints recipes of this model, in order: the pictures as the model gives them. [`Recipe::finish`] does the operations.
    ///
    /// A picture does not depend on its neighbours: each runs through the network by itself, because a matrix product may
    /// sum in another order when it has more rows. Several are painted at once, one a thread.
    pub fn paint(&mut self, recipes: &[Recipe]) -> Result<Vec<Picture>> {
        for recipe in recipes {
            self.prepare(recipe)?;
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

    /// The latents of a recipe of this model, its operations on them done.
    pub fn latents(&mut self, recipe: &Recipe) -> Result<Latents> {
        self.prepare(recipe)?;
        self.sample().latents(recipe)
    }

    /// The picture of latents, bent as `recipe` says: what animations are made of.
    pub fn paint_latents(&self, latents: &Latents, recipe: &Recipe) -> Result<Picture> {
        let bends: Vec<&Bend> =
            recipe.operations.iter().filter_map(|op| if let Operation::Bend(bend) = op { Some(bend) } else { None }).collect();
        let pm1 = self.generator.synthesize_bent(&self.weights, &latents.stages, |stage, map| {
            bends.iter().filter(|b| b.stage == stage).fold(map, |map, bend| bend.apply(&map))
        });
        picture_of(&pm1).ok_or(Error::NotFinite { seed: recipe.seed })
    }

    /// The map of every stage, coarse to fine, for latents.
    pub fn maps(&self, latents: &Latents) -> Vec<Tensor> {
        let mut maps = Vec::new();
        self.generator.synthesize_bent(&self.weights, &latents.stages, |_, map| {
            maps.push(map.clone());
            map
        });
        maps
    }

    /// What a search in w works with: `samples` of it with labels as often as the training pictures have them, from `seed`.
    pub fn space(&self, samples: usize, seed: u64) -> WSpace<'_> {
        self.sample().space(samples, seed, |rng| {
            let class = draw(&self.classes, &self.class_counts, rng).and_then(|name| self.classes.iter().position(|c| c == name));
            let style = draw(&self.styles, &self.style_counts, rng).and_then(|name| self.styles.iter().position(|s| s == name));
            let index = |found: Option<usize>, names: &[String]| found.unwrap_or(names.len()) as u32;
            (index(class, &self.classes), index(style, &self.styles), Vec::new())
        })
    }

    /// The affine maps by which stages read w: what [`directions::sefa`](crate::directions::sefa) takes. All stages where none is named.
    pub fn affine(&self, stages: Option<&[usize]>) -> Vec<&Tensor> {
        let chosen = (0..self.generator.stages()).filter(|i| stages.is_none_or(|s| s.contains(i)));
        chosen.flat_map(|i| self.generator.affine_names(i)).map(|name| self.weights.get(&name)).collect()
    }

    /// Number of stages, each with its own w.
    pub fn stages(&self) -> usize {
        self.generator.stages()
    }

    /// Channels of each stage's map.
    pub fn channels(&self) -> &[usize] {
        &self.generator.config.channels
    }

    /// Checks a recipe and computes the means it needs.
    fn prepare(&mut self, recipe: &Recipe) -> Result<()> {
        recipe.check()?;
        self.sides(recipe)?;
        if recipe.model.hash != self.model.hash {
            return Err(Error::OtherModel { wanted: recipe.model.hash.clone(), found: self.model.hash.clone() });
        }
        let needed = self.sample().needs(recipe)?;
        for labels in needed {
            if !self.moments.contains_key(&labels) {
                let moments = self.sample().moments_of(&labels);
                self.moments.insert(labels, moments);
            }
        }
        Ok(())
    }

    fn sample(&self) -> Sampling<'_> {
        Sampling {
            generator: &self.generator,
            weights: &self.weights,
            classes: &self.classes,
            styles: &self.styles,
            vocabulary: &self.vocabulary,
            moments: &self.moments,
        }
    }

    fn paint_one(&self, recipe: &Recipe) -> Result<Picture> {
        self.paint_latents(&self.sample().latents(recipe)?, recipe)
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

/// `[1, h, w, 3]` in about -1..1 to sRGB bytes: clamped, rounded half up. None if any value is not a number.
pub fn picture_of(pm1: &Tensor) -> Option<Picture> {
    let &[_, h, w, _] = pm1.shape() else { return None };
    if pm1.data().iter().any(|v| !v.is_finite()) {
        return None;
    }
    let pixels = pm1.data().iter().map(|v| ((v.clamp(-1.0, 1.0) + 1.0) * 127.5 + 0.5) as u8).collect();
    Picture::new(w as u32, h as u32, pixels).ok()
}
