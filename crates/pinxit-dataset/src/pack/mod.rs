//! The last step: labels, groups and the split are settled (`collection.rs`), told of (`survey.rs`), and the packed form is written.

mod collection;
mod survey;

use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use fs_err as fs;
use serde::Serialize;

pub(crate) use collection::Collection;
pub(crate) use survey::survey;

use crate::error::Result;
use crate::format::{
    self, DATASET_FILE, DatasetFile, FORMAT_NAME, FORMAT_VERSION, PIXELS_FILE, RECORDS_FILE, REPORT_FILE, Record,
};
use crate::journal::Entry;
use crate::report::ImportReport;

/// Writes the packed form of `collection` to the folder `target`; `pixels` holds the pictures of all usable entries, in order.
pub(crate) fn write(
    collection: &Collection<'_>,
    pixels: &Path,
    target: &Path,
    name: &str,
    tick: &mut dyn FnMut(usize, usize) -> Result<()>,
) -> Result<ImportReport> {
    let sides = collection.sides();
    copy_pixels(collection, pixels, &target.join(PIXELS_FILE), collection.pictures(), tick)?;
    let (mut report, classes, styles) = survey::report(collection, &sides, name);

    let (height, width) = collection.options.resolution;
    let hasher = format::manifest_hasher(height, width, &classes, &styles);
    report.manifest_hash = write_records(collection.records(&sides), hasher, &target.join(RECORDS_FILE))?;
    let file = DatasetFile {
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
        manifest_hash: report.manifest_hash.clone(),
    };
    write_json(&target.join(DATASET_FILE), &file)?;
    write_json(&target.join(REPORT_FILE), &report)?;
    Ok(report)
}

/// Writes the records one by one; gives the manifest hash.
fn write_records(records: impl Iterator<Item = Record>, mut hasher: blake3::Hasher, path: &Path) -> Result<String> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    for record in records {
        let mut line = serde_json::to_vec(&record).map_err(std::io::Error::other)?;
        line.push(b'\n');
        hasher.update(&line);
        file.write_all(&line)?;
    }
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn copy_pixels(
    c: &Collection<'_>,
    from: &Path,
    to: &Path,
    total: usize,
    tick: &mut dyn FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    let (height, width) = c.options.resolution;
    let size = height as usize * width as usize * 3;
    let mut from = BufReader::with_capacity(1 << 20, fs::File::open(from)?);
    let mut to = BufWriter::with_capacity(1 << 20, fs::File::create(to)?);
    let mut buffer = vec![0; size];
    let mut done = 0;
    for (i, entry) in c.entries.iter().enumerate() {
        let Entry::Accepted(work) = entry else { continue };
        if c.kept(i).is_none() {
            from.seek_relative((work.tiles.len() * size) as i64)?;
            continue;
        }
        for _ in &work.tiles {
            from.read_exact(&mut buffer)?;
            to.write_all(&buffer)?;
            done += 1;
            if done % 1024 == 0 {
                tick(done, total)?;
            }
        }
    }
    let file = to.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    tick(total, total)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    serde_json::to_writer_pretty(&mut file, value).map_err(std::io::Error::other)?;
    file.write_all(b"\n")?;
    Ok(file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?)
}
