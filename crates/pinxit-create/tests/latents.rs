//! Recipes with operations, and the tools that find latents, on a small network and on the shipped base model.
#![allow(clippy::unwrap_used)]
use pinxit_create::bend::{Act, Bend};
use pinxit_create::drag::{Drag, Handle, drag};
use pinxit_create::project::{Search, Space, Tuning, project, tune};
use pinxit_create::{Error, Numbers, Operation, Painter, Recipe, directions};
use pinxit_image::Picture;
use pinxit_nn::{FeatureNet, Generator, GeneratorConfig, Model, Preset};
use pinxit_tensor::{Array, Tensor};

fn small() -> Painter {
    let mut config = GeneratorConfig::new(Preset::Xs32, (4, 4), 2, 0);
    config.channels = vec![16, 16, 8, 8];
    let weights = Generator::new(config.clone()).init(3);
    let mut model = Model { generator: config, meta: Default::default(), weights };
    model.meta.classes = vec!["a".into(), "b".into()];
    Painter::open(model, "small")
}

fn base() -> Model {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/models/base-64.safetensors");
    Model::load(std::path::Path::new(path)).unwrap()
}

fn with(recipe: &Recipe, operations: Vec<Operation>) -> Recipe {
    Recipe { operations, ..recipe.clone() }
}

fn paint(painter: &mut Painter, recipe: &Recipe) -> Picture {
    painter.paint(std::slice::from_ref(recipe)).unwrap().remove(0)
}

fn mix(seed: u64, by: f64, stages: Option<Vec<usize>>) -> Operation {
    Operation::Mix { seed, class: Some("b".into()), style: None, caption: None, psi: 1.0, by, stages }
}

/// `[1, h, w, 3]`, -1..1.
fn pm1(picture: &Picture) -> Tensor {
    let data = picture.pixels().iter().map(|&v| f32::from(v) / 127.5 - 1.0).collect();
    Tensor::new(&[1, picture.height() as usize, picture.width() as usize, 3], data)
}

#[test]
fn operations_on_latents_say_what_they_say() {
    let mut p = small();
    let (one, two) = (p.recipe(1, Some("a"), None, 1.0).unwrap(), p.recipe(2, Some("b"), None, 1.0).unwrap());
    let [first, second] = [&one, &two].map(|r| paint(&mut p, r));
    assert_eq!(paint(&mut p, &with(&one, vec![mix(2, 1.0, None)])), second, "all the way to the other");
    assert_eq!(paint(&mut p, &with(&one, vec![mix(2, 0.0, None)])), first, "not at all");
    let styled = paint(&mut p, &with(&one, vec![mix(2, 1.0, Some(vec![2, 3]))]));
    assert!(styled != first && styled != second, "style mixing");
    let there = Operation::Slerp { seed: 2, by: 1.0 };
    let of_one = Recipe { class: Some("b".into()), ..one.clone() };
    assert_eq!(paint(&mut p, &with(&of_one, vec![there.clone()])), second, "the other's z under the same label");
    let numbers = Numbers(p.latents(&two).unwrap().numbers());
    let found = Operation::Latents { from: "drag".into(), parents: Vec::new(), w: numbers, stages: None };
    assert_eq!(paint(&mut p, &with(&one, vec![found])), second, "found latents paint what they were found in");
    let calm = Recipe { psi: 0.5, ..one.clone() };
    let [a, b] =
        [calm, with(&one, vec![Operation::Truncate { psi: 0.5, stages: None }])].map(|r| p.latents(&r).unwrap().numbers());
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5), "truncating afterwards is truncating");
    let mutated = |seed| with(&one, vec![Operation::Mutate { seed, by: 0.5, stages: None }]);
    assert_eq!(paint(&mut p, &mutated(5)), paint(&mut p, &mutated(5)));
    assert_ne!(paint(&mut p, &mutated(5)), paint(&mut p, &mutated(6)));
    let bent = with(&one, vec![Operation::Bend(Bend { stage: 1, act: Act::Mirror, channels: None, area: None })]);
    assert_ne!(paint(&mut p, &bent), first);
    // A recipe with many operations survives its JSON, and paints the same.
    let many = with(
        &one,
        vec![
            Operation::Slerp { seed: 9, by: 0.3 },
            mix(2, 0.4, Some(vec![0])),
            mutated(5).operations[0].clone(),
            bent.operations[0].clone(),
        ],
    );
    let again = Recipe::from_json(&many.to_json().unwrap()).unwrap();
    assert_eq!((paint(&mut p, &again), again), (paint(&mut p, &many), many));
}

#[test]
fn what_belongs_to_another_model_is_refused() {
    let mut p = small();
    let one = p.recipe(1, Some("a"), None, 1.0).unwrap();
    let mut said = |operations: Vec<Operation>| match p.paint(&[with(&one, operations)]) {
        Err(Error::Misfit(said)) => said,
        other => panic!("{other:?}"),
    };
    assert!(said(vec![mix(2, 1.0, Some(vec![4]))]).contains("stages 0 to 3"));
    let w = Numbers(vec![0.0; 7]);
    assert!(
        said(vec![Operation::Latents { from: "drag".into(), parents: Vec::new(), w: w.clone(), stages: None }])
            .contains("7 numbers")
    );
    assert!(said(vec![Operation::Move { name: None, direction: w, by: 1.0, stages: None }]).contains("7 numbers"));
    assert!(said(vec![mix(2, 1.0, None), Operation::Slerp { seed: 2, by: 0.5 }]).contains("before all other"));
    assert!(said(vec![mix(2, f64::NAN, None)]).contains("beyond"));
    assert!(
        said(vec![Operation::Bend(Bend { stage: 9, act: Act::Mirror, channels: None, area: None })]).contains("stages 0 to 3")
    );
}

