//! The last step: labels, groups and the split are settled (`collection.rs`), told of (`survey.rs`), and the packed form is written.

mod collection;
mod survey;
mod withdraw;

use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use fs_err as fs;
use serde::Serialize;
use sha2::{Digest, Sha256};

pub(crate) use collection::Collection;
pub(crate) use survey::survey;
pub use withdraw::withdraw;

use crate::croissant;
use crate::error::Result;
use crate::format::{
    self, CROISSANT_FILE, DATASET_FILE, DatasetFile, FORMAT_NAME, FORMAT_VERSION, LOOKS_FILE, PIXELS_FILE, RECORDS_FILE,
    REPORT_FILE, Record,
};
use crate::identity::looks_file;
use crate::prepare::hex;
use crate::report::ImportReport;
use crate::rights::READS;

/// Writes the packed form of `collection` to the folder `target`; the file of `pixels` holds so many pictures of each entry, in order.
pub(crate) fn write(
    collection: &Collection<'_>,
    pixels: (&Path, &[usize]),
    target: &Path,
    name: &str,
    tick: &mut dyn FnMut(usize, usize) -> Result<()>,
) -> Result<ImportReport> {
    let sides = collection.sides();
    let pixels_sha256 = copy_pixels(collection, pixels, &target.join(PIXELS_FILE), collection.pictures(), tick)?;
    let (mut report, classes, styles) = survey::report(collection, &sides, name);

    let (height, width) = collection.options.resolution;
    let hasher = format::manifest_hasher(FORMAT_VERSION, height, width, &classes, &styles);
    let (manifest_hash, records_sha256) = write_records(collection.records(&sides), hasher, &target.join(RECORDS_FILE))?;
    report.manifest_hash = manifest_hash;
    let mut file = DatasetFile {
        format: FORMAT_NAME.into(),
        version: FORMAT_VERSION,
        name: name.to_owned(),
        height,
        width,
        count: report.pictures,
        works: report.works,
        groups: report.groups,
        train: report.train,
        held_out: report.held_out,
        split_seed: collection.options.split_seed,
        held_out_fraction: collection.options.held_out_fraction,
        fit: collection.options.framing_words(),
        classes,
        styles,
        licences: report.licences.clone(),
        creators: collection.creators(),
        reads: reads(collection),
        overridden: report.overridden,
        override_reason: report.override_reason.clone(),
        croissant_sha256: None,
        manifest_hash: report.manifest_hash.clone(),
    };
    let hashes = croissant::Hashes { records: records_sha256, pixels: pixels_sha256 };
    let manifest = croissant::write(&target.join(CROISSANT_FILE), &file, &hashes, collection.rows(&sides))?;
    file.croissant_sha256 = Some(manifest);
    report.croissant_sha256.clone_from(&file.croissant_sha256);
    pinxit_image::write_atomic(&target.join(LOOKS_FILE), &looks_file(collection.works())?)?;
    report.overridden_works = collection.overridden().collect();
    write_json(&target.join(DATASET_FILE), &file)?;
    write_json(&target.join(REPORT_FILE), &report)?;
    Ok(report)
}

/// The conventions that were read, here and by the examiner.
fn reads(c: &Collection<'_>) -> Vec<String> {
    let others = c.options.examiner.as_deref().map(crate::Examiner::reads).unwrap_or_default();
    READS.iter().chain(others).map(|name| (*name).to_owned()).collect()
}

/// Writes the records one by one; gives the manifest hash, and the SHA-256 of the file.
fn write_records(records: impl Iterator<Item = Record>, mut hasher: blake3::Hasher, path: &Path) -> Result<(String, String)> {
    let mut sha256 = Sha256::new();
    let mut file = BufWriter::new(fs::File::create(path)?);
    for record in records {
        let mut line = serde_json::to_vec(&record).map_err(std::io::Error::other)?;
        line.push(b'\n');
        hasher.update(&line);
        sha256.update(&line);
        file.write_all(&line)?;
    }
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok((hasher.finalize().to_hex().to_string(), hex(&sha256.finalize())))
}

/// Copies the pictures that are kept; gives the SHA-256 of the file.
fn copy_pixels(
    c: &Collection<'_>,
    (from, packed): (&Path, &[usize]),
    to: &Path,
    total: usize,
    tick: &mut dyn FnMut(usize, usize) -> Result<()>,
) -> Result<String> {
    let (height, width) = c.options.resolution;
    let size = height as usize * width as usize * 3;
    let mut from = BufReader::with_capacity(1 << 20, fs::File::open(from)?);
    let mut to = BufWriter::with_capacity(1 << 20, fs::File::create(to)?);
    let mut buffer = vec![0; size];
    let mut sha256 = Sha256::new();
    let mut done = 0;
    for (i, &tiles) in packed.iter().enumerate() {
        if c.kept(i).is_none() {
            from.seek_relative((tiles * size) as i64)?;
            continue;
        }
        for _ in 0..tiles {
            from.read_exact(&mut buffer)?;
            sha256.update(&buffer);
            to.write_all(&buffer)?;
            done += 1;
            if done % 1024 == 0 {
                tick(done, total)?;
            }
        }
    }
    let file = to.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    tick(total, total)?;
    Ok(hex(&sha256.finalize()))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    serde_json::to_writer_pretty(&mut file, value).map_err(std::io::Error::other)?;
    file.write_all(b"\n")?;
    Ok(file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?)
}
