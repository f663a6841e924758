//! `pinxit demo`: the whole road once, on pictures and a model that the program carries with it.
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use pinxit_nn::Model;
use serde::Serialize;

use crate::evaluate::{EvaluateRequest, Evaluated, Judged, evaluate};
use crate::event::{Event, Task, Watcher, figures};
use crate::generate::{GenerateRequest, generate};
use crate::home::Kind;
use crate::import::{ImportRequest, import};
use crate::settings::{Condition, GenerateSettings, ImportSettings, Origin, Setting, Size, Span, TrainSettings};
use crate::shell::{command, quote};
use crate::shipped::{MODELS, SAMPLES};
use crate::sign::Signing;
use crate::train::{self, TrainRequest};
use crate::{Error, Result, Studio};

/// Name of the dataset, run and model.
const NAME: &str = "demo";
/// The model it begins from.
const BASE: &str = "base-64.safetensors";
/// Patches cut from each sample: enough variety for two minutes, and each still shows a scene.
const PATCHES: u32 = 6;
/// Pictures painted at the end.
const PICTURES: u64 = 64;
/// Folders of pictures painted before and after training.
const PAINTED: [&str; 2] = ["pictures-before", "pictures"];
/// Fakes measured at the end.
const MEASURED: usize = 200;

/// Says that a folder is a demo's own.
const MARKER: &str = "made-by-pinxit-demo.txt";

/// How the demo runs.
#[derive(Clone, Debug)]
pub struct DemoRequest {
    /// Folder for everything it makes; a studio home of its own.
    pub out: PathBuf,
    /// How long to train.
    pub time: Span,
    /// A folder with `samples/` and `models/` instead of those built in.
    pub assets: Option<PathBuf>,
    /// Sign the pictures.
    pub sign: bool,
}

/// What the demo made.
#[derive(Clone, Debug, Serialize)]
pub struct Demonstrated {
    /// Its home.
    pub home: PathBuf,
    /// Pictures taken in.
    pub imported: usize,
    /// Previews of the training.
    pub previews: PathBuf,
    /// Contact sheet before training: what the base model paints.
    pub before: PathBuf,
    /// Contact sheet after training.
    pub sheet: PathBuf,
    /// Single pictures with recipes.
    pub pictures: Vec<PathBuf>,
    /// The figures, if there were pictures enough to measure.
    pub evaluation: Option<Evaluated>,
}

/// Runs all of it.
pub fn demo(request: &DemoRequest, watcher: &mut dyn Watcher) -> Result<Demonstrated> {
    watcher.event(Event::Started { task: Task::Demo, name: NAME.into() });
    crate::paths::check_folder(&request.out)?;
    let studio = Studio::at(&request.out);
    let home = quote(&request.out.display().to_string());
    let made =
        all_of_it(&studio, request, &mut AtHome { home: &home, notes: HashSet::new(), inner: watcher }).map_err(|e| match e {
            Error::Interrupted { resume: Some(command) } => Error::Interrupted { resume: Some(at_home(&command, &home)) },
            other => other,
        })?;
    watcher.event(Event::Finished { task: Task::Demo, result: figures(&made), next: next(request) });
    Ok(made)
}

/// A command as it finds what the demo made.
fn at_home(command: &str, home: &str) -> String {
    format!("{command} --home {home}")
}

/// Passes events on; the commands they suggest name the demo's home, for everything lies there. It paints twice, and what is to be
/// noted of both is said once.
struct AtHome<'a> {
    home: &'a str,
    notes: HashSet<String>,
    inner: &'a mut dyn Watcher,
}

impl Watcher for AtHome<'_> {
    fn event(&mut self, event: Event) {
        if let Event::Note { message } = &event
            && !self.notes.insert(message.clone())
        {
            return;
        }
        self.inner.event(event.map_commands(|command| at_home(command, self.home)));
    }

    fn stop(&mut self) -> bool {
        self.inner.stop()
    }
}

