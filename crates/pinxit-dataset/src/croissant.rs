//! The dataset's Croissant manifest: Croissant 1.1 JSON-LD, one record a work, so that other programs can read what was taken in, from
//! whom, under which licence, and what was found about its use.
//!
//! The rows are written one by one: as one value they would take more memory than the whole import.

use std::io::{BufWriter, Write};
use std::path::Path;

use fs_err as fs;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::format::{DatasetFile, PIXELS_FILE, RECORDS_FILE, Record};
use crate::prepare::hex;
use crate::report::counted;
use crate::rights::licence;

/// Where the rows go in the page that holds them.
const ROWS: &str = "\"data\": []";
/// Creators named at the top; all of them stand in the rows.
const NAMED_CREATORS: usize = 100;

/// A work as the manifest tells of it.
pub(crate) struct Row {
    /// Its record, of which the packed picture is only one of several where it was cut.
    pub record: Record,
    /// Packed pictures made of it.
    pub pictures: usize,
    /// When it was examined, RFC 3339.
    pub examined_at: Option<String>,
}

/// SHA-256 of the files that the manifest describes, hex.
pub(crate) struct Hashes {
    pub records: String,
    pub pixels: String,
}

/// Writes the manifest to `path`; gives its SHA-256, hex.
pub(crate) fn write(path: &Path, file: &DatasetFile, hashes: &Hashes, rows: impl Iterator<Item = Row>) -> Result<String> {
    let mut rows = rows.peekable();
    let published = rows.peek().and_then(|row| row.examined_at.clone());
    let page = serde_json::to_string_pretty(&page(file, hashes, published)).map_err(std::io::Error::other)?;
    let (head, tail) = page.split_once(ROWS).unwrap_or((&page, ""));
    let mut out = Hashed { inner: BufWriter::new(fs::File::create(path)?), hasher: Sha256::new() };
    write!(out, "{head}\"data\": [")?;
    for (i, row) in rows.enumerate() {
        let comma = if i == 0 { "" } else { "," };
        write!(out, "{comma}\n{}", row_json(&row))?;
    }
    writeln!(out, "\n]{tail}")?;
    out.inner.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(hex(&out.hasher.finalize()))
}

/// Hashes what is written.
struct Hashed<W> {
    inner: W,
    hasher: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// Name, type and meaning of each column.
const COLUMNS: [(&str, &str, &str); 13] = [
    ("file", "sc:Text", "Path inside the source it was imported from"),
    ("sha256", "sc:Text", "SHA-256 of the file, hexadecimal"),
    ("iscc", "sc:Text", "International Standard Content Code (ISO 24138) of the file"),
    ("title", "sc:Text", "Name of the work"),
    ("creator", "sc:Text", "Who made it, where anybody says so"),
    ("licence", "sc:Text", "SPDX id, or words of the person who imported it"),
    ("source", "sc:Text", "Package, address or collection it came from"),
    ("opt_out", "sc:Text", "What was found about its use for training, and what came of it"),
    ("signals", "sc:Text", "The statements found, each with its convention and its place"),
    ("override_reason", "sc:Text", "Why it was taken in against a reservation"),
    ("split", "sc:Text", "train: learnt from; held-out: kept apart to measure memorising"),
    ("pictures", "sc:Integer", "Packed pictures made of it"),
    ("examined_at", "sc:DateTime", "When it was examined"),
];

fn page(file: &DatasetFile, hashes: &Hashes, published: Option<String>) -> Value {
    let file_object = |name: &str, encoding: &str, sha256: &str, what: &str| {
        json!({
            "@type": "cr:FileObject", "@id": name, "name": name, "description": what,
            "contentUrl": name, "encodingFormat": encoding, "sha256": sha256,
        })
    };
    let field = |(name, kind, what): &(&str, &str, &str)| json!({ "@type": "cr:Field", "@id": format!("works/{name}"), "name": name, "description": what, "dataType": kind });
    let creators: Vec<Value> = file
        .creators
        .keys()
        .filter(|name| !name.is_empty())
        .take(NAMED_CREATORS)
        .map(|name| json!({ "@type": "sc:Person", "name": name }))
        .collect();
    let licences: Vec<&String> = file.licences.keys().collect();
    let mut page = json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": file.name,
        "description": description(file),
        "url": format!("urn:pinxit:dataset:{}", file.manifest_hash),
        "identifier": format!("blake3:{}", file.manifest_hash),
        "license": licences.iter().map(|l| address(l)).collect::<Vec<_>>(),
        "creator": creators,
        "citeAs": format!("{}, a dataset packed by pinxit, manifest blake3:{}", file.name, file.manifest_hash),
        "version": format!("{}.0.0", file.version),
        "distribution": [
            file_object(RECORDS_FILE, "application/jsonlines", &hashes.records, "One record a packed picture"),
            file_object(PIXELS_FILE, "application/octet-stream", &hashes.pixels, &pixels_words(file)),
        ],
        "recordSet": [{
            "@type": "cr:RecordSet", "@id": "works", "name": "works",
            "description": "One record a work that was taken in",
            "key": { "@id": "works/file" },
            "field": COLUMNS.iter().map(field).collect::<Vec<_>>(),
            "data": [],
        }],
    });
    if creators_are_unknown(file) {
        page["creator"] = json!({ "@type": "sc:Organization", "name": "not stated" });
    }
    if let Some(published) = published {
        page["datePublished"] = published.into();
    }
    page
}