#[test]
fn a_painted_picture_is_found_again() {
    let (model, net) = (base(), FeatureNet::shipped().unwrap());
    let mut p = Painter::open(model.clone(), "base");
    let recipe = p.recipe(11, None, None, 0.8).unwrap();
    let target = pm1(&paint(&mut p, &recipe));
    let space = p.space(512, 1);
    let search = Search { steps: 120, starts: 2, ..Search::default() };
    let found = project(&space, &net, &target, &search, &mut |_, _, _| true);
    let rough = project(&space, &net, &target, &Search { space: Space::W, steps: 12, starts: 1, ..search }, &mut |_, _, _| true);
    println!("W+ {:.1} dB at {:.2}, W in 12 steps {:.1} dB", found.psnr_db, found.off_centre, rough.psnr_db);
    assert!(found.psnr_db > 26.0 && found.psnr_db > rough.psnr_db + 3.0 && found.features < rough.features);
    let stopped = project(&space, &net, &target, &search, &mut |_, _, _| false);
    assert!(stopped.psnr_db < found.psnr_db, "it ends when told to, with what it has");
    let (weights, reached) = tune(
        &space,
        &model.weights,
        &net,
        (&rough.latents, &target),
        &Tuning { steps: 25, ..Tuning::default() },
        &mut |_, _, _| true,
    );
    println!("tuned from {:.1} dB to {reached:.1} dB", rough.psnr_db);
    assert!(reached > rough.psnr_db + 1.0);
    assert_eq!(weights.get("mapping.0.weight"), model.weights.get("mapping.0.weight"), "seeds mean what they meant");
}

#[test]
fn a_dragged_point_comes_nearer_to_its_target_and_the_rest_stays() {
    let mut p = Painter::open(base(), "base");
    let recipe = p.recipe(4, None, None, 0.8).unwrap();
    let latents = p.latents(&recipe).unwrap();
    let handle = Handle { from: [0.5, 0.5], to: [0.5, 0.58] };
    let near = |i: usize| ((i % 64) as f64 - 31.5).hypot((i / 64) as f64 - 34.0) <= 12.0;
    let disc = Tensor::from_fn(&[64, 64], |i| f32::from(u8::from(near(i))));
    for mask in [None, Some(&disc)] {
        let dragged = drag(&p.space(512, 1), &latents, &Drag { handles: vec![handle], mask, steps: 120 }, &mut |_, _, _| true);
        let left = (dragged.now[0][0] - 0.5).hypot(dragged.now[0][1] - 0.58) * 64.0;
        let [before, after] = [&latents, &dragged.latents].map(|l| p.paint_latents(l, &recipe).unwrap());
        let change = |there: bool| {
            let pairs = before.pixels().iter().zip(after.pixels()).enumerate().filter(|(i, _)| near(i / 3) == there);
            let all: Vec<f64> = pairs.map(|(_, (a, b))| f64::from(a.abs_diff(*b))).collect();
            all.iter().sum::<f64>() / all.len() as f64
        };
        println!(
            "{left:.1} px left of 5.1 after {} steps; {:.1} changed, the rest {:.1}",
            dragged.steps,
            change(true),
            change(false)
        );
        assert!(left <= 2.0 && dragged.latents != latents && change(false) < change(true));
    }
    let there = Handle { to: handle.from, ..handle };
    let still = drag(&p.space(512, 1), &latents, &Drag { handles: vec![there], mask: None, steps: 9 }, &mut |_, _, _| true);
    assert!(still.steps == 0 && still.latents == latents, "it is there already");
}

#[test]
fn directions_of_the_shipped_model_change_its_pictures() {
    let mut p = Painter::open(base(), "base");
    let found = directions::sefa(&p.affine(None), 10);
    assert!(found.weights.windows(2).all(|w| w[0] >= w[1]) && found.vectors.len() == 10);
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    assert!(
        (dot(&found.vectors[0], &found.vectors[0]) - 1.0).abs() < 1e-5 && dot(&found.vectors[0], &found.vectors[1]).abs() < 1e-5
    );
    let samples = p.space(1000, 0).samples.clone();
    let principal = directions::principal(&samples, 10);
    let along = samples.matmul(&Tensor::new(&[samples.shape()[1], 1], principal.vectors[0].clone()), false, false);
    let mean = along.data().iter().sum::<f32>() / 1000.0;
    let variance = along.data().iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 999.0;
    assert!((f64::from(variance) / principal.weights[0] - 1.0).abs() < 1e-3, "an eigenvalue is the variance along its direction");
    let one = p.recipe(1, None, None, 1.0).unwrap();
    let moved = Operation::Move { name: None, direction: Numbers(principal.vectors[0].clone()), by: 3.0, stages: None };
    assert_ne!(paint(&mut p, &with(&one, vec![moved])), paint(&mut p, &one));
}
