//! The painter on a small untrained model: what a recipe decides, and what it must not depend on.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
use pinxit_create::{Error, Painter, Prompt, Recipe};
use pinxit_nn::{Generator, GeneratorConfig, Model, ModelMeta, Preset};
use pinxit_tensor::Rng;

fn painter(init_seed: u64) -> Painter {
    Painter::open(model(init_seed), "trees")
}

fn model(init_seed: u64) -> Model {
    let mut config = GeneratorConfig::new(Preset::Xs32, (4, 4), 2, 1);
    (config.channels, config.words) = (vec![24, 16, 16, 8], 3);
    let weights = Generator::new(config.clone()).init(init_seed);
    let classes = vec!["oak".to_string(), "birch".to_string()];
    let words = vec!["tall".to_string(), "snow".to_string(), "oak".to_string()];
    let meta = ModelMeta { classes, styles: vec!["ink".into()], words, ..ModelMeta::default() };
    Model { generator: config, meta, weights }
}

fn recipes(painter: &Painter, n: u64) -> Vec<Recipe> {
    let class = |seed| ["oak", "birch"][seed as usize % 2];
    (0..n).map(|seed| painter.recipe(seed, Some(class(seed)), None, 0.5 + 0.5 * (seed % 2) as f64).unwrap()).collect()
}

#[test]
fn a_picture_does_not_depend_on_its_neighbours_or_the_threads() {
    let mut painter = painter(1);
    let all = recipes(&painter, 64);
    let together = painter.paint(&all).unwrap();
    for threads in [1, 3] {
        pinxit_tensor::set_threads_exactly(threads);
        let mut alone = self::painter(1);
        for i in [0usize, 1, 17, 62, 63] {
            assert!(alone.paint(&all[i..=i]).unwrap()[0] == together[i], "picture {i} with {threads} threads");
        }
    }
    let backwards: Vec<Recipe> = all.iter().rev().cloned().collect();
    let painted = painter.paint(&backwards).unwrap();
    assert!(painted.iter().rev().eq(together.iter()));
    assert!(together[0] != together[2], "another seed is another picture");
}

#[test]
fn psi_goes_from_the_mean_picture_to_full_variety() {
    let mut painter = painter(2);
    let paint = |p: &mut Painter, seed, psi| {
        let recipe = p.recipe(seed, Some("oak"), Some("ink"), psi).unwrap();
        p.paint(&[recipe]).unwrap().remove(0)
    };
    let mean = paint(&mut painter, 1, 0.0);
    assert!(mean == paint(&mut painter, 2, 0.0), "at psi 0 every seed is the mean picture");
    let distance = |a: &pinxit_image::Picture, b: &pinxit_image::Picture| -> u64 {
        a.pixels().iter().zip(b.pixels()).map(|(x, y)| u64::from(x.abs_diff(*y))).sum()
    };
    let (half, full) = (paint(&mut painter, 1, 0.5), paint(&mut painter, 1, 1.0));
    assert!(distance(&half, &mean) < distance(&full, &mean) && half != mean);
}

#[test]
fn a_prompt_names_labels_and_words_and_what_it_does_not_know() {
    let mut painter = painter(3);
    let read = |text: &str| painter.prompt(text);
    let prompt = read("A tall birch in the ink style, at midnight");
    let want = Prompt {
        class: Some("birch".into()),
        style: Some("ink".into()),
        words: vec!["tall".into()],
        set_aside: Vec::new(),
        unknown: vec!["midnight".into()],
    };
    assert_eq!(prompt, want);
    let two = read("birch beside oak");
    assert_eq!(
        (two.class.as_deref(), two.set_aside, two.unknown),
        (Some("birch"), vec!["oak".into()], vec!["beside".to_string()])
    );
    assert_eq!(read("style of a cloud").unknown, ["style", "cloud"], "it points at nothing");
    assert_eq!(read(""), Prompt::default());
    let mut paint = |caption: Option<&str>, psi: f64| {
        let mut recipe = painter.recipe(1, Some("oak"), None, psi).unwrap();
        recipe.caption = caption.map(String::from);
        painter.paint(&[recipe]).unwrap().remove(0)
    };
    for psi in [1.0, 0.5] {
        assert!(paint(Some("snow"), psi) != paint(None, psi), "words are seen");
        assert!(paint(Some("snow, and tall"), psi) == paint(Some("Tall snow at midnight"), psi), "those that are known");
        assert!(paint(Some("midnight"), psi) == paint(None, psi));
    }
}

