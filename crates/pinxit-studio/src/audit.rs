//! Does a model copy its training works? The tests of `pinxit_trust::originality`, and a sheet to see for oneself.
use std::path::{Path, PathBuf};

use pinxit_create::Painter;
use pinxit_dataset::Dataset;
use pinxit_image::{Encoding, Limits, Metadata, Picture};
use pinxit_tensor::{Rng, Tensor};
use pinxit_trust::originality::{self, Audit, Closest, nearest};
use serde::Serialize;

pub use crate::evaluate::Judged;
use crate::event::{Event, Task, Watcher, figures};
use crate::settings::ImageFormat;
use crate::works::{TrainingWorks, go_on};
use crate::{Error, Result, Studio, counted, datasets, models};

/// Pictures held out with which anything can be said: a collection of 50 works has about five.
const LEAST_HELD_OUT: usize = 3;
/// Pictures of the sheet.
const SHEET_SAMPLES: usize = 32;
/// Samples side by side on the sheet, each with its three neighbours.
const SHEET_COLUMNS: usize = 4;
/// Between neighbours, and between samples, px.
const GAPS_PX: [u32; 2] = [2, 14];

/// What to audit.
#[derive(Clone, Debug)]
pub struct AuditRequest {
    /// A model's pictures, or anybody's.
    pub judged: Judged,
    /// Dataset; the one the model was trained on if absent.
    pub dataset: Option<String>,
    /// Pictures it paints for the tests.
    pub samples: usize,
    /// The seed of the first of them; the others follow.
    pub first_seed: u64,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Audited {
    /// Hash of the model; none for pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Name of the model or the folder.
    pub name: String,
    /// Name of the dataset.
    pub dataset: String,
    /// Hash of the dataset's manifest.
    pub dataset_hash: String,
    /// Pictures that were looked at.
    pub samples: usize,
    /// Training pictures they were held against.
    pub works: usize,
    /// Pictures held out.
    pub held_out: usize,
    /// Unlikeness below which a picture counts as a near copy.
    pub near_copy_below: f64,
    /// The tests.
    #[serde(flatten)]
    pub audit: Audit,
    /// Every picture with the work it comes closest to, closest first.
    pub closest: Vec<ClosestWork>,
    /// Where this was saved.
    pub path: PathBuf,
    /// The sheet of nearest works.
    pub sheet: PathBuf,
}

/// A picture and the work it comes closest to.
#[derive(Clone, Debug, Serialize)]
pub struct ClosestWork {
    /// `seed 7`, or the name of its file.
    pub picture: String,
    /// Title of the work.
    pub title: String,
    /// Who made it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// 0 for a copy, about 1.4 for nothing in common.
    pub unlikeness: f64,
    /// Whether it passes for a copy.
    pub near_copy: bool,
}

/// Pictures with their features.
struct Described {
    pictures: Vec<Picture>,
    features: Tensor,
}

/// What is audited, opened.
struct Suspect {
    name: String,
    model: Option<String>,
    /// What each picture is called.
    called: Vec<String>,
    pictures: Vec<Picture>,
    /// Where the findings go.
    path: PathBuf,
    dataset: Dataset,
}

/// Audits, and saves the findings: a model's beside it as `NAME.audit.json` and `NAME.audit.png`, those of pictures in their folder as `audit.json` and
/// `audit.png`.
pub fn audit(studio: &Studio, request: &AuditRequest, watcher: &mut dyn Watcher) -> Result<Audited> {
    let suspect = match &request.judged {
        Judged::Model(model) => painted(studio, model, request, watcher)?,
        Judged::Pictures(folder) => found(studio, folder, request, watcher)?,
    };
    let Suspect { name, model, called, pictures, path, dataset } = suspect;
    let works = TrainingWorks::open(&dataset, Task::Audit, watcher)?;
    let (held_out, made) = {
        let mut work = Work { done: 0, total: dataset.held_out().len() + pictures.len(), works: &works, watcher };
        (work.describe(pictures_of(&dataset, dataset.held_out())?)?, work.describe(pictures)?)
    };
    let (index, limit) = (works.works(), works.limit());
    let closest = index.closest(&made.pictures, &made.features, None)?;
    let unseen = index.closest(&held_out.pictures, &held_out.features, None)?;
    let below =
        |all: &[Option<Closest>]| all.iter().flatten().filter(|c| c.unlikeness < limit).count() as f64 / all.len().max(1) as f64;
    let near_copies = [below(&closest), below(&unseen)];
    let audited = Audited {
        model,
        name,
        dataset: dataset.name().into(),
        dataset_hash: dataset.manifest_hash().into(),
        samples: made.pictures.len(),
        works: index.len(),
        held_out: held_out.pictures.len(),
        near_copy_below: limit,
        audit: originality::audit(index.features(), &held_out.features, &made.features, near_copies),
        closest: closest_works(&closest, called, &works),
        sheet: path.with_extension("png"),
        path,
    };
    let drawn = draw_sheet(&made, &pictures_of(&dataset, works.rows())?, index.features(), &closest)?;
    pinxit_image::write_atomic(&audited.sheet, &pinxit_image::encode(&drawn, Encoding::Png, &Metadata::default())?)?;
    pinxit_image::write_atomic(&audited.path, crate::event::versioned(&audited).as_bytes())?;
    let mut result = figures(&audited);
    result.shift_remove("closest");
    watcher.event(Event::Finished { task: Task::Audit, result, next: Vec::new() });
    Ok(audited)
}

/// A model's pictures, unselected: consecutive seeds, labels as often as the collection has them.
fn painted(studio: &Studio, model: &str, request: &AuditRequest, watcher: &mut dyn Watcher) -> Result<Suspect> {
    let found = models::find(studio, model)?;
    let model = found.load_for_use(studio)?;
    let wanted = request.dataset.as_ref().unwrap_or(&model.meta.dataset.name).clone();
    let hint = request.dataset.is_none().then_some("name another one with --dataset");
    let dataset = datasets::open_for(studio, &wanted, &format!("model \"{}\"", found.name), hint)?;
    check_fits(model.generator.resolution(), &dataset)?;
    watcher.event(Event::Started { task: Task::Audit, name: found.name.clone() });
    let (hash, mut painter) = (model.hash(), Painter::open(model, &found.name));
    let (mut recipes, mut called) = (Vec::new(), Vec::new());
    for seed in (request.first_seed..).take(request.samples) {
        let mut rng = Rng::stream(seed, "labels");
        let (class, style) = (painter.draw_class(&mut rng).map(String::from), painter.draw_style(&mut rng).map(String::from));
        recipes.push(painter.recipe(seed, class.as_deref(), style.as_deref(), 1.0)?);
        called.push(format!("seed {seed}"));
    }
    let pictures = painter.paint(&recipes)?;
    let path = findings_path(&found.path);
    Ok(Suspect { name: found.name, model: Some(hash), called, pictures, path, dataset })
}

/// Where the findings about a model file lie; the sheet lies beside them, with another ending.
pub(crate) fn findings_path(model: &Path) -> PathBuf {
    model.with_extension("audit.json")
}

/// The pictures of a folder, brought to the size of the dataset's.
fn found(studio: &Studio, folder: &Path, request: &AuditRequest, watcher: &mut dyn Watcher) -> Result<Suspect> {
    let Some(wanted) = &request.dataset else {
        return Err(Error::Setting {
            message: "pictures from elsewhere do not say what they shall be compared with".into(),
            hint: "name a dataset with --dataset".into(),
        });
    };
    let dataset = datasets::open(studio, wanted)?;
    let (height, width) = dataset.resolution();
    check_fits((height, width), &dataset)?;
    let (path, sheet) = (folder.join("audit.json"), folder.join("audit.png"));
    crate::evaluate::check_ours(&path)?;
    if sheet.exists() && !path.exists() {
        return Err(Error::InTheWay { path: sheet }); // a picture of the person's, which the sheet would replace
    }
    let name = folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into_owned());
    watcher.event(Event::Started { task: Task::Audit, name: name.clone() });
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let file = entry?.path();
        if file.is_file() && file != sheet && ImageFormat::of_name(&file).is_ok() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::Setting {
            message: format!("{} holds no pictures", folder.display()),
            hint: "PNG, JPEG, WebP and AVIF are looked for in the folder itself".into(),
        });
    }
    let (mut pictures, mut called) = (Vec::new(), Vec::new());
    for file in files {
        let picture = pinxit_image::read(&file, &Limits::default()).map_err(|e| Error::from(e).in_file(&file))?.picture;
        pictures.push(pinxit_image::resize(&picture, width as u32, height as u32)?);
        called.push(file.file_name().unwrap_or_default().to_string_lossy().into_owned());
    }
    Ok(Suspect { name, model: None, called, pictures, path, dataset })
}