fn creators_are_unknown(file: &DatasetFile) -> bool {
    file.creators.keys().all(String::is_empty)
}

fn description(file: &DatasetFile) -> String {
    let overridden = match &file.override_reason {
        Some(reason) => {
            format!(" {} taken in against a reservation, for this reason: {reason}.", counted(file.overridden, "work"))
        }
        None => String::new(),
    };
    format!(
        "{} taken in by pinxit for training, as {} of {}x{} px. Read for reservations: {}.{overridden}",
        counted(file.works, "work"),
        counted(file.count, "picture"),
        file.width,
        file.height,
        file.reads.join(", ")
    )
}

fn pixels_words(file: &DatasetFile) -> String {
    format!("{} of {}x{} px: sRGB, 8 bits, RGB, row by row, no header", counted(file.count, "picture"), file.width, file.height)
}

/// Croissant wants addresses of licences; SPDX keeps one for each of its ids.
fn address(name: &str) -> String {
    match licence::terms(name) {
        Some(_) if !name.starts_with("LicenseRef-") => format!("https://spdx.org/licenses/{name}.html"),
        _ => name.to_owned(),
    }
}

fn row_json(row: &Row) -> Value {
    let r = &row.record;
    let signals: Vec<String> = r.signals.iter().map(ToString::to_string).collect();
    let opt_out = match (&r.override_reason, r.signals.is_empty()) {
        (Some(_), _) => "reserved, taken in with an override",
        (None, true) => "none found",
        (None, false) => "nothing reserved",
    };
    let split = if r.split == crate::format::Split::Train { "train" } else { "held-out" };
    let values: [Value; 13] = [
        r.file.as_str().into(),
        r.sha256.as_deref().unwrap_or_default().into(),
        r.iscc.as_deref().unwrap_or_default().into(),
        r.title.as_str().into(),
        r.creator.as_deref().unwrap_or_default().into(),
        r.licence.as_str().into(),
        r.source.as_deref().unwrap_or_default().into(),
        opt_out.into(),
        signals.join("; ").into(),
        r.override_reason.as_deref().unwrap_or_default().into(),
        split.into(),
        row.pictures.into(),
        row.examined_at.clone().map_or(Value::Null, Value::from),
    ];
    COLUMNS
        .iter()
        .zip(values)
        .map(|((name, ..), value)| (format!("works/{name}"), value))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The context that the Croissant format specification prescribes, word for word.
fn context() -> Value {
    json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "arrayShape": "cr:arrayShape",
        "citeAs": "cr:citeAs",
        "column": "cr:column",
        "conformsTo": "dct:conformsTo",
        "containedIn": "cr:containedIn",
        "cr": "http://mlcommons.org/croissant/",
        "data": { "@id": "cr:data", "@type": "@json" },
        "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
        "dct": "http://purl.org/dc/terms/",
        "equivalentProperty": "cr:equivalentProperty",
        "examples": { "@id": "cr:examples", "@type": "@json" },
        "extract": "cr:extract",
        "field": "cr:field",
        "fileObject": "cr:fileObject",
        "fileProperty": "cr:fileProperty",
        "fileSet": "cr:fileSet",
        "format": "cr:format",
        "includes": "cr:includes",
        "isArray": "cr:isArray",
        "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath",
        "key": "cr:key",
        "md5": "cr:md5",
        "parentField": "cr:parentField",
        "path": "cr:path",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "recordSet": "cr:recordSet",
        "references": "cr:references",
        "regex": "cr:regex",
        "repeated": "cr:repeated",
        "replace": "cr:replace",
        "samplingRate": "cr:samplingRate",
        "sc": "https://schema.org/",
        "separator": "cr:separator",
        "source": "cr:source",
        "subField": "cr:subField",
        "transform": "cr:transform",
    })
}
