//! What is said of a collection: figures, warnings, and which labels are learnt.

use std::collections::BTreeMap;

use super::Collection;
use crate::error::{LICENCE_HINT, RESERVED_HINT};
use crate::format::{REPORT_FILE, Split};
use crate::labels::known_columns;
use crate::report::{ImportReport, counted};

/// Classes with fewer pictures than this are named in a warning: a network cannot learn what they look like.
const FEW: usize = 10;

/// What would be packed, in words and figures, and nothing is.
pub(crate) fn survey(collection: &Collection<'_>, name: &str) -> ImportReport {
    report(collection, &collection.sides(), name).0
}

/// The report, and the names of the classes and styles that are learnt.
pub(super) fn report(
    c: &Collection<'_>,
    sides: &BTreeMap<String, Split>,
    name: &str,
) -> (ImportReport, Vec<String>, Vec<String>) {
    let mut report = ImportReport {
        name: name.to_owned(),
        resolution: c.options.resolution,
        pictures: c.pictures(),
        works: c.group.len(),
        groups: c.groups(),
        labels: c.labels.reports.clone(),
        unknown_classes: c.labels.unknown_classes.clone(),
        unknown_styles: c.labels.unknown_styles.clone(),
        near_duplicates: c.near_groups(),
        unlicensed: c.turned.unlicensed,
        reserved: c.turned.reserved,
        taken_down: c.turned.taken_down,
        overridden: c.overridden().count(),
        override_reason: c.options.override_reservations.clone().filter(|_| c.overridden().next().is_some()),
        warnings: c.labels.warnings.clone(),
        files: c.file_reports(),
        ..ImportReport::default()
    };
    for labels in &mut report.labels {
        labels.unlabelled = c.unlabelled(&labels.sources);
    }
    for record in c.records(sides) {
        match record.split {
            Split::Train => report.train += 1,
            Split::HeldOut => report.held_out += 1,
        }
        *report.licences.entry(record.licence).or_default() += 1;
        for (label, counts) in [(record.class, &mut report.classes), (record.style, &mut report.styles)] {
            if let Some(label) = label {
                *counts.entry(label).or_default() += 1;
            }
        }
    }
    for file in &report.files {
        *report.counts.entry(file.status).or_default() += 1;
    }
    warn(&mut report);
    let classes = names(&report.classes, c.group.len(), ("class", "classes"), &mut report.warnings);
    let styles = names(&report.styles, c.group.len(), ("style", "styles"), &mut report.warnings);
    (report, classes, styles)
}

fn warn(report: &mut ImportReport) {
    let mut warnings = Vec::new();
    if report.unlicensed > 0 {
        let (are, works) = (if report.unlicensed == 1 { "is" } else { "are" }, counted(report.unlicensed, "work"));
        warnings.push(format!("{works} {are} left out for want of a licence: {LICENCE_HINT}"));
    }
    if report.reserved > 0 {
        let (are, works) = (if report.reserved == 1 { "is" } else { "are" }, counted(report.reserved, "work"));
        warnings.push(format!("{works} {are} left out, being reserved against training: {RESERVED_HINT}"));
    }
    if report.taken_down > 0 {
        let (are, works) = (if report.taken_down == 1 { "is" } else { "are" }, counted(report.taken_down, "work"));
        warnings.push(format!(
            "{works} {are} left out, having been taken down: what was taken down does not come back into this home"
        ));
    }
    if let Some(reason) = &report.override_reason {
        let (are, works) = (if report.overridden == 1 { "is" } else { "are" }, counted(report.overridden, "work"));
        warnings.push(format!("{works} {are} taken in against a reservation, for this reason: {reason}"));
    }
    for labels in &report.labels {
        if labels.absent > 0 {
            let (n, first) = (labels.absent, labels.absent_names.first().map_or("", String::as_str));
            warnings.push(format!(
                "{}: {n} of {} rows name pictures that are not there, the first {first:?} (names are relative to the folder that holds the pictures)",
                labels.file, labels.rows
            ));
        }
        if let Some(first) = labels.bad_rows.first() {
            let (n, all) = (labels.unreadable, labels.unreadable + labels.rows);
            warnings.push(format!("{}: {n} of {all} rows cannot be read, the first is {first}", labels.file));
        }
        if labels.unlabelled > 0 {
            warnings.push(format!(
                "{}: {} of {} pictures have no row: their class is that of their folder, if any",
                labels.file, labels.unlabelled, report.works
            ));
        }
        if !labels.unknown_columns.is_empty() {
            let unknown = labels.unknown_columns.join(", ");
            warnings.push(format!("{}: not read: {unknown}; known columns are {}", labels.file, known_columns()));
        }
    }
    let few: Vec<String> = report.classes.iter().filter(|(_, n)| **n < FEW).map(|(c, n)| format!("{c} ({n})")).collect();
    if !few.is_empty() && report.classes.len() > 1 {
        let listed = few.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
        warnings.push(format!("{} of {} classes have fewer than {FEW} pictures: {listed}", few.len(), report.classes.len()));
    }
    if !report.near_duplicates.is_empty() {
        let files: usize = report.near_duplicates.iter().map(|g| g.len() - 1).sum();
        warnings.push(format!(
            "the same in looks as another one: {} ({}, listed in {REPORT_FILE})",
            counted(files, "file"),
            counted(report.near_duplicates.len(), "group")
        ));
    }
    report.warnings.extend(warnings);
}

/// The label names that mean something: at least two, and fewer than half as many as works. One alone tells nothing apart: a network
/// would only carry it along. Whatever is not learnt is said.
fn names(counts: &BTreeMap<String, usize>, works: usize, (one, many): (&str, &str), warnings: &mut Vec<String>) -> Vec<String> {
    if let (Some(name), 1) = (counts.keys().next(), counts.len()) {
        warnings
            .push(format!("{name:?} is the only {one}, with nothing to tell it from: it is kept in the records and not learnt"));
        return Vec::new();
    }
    if counts.len() > 2 && counts.len() * 2 > works {
        warnings.push(format!(
            "{} {many} for {works} works say nothing about either: they are kept in the records and not learnt",
            counts.len()
        ));
        return Vec::new();
    }
    counts.keys().cloned().collect()
}
