//! A dataset into a model: begins or resumes a run, shows it, and keeps its model.
mod card;
mod config;
mod observe;
mod sizes;

use std::collections::BTreeSet;
use std::path::PathBuf;

use pinxit_dataset::Dataset;
use pinxit_nn::{FeatureNet, Model, Vocabulary};
use pinxit_train::{Claim, Length, Run, TrainConfig};
use serde::Serialize;

pub use card::RunCard;
pub use config::{ResolvedConfig, presets, set};
pub use sizes::check_learnable;

use crate::event::{Event, Task, Watcher, figures};
use crate::home::Kind;
use crate::settings::{Condition, Origin, Setting, TrainSettings};
use crate::shell::command;
use crate::{Error, Result, Studio, counted, datasets, models, runs};

/// Said of a finished run that is resumed.
pub const AT_END: &str = "the run is at its end already: --kimg or --for give it another";

/// What to train.
pub struct TrainRequest {
    /// The dataset; absent when a run is resumed.
    pub dataset: Option<String>,
    /// A run to go on with.
    pub resume: Option<String>,
    /// A model to begin from.
    pub from: Option<String>,
    /// Name of the run and of its model; that of the dataset if absent.
    pub name: Option<String>,
    /// How.
    pub settings: TrainSettings,
    /// Where each of those came from.
    pub origins: Vec<Setting>,
    /// Keys of a run's own configuration, weakest first.
    pub expert: Vec<(Origin, toml::Table)>,
}

/// Everything decided, nothing done.
pub struct Plan {
    /// Name of the run.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
    /// All settings with where each came from.
    pub config: ResolvedConfig,
    card: RunCard,
    dataset: Dataset,
    parent: Option<Model>,
    /// The name wished for, where it was taken.
    earlier: Option<String>,
}

impl Plan {
    /// Height and width of the pictures, px.
    pub fn resolution(&self) -> (usize, usize) {
        self.dataset.resolution()
    }

    /// What is learnt from what.
    pub fn card(&self) -> &RunCard {
        &self.card
    }
}

/// What a run made.
#[derive(Clone, Debug, Serialize)]
pub struct Trained {
    /// Name of the run and of its model.
    pub name: String,
    /// Thousands of pictures shown.
    pub kimg: f64,
    /// Training time of all sessions.
    pub secs: f64,
    /// The run folder.
    pub run: PathBuf,
    /// The kept model.
    pub model: PathBuf,
    /// Whether its dataset has pictures enough to measure it on.
    #[serde(skip)]
    pub is_measurable: bool,
}

/// Decides everything about a new run.
pub fn plan(studio: &Studio, request: &TrainRequest) -> Result<Plan> {
    let Some(dataset_name) = &request.dataset else {
        return Err(Error::Setting {
            message: "which dataset shall be learnt?".into(),
            hint: "`pinxit train DATASET`, or `--resume RUN` to go on with a run".into(),
        });
    };
    let dataset = conditioned(datasets::open(studio, dataset_name)?, request.settings.condition);
    crate::takedown::check_dataset(studio, dataset_name, dataset.manifest_hash())?;
    if request.settings.condition == Condition::Captions && dataset.words().is_empty() {
        return Err(Error::Setting {
            message: format!("\"{dataset_name}\" has no captions to learn from: no word is found in three of them"),
            hint: "import with a label file that has a column named caption, or learn other labels (--condition)".into(),
        });
    }
    let parent = match &request.from {
        Some(wanted) => Some(models::find(studio, wanted)?),
        None => None,
    };
    let parent_model = parent.as_ref().map(|found| found.load_for_use(studio)).transpose()?;
    let config = config::resolve(request, &dataset, parent_model.as_ref())?;
    let name = run_name(studio, request.name.as_deref(), dataset_name)?;
    let earlier = (request.name.is_none() && name != *dataset_name).then(|| dataset_name.clone());
    let card = RunCard::new(dataset_name, parent.map(|p| p.path.display().to_string()), request.settings.condition);
    Ok(Plan { dir: studio.path(Kind::Run, &name)?, name, config, card, dataset, parent: parent_model, earlier })
}

/// A name that neither a run nor a model has; a name asked for must be free.
fn run_name(studio: &Studio, asked: Option<&str>, dataset: &str) -> Result<String> {
    if let Some(name) = asked {
        let dir = studio.path(Kind::Run, name)?;
        if dir.join("config.toml").exists() {
            return Err(pinxit_train::Error::RunExists { dir }.into());
        }
        if studio.path(Kind::Model, name)?.exists() {
            return Err(Error::Taken { kind: "model", name: name.into() });
        }
        return Ok(name.into());
    }
    let mut wanted = dataset.to_string();
    for i in 2.. {
        if !studio.path(Kind::Run, &wanted)?.exists() && !studio.path(Kind::Model, &wanted)?.exists() {
            break;
        }
        wanted = format!("{dataset}-{i}");
    }
    Ok(wanted)
}

