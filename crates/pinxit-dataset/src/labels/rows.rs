//! Rows of a label file. CSV with a header and JSONL have the same columns, under the names people give them:
//!
//! file (filename, file_name, path, image) · class (label, category) · style · caption (text, description) · title ·
//! creator (artist, author) · licence (license) · source (url) · group (concept) · split · duplicate_of · skin_tone

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::skin_tone;
use crate::format::Split;

/// What one row says; absent and empty values are `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Row {
    pub file: String,
    pub class: Option<String>,
    pub style: Option<String>,
    pub caption: Option<String>,
    pub title: Option<String>,
    pub creator: Option<String>,
    pub licence: Option<String>,
    pub source: Option<String>,
    pub group: Option<String>,
    pub split: Option<Split>,
    /// The file speaks of classes: this row's word stands, also where it is none.
    pub decides_class: bool,
    duplicate_of: Option<String>,
}

/// A label file, read.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub rows: Vec<Row>,
    /// Rows that could not be read, each as `line 7: reason`.
    pub bad: Vec<String>,
    /// Columns nobody reads: perhaps misspelt.
    pub unknown: BTreeSet<String>,
}

/// Reads `text` as CSV if `file` ends so, else as JSONL. Errors are for a file that is no table at all.
pub(super) fn parse(file: &str, text: &str) -> Result<Parsed, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_csv = file.to_ascii_lowercase().ends_with(".csv") || file.to_ascii_lowercase().ends_with(".tsv");
    let mut parsed = if is_csv { parse_csv(text, file)? } else { parse_jsonl(text) };
    if parsed.rows.is_empty() {
        return Err(match parsed.bad.first() {
            Some(first) => format!("no row can be read; {first}"),
            None => "it has no rows".into(),
        });
    }
    join_duplicates(&mut parsed.rows);
    Ok(parsed)
}

fn parse_jsonl(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let map = serde_json::from_str::<Map<String, Value>>(line);
        parsed.unknown.extend(map.iter().flat_map(Map::keys).filter(|k| !is_known(k)).cloned());
        let row = map.map_err(|e| e.to_string()).and_then(|map| row(&map));
        match row {
            Ok(row) => parsed.rows.push(row),
            Err(reason) => parsed.bad.push(format!("line {}: {reason}", i + 1)),
        }
    }
    parsed
}

fn parse_csv(text: &str, file: &str) -> Result<Parsed, String> {
    let delimiter = if file.to_ascii_lowercase().ends_with(".tsv") { b'\t' } else { delimiter(text) };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().map_err(|e| e.to_string())?.iter().map(str::to_ascii_lowercase).collect();
    if header.iter().all(String::is_empty) {
        return Err("it is empty".into());
    }
    if !header.iter().any(|h| FILE.contains(&h.as_str())) {
        return Err(format!("the first line has no column named file; it has: {}", header.join(", ")));
    }
    let unknown = header.iter().filter(|k| !is_known(k)).cloned().collect();
    let mut parsed = Parsed { unknown, ..Parsed::default() };
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                parsed.bad.push(uneven(&e));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let map = header.iter().zip(&record).map(|(k, v)| (k.clone(), Value::from(v))).collect();
        match row(&map) {
            Ok(row) => parsed.rows.push(row),
            Err(reason) => parsed.bad.push(format!("line {line}: {reason}")),
        }
    }
    Ok(parsed)
}

/// In text that is UTF-8 a row can only have too few columns or too many.
fn uneven(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos: Some(at), expected_len, len } => {
            format!("line {}: it has {len} columns, the first line has {expected_len}", at.line())
        }
        _ => error.to_string(),
    }
}

/// Spreadsheets of half the world write semicolons.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |sign| header.matches(sign).count();
    if count(';') > count(',') { b';' } else { b',' }
}

const FILE: [&str; 5] = ["file", "file_name", "filename", "path", "image"];
const CLASS: [&str; 3] = ["class", "label", "category"];
const CAPTION: [&str; 3] = ["caption", "text", "description"];
const CREATOR: [&str; 3] = ["creator", "artist", "author"];
const LICENCE: [&str; 2] = ["licence", "license"];
const SOURCE: [&str; 2] = ["source", "url"];
/// Columns with one name.
const OTHERS: [&str; 7] = ["style", "title", "group", "concept", "split", "duplicate_of", "skin_tone"];

/// Every name of a column that is read.
fn every_name() -> impl Iterator<Item = &'static str> {
    [&FILE[..], &CLASS, &CAPTION, &CREATOR, &LICENCE, &SOURCE, &OTHERS].into_iter().flatten().copied()
}

fn is_known(column: &str) -> bool {
    every_name().any(|name| name == column)
}

