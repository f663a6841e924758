//! The studio home: `datasets/NAME`, `runs/NAME`, `models/NAME.safetensors`, `keys/`, `takedowns/`, and `bin/` for what was removed.
use std::path::{Path, PathBuf};

use pinxit_create::near;

use crate::{Error, Result};

/// A folder that holds everything a person makes.
#[derive(Clone, Debug)]
pub struct Studio {
    home: PathBuf,
}

/// The three kinds of things in a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `datasets/NAME/`
    Dataset,
    /// `runs/NAME/`
    Run,
    /// `models/NAME.safetensors`
    Model,
}

impl Kind {
    /// In a sentence.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Dataset => "dataset",
            Kind::Run => "run",
            Kind::Model => "model",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Kind::Dataset => "datasets",
            Kind::Run => "runs",
            Kind::Model => "models",
        }
    }
}

impl Studio {
    /// The home at `home`; nothing is created before something is written.
    pub fn at(home: impl Into<PathBuf>) -> Self {
        Studio { home: home.into() }
    }

    /// The folder itself.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The folder of one kind.
    pub fn folder(&self, kind: Kind) -> PathBuf {
        self.home.join(kind.folder())
    }

    /// The artist's key and the roots she trusts.
    pub fn keys(&self) -> pinxit_trust::keys::KeyFolder {
        pinxit_trust::keys::KeyFolder::at(self.home.join("keys"))
    }

    /// Where removed and replaced things lie until the person deletes them: nothing here empties it.
    pub fn bin(&self) -> PathBuf {
        self.home.join("bin")
    }

    /// Where a thing of this name lies, or would.
    pub fn path(&self, kind: Kind, name: &str) -> Result<PathBuf> {
        check_name(name)?;
        let file = if kind == Kind::Model { format!("{name}.safetensors") } else { name.to_string() };
        Ok(self.folder(kind).join(file))
    }

    /// Names of one kind, sorted. Hidden files and half-written ones are not names.
    pub fn names(&self, kind: Kind) -> Result<Vec<String>> {
        let entries = match fs_err::read_dir(self.folder(kind)) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e.into()),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Ok(file) = entry.file_name().into_string() else { continue };
            let is_folder = entry.path().is_dir();
            let name = match kind {
                Kind::Model => file.strip_suffix(".safetensors").filter(|_| !is_folder),
                _ => Some(file.as_str()).filter(|_| is_folder),
            };
            names.extend(name.filter(|n| check_name(n).is_ok()).map(String::from));
        }
        names.sort();
        Ok(names)
    }

    /// The path of something that must exist; otherwise an error that lists near names.
    pub fn existing(&self, kind: Kind, name: &str) -> Result<PathBuf> {
        if let Ok(path) = self.path(kind, name)
            && path.exists()
        {
            return Ok(path);
        }
        let names = self.names(kind)?;
        let shipped = crate::shipped::names().filter(|_| kind == Kind::Model).map(String::from);
        let known: Vec<String> = names.iter().cloned().chain(shipped).collect();
        let close = near::matches(name, known.iter().map(String::as_str)).into_iter().map(String::from).collect();
        Err(Error::Unknown { kind: kind.word(), name: name.into(), close, home: self.home.clone(), any: !names.is_empty() })
    }

    /// `wanted`, or `wanted-2`, `wanted-3`… : the first name not taken.
    pub fn free_name(&self, kind: Kind, wanted: &str) -> Result<String> {
        for i in 1..10_000 {
            let name = if i == 1 { wanted.to_string() } else { format!("{wanted}-{i}") };
            if !self.path(kind, &name)?.exists() {
                return Ok(name);
            }
        }
        Err(Error::BadName { name: wanted.into() })
    }

    /// Moves something into `bin/`, so that a mistake can be undone; says where it lies now.
    pub fn remove(&self, kind: Kind, name: &str) -> Result<PathBuf> {
        let from = self.existing(kind, name)?;
        if kind == Kind::Dataset {
            crate::runs::check_unused(self, name)?;
            let to = self.place_in_bin(kind.folder(), name, "")?;
            pinxit_dataset::shelf::remove(&from, &to)?;
            return Ok(to);
        }
        let ending = if kind == Kind::Model { ".safetensors" } else { "" };
        let to = self.move_to_bin(&from, kind.folder(), name, ending)?;
        if kind == Kind::Model {
            // What was found out about it: beside the next model of that name it would be untrue.
            let findings = crate::audit::findings_path;
            let beside = [crate::evaluate::figures_path(&from), findings(&from), findings(&from).with_extension("png")];
            let there = [crate::evaluate::figures_path(&to), findings(&to), findings(&to).with_extension("png")];
            for (from, to) in beside.iter().zip(there).filter(|(from, _)| from.exists()) {
                fs_err::rename(from, to)?;
            }
        }
        Ok(to)
    }

    /// Moves a file or folder of this home to `bin/FOLDER/NAME-TIME`, never onto another one.
    pub(crate) fn move_to_bin(&self, from: &Path, folder: &str, name: &str, ending: &str) -> Result<PathBuf> {
        let to = self.place_in_bin(folder, name, ending)?;
        fs_err::rename(from, &to)?;
        Ok(to)
    }

    /// A free `bin/FOLDER/NAME-TIME`; its folder is there.
    pub(crate) fn place_in_bin(&self, folder: &str, name: &str, ending: &str) -> Result<PathBuf> {
        let bin = self.bin().join(folder);
        fs_err::create_dir_all(&bin)?;
        let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
        let mut to = bin.join(format!("{name}-{stamp}{ending}"));
        for i in 2.. {
            if !to.exists() {
                break;
            }
            to = bin.join(format!("{name}-{stamp}-{i}{ending}"));
        }
        Ok(to)
    }
}