/// Hides the labels that the model shall not learn.
fn conditioned(dataset: Dataset, condition: Condition) -> Dataset {
    match condition {
        Condition::Both => dataset,
        Condition::Class => dataset.with_labels(true, false),
        Condition::Style => dataset.with_labels(false, true),
        Condition::None => dataset.with_labels(false, false),
        Condition::Captions => captioned(&dataset, &vocabulary(&dataset)),
    }
}

/// The words of a dataset's training captions. Patches of one work, and pictures that differ in colour only, share a caption: it is
/// counted once for each group, so that a word must be said of several works to be learnt.
fn vocabulary(dataset: &Dataset) -> Vocabulary {
    let records = dataset.train().iter().map(|&i| dataset.record(i as usize));
    let said: BTreeSet<(&str, &str)> = records.filter_map(|r| Some((r.group.as_str(), r.caption.as_deref()?))).collect();
    Vocabulary::learn(said.into_iter().map(|(_, caption)| caption))
}

/// The dataset, its captions read with this vocabulary.
pub(crate) fn captioned(dataset: &Dataset, vocabulary: &Vocabulary) -> Dataset {
    dataset.with_words(vocabulary.terms().to_vec(), |caption| vocabulary.read(caption).known)
}

/// What the run `name` learns from.
fn dataset_of(studio: &Studio, name: &str, card: &RunCard) -> Result<Dataset> {
    let dataset = datasets::open_for(studio, &card.dataset, &format!("run \"{name}\""), None)?;
    Ok(conditioned(dataset, card.condition))
}

/// Begins a planned run. What was decided, and why, lies in the run folder before the first step.
pub fn begin(studio: &Studio, plan: Plan, watcher: &mut dyn Watcher) -> Result<Trained> {
    let Plan { name, dir, config, mut card, dataset, parent, earlier } = plan;
    card.ledger = crate::ledger::of(studio).head()?.map(|head| head.to_string());
    watcher.event(Event::Started { task: Task::Train, name: name.clone() });
    if let Some(earlier) = earlier {
        let go_on = command(&["train", "--resume", &earlier]);
        watcher.event(Event::Note {
            message: format!("\"{earlier}\" is there already: this run is \"{name}\" ({go_on} goes on with the other)"),
        });
    }
    if let Some(words) = parent.as_ref().map(|p| p.meta.words.len()).filter(|&n| n > 0 && dataset.words().is_empty()) {
        watcher.event(Event::Note {
            message: format!(
                "the model to begin from reads {}, this run will not (--condition captions keeps them)",
                counted(words, "word")
            ),
        });
    }
    let fresh = !dir.exists();
    let claim = Claim::take(&dir)?;
    let create = || -> Result<Run> {
        card.save(&dir)?;
        Ok(Run::create(claim, config.config.clone(), &dataset, &FeatureNet::shipped()?, parent.as_ref())?)
    };
    let run = create().map_err(|e| {
        // A refused run leaves no folder behind, or its name would be taken.
        if fresh {
            let _ = fs_err::remove_dir_all(&dir);
        }
        not_begun(e)
    })?;
    // The same settings as `Run::create` has just written, with where each came from.
    pinxit_image::write_atomic(&dir.join("config.toml"), config.annotated(run.config())?.as_bytes())?;
    train(studio, (&name, &name), dir, run, &dataset, watcher)
}

/// A full disk before the first state leaves nothing to resume: what helps is what helps with any file.
fn not_begun(e: Error) -> Error {
    match &e {
        Error::Train(pinxit_train::Error::File { source, .. }) => std::io::Error::new(source.kind(), e.to_string()).into(),
        _ => e,
    }
}

/// Where a run stands and where it would end, for a dry run of [`resume`].
pub struct Resumable {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
    /// Thousands of pictures shown.
    pub at_kimg: f64,
    /// Whether that is its end, so that nothing would be learnt.
    pub is_at_end: bool,
    /// All settings with where each came from, and where it would end.
    pub config: ResolvedConfig,
    /// What it learns from what.
    pub card: RunCard,
}

/// What [`resume`] would do, refused where that would be.
pub fn resumable(studio: &Studio, wanted: &str, length: Option<(Length, Origin)>) -> Result<Resumable> {
    let (name, dir) = runs::find(studio, wanted)?;
    let card = RunCard::load(&dir)?;
    crate::takedown::check_run(studio, &name, &dir, &card.dataset)?;
    let dataset = dataset_of(studio, &name, &card)?;
    let counters = Run::position(&dir, &dataset)?;
    length.as_ref().map_or(Ok(()), |(length, _)| pinxit_train::run::lies_ahead(*length, &counters))?;
    let config = ResolvedConfig::of_run(&dir.join("config.toml"), length)?;
    let is_at_end = pinxit_train::run::lies_ahead(config.config.length, &counters).is_err();
    Ok(Resumable { name, dir, at_kimg: counters.kimg(), is_at_end, config, card })
}