#[test]
fn labels_are_checked_by_name() {
    let mut painter = painter(3);
    let error = painter.recipe(0, Some("ook"), None, 1.0).unwrap_err();
    assert_eq!(error.to_string(), "the model knows no class \"ook\"");
    assert_eq!(error.hint().unwrap(), "did you mean \"oak\"?");
    assert!(matches!(painter.recipe(0, None, Some("oil"), 1.0), Err(Error::Label { kind: "style", .. })));
    assert!(matches!(painter.recipe(0, None, None, f64::NAN), Err(Error::Psi(_))));
    let paint = |p: &mut Painter, class| {
        let recipe = p.recipe(5, class, None, 1.0).unwrap();
        p.paint(&[recipe]).unwrap().remove(0)
    };
    let (oak, none) = (paint(&mut painter, Some("oak")), paint(&mut painter, None));
    assert!(oak != none && oak != paint(&mut painter, Some("birch")), "labels are heard");
}

#[test]
fn classes_are_drawn_as_often_as_they_were_seen() {
    let with_counts = |counts: &[usize]| {
        let mut model = model(1);
        model.meta.dataset.class_counts = counts.to_vec();
        Painter::open(model, "trees")
    };
    let oaks = |counts: &[usize]| {
        let painter = with_counts(counts);
        let drawn = (0..1000).map(|seed| painter.draw_class(&mut Rng::stream(seed, "labels")).unwrap().to_string());
        drawn.filter(|class| class == "oak").count()
    };
    assert!((870..930).contains(&oaks(&[900, 100])), "{}", oaks(&[900, 100]));
    assert_eq!((oaks(&[5, 0]), oaks(&[0, 5])), (1000, 0));
    // Models that do not say, and files that say nonsense, draw every class alike.
    for uneven in [&[][..], &[1], &[0, 0], &[usize::MAX, 1]] {
        assert!((450..550).contains(&oaks(uneven)), "{uneven:?}: {}", oaks(uneven));
    }
    let painter = with_counts(&[]);
    assert_eq!(painter.draw_style(&mut Rng::new(0)), Some("ink"));
    assert_eq!(painter.model().hash, with_counts(&[900, 100]).model().hash, "the counts decide no picture");
}

#[test]
fn another_model_refuses_the_recipe() {
    let recipe = painter(1).recipe(0, None, None, 1.0).unwrap();
    assert!(matches!(painter(2).paint(std::slice::from_ref(&recipe)), Err(Error::OtherModel { .. })));
    let again = Recipe::from_json(&recipe.to_json().unwrap()).unwrap();
    assert!(painter(1).paint(&[recipe]).unwrap() == painter(1).paint(&[again]).unwrap());
}

#[test]
fn weights_that_overflow_are_an_error_not_a_black_picture() {
    let mut config = GeneratorConfig::new(Preset::Xs32, (4, 4), 0, 0);
    config.channels = vec![8; 4];
    let mut weights = Generator::new(config.clone()).init(0);
    for (_, tensor) in weights.iter_mut() {
        tensor.data_mut().iter_mut().for_each(|v| *v *= 1e30);
    }
    let mut painter = Painter::open(Model { generator: config, meta: ModelMeta::default(), weights }, "mad");
    let recipe = painter.recipe(9, None, None, 1.0).unwrap();
    assert!(matches!(painter.paint(&[recipe]), Err(Error::NotFinite { seed: 9 })));
}
