//! Files beside the pictures that speak about their use:
//!
//! ```text
//! PICTURE.xmp            XMP, as photo programs write it           PICTURE with its ending (a.jpg.xmp) or without (a.xmp)
//! PICTURE.tdm.json       {"tdm-reservation": 1, "tdm-policy": …}   likewise
//! PICTURE.headers .http  saved response headers                    likewise
//! PICTURE.license        REUSE: SPDX-License-Identifier: …         likewise
//! tdmrep.json            a list with locations, also in .well-known/; for all below its folder
//! robots.txt             Content-Usage rules; for all below its folder
//! ```

use std::collections::HashMap;

use super::usage::{self, Rule, fits};
use super::{Found, Signal, UNREADABLE, licence, xmp};

/// Sidecars above this are not read.
const MAX_BYTES: u64 = 16 << 20;

/// Endings of files that speak for one picture.
const FOR_ONE: [(&str, Kind); 5] = [
    (".xmp", Kind::Xmp),
    (".tdm.json", Kind::Tdm),
    (".headers", Kind::Headers),
    (".http", Kind::Headers),
    (".license", Kind::Licence),
];
/// Names of files that speak for a folder and all below it.
const FOR_ALL: [(&str, Kind); 3] =
    [(".well-known/tdmrep.json", Kind::Tdm), ("tdmrep.json", Kind::Tdm), ("robots.txt", Kind::Robots)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Xmp,
    Tdm,
    Headers,
    Licence,
    Robots,
}

/// Whom a sidecar of this name speaks for.
#[derive(Debug, PartialEq, Eq)]
enum Scope<'a> {
    /// The picture of this name, or of this name and any ending.
    One(&'a str, Kind),
    /// All below this folder, which is empty or ends in `/`.
    All(&'a str, Kind),
}

fn scope(name: &str) -> Option<Scope<'_>> {
    let at_folder = |ending: &str| {
        let base = name.len().checked_sub(ending.len()).filter(|&at| name.is_char_boundary(at))?;
        let (folder, own) = name.split_at(base);
        (own.eq_ignore_ascii_case(ending) && (folder.is_empty() || folder.ends_with('/'))).then_some(folder)
    };
    let all = |(ending, kind): &(&str, Kind)| at_folder(ending).map(|folder| Scope::All(folder, *kind));
    let one = |(ending, kind): &(&str, Kind)| {
        let at = name.len().checked_sub(ending.len()).filter(|&at| name.is_char_boundary(at))?;
        let (picture, own) = name.split_at(at);
        let is_one = own.eq_ignore_ascii_case(ending) && !picture.is_empty() && !picture.ends_with('/');
        is_one.then_some(Scope::One(picture, *kind))
    };
    FOR_ALL.iter().find_map(all).or_else(|| FOR_ONE.iter().find_map(one))
}

/// Whether a file of this name is read as a sidecar.
pub(crate) fn is_sidecar(name: &str) -> bool {
    scope(name).is_some()
}

/// Names that the sidecars of a picture may have which is imported by itself: beside it, where no listing meets them.
pub(crate) fn names_beside(picture: &str) -> Vec<String> {
    let stem = picture.rsplit_once('.').map(|(stem, _)| stem).filter(|stem| !stem.is_empty());
    let pictures = std::iter::once(picture).chain(stem);
    let one = pictures.flat_map(|picture| FOR_ONE.iter().map(move |(ending, _)| format!("{picture}{ending}")));
    one.chain(FOR_ALL.iter().map(|(name, _)| (*name).to_owned())).collect()
}

/// All sidecars of the sources, read: what they say is small, whatever their size.
#[derive(Debug, Default)]
pub(crate) struct Sidecars {
    one: HashMap<String, Found>,
    /// Folder, and the rules of one file in it.
    all: Vec<(String, Vec<Rule>)>,
}

impl Sidecars {
    /// Reads the sidecar `name` of `len` bytes. One that cannot be read may hold a reservation, and is taken for one.
    pub fn add(&mut self, name: &str, len: u64, content: &mut dyn FnMut() -> std::io::Result<Vec<u8>>) {
        let Some(scope) = scope(name) else { return };
        let text = match content_within(len, content) {
            Ok(bytes) => decoded(&bytes),
            Err(reason) => return self.unreadable(scope, name, &reason),
        };
        match scope {
            Scope::One(picture, kind) => self.one.entry(picture.to_owned()).or_default().join(about_one(kind, &text, name)),
            Scope::All(folder, kind) => {
                let rules = if kind == Kind::Robots { usage::robots(&text, name) } else { usage::tdm_json(&text, name) };
                self.all.push((folder.to_owned(), rules));
            }
        }
    }

    fn unreadable(&mut self, scope: Scope<'_>, name: &str, reason: &str) {
        let signal = Signal::new(UNREADABLE, name, &format!("{reason}, and may hold a reservation"), true);
        match scope {
            // A licence that cannot be read is no reservation: the work then has none.
            Scope::One(_, Kind::Licence) => {}
            Scope::One(picture, _) => self.one.entry(picture.to_owned()).or_default().signals.push(signal),
            Scope::All(folder, _) => self.all.push((folder.to_owned(), vec![Rule { pattern: "/".into(), signal }])),
        }
    }