/// The columns people mean, one name each.
pub(crate) fn known_columns() -> String {
    let first = [FILE[0], CLASS[0], CAPTION[0], CREATOR[0], LICENCE[0], SOURCE[0]];
    first.into_iter().chain(OTHERS).filter(|name| *name != "skin_tone" && *name != "concept").collect::<Vec<_>>().join(", ")
}

/// Whether a group is called as an exported dataset calls it.
fn names_its_kind(group: &str) -> bool {
    ["group:", "concept:", "motif:", "same:", "picture:"].iter().any(|kind| group.starts_with(kind))
}

fn row(map: &Map<String, Value>) -> Result<Row, String> {
    let text = |names: &[&str]| names.iter().find_map(|name| map.get(*name).and_then(as_text));
    let file = text(&FILE).ok_or("no `file`")?;
    let title = text(&["title"]);
    let group = text(&["group"])
        .map(|g| if names_its_kind(&g) { g } else { format!("group:{g}") })
        .or_else(|| text(&["concept"]).map(|c| format!("concept:{c}")));
    // The column being there at all says that the collection has variants by skin tone.
    let motif = || map.get("skin_tone").and(title.as_deref()).map(|t| format!("motif:{}", skin_tone::motif(t)));
    Ok(Row {
        group: group.or_else(motif),
        class: text(&CLASS),
        style: text(&["style"]),
        caption: text(&CAPTION),
        creator: text(&CREATOR),
        licence: text(&LICENCE),
        source: text(&SOURCE),
        split: text(&["split"]).and_then(|s| side(&s)),
        decides_class: false,
        duplicate_of: text(&["duplicate_of"]),
        title,
        file,
    })
}

/// The value as one line of text: control characters would break listings.
fn as_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(s) => s.clone(),
        Value::Number(n) => n.to_string(),
        _ => return None,
    };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn side(word: &str) -> Option<Split> {
    match word.to_ascii_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "test" | "val" | "valid" | "validation" | "held-out" | "heldout" | "held_out" => Some(Split::HeldOut),
        _ => None,
    }
}

/// Puts a row and the one it says it duplicates into one group.
fn join_duplicates(rows: &mut [Row]) {
    let at: HashMap<String, usize> = rows.iter().enumerate().rev().map(|(i, r)| (r.file.clone(), i)).collect();
    for i in 0..rows.len() {
        let Some(original) = rows[i].duplicate_of.clone() else { continue };
        let target = at.get(&original).copied();
        let group = target.and_then(|t| rows[t].group.clone()).unwrap_or_else(|| format!("same:{original}"));
        if let Some(t) = target {
            rows[t].group = Some(group.clone());
        }
        rows[i].group = Some(group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_and_jsonl_say_the_same() {
        let csv = "\u{feff}File_Name;Label;License;artist\na/1.png;cat;CC0-1.0; Ann \n2.png;;;\n";
        let jsonl = "{\"file\":\"a/1.png\",\"class\":\"cat\",\"licence\":\"CC0-1.0\",\"creator\":\"Ann\"}\n\n{\"image\":\"2.png\",\"class\":null}\n";
        let (a, b) = (parse("x.CSV", csv).unwrap().rows, parse("x.jsonl", jsonl).unwrap().rows);
        assert_eq!(a, b);
        assert_eq!(a[0].creator.as_deref(), Some("Ann"));
        assert_eq!(a[1].class, None);
    }

    #[test]
    fn bad_rows_are_counted_not_fatal() {
        let parsed = parse("l.jsonl", "{\"file\":\"1.png\"}\nnot json\n{\"class\":\"x\"}\n").unwrap();
        assert_eq!(parsed.rows.len(), 1);
        assert!(parsed.bad[0].starts_with("line 2:") && parsed.bad[1].starts_with("line 3: no `file`"), "{:?}", parsed.bad);
    }

    #[test]
    fn a_table_without_files_is_an_error() {
        assert!(parse("l.csv", "name,class\na,b\n").unwrap_err().contains("no column named file"));
        assert_eq!(parse("l.csv", "").unwrap_err(), "it is empty");
        assert!(parse("l.jsonl", "").is_err());
    }

    #[test]
    fn duplicates_and_skin_tones_share_a_group() {
        let text = r#"{"file":"1","title":"cat","skin_tone":false}
{"file":"2","title":"cat face","skin_tone":false,"duplicate_of":"1"}
{"file":"3","title":"kiss: man, man, medium-dark skin tone","skin_tone":true}
{"file":"4","title":"kiss: man, man","skin_tone":false}
{"file":"5","duplicate_of":"6"}
{"file":"6"}
{"file":"7","concept":"tree"}"#;
        let rows = parse("m.jsonl", text).unwrap().rows;
        assert_eq!(rows[0].group, rows[1].group);
        assert_eq!(rows[2].group, rows[3].group);
        assert_eq!(rows[4].group, rows[5].group);
        assert_eq!(rows[6].group.as_deref(), Some("concept:tree"));
        assert_ne!(rows[0].group, rows[2].group);
    }
}