/// Import, train, paint, measure.
fn all_of_it(studio: &Studio, request: &DemoRequest, watcher: &mut dyn Watcher) -> Result<Demonstrated> {
    claim(studio)?;
    fresh(studio)?;
    let (samples, base) = lay_out(studio, request.assets.as_deref())?;
    let size = Model::load(&base).map_err(|e| Error::from(e).in_file(&base))?.generator.resolution();

    note(watcher, "1 of 4: taking in the sample pictures");
    // Those built in say theirs; a folder of the person's own need not.
    let licence = request.assets.as_ref().map(|_| "own".to_owned());
    let report = import(studio, &import_request(samples, size, licence), watcher)?;

    note(watcher, &format!("2 of 4: fine-tuning the base model on them for {}", request.time));
    let before = paint(studio, &base.display().to_string(), PAINTED[0], request.sign, watcher)?;
    let trained = train_on(studio, &base, request.time, watcher)?;

    go_on(watcher)?;
    note(watcher, "3 of 4: painting");
    let painted = paint(studio, NAME, PAINTED[1], request.sign, watcher)?;

    go_on(watcher)?;
    note(watcher, "4 of 4: measuring");
    let evaluation = match measure(studio, watcher) {
        Ok(evaluated) => Some(evaluated),
        Err(Error::Train(e @ pinxit_train::Error::TooFew { .. })) => {
            watcher.event(Event::Warning { message: e.to_string(), hint: e.hint() });
            None
        }
        Err(e) => return Err(e),
    };
    Ok(Demonstrated {
        home: request.out.clone(),
        imported: report.pictures,
        previews: trained.run.join("previews"),
        before: before.1,
        sheet: painted.1,
        pictures: painted.0,
        evaluation,
    })
}

/// What makes sense after the demo.
pub fn next(request: &DemoRequest) -> Vec<String> {
    vec![
        "pinxit import YOUR-PICTURES/ --into mine --license own".into(),
        "pinxit train mine --for 1h".into(),
        command(&["train", "--resume", NAME, "--for", "30m", "--home", &request.out.display().to_string()]),
    ]
}

fn note(watcher: &mut dyn Watcher, message: &str) {
    watcher.event(Event::Note { message: message.into() });
}

/// Measuring has no safe point of its own: a wish to stop is heard before it.
fn go_on(watcher: &mut dyn Watcher) -> Result<()> {
    if watcher.stop() { Err(Error::Interrupted { resume: None }) } else { Ok(()) }
}

/// Marks the folder as a demo's own. One that holds anything else is refused: the demo moves and replaces what lies there.
fn claim(studio: &Studio) -> Result<()> {
    let (home, marker) = (studio.home(), studio.home().join(MARKER));
    let is_free = !home.exists() || fs_err::read_dir(home)?.next().is_none();
    if !is_free && !marker.is_file() {
        return Err(Error::Setting {
            message: format!("{} holds other things than a demo", home.display()),
            hint: "name a new folder with -o".into(),
        });
    }
    write(&marker, b"Everything in this folder was made by `pinxit demo`, and the next demo in it begins anew.\n")
}

/// An earlier demo goes to the bin of its folder, so that the demo can be run again.
fn fresh(studio: &Studio) -> Result<()> {
    for kind in [Kind::Dataset, Kind::Run, Kind::Model] {
        if studio.path(kind, NAME)?.exists() {
            studio.remove(kind, NAME)?;
        }
    }
    for folder in PAINTED {
        let path = studio.home().join(folder);
        if path.exists() {
            studio.move_to_bin(&path, "", folder, "")?;
        }
    }
    Ok(())
}

/// Writes samples and base model into the home, or finds them in `assets`.
fn lay_out(studio: &Studio, assets: Option<&Path>) -> Result<(PathBuf, PathBuf)> {
    if let Some(folder) = assets {
        let model = first_model(&folder.join("models")).ok_or(Error::NothingEmbedded { what: "a base model in that folder" })?;
        return Ok((folder.join("samples"), model));
    }
    if !SAMPLES.iter().any(|(path, _)| !path.ends_with(".jsonl")) {
        return Err(Error::NothingEmbedded { what: "sample pictures" });
    }
    let Some((_, model)) = MODELS.iter().find(|(name, _)| *name == BASE) else {
        return Err(Error::NothingEmbedded { what: "a base model" });
    };
    let samples = studio.home().join("samples");
    for (path, bytes) in SAMPLES {
        write(&samples.join(path), bytes)?;
    }
    let base = studio.folder(Kind::Model).join(BASE);
    write(&base, model)?;
    Ok((samples, base))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    crate::paths::make_parent(path)?;
    Ok(pinxit_image::write_atomic(path, bytes)?)
}

