//! What can go wrong in a use case. Every error has a hint or states why it needs none.
use std::path::{Path, PathBuf};

use pinxit_create::near;

/// A failed use case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A dataset, run or model that is not there.
    #[error("there is no {kind} \"{name}\" in {}", home.display())]
    Unknown {
        /// `dataset`, `run` or `model`.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// Names close to it.
        close: Vec<String>,
        /// The studio home.
        home: PathBuf,
        /// Whether there are any of this kind.
        any: bool,
    },
    /// The dataset that a run or a model names is not there.
    #[error("the {needed_by} needs the dataset \"{dataset}\", which is not in {}", home.display())]
    DatasetGone {
        /// What needs it: `run "oaks"`, `model "oaks"`.
        needed_by: String,
        /// Its name.
        dataset: String,
        /// The studio home.
        home: PathBuf,
        /// What to do if it cannot be had back, where there is something.
        otherwise: Option<&'static str>,
    },
    /// A name that cannot be a file name.
    #[error("\"{name}\" cannot be a name here")]
    BadName {
        /// The name.
        name: String,
    },
    /// Something of this name exists already.
    #[error("there is a {kind} \"{name}\" already")]
    Taken {
        /// `dataset`, `run` or `model`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A run learns from the dataset at this moment.
    #[error("the run \"{run}\" is learning from the dataset \"{dataset}\" now")]
    InUse {
        /// The dataset.
        dataset: String,
        /// The run.
        run: String,
    },
    /// Another file lies where one shall be written.
    #[error("{} is there already, with other content", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// A file lies where a folder is needed.
    #[error("{} is a file, and a folder is needed there", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// A settings file that cannot be read.
    #[error("the settings in {} cannot be used: {message}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        message: String,
    },
    /// A setting or a pair of settings that makes no sense.
    #[error("{message}")]
    Setting {
        /// What is wrong.
        message: String,
        /// What to write instead.
        hint: String,
    },
    /// A picture without a recipe.
    #[error("{} carries no recipe", path.display())]
    NoRecipe {
        /// The picture.
        path: PathBuf,
    },
    /// The model a recipe names is not in this home.
    #[error("the recipe in {} needs the model \"{name}\" with hash {hash}, which is not in {}", path.display(), home.display())]
    NoSuchModel {
        /// The picture.
        path: PathBuf,
        /// Name in the recipe.
        name: String,
        /// Hash in the recipe.
        hash: String,
        /// The studio home.
        home: PathBuf,
        /// Whether a model of that name with another hash is there.
        renamed: bool,
    },
    /// The demo's pictures or model were not built into this program.
    #[error("this pinxit was built without {what}")]
    NothingEmbedded {
        /// What is missing.
        what: &'static str,
    },
    /// No file of this path, though something of the home may be called so.
    #[error("there is no file or folder {}", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
        /// Commands that show what is called so.
        shown_by: Vec<String>,
    },
    /// A file that is neither picture nor model nor dataset.
    #[error("{} is neither a picture, a model, a dataset nor a run", path.display())]
    NotKnown {
        /// The file.
        path: PathBuf,
    },
    /// A file, with what was wrong with it.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        source: Box<Error>,
    },
    /// The person asked to stop. Nothing is lost.
    #[error("stopped")]
    Interrupted {
        /// Command that goes on from here, if there is one.
        resume: Option<String>,
    },
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Reading or writing a picture.
    #[error(transparent)]
    Image(#[from] pinxit_image::Error),
    /// A model file.
    #[error(transparent)]
    Network(#[from] pinxit_nn::Error),
    /// A dataset.
    #[error(transparent)]
    Dataset(#[from] pinxit_dataset::Error),
    /// Training or measuring.
    #[error(transparent)]
    Train(#[from] pinxit_train::Error),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] pinxit_trust::ledger::Error),
    /// Painting.
    #[error(transparent)]
    Create(#[from] pinxit_create::Error),
    /// A key.
    #[error(transparent)]
    Key(#[from] pinxit_trust::keys::KeyError),
    /// A credential.
    #[error(transparent)]
    Credential(#[from] pinxit_trust::credential::CredentialError),
    /// Something that has to do with a work which was taken down.
    #[error("the {what} {work}, taken down on {on}")]
    TakenDown {
        /// `model "oaks" has learnt from`.
        what: String,
        /// The work.
        work: String,
        /// The day.
        on: String,
        /// What to do.
        hint: String,
    },
    /// A receipt that does not hold. What is wrong with it has been said.
    #[error("the receipt does not hold")]
    BadReceipt,
    /// Painted pictures that are near copies of training works, and were not written.
    #[error("{}", near_copies(*withheld, *all, first))]
    NearCopies {
        /// How many.
        withheld: usize,
        /// Of how many.
        all: usize,
        /// The first of them.
        first: Box<crate::gate::NearCopy>,
    },
    /// A watermark.
    #[error(transparent)]
    Watermark(#[from] pinxit_trust::watermark::Error),
    /// There is no secret to read watermarks with.
    #[error("there is no watermark secret in {}", folder.display())]
    NoMarks {
        /// Where it would lie.
        folder: PathBuf,
    },
    /// Files that were looked at, and not each carries a mark of this studio. What each has was said.
    #[error("{}", not_marked(*without, *unreadable, *all))]
    NotMarked {
        /// How many carry none.
        without: usize,
        /// How many cannot be read.
        unreadable: usize,
        /// Of how many.
        all: usize,
    },
    /// Files that were verified, and have no credential that holds. What is wrong with each has been said.
    #[error("{}", not_vouched(*bad, *unreadable, *all))]
    NotVouched {
        /// How many have none that holds.
        bad: usize,
        /// How many cannot be read.
        unreadable: usize,
        /// Of how many.
        all: usize,
    },
}

impl Error {
    /// Puts the file in front of the message.
    pub fn in_file(self, path: impl Into<PathBuf>) -> Self {
        Error::InFile { path: path.into(), source: Box::new(self) }
    }

    /// What a person can do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Error::Unknown { kind, close, any, .. } => unknown_hint(kind, close, *any),
            Error::DatasetGone { dataset, home, otherwise, .. } => gone_hint(dataset, home, *otherwise),
            Error::BadName { .. } => "letters, digits, - _ and . only, at most 100, not starting with - or .".into(),
            Error::Taken { kind: "direction", name } => {
                format!("choose another name with --as, or rename that one: `pinxit explore directions MODEL --rename {name}=OTHER`")
            }
            Error::Taken { kind, name } => format!("choose another name, or `pinxit {kind}s remove {name}` first"),
            Error::InUse { .. } => "let it end, or stop it with Ctrl-C: that saves its state".into(),
            Error::InTheWay { .. } => "name another place, or say --overwrite to replace it".into(),
            Error::NotAFolder { .. } => "name another place, or move that file away".into(),
            Error::Settings { path, .. } => format!("correct {}, or move it away to use the defaults", path.display()),
            Error::Setting { hint, .. } => hint.clone(),
            Error::NoRecipe { .. } => "only files written by `pinxit generate` carry one, and some programs strip it".into(),
            Error::NoSuchModel { renamed: true, .. } => {
                "a model of that name is there, with another hash: it was trained further, and would paint another picture; --model names another \
                 file"
                    .into()
            }
            Error::NoSuchModel { .. } => {
                "name its file with --model, copy it into models/ of the home (a removed one lies in bin/models/), or name the right --home".into()
            }
            Error::NothingEmbedded { .. } => "build it in the repository, or name a folder with --assets".into(),
            Error::NoFile { shown_by, .. } => no_file_hint(shown_by),
            Error::NotKnown { .. } => "`pinxit --help` lists what there is to do".into(),
            Error::InFile { source, .. } => return source.hint(),
            Error::Interrupted { resume: Some(command) } => format!("go on with `{command}`"),
            Error::Interrupted { resume: None } => "run the same command again to go on".into(),
            Error::Io(e) => return io_hint(e.kind()),
            Error::Image(e) => return e.hint().map(String::from),
            Error::Network(e) => return e.hint().map(|h| h.to_string()),
            Error::Dataset(e) => return e.hint().map(|h| h.to_string()),
            Error::Train(e) => return e.hint(),
            Error::Ledger(e) => return e.hint().map(String::from),
            Error::Create(e) => return e.hint(),
            Error::Key(e) => return e.hint().map(String::from),
            Error::Credential(e) => return e.hint().map(String::from),
            Error::TakenDown { hint, .. } => hint.clone(),
            Error::NearCopies { .. } => {
                "paint other seeds; if you may show these, say why: --allow-near-copies \"REASON\", which is kept in the ledger"
                    .into()
            }
            Error::Watermark(e) => return e.hint().map(String::from),
            Error::NoMarks { .. } => {
                "it is made with the first picture of 128 px a side or more; name the home that painted the picture with --home"
                    .into()
            }
            // They answer the question; what to do about a file depends on who asks.
            Error::NotVouched { .. } | Error::NotMarked { .. } | Error::BadReceipt => return None,
        })
    }
}

fn near_copies(withheld: usize, all: usize, first: &crate::gate::NearCopy) -> String {
    let what = match (withheld, all) {
        (1, 1) => "the picture is a near copy of a training work, and was not written".to_string(),
        (1, _) => format!("1 of {all} pictures is a near copy of a training work, and was not written"),
        _ => format!("{withheld} of {all} pictures are near copies of training works, and were not written"),
    };
    let (seed, work, unlikeness, below) = (first.seed, first.work.words(), first.work.unlikeness, first.below);
    let which = if withheld == 1 { format!("seed {seed}") } else { format!("the first, seed {seed},") };
    format!("{what}; {which} comes as near as {unlikeness:.3} to {work} (near copies are below {below:.3})")
}

fn not_vouched(bad: usize, unreadable: usize, all: usize) -> String {
    match (bad, unreadable, all) {
        (_, 1.., 1) => "it cannot be read".into(),
        (_, 1.., _) => format!("{unreadable} of {all} files cannot be read"),
        (_, _, 1) => "no credential that holds".into(),
        _ => format!("{bad} of {all} files have no credential that holds"),
    }
}

fn not_marked(without: usize, unreadable: usize, all: usize) -> String {
    match (without, unreadable, all) {
        (_, 1.., 1) => "it cannot be read".into(),
        (_, 1.., _) => format!("{unreadable} of {all} files cannot be read"),
        (_, _, 1) => "no mark of this studio was found, which says nothing about the picture".into(),
        _ => format!("no mark of this studio was found in {without} of {all} files, which says nothing about them"),
    }
}

fn unknown_hint(kind: &str, close: &[String], any: bool) -> String {
    let close: Vec<&str> = close.iter().map(String::as_str).collect();
    match (close.is_empty(), any, kind) {
        (false, ..) => format!("did you mean {}?", near::listed(&close)),
        (_, true, _) => format!("`pinxit {kind}s list` shows what there is"),
        (_, _, "dataset") => "make one: `pinxit import FOLDER --into NAME --license own`".into(),
        _ => "train one: `pinxit train DATASET`; or see `pinxit demo`".into(),
    }
}

fn gone_hint(dataset: &str, home: &Path, otherwise: Option<&str>) -> String {
    let (bin, place) = (home.join("bin/datasets"), home.join("datasets").join(dataset));
    let otherwise = otherwise.map(|what| format!("; or {what}")).unwrap_or_default();
    format!("if it was removed it lies in {}: move it back to {}{otherwise}", bin.display(), place.display())
}

fn no_file_hint(shown_by: &[String]) -> String {
    if shown_by.is_empty() {
        return "check the path; `pinxit models list`, `datasets list` and `runs list` show what has a name".into();
    }
    let commands: Vec<String> = shown_by.iter().map(|c| format!("`{c}`")).collect();
    format!("something of that name is shown by {}", commands.join(", "))
}

fn io_hint(kind: std::io::ErrorKind) -> Option<String> {
    use std::io::ErrorKind as K;
    let hint = match kind {
        K::NotFound => "check the path",
        K::IsADirectory => "name a file, not a folder",
        K::NotADirectory => "a part of that path is a file, and a folder is needed there",
        K::PermissionDenied | K::ReadOnlyFilesystem => "choose a folder you may write to, or give yourself the right",
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge => "free some disk space and try again; nothing was overwritten",
        _ => return None,
    };
    Some(hint.into())
}