    /// What they say about the picture called `item`.
    pub fn about(&self, item: &str) -> Found {
        let mut found = Found::default();
        let stem = item.rsplit_once('.').map(|(stem, ending)| (stem, ending.contains('/')));
        let names = std::iter::once(item).chain(stem.filter(|(_, is_folder)| !is_folder).map(|(stem, _)| stem));
        names.filter_map(|name| self.one.get(name)).for_each(|more| found.join(more.clone()));
        for (folder, rules) in &self.all {
            let Some(path) = item.strip_prefix(folder.as_str()) else { continue };
            let path = format!("/{path}");
            let fitting = rules.iter().filter(|rule| fits(&rule.pattern, &path));
            // The most specific rule of a file decides; of two alike, the stricter.
            let decisive = fitting.max_by_key(|rule| (rule.pattern.len(), rule.signal.reserves));
            found.signals.extend(decisive.map(|rule| rule.signal.clone()));
        }
        found
    }
}

fn content_within(len: u64, content: &mut dyn FnMut() -> std::io::Result<Vec<u8>>) -> Result<Vec<u8>, String> {
    if len > MAX_BYTES {
        return Err(format!("it has {len} bytes, more than is read"));
    }
    content().map_err(|e| format!("it cannot be read ({})", e.kind()))
}

fn about_one(kind: Kind, text: &str, name: &str) -> Found {
    match kind {
        Kind::Xmp => xmp::read(text, name),
        Kind::Tdm => {
            let signals = usage::tdm_json(text, name).into_iter().map(|rule| rule.signal).collect();
            Found { signals, ..Found::default() }
        }
        Kind::Headers => Found { signals: usage::headers(text, name), ..Found::default() },
        Kind::Licence => reuse(text),
        // Speaks for a folder only.
        Kind::Robots => Found::default(),
    }
}

/// The tags of the REUSE specification.
fn reuse(text: &str) -> Found {
    let tag = |wanted: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(name, _)| name.trim().ends_with(wanted)).map(|(_, value)| value.trim().to_owned()).find(|v| !v.is_empty())
    };
    Found {
        signals: Vec::new(),
        licence: tag("SPDX-License-Identifier").and_then(|text| licence::named(&text)),
        creator: tag("SPDX-FileCopyrightText"),
    }
}

fn decoded(bytes: &[u8]) -> String {
    let wide = |swap: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let units = bytes.chunks_exact(2).map(|pair| swap([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect::<String>()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => wide(u16::from_be_bytes, rest),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(files: &[(&str, &str)]) -> Sidecars {
        let mut sidecars = Sidecars::default();
        for (name, text) in files {
            sidecars.add(name, text.len() as u64, &mut || Ok(text.as_bytes().to_vec()));
        }
        sidecars
    }

    #[test]
    fn names_tell_whom_a_sidecar_speaks_for() {
        assert_eq!(scope("a/b.jpg.XMP"), Some(Scope::One("a/b.jpg", Kind::Xmp)));
        assert_eq!(scope("b.tdm.json"), Some(Scope::One("b", Kind::Tdm)));
        assert_eq!(scope("a/.well-known/tdmrep.json"), Some(Scope::All("a/", Kind::Tdm)));
        assert_eq!(scope("robots.txt"), Some(Scope::All("", Kind::Robots)));
        for other in ["a.json", ".xmp", "a/.license", "myrobots.txt", "a.txt", "metadata.json", "LICENSE"] {
            assert_eq!(scope(other), None, "{other}");
        }
    }

    #[test]
    fn a_sidecar_speaks_for_its_picture_alone() {
        let sidecars = with(&[
            ("a/1.tdm.json", "{\"tdm-reservation\": 1}"),
            ("a/2.png.headers", "Content-Usage: train-ai=n"),
            ("3.png.license", "SPDX-FileCopyrightText: Ann\n# SPDX-License-Identifier: cc-by-4.0\n"),
        ]);
        let reserved = |item: &str| sidecars.about(item).reservation().is_some();
        assert!(reserved("a/1.png") && reserved("a/1.jpg") && reserved("a/2.png"));
        assert!(!reserved("1.png") && !reserved("a/2.jpg") && !reserved("a/10.png"));
        let found = sidecars.about("3.png");
        assert_eq!((found.licence.as_deref(), found.creator.as_deref()), (Some("CC-BY-4.0"), Some("Ann")));
    }

    #[test]
    fn folder_rules_reach_below_and_the_most_specific_decides() {
        let tdm = "[{\"location\":\"/\",\"tdm-reservation\":1},{\"location\":\"/free/*\",\"tdm-reservation\":0}]";
        let sidecars = with(&[("x/.well-known/tdmrep.json", tdm), ("y/robots.txt", "Content-Usage: /no/ train-ai=n")]);
        let reserved = |item: &str| sidecars.about(item).reservation().is_some();
        assert!(reserved("x/a.png") && reserved("x/deep/er/a.png") && reserved("y/no/a.png"));
        assert!(!reserved("x/free/a.png") && !reserved("a.png") && !reserved("y/a.png"));
    }

    #[test]
    fn what_cannot_be_read_is_taken_for_a_reservation() {
        let mut sidecars = Sidecars::default();
        sidecars.add("a.xmp", 9, &mut || Err(std::io::ErrorKind::PermissionDenied.into()));
        sidecars.add("b.xmp", MAX_BYTES + 1, &mut || Ok(Vec::new()));
        sidecars.add("c/tdmrep.json", 1, &mut || Ok(vec![b'{']));
        for item in ["a.png", "b.png", "c/d.png"] {
            assert_eq!(sidecars.about(item).reservation().map(|s| s.kind.as_str()), Some(UNREADABLE), "{item}");
        }
        assert!(sidecars.about("d.png").signals.is_empty());
    }
}
