//! The golden recipes in `recipes/`: every kind of operation and every format version there has been goes on meaning what it meant.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
use std::path::{Path, PathBuf};

use pinxit_create::walk::AnimationRecipe;
use pinxit_create::{Painter, Recipe};
use pinxit_image::{Encoding, Limits, Metadata, Picture};
use pinxit_nn::model::Precision;
use pinxit_nn::{Generator, GeneratorConfig, Model, ModelMeta, Preset};

/// How far a value of a golden picture may be off, in the mean and at most, of 255: processors round in their own ways, and what is
/// rotated or cut at a threshold carries that further in a few pixels.
const OFF: (f64, u8) = (0.5, 24);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes")
}

fn recipes() -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut recipes: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    recipes.sort();
    recipes
}

fn painter() -> Painter {
    Painter::open(Model::load(&folder().join("model.safetensors")).unwrap(), "small")
}

/// The picture of a recipe, read and written back word for word on the way; of an animation, its frame 1.
fn paint(painter: &mut Painter, text: &str) -> Picture {
    if let Ok(animation) = AnimationRecipe::from_json(text) {
        assert_eq!(animation.to_json().unwrap(), text);
        let keys: Vec<_> = animation.animation.iter().map(|key| painter.latents(key).unwrap()).collect();
        let latents = animation.latents(painter, &keys, 1).unwrap();
        return painter.paint_latents(&latents, &Recipe { operations: Vec::new(), ..animation.animation[0].clone() }).unwrap();
    }
    let recipe = Recipe::from_json(text).unwrap();
    assert_eq!(recipe.to_json().unwrap(), text);
    recipe.finish(&painter.paint(std::slice::from_ref(&recipe)).unwrap()[0]).unwrap()
}

fn off(one: &Picture, other: &Picture) -> (f64, u8) {
    let pairs = one.pixels().iter().zip(other.pixels());
    let all: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).collect();
    (all.iter().map(|v| f64::from(*v)).sum::<f64>() / all.len() as f64, all.into_iter().max().unwrap())
}

#[test]
fn every_golden_recipe_opens_and_paints_what_it_painted() {
    let mut painter = painter();
    let plain = std::fs::read_to_string(folder().join("v1-mutate.json")).unwrap();
    let plain = Recipe { operations: Vec::new(), ..Recipe::from_json(&plain).unwrap() };
    let plain = painter.paint(&[plain]).unwrap().remove(0);
    for path in recipes() {
        let painted = paint(&mut painter, std::fs::read_to_string(&path).unwrap().trim_end());
        let golden = pinxit_image::read(&path.with_extension("png"), &Limits::default()).unwrap().picture;
        assert_eq!((painted.width(), painted.height()), (golden.width(), golden.height()), "{}", path.display());
        let (mean, most) = off(&painted, &golden);
        assert!(mean <= OFF.0 && most <= OFF.1, "{}: off by {mean:.2}, at most {most}", path.display());
        let changed = painted.width() != plain.width() || off(&painted, &plain).0 > 3.0 * OFF.0;
        assert!(changed, "{}: its operations do too little to be held to anything", path.display());
    }
}

/// After a recipe was added: `cargo test -p pinxit-create --test recipes -- --ignored`. What is there stays as it is.
#[test]
#[ignore = "writes the golden pictures that are missing"]
fn write_what_is_missing() {
    let model = folder().join("model.safetensors");
    if !model.exists() {
        let mut config = GeneratorConfig::new(Preset::Xs32, (4, 4), 2, 1);
        (config.channels, config.words, config.z_dim, config.w_dim, config.cond_dim) = (vec![4; 4], 3, 8, 8, 4);
        let [classes, styles, words] = [&["oak", "birch"][..], &["ink"], &["tall", "snow", "oak"]]
            .map(|names| names.iter().map(|n| n.to_string()).collect());
        let meta = ModelMeta { classes, styles, words, ..ModelMeta::default() };
        let weights = Generator::new(config.clone()).init(7);
        Model { generator: config, meta, weights }.save(&model, Precision::F16).unwrap();
    }
    let mut painter = painter();
    println!("{}", painter.model().hash);
    for path in recipes() {
        let golden = path.with_extension("png");
        if !golden.exists() {
            let picture = paint(&mut painter, std::fs::read_to_string(&path).unwrap().trim_end());
            std::fs::write(golden, pinxit_image::encode(&picture, Encoding::Png, &Metadata::default()).unwrap()).unwrap();
        }
    }
}
