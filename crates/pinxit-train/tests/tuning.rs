//! Going on from a trained model: another collection, other labels.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
mod common;

use common::{Watch, config, dataset};
use pinxit_nn::{FeatureNet, Generator, GeneratorConfig, Labels, Model, ModelMeta, Preset};
use pinxit_tensor::{Array as _, Tensor};
use pinxit_train::{Claim, Discriminator, Error, Run};

#[test]
fn a_new_run_begins_where_the_model_stands() {
    let dir = tempfile::tempdir().unwrap();
    let (set, net, config) = (dataset(dir.path(), 40), FeatureNet::shipped().unwrap(), config(Discriminator::Own));
    let mut first = Run::create(Claim::take(&dir.path().join("first")).unwrap(), config.clone(), &set, &net, None).unwrap();
    let model = first.train(&mut ()).unwrap().model.unwrap();
    let mut model = Model::load(&model).unwrap();
    assert_eq!(model.meta.classes, ["disc", "square"]);
    assert_eq!(model.meta.dataset.manifest_hash, set.manifest_hash());

    // The same weights under other names: one class is known to the collection, one is not.
    model.meta.classes = vec!["square".into(), "ring".into()];
    let mut settings = config.clone();
    settings.channels = Vec::new();
    let at = dir.path().join("second");
    let mut second = Run::create(Claim::take(&at).unwrap(), settings, &set, &net, Some(&model)).unwrap();
    assert_eq!(second.config().channels, config.channels, "the model's sizes are taken over");
    let (old, new) = (model.weights.get("mapping.class"), second.state().average.get("mapping.class"));
    let row = |t: &Tensor, i: usize| t.data()[i * 64..][..64].to_vec();
    assert_eq!(row(new, 1), row(old, 0), "square keeps its row");
    assert_eq!(row(new, 2), row(old, 2), "so does no label");
    assert_eq!(new.shape(), old.shape());
    for (name, t) in second.state().generator.weights.iter().filter(|(n, _)| *n != "mapping.class") {
        assert_eq!(t.data(), model.weights.get(name).data(), "{name}");
    }
    assert_eq!(second.counters().parent.as_deref(), Some(model.hash().as_str()));
    second.train(&mut Watch::stop_after(3)).unwrap();
    drop(second);
    let mut second = Run::resume(&at, &set, &net, None).unwrap();
    let summary = second.train(&mut ()).unwrap();
    assert_eq!(Model::load(&summary.model.unwrap()).unwrap().meta.parent, Some(model.hash()));

    model.generator.base = (4, 6);
    let error = Run::create(Claim::take(&dir.path().join("third")).unwrap(), config, &set, &net, Some(&model)).err().unwrap();
    assert!(matches!(&error, Error::Config(text) if text.contains("48 x 32")), "{error}");
}

#[test]
fn a_grown_model_begins_as_its_pictures_enlarged() {
    let dir = tempfile::tempdir().unwrap();
    let (set, net) = (dataset(dir.path(), 20), FeatureNet::shipped().unwrap());
    let small = GeneratorConfig { channels: vec![16, 16, 8], ..GeneratorConfig::new(Preset::Xs32, (4, 4), 0, 0) };
    let weights = Generator::new(small.clone()).init(7);
    let model = Model { generator: small, meta: ModelMeta::default(), weights };
    let mut settings = config(Discriminator::Own);
    let grown = Run::create(Claim::take(&dir.path().join("grown")).unwrap(), settings.clone(), &set, &net, Some(&model)).unwrap();
    assert_eq!(grown.config().channels, [16, 16, 8, 8], "the stage more is as wide as the settings have it");

    let z = Tensor::new(&[2, 128], (0..256).map(|i| (i as f32 * 0.7).sin()).collect());
    let paint = |generator: &GeneratorConfig, weights| {
        let network = Generator::new(generator.clone());
        network.generate(&network.plan(weights), &z, &Labels::none(2, generator.classes, generator.styles))
    };
    let (before, after) = (paint(&model.generator, &model.weights), paint(grown.generator(), &grown.state().average));
    assert_eq!(after.shape(), [2, 32, 32, 3]);
    assert_eq!(after.data(), before.upsample2().data());

    // No preset has the eight stages that 512 px would need.
    let error = pinxit_train::finetune::size(&model.generator, (512, 512), &settings).unwrap_err();
    assert!(error.to_string().contains("need 8 stages"), "{error}");
    settings.channels.clear();
    let (preset, channels) = pinxit_train::finetune::size(&model.generator, (128, 128), &settings).unwrap();
    assert_eq!((preset.as_str(), channels), ("xs-128", vec![16, 16, 8, 64, 40, 20]));
}