/// Names become file names: letters, digits, `-`, `_` and `.`, not starting with a dot, at most 100 bytes.
pub fn check_name(name: &str) -> Result<()> {
    let good = !name.is_empty()
        && name.len() <= 100
        && !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    if good { Ok(()) } else { Err(Error::BadName { name: name.into() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_home() {
        for bad in ["", "..", "../x", "a/b", ".hidden", "-flag", "a b", "x\0"] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
        for good in ["trees", "été-2", "a_b.c"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn removing_moves_into_the_bin_twice_without_loss() {
        let dir = tempfile::tempdir().unwrap();
        let studio = Studio::at(dir.path());
        let mut places = Vec::new();
        for text in ["one", "two"] {
            let path = studio.path(Kind::Model, "trees").unwrap();
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(&path, text).unwrap();
            assert_eq!(studio.names(Kind::Model).unwrap(), ["trees"]);
            places.push((studio.remove(Kind::Model, "trees").unwrap(), text));
            assert!(studio.names(Kind::Model).unwrap().is_empty());
        }
        for (path, text) in places {
            assert_eq!(fs_err::read_to_string(path).unwrap(), text);
        }
    }

    /// They once stayed behind, beside the next model of that name.
    #[test]
    fn the_figures_of_a_model_go_to_the_bin_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let studio = Studio::at(dir.path());
        let model = studio.path(Kind::Model, "oaks.v2").unwrap();
        fs_err::create_dir_all(model.parent().unwrap()).unwrap();
        fs_err::write(&model, "weights").unwrap();
        fs_err::write(model.with_file_name("oaks.v2.evaluation.json"), "figures").unwrap();
        fs_err::write(model.with_file_name("oaks.v2.audit.json"), "findings").unwrap();
        fs_err::write(model.with_file_name("oaks.v2.audit.png"), "sheet").unwrap();
        let moved = studio.remove(Kind::Model, "oaks.v2").unwrap();
        assert!(fs_err::read_dir(model.parent().unwrap()).unwrap().next().is_none(), "nothing stays behind");
        let stem = moved.file_stem().unwrap().to_str().unwrap();
        let figures = moved.with_file_name(format!("{stem}.evaluation.json"));
        assert_eq!(fs_err::read_to_string(figures).unwrap(), "figures");
        let sheet = moved.with_file_name(format!("{stem}.audit.png"));
        assert_eq!(fs_err::read_to_string(sheet).unwrap(), "sheet");
    }

    #[test]
    fn unknown_names_list_near_ones() {
        let dir = tempfile::tempdir().unwrap();
        let studio = Studio::at(dir.path());
        fs_err::create_dir_all(studio.path(Kind::Dataset, "flowers").unwrap()).unwrap();
        let error = studio.existing(Kind::Dataset, "flwers").unwrap_err();
        assert_eq!(error.hint().unwrap(), "did you mean \"flowers\"?");
        assert_eq!(studio.free_name(Kind::Dataset, "flowers").unwrap(), "flowers-2");
    }
}