fn first_model(folder: &Path) -> Option<PathBuf> {
    let mut models: Vec<PathBuf> = fs_err::read_dir(folder).ok()?.flatten().map(|e| e.path()).collect();
    models.retain(|p| p.extension().is_some_and(|e| e == "safetensors"));
    models.sort();
    models.into_iter().next()
}

fn import_request(samples: PathBuf, (height, width): (usize, usize), license: Option<String>) -> ImportRequest {
    let size = Size { width: width as u32, height: height as u32 };
    ImportRequest {
        sources: vec![samples],
        into: Some(NAME.into()),
        settings: ImportSettings { size, patches: PATCHES, license, ..ImportSettings::default() },
        labels: None,
        override_reservations: None,
        skip_classes: Vec::new(),
        skip_styles: Vec::new(),
        replace: true,
    }
}

fn train_on(studio: &Studio, base: &Path, time: Span, watcher: &mut dyn Watcher) -> Result<train::Trained> {
    let origin = Origin::Chosen("the demo".into());
    let settings = TrainSettings { time: Some(time), condition: Condition::Class, ..TrainSettings::default() };
    let origins = vec![Setting { key: "time", value: serde_json::Value::Null, origin: origin.clone() }];
    // Two minutes see a few kimg: a tick and a preview every few seconds; `evaluate` measures once at the end.
    let keys = ["tick_kimg=0.25", "snapshot_kimg=1000.0", "metric_pictures=0", "preview=[4, 8]"];
    let expert = keys.into_iter().map(|key| train::set(key).map(|table| (origin.clone(), table)));
    let expert = expert.collect::<std::result::Result<Vec<_>, String>>().map_err(std::io::Error::other)?;
    let request = TrainRequest {
        dataset: Some(NAME.into()),
        resume: None,
        from: Some(base.display().to_string()),
        name: Some(NAME.into()),
        settings,
        origins,
        expert,
    };
    train::begin(studio, train::plan(studio, &request)?, watcher)
}

fn paint(studio: &Studio, model: &str, folder: &str, sign: bool, watcher: &mut dyn Watcher) -> Result<(Vec<PathBuf>, PathBuf)> {
    let request = GenerateRequest {
        model: model.into(),
        seeds: (0..PICTURES).collect(),
        classes: Vec::new(),
        styles: Vec::new(),
        caption: None,
        prompt: None,
        guide: 1.0,
        settings: GenerateSettings { sign, ..GenerateSettings::default() },
        signing: Signing::default(),
        sheet: true,
        columns: None,
        out: Some(studio.home().join(folder)),
        overwrite: false,
        gate: crate::gate::GateOptions::default(),
    };
    let made = generate(studio, &request, watcher)?;
    Ok((made.pictures, made.sheet.unwrap_or_default()))
}

fn measure(studio: &Studio, watcher: &mut dyn Watcher) -> Result<Evaluated> {
    let request = EvaluateRequest {
        judged: Judged::Model(NAME.into()),
        dataset: Some(NAME.into()),
        samples: MEASURED,
        repeats: 1,
        learnt: false,
    };
    evaluate(studio, &request, watcher)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps what was warned of.
    #[derive(Default)]
    struct Warned(Vec<String>);

    impl Watcher for Warned {
        fn event(&mut self, event: Event) {
            if let Event::Warning { message, .. } = event {
                self.0.push(message);
            }
        }

        fn stop(&mut self) -> bool {
            false
        }
    }

    #[test]
    fn its_own_pictures_give_no_reason_for_a_warning() {
        let dir = tempfile::tempdir().unwrap();
        let studio = Studio::at(dir.path());
        let (samples, _) = lay_out(&studio, None).unwrap();
        let mut warned = Warned::default();
        import(&studio, &import_request(samples, (16, 16), None), &mut warned).unwrap();
        assert_eq!(warned.0, [""; 0]);
    }
}
