//! Works taken out of a dataset that is there already: the packed form is written anew without them, under the same name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufWriter, Write};
use std::path::Path;

use fs_err as fs;
use sha2::{Digest, Sha256};

use super::{write_json, write_records};
use crate::croissant;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::format::{
    self, CROISSANT_FILE, DATASET_FILE, DatasetFile, LOOKS_FILE, PIXELS_FILE, RECORDS_FILE, REPORT_FILE, Record, Split,
};
use crate::identity;
use crate::import::LEAST_WORKS;
use crate::place::Place;
use crate::prepare::hex;
use crate::report::{FileStatus, ImportReport};
use crate::split;

/// Takes the works whose files have these BLAKE3 hashes (hex) out of the dataset in folder `dir`, and gives the hash of its new manifest; `None`
/// where too few works are left to be a dataset: then it is gone. The old pixels are deleted, as is what an unfinished import into that
/// name has kept. `why` takes their place in the report.
///
/// All other records stay as they are, but for the side of the split of one group where a side would be empty.
///
/// # Errors
/// [`Error::Locked`](crate::Error::Locked) while an import into it runs; those of [`Dataset::open`]; [`Error::Io`](crate::Error::Io).
pub fn withdraw(dir: &Path, files: &BTreeSet<String>, why: &str) -> Result<Option<String>> {
    let place = Place::take(dir, true)?;
    let dataset = Dataset::open(dir)?;
    let rows: Vec<usize> = (0..dataset.len()).filter(|&i| !files.contains(&dataset.record(i).blake3)).collect();
    let records = records(&dataset, &rows);
    if records.iter().map(|r| &r.group).collect::<BTreeSet<_>>().len() < LEAST_WORKS {
        drop(dataset);
        place.remove()?;
        return Ok(None);
    }
    let target = place.fresh_target()?;
    let file = describe(&dataset, &records);
    let file = write(&dataset, (&rows, records), file, &target)?;
    if let Some(looks) = identity::looks_without(dir, &|file| files.contains(file)) {
        pinxit_image::write_atomic(&target.join(LOOKS_FILE), &looks)?;
    }
    if let Some(report) = report_without(dir, &dataset, files, &file, why) {
        write_json(&target.join(REPORT_FILE), &report)?;
    }
    drop(dataset);
    place.put_in_place(None)?;
    Ok(Some(file.manifest_hash))
}

/// The records that stay; a side that would be empty gets the group that is next to it.
fn records(dataset: &Dataset, rows: &[usize]) -> Vec<Record> {
    let mut records: Vec<Record> = rows.iter().map(|&i| dataset.record(i).clone()).collect();
    let now: BTreeMap<String, Split> = records.iter().map(|r| (r.group.clone(), r.split)).collect();
    let about = dataset.description();
    let sides = split::sides(now.keys().map(String::as_str), &now, about.split_seed, about.held_out_fraction);
    records.iter_mut().for_each(|record| record.split = sides[&record.group]);
    records
}

/// What is said of the dataset, counted anew.
fn describe(dataset: &Dataset, records: &[Record]) -> DatasetFile {
    let mut file = dataset.description().clone();
    let mut licences = BTreeMap::new();
    records.iter().for_each(|r| *licences.entry(r.licence.clone()).or_insert(0) += 1);
    let works: BTreeMap<&str, &Record> = records.iter().map(|r| (r.blake3.as_str(), r)).collect();
    let mut creators = BTreeMap::new();
    works.values().for_each(|r| *creators.entry(r.creator.clone().unwrap_or_default()).or_insert(0) += 1);
    file.count = records.len();
    file.works = works.len();
    file.groups = records.iter().map(|r| &r.group).collect::<BTreeSet<_>>().len();
    file.train = records.iter().filter(|r| r.split == Split::Train).count();
    file.held_out = records.len() - file.train;
    file.licences = licences;
    // Datasets of the first version name none.
    if !file.creators.is_empty() {
        file.creators = creators;
    }
    file.overridden = works.values().filter(|r| r.override_reason.is_some()).count();
    file.override_reason = file.override_reason.filter(|_| file.overridden > 0);
    file.classes = labels(&file.classes, records.iter().filter_map(|r| r.class.as_deref()));
    file.styles = labels(&file.styles, records.iter().filter_map(|r| r.style.as_deref()));
    file
}

/// The labels that some record still has; one alone tells nothing apart.
fn labels<'a>(names: &[String], used: impl Iterator<Item = &'a str>) -> Vec<String> {
    let used: BTreeSet<&str> = used.collect();
    let left: Vec<String> = names.iter().filter(|name| used.contains(name.as_str())).cloned().collect();
    if left.len() < 2 { Vec::new() } else { left }
}