fn check_fits(mine: (usize, usize), dataset: &Dataset) -> Result<()> {
    if mine != dataset.resolution() {
        let theirs = dataset.resolution();
        return Err(Error::Setting {
            message: format!("the model paints {}x{} px, the dataset holds {}x{} px", mine.1, mine.0, theirs.1, theirs.0),
            hint: format!("import the pictures again with --size {}x{}", mine.1, mine.0),
        });
    }
    let held_out = dataset.held_out().len();
    if held_out < LEAST_HELD_OUT || dataset.train().len() < 2 {
        return Err(Error::Setting {
            message: format!(
                "\"{}\" has {} held out, and copies are told by works that were never learnt: {LEAST_HELD_OUT} at least",
                dataset.name(),
                counted(held_out, "picture")
            ),
            hint: "import more works: one in ten of them is held out".into(),
        });
    }
    Ok(())
}

fn pictures_of(dataset: &Dataset, rows: &[u32]) -> Result<Vec<Picture>> {
    Ok(rows.iter().map(|&i| dataset.picture(i as usize)).collect::<pinxit_dataset::Result<_>>()?)
}

/// Describes pictures, and knows how far it is.
struct Work<'a> {
    works: &'a TrainingWorks,
    done: usize,
    total: usize,
    watcher: &'a mut dyn Watcher,
}

