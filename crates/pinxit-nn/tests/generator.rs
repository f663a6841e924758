//! The style generator: whole gradient against finite differences, rectangles, style mixing, initialisation.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
mod common;

use common::{check_gradient, dot, shaken};
use pinxit_nn::{Bound, Generator, GeneratorConfig, Labels, Preset, Weights};
use pinxit_tensor::{Array, Rng, Tape, Tensor, backward};

fn small() -> Generator {
    let mut config = GeneratorConfig::new(Preset::Xs32, (2, 3), 3, 2);
    (config.channels, config.words) = (vec![6, 5, 4], 3);
    (config.z_dim, config.w_dim, config.cond_dim) = (7, 8, 5);
    Generator::new(config)
}

fn labels() -> Labels {
    Labels { words: vec![vec![1], vec![], vec![0, 1, 2], vec![2]], ..Labels::new(vec![0, 3, 2, 1], vec![2, 1, 0, 1]) }
}

#[test]
fn whole_gradient_equals_finite_differences() {
    let (g, labels, mut rng) = (small(), labels(), Rng::new(1));
    let w = shaken(&g.init(5), 0.2, 2);
    let z: Tensor<f64> = rng.normal_tensor(&[4, 7]);
    let probe: Tensor<f64> = rng.normal_tensor(&[4, 8, 12, 3]);
    let tape = Tape::new();
    let p = w.bind(|_, t| tape.leaf(t.clone()));
    let picture = g.generate(&p, &tape.constant(z.clone()), &labels);
    let grads = p.named(backward(&[(&picture, probe.clone())], &p.values()));
    check_gradient(&w, &grads, 1e-6, |w| dot(&g.generate(&w.eager(), &z, &labels), &probe));
}

#[test]
fn gradient_in_z_equals_finite_differences() {
    let (g, labels, mut rng) = (small(), labels(), Rng::new(3));
    let w = shaken(&g.init(5), 0.2, 4);
    let z: Weights<f64> = [("z".to_string(), rng.normal_tensor(&[4, 7]))].into_iter().collect();
    let probe: Tensor<f64> = rng.normal_tensor(&[4, 8, 12, 3]);
    let tape = Tape::new();
    let leaf = tape.leaf(z.get("z").clone());
    let picture = g.generate(&w.bind(|_, t| tape.constant(t.clone())), &leaf, &labels);
    let grads = [("z".to_string(), backward(&[(&picture, probe.clone())], &[&leaf]).remove(0))].into_iter().collect();
    check_gradient(&z, &grads, 1e-6, |z| dot(&g.generate(&w.eager(), z.get("z"), &labels), &probe));
}

#[test]
fn every_preset_paints_its_size() {
    for preset in Preset::ALL {
        let g = Generator::new(GeneratorConfig::new(preset, (4, 4), 2, 0));
        let side: usize = preset.to_string().rsplit('-').next().unwrap().parse().unwrap();
        assert_eq!(g.config.resolution(), (side, side), "{preset}");
        g.config.validate().unwrap();
        let z = Rng::new(0).normal_tensor(&[1, 128]);
        let picture = g.generate(&g.init(0).eager(), &z, &Labels::all(1, 1, 0));
        assert_eq!(picture.shape(), [1, side, side, 3], "{preset}");
        let rms = (picture.data().iter().map(|v| v * v).sum::<f32>() / picture.len() as f32).sqrt();
        assert!((0.1..3.0).contains(&rms), "{preset} begins at a sensible brightness, not {rms}");
    }
}

#[test]
fn a_rectangular_base_makes_rectangular_pictures() {
    let g = Generator::new(GeneratorConfig::new(Preset::Xs64, (4, 6), 0, 0));
    assert_eq!(g.config.resolution(), (64, 96));
    let z = Rng::new(0).normal_tensor(&[2, 128]);
    assert_eq!(g.generate(&g.init(0).eager(), &z, &Labels::none(2, 0, 0)).shape(), [2, 64, 96, 3]);
}

#[test]
fn initialisation_is_a_function_of_the_seed() {
    let g = small();
    let (a, b, c) = (g.init(7), g.init(7), g.init(8));
    assert!(a.iter().zip(b.iter()).all(|(x, y)| x == y), "the same seed gives the same weights");
    assert_ne!(a.get("start.const"), c.get("start.const"), "another seed gives others");
    let mut wider = g.clone();
    wider.config.classes = 9;
    assert_eq!(a.get("stage.0.conv.0.weight"), wider.init(7).get("stage.0.conv.0.weight"), "weights do not disturb each other");
}

#[test]
fn labels_and_later_styles_change_the_picture() {
    let g = small();
    let (p, mut rng) = (g.init(1).eager(), Rng::new(2));
    let z = rng.normal_tensor(&[1, 7]);
    let a = g.generate(&p, &z, &Labels::all(1, 0, 0));
    assert_ne!(a, g.generate(&p, &z, &Labels::all(1, 1, 0)), "class");
    assert_ne!(a, g.generate(&p, &z, &Labels::all(1, 0, 1)), "style");
    let said = |words: Vec<u32>| g.generate(&p, &z, &Labels { words: vec![words], ..Labels::all(1, 0, 0) });
    assert_eq!(a, said(vec![]));
    assert!(a != said(vec![2]) && said(vec![2]) != said(vec![0, 2]), "words");
    let w = g.mapping(&p, &z, &Labels::all(1, 0, 0));
    let other = g.mapping(&p, &rng.normal_tensor(&[1, 7]), &Labels::all(1, 0, 0));
    assert_eq!(a, g.synthesize(&p, &[w.clone(), w.clone(), w.clone()]));
    assert_ne!(a, g.synthesize(&p, &[w.clone(), w, other]), "mixing");
}

#[test]
fn the_mapping_ignores_the_length_of_z() {
    let g = small();
    let (p, z) = (g.init(1).eager(), Rng::new(2).normal_tensor(&[1, 7]));
    let (a, b) = (g.mapping(&p, &z, &Labels::all(1, 0, 0)), g.mapping(&p, &z.scale(3.0), &Labels::all(1, 0, 0)));
    assert!(a.data().iter().zip(b.data()).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn a_plan_paints_the_same_to_the_last_bit() {
    let g = Generator::new(GeneratorConfig::new(Preset::Xs32, (4, 4), 3, 0));
    let weights = g.init(1);
    let plan = g.plan(&weights);
    let z = Rng::stream(2, "z").normal_tensor(&[2, g.config.z_dim]);
    let paint = |p: &Bound<Tensor>| g.generate(p, &z, &Labels::new(vec![0, 2], vec![0, 0]));
    let plain = paint(&weights.eager());
    assert!(paint(&plan) == plain && paint(&plan) == plain);
    let mut other = weights.clone();
    other.get_mut("stage.0.conv.0.weight").data_mut()[0] += 1.0;
    assert!(paint(&g.plan(&other)) != plain, "a plan belongs to its weights");
}
