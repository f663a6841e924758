//! Settings files: where they lie, how they are read, and the record a run keeps of what it used.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{Origin, Setting, SettingsFile};
use crate::machine::MOST_THREADS;
use crate::{Error, Result};

/// Reads the settings files that exist, weakest first: the user's, then the one in the studio home.
pub fn files(user: Option<&Path>, home: &Path) -> Result<Vec<(PathBuf, SettingsFile)>> {
    let of_home = home.join("config.toml");
    let mut found = Vec::new();
    for path in user.into_iter().chain([of_home.as_path()]) {
        found.extend(file(path)?.map(|settings| (path.to_path_buf(), settings)));
    }
    Ok(found)
}

/// Reads one settings file, if it exists.
pub fn file(path: &Path) -> Result<Option<SettingsFile>> {
    match fs_err::read_to_string(path) {
        Ok(text) => parse(path, &text).map(Some),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
    }
}

fn parse(path: &Path, text: &str) -> Result<SettingsFile> {
    let wrong = |message: String| Error::Settings { path: path.into(), message };
    let settings: SettingsFile = toml::from_str(text).map_err(|e| wrong(e.to_string().trim_end().into()))?;
    match settings.threads {
        Some(n) if !(1..=MOST_THREADS.into()).contains(&n) => Err(wrong(format!("threads = {n} is not in 1..={MOST_THREADS}"))),
        _ => Ok(settings),
    }
}

/// The resolved settings as TOML, each with its origin behind it: what `--dry-run` prints and a run keeps.
pub fn write_resolved(section: &str, settings: &[Setting]) -> String {
    let mut out = format!("[{section}]\n");
    for Setting { key, value, origin } in settings {
        let key = key.replace('_', "-");
        // Writing into a String cannot fail.
        let _ = match value {
            Value::Null => writeln!(out, "# {key} is not set  # {origin}"),
            value => writeln!(out, "{key} = {value}  # {origin}"),
        };
    }
    out
}

/// The same as JSON: `{"psi": {"value": 0.7, "source": "flag --psi"}, …}`.
pub fn resolved_json(settings: &[Setting]) -> Map<String, Value> {
    settings.iter().map(|s| (s.key.replace('_', "-"), sourced(&s.value, &s.origin))).collect()
}

/// A value and where it came from.
pub fn sourced(value: &Value, origin: &Origin) -> Value {
    json!({ "value": value, "source": origin.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Layer, Origin, TrainPartial, TrainSettings};

    #[test]
    fn what_is_written_can_be_read_again() {
        let mut flags = TrainPartial { kimg: Some(Some(1.5)), batch: Some(Some(8)), ..Default::default() };
        flags.time = Some(Some("1h".parse().unwrap()));
        let (train, settings) = TrainSettings::resolve(&[Layer { partial: &flags, origin: &|k| Origin::Flag(k.into()) }]);
        let text = write_resolved("train", &settings);
        assert!(text.contains("time = \"1h\"  # flag time") && text.contains("batch = 8  # flag batch"), "{text}");
        let back = parse(Path::new("x"), &text).unwrap();
        let (again, _) = TrainSettings::resolve(&[Layer { partial: &back.train, origin: &|_| Origin::Default }]);
        assert_eq!(again, train);
    }

    #[test]
    fn the_file_of_the_home_is_stronger_and_absence_is_fine() {
        let dir = tempfile::tempdir().unwrap();
        let user = dir.path().join("user.toml");
        assert!(files(Some(&user), dir.path()).unwrap().is_empty());
        fs_err::write(&user, "threads = 1").unwrap();
        fs_err::write(dir.path().join("config.toml"), "threads = 2").unwrap();
        let read = files(Some(&user), dir.path()).unwrap();
        assert_eq!(read.iter().map(|f| f.1.threads).collect::<Vec<_>>(), [Some(1), Some(2)]);
        fs_err::write(&user, "threads = \"many\"").unwrap();
        let error = files(Some(&user), dir.path()).unwrap_err().to_string();
        assert!(error.contains("user.toml") && error.contains("threads"), "{error}");
        for (threads, is_good) in [(0, false), (1, true), (1024, true), (5000, false)] {
            fs_err::write(&user, format!("threads = {threads}")).unwrap();
            assert_eq!(files(Some(&user), dir.path()).is_ok(), is_good, "{threads}, as for the flag");
        }
    }
}