impl Work<'_> {
    fn describe(&mut self, pictures: Vec<Picture>) -> Result<Described> {
        let (before, total) = (self.done, self.total);
        let mut tick = |done| go_on(self.watcher, Task::Audit, "describing pictures", before + done, total);
        let features = self.works.describer().describe(pictures.len(), |i| Ok(pictures[i].clone()), &mut tick)?;
        self.done += pictures.len();
        Ok(Described { features, pictures })
    }
}

/// Closest first.
fn closest_works(closest: &[Option<Closest>], called: Vec<String>, works: &TrainingWorks) -> Vec<ClosestWork> {
    let named = |(picture, c): (String, &Option<Closest>)| {
        let Closest { work, unlikeness } = (*c)?;
        let record = works.record(work);
        let (title, creator) = (record.title.clone(), record.creator.clone());
        Some(ClosestWork { picture, title, creator, unlikeness, near_copy: unlikeness < works.limit() })
    };
    let mut all: Vec<ClosestWork> = called.into_iter().zip(closest).filter_map(named).collect();
    all.sort_by(|a, b| a.unlikeness.total_cmp(&b.unlikeness));
    all
}

/// Each of the first samples beside its nearest training pictures: laid over it at 32 x 32 px, by perceptual hash, by features.
fn draw_sheet(made: &Described, works: &[Picture], features: &Tensor, closest: &[Option<Closest>]) -> Result<Picture> {
    let count = SHEET_SAMPLES.min(made.pictures.len());
    let hashes: Vec<u64> = works.iter().map(pinxit_dataset::perceptual_hash).collect();
    let by_features = nearest(&made.features, features, 1, |_, _| false);
    let (w, h) = (made.pictures[0].width(), made.pictures[0].height());
    let [near_gap, far_gap] = GAPS_PX;
    let (cell_w, cell_h) = (4 * w + 3 * near_gap + far_gap, h + near_gap);
    let (columns, rows) = (SHEET_COLUMNS as u32, count.div_ceil(SHEET_COLUMNS) as u32);
    let mut sheet = Picture::filled(columns * cell_w - far_gap, rows * cell_h - near_gap, pinxit_image::WHITE);
    for i in 0..count {
        let hash = pinxit_dataset::perceptual_hash(&made.pictures[i]);
        let by_hash = (0..hashes.len()).min_by_key(|&j| (hashes[j] ^ hash).count_ones()).unwrap_or(0);
        let laid_over = closest[i].map_or(by_hash, |c| c.work);
        let of_work = |work: usize| &works[work];
        let row = [&made.pictures[i], of_work(laid_over), of_work(by_hash), of_work(by_features[i][0].0)];
        let (x, y) = ((i % SHEET_COLUMNS) as u32 * cell_w, (i / SHEET_COLUMNS) as u32 * cell_h);
        for (k, picture) in row.into_iter().enumerate() {
            sheet.paste(picture, x + k as u32 * (w + near_gap), y);
        }
    }
    Ok(sheet)
}

/// The figures by name, for tables: of the model, and what works held out score.
pub fn rows(a: &Audit) -> Vec<(&'static str, Option<f64>, Option<f64>)> {
    vec![
        ("C_T (below -3: copies)", a.c_t, None),
        ("authentic (higher)", Some(a.authenticity), Some(a.authenticity_held_out)),
        ("memorised (lower)", Some(a.memorised), Some(0.01)),
        ("near copies (lower)", Some(a.near_copies), Some(a.near_copies_held_out)),
    ]
}