/// Pixels, records, manifest and description; the latter comes back with its hashes.
fn write(
    dataset: &Dataset,
    (rows, records): (&[usize], Vec<Record>),
    mut file: DatasetFile,
    target: &Path,
) -> Result<DatasetFile> {
    let mut pixels = BufWriter::with_capacity(1 << 20, fs::File::create(target.join(PIXELS_FILE))?);
    let mut sha256 = Sha256::new();
    for &i in rows {
        sha256.update(dataset.pixels(i));
        pixels.write_all(dataset.pixels(i))?;
    }
    pixels.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    let pixels_sha256 = hex(&sha256.finalize());
    let hasher = format::manifest_hasher(file.version, file.height, file.width, &file.classes, &file.styles);
    let (manifest_hash, records_sha256) = write_records(records.iter().cloned(), hasher, &target.join(RECORDS_FILE))?;
    file.manifest_hash = manifest_hash;
    if file.croissant_sha256.is_some() {
        let hashes = croissant::Hashes { records: records_sha256, pixels: pixels_sha256 };
        let rows = croissant_rows(dataset.dir(), records).into_iter();
        file.croissant_sha256 = Some(croissant::write(&target.join(CROISSANT_FILE), &file, &hashes, rows)?);
    }
    write_json(&target.join(DATASET_FILE), &file)?;
    Ok(file)
}

/// One row a work; when it was examined stands only in the manifest that is replaced.
fn croissant_rows(dir: &Path, records: Vec<Record>) -> Vec<croissant::Row> {
    let examined = examined(dir);
    let (mut rows, mut places): (Vec<croissant::Row>, HashMap<String, usize>) = Default::default();
    for record in records {
        match places.get(&record.blake3) {
            Some(&place) => rows[place].pictures += 1,
            None => {
                places.insert(record.blake3.clone(), rows.len());
                let examined_at = examined.get(&record.file).cloned();
                rows.push(croissant::Row { record, pictures: 1, examined_at });
            }
        }
    }
    rows
}

/// When each file was examined, as far as the manifest in `dir` says.
fn examined(dir: &Path) -> HashMap<String, String> {
    let page = fs::read(dir.join(CROISSANT_FILE)).ok();
    let page: Option<serde_json::Value> = page.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let rows = page.as_ref().and_then(|page| page["recordSet"][0]["data"].as_array());
    let told =
        |row: &serde_json::Value| Some((row["works/file"].as_str()?.to_owned(), row["works/examined_at"].as_str()?.to_owned()));
    rows.into_iter().flatten().filter_map(told).collect()
}

/// The report of the import, told of what has happened since; none where there is none to read.
fn report_without(dir: &Path, dataset: &Dataset, files: &BTreeSet<String>, now: &DatasetFile, why: &str) -> Option<ImportReport> {
    let mut report: ImportReport = serde_json::from_slice(&fs::read(dir.join(REPORT_FILE)).ok()?).ok()?;
    let gone: BTreeSet<&str> = (0..dataset.len())
        .map(|i| dataset.record(i))
        .filter(|record| files.contains(&record.blake3))
        .map(|record| record.file.as_str())
        .collect();
    for file in report.files.iter_mut().filter(|file| gone.contains(file.file.as_str())) {
        (file.status, file.reason, file.fixes) = (FileStatus::Rejected, Some(why.to_owned()), Vec::new());
    }
    report.counts.clear();
    report.files.iter().for_each(|file| *report.counts.entry(file.status).or_default() += 1);
    report.near_duplicates.iter_mut().for_each(|names| names.retain(|name| !gone.contains(name.as_str())));
    report.near_duplicates.retain(|names| names.len() > 1);
    let labelled = |label: fn(&Record) -> &Option<String>| {
        let mut counts = BTreeMap::new();
        let stay = (0..dataset.len()).map(|i| dataset.record(i)).filter(|record| !files.contains(&record.blake3));
        stay.filter_map(|record| label(record).clone()).for_each(|label| *counts.entry(label).or_insert(0) += 1);
        counts
    };
    (report.classes, report.styles) = (labelled(|r| &r.class), labelled(|r| &r.style));
    (report.pictures, report.works, report.groups) = (now.count, now.works, now.groups);
    (report.train, report.held_out) = (now.train, now.held_out);
    report.licences.clone_from(&now.licences);
    report.overridden = now.overridden;
    report.override_reason.clone_from(&now.override_reason);
    report.manifest_hash.clone_from(&now.manifest_hash);
    report.taken_down += gone.len();
    Some(report)
}