/// Goes on with a run, to another end if `length` says so.
pub fn resume(studio: &Studio, wanted: &str, length: Option<Length>, watcher: &mut dyn Watcher) -> Result<Trained> {
    let (name, dir) = runs::find(studio, wanted)?;
    crate::ledger::check_ready(studio)?;
    watcher.event(Event::Started { task: Task::Train, name: name.clone() });
    let card = RunCard::load(&dir)?;
    crate::takedown::check_run(studio, &name, &dir, &card.dataset)?;
    let dataset = dataset_of(studio, &name, &card)?;
    let run = Run::resume(&dir, &dataset, &FeatureNet::shipped()?, length)?;
    if pinxit_train::run::lies_ahead(run.config().length, run.counters()).is_err() {
        watcher.event(Event::Note { message: AT_END.into() });
    }
    train(studio, (&name, wanted), dir, run, &dataset, watcher)
}

/// The run called `name`, which is resumed as `wanted`, by its name or its folder.
fn train(
    studio: &Studio,
    (name, wanted): (&str, &str),
    dir: PathBuf,
    mut run: Run,
    dataset: &Dataset,
    watcher: &mut dyn Watcher,
) -> Result<Trained> {
    let mut face = observe::Face::new(&dir, &run, watcher);
    let summary = run.train(&mut face)?;
    if !summary.complete {
        let resume = Some(command(&["train", "--resume", wanted]));
        watcher.event(Event::Interrupted { task: Task::Train, resume: resume.clone() });
        return Err(Error::Interrupted { resume });
    }
    let last = summary.model.ok_or_else(|| std::io::Error::other("the run ended without a model"))?;
    let model = models::keep(studio, &last, name)?;
    write_down(studio, name, &dir, &model)?;
    let is_measurable = dataset.train().len() >= pinxit_train::metrics::LEAST_PICTURES;
    let trained = Trained { name: name.into(), kimg: summary.kimg, secs: summary.secs, run: dir, model, is_measurable };
    watcher.event(Event::Finished { task: Task::Train, result: figures(&trained), next: suggestions(&trained) });
    Ok(trained)
}

/// Tells the ledger of a model that was kept.
fn write_down(studio: &Studio, name: &str, dir: &std::path::Path, path: &std::path::Path) -> Result<()> {
    let card = models::card(studio, &models::Found { name: name.into(), path: path.into() })?;
    // A run of an older pinxit may not say where its settings came from.
    let by_hand = fs_err::read_to_string(dir.join("config.toml")).ok().and_then(|text| config::set_by_hand(&text));
    let dataset = &card.meta.dataset;
    let subject = serde_json::json!({
        "model": name,
        "model_hash": card.hash,
        "dataset": dataset.name,
        "manifest_hash": dataset.manifest_hash,
        "licences": dataset.licences,
        "overridden": dataset.overridden,
        "kimg": card.meta.training.kimg,
        "parent": card.meta.parent,
        "set_by_hand": by_hand,
    });
    crate::ledger::write(studio, &[crate::ledger::entry(pinxit_trust::ledger::Kind::Training, subject)])
}

/// What makes sense after training: nothing that is bound to fail.
pub fn suggestions(trained: &Trained) -> Vec<String> {
    let name = &trained.name;
    let evaluate = trained.is_measurable.then(|| format!("pinxit evaluate {name}"));
    [format!("pinxit generate {name} --seeds 0-63 --grid")].into_iter().chain(evaluate).collect()
}

/// The length asked for, if one was: of time and pictures the one set by the stronger layer.
pub fn length(settings: &TrainSettings, origins: &[Setting]) -> Option<(Length, Origin)> {
    let origin = |key: &str| origins.iter().find(|s| s.key == key).map_or(Origin::Default, |s| s.origin.clone());
    let rank = |o: &Origin| match o {
        Origin::Default => 0,
        Origin::Chosen(_) | Origin::File(_) => 1,
        Origin::Environment(_) => 2,
        Origin::Flag(_) => 3,
    };
    let kimg = settings.kimg.map(|k| (Length::Kimg(k), origin("kimg")));
    let time = settings.time.map(|t| (Length::Seconds(t.secs() as f64), origin("time")));
    match (kimg, time) {
        (Some(k), Some(t)) => Some(if rank(&t.1) > rank(&k.1) { t } else { k }),
        (k, t) => k.or(t),
    }
}

/// Checks a configuration as the trainer will.
pub(crate) fn checked(config: TrainConfig) -> Result<TrainConfig> {
    config.check()?;
    Ok(config)
}
