//! The import, read as headings: look, read, compare, pack, put in place.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::copies::{self, Copy};
use crate::error::{Error, Result};
use crate::gate::{self, Turned};
use crate::journal::{Entry, Journal};
use crate::labels::Labels;
use crate::options::ImportOptions;
use crate::pack::{self, Collection};
use crate::pipeline;
use crate::place::{self, Place};
use crate::prepare::Spec;
use crate::report::{FileReport, FileStatus, ImportProgress, ImportReport, Phase};
use crate::source::{self, Listing, Source};

/// The least separate works a dataset needs: one to learn from, one held out.
pub(crate) const LEAST_WORKS: usize = 2;

/// Imports folders, ZIP and TAR archives and single files into the dataset folder `dir`, whose last part is the dataset's name.
///
/// Bad files never abort it: each is accounted for in the report. `progress` is called after every file; when it breaks, the import
/// stops with [`Error::Interrupted`] and the same call goes on where it stopped, as it does after a kill. What is packed depends on
/// the files, their names and the options alone, not on threads, interruptions or time. Nothing appears under `dir` before it is whole.
///
/// Memory: files and decoded pictures in flight are bounded (see `pipeline`); what is kept of each file is about 2 kB while the import
/// lasts, more with a manifest. Measured: 100,000 files, 70,000 of them with a manifest, peak at 193 MB (`xtask evidence import100k`).
///
/// # Errors
/// See [`Error`]; only for what concerns the import as a whole.
pub fn import(
    sources: &[PathBuf],
    options: &ImportOptions,
    dir: &Path,
    progress: &mut dyn FnMut(ImportProgress) -> ControlFlow<()>,
) -> Result<ImportReport> {
    options.check()?;
    let place = Place::take(dir, options.replace)?;
    let result = run(sources, options, &place, progress);
    // Interrupted work and full disks are gone back to; what cannot succeed leaves nothing behind.
    if !matches!(result, Ok(_) | Err(Error::Interrupted(_) | Error::Io(_))) {
        place.discard()?;
    }
    result
}

/// Looks at every file as [`import`] would, and says in the same report what would become of each. Writes nothing.
///
/// # Errors
/// Those of [`import`].
pub fn inspect(
    sources: &[PathBuf],
    options: &ImportOptions,
    dir: &Path,
    progress: &mut dyn FnMut(ImportProgress) -> ControlFlow<()>,
) -> Result<ImportReport> {
    options.check()?;
    let name = place::free_name(dir, options.replace)?;
    let mut faces = Faces { name: &name, rejected: 0, progress };
    let (listing, labels) = look(sources, options, &mut faces)?;
    let mut entries = read_only(&listing, options, &mut faces)?;
    let turned = gate::pass(&listing, &labels, options, &mut entries);
    let copies = compare(&entries, &mut faces)?;
    let collection = Collection::new(&listing, &labels, &entries, &copies, options, turned);
    enough_works(&collection, &listing, &entries, turned)?;
    Ok(pack::survey(&collection, &name))
}

fn run(
    sources: &[PathBuf],
    options: &ImportOptions,
    place: &Place,
    progress: &mut dyn FnMut(ImportProgress) -> ControlFlow<()>,
) -> Result<ImportReport> {
    let mut faces = Faces { name: place.name(), rejected: 0, progress };

    let (listing, labels) = look(sources, options, &mut faces)?;
    let (mut entries, pixels, resumed) = read(&listing, options, place, &mut faces)?;
    let packed = packed_tiles(&entries);
    let turned = gate::pass(&listing, &labels, options, &mut entries);
    let copies = compare(&entries, &mut faces)?;
    let collection = Collection::new(&listing, &labels, &entries, &copies, options, turned);
    enough_works(&collection, &listing, &entries, turned)?;

    let target = place.fresh_target()?;
    let mut tick = |done, total| faces.show(Phase::Packing, done, total);
    let mut report = pack::write(&collection, (&pixels, &packed), &target, place.name(), &mut tick)?;
    report.resumed = resumed;
    place.put_in_place(options.replaced_to.as_deref())?;
    Ok(report)
}

/// Lists what there is and joins the labels to it.
fn look(sources: &[PathBuf], options: &ImportOptions, faces: &mut Faces<'_>) -> Result<(Listing, Labels)> {
    faces.show(Phase::Looking, 0, 0)?;
    let mut listing = source::list(sources, options.limits.max_file_bytes)?;
    faces.rejected = listing.turned_down.iter().filter(|f| f.status == FileStatus::Rejected).count();
    let mut labels = Labels::gather(options.labels.as_deref(), &listing)?;
    listing.labels.clear();
    leave_out(&mut listing, &mut labels, options);
    something_to_read(&listing)?;
    Ok((listing, labels))
}

/// Pictures of each entry in the pixel file, before the gate turns any down.
fn packed_tiles(entries: &[Entry]) -> Vec<usize> {
    let tiles = |entry: &Entry| match entry {
        Entry::Accepted(work) => work.tiles.len(),
        Entry::Rejected { .. } => 0,
    };
    entries.iter().map(tiles).collect()
}

fn compare(entries: &[Entry], faces: &mut Faces<'_>) -> Result<Vec<Copy>> {
    let total = entries.len();
    let copies = copies::find(entries, &mut |done| faces.flow(Phase::Comparing, done, total))?;
    copies.ok_or_else(|| Error::Interrupted(faces.name.to_owned()))
}

/// Moves the items of classes and styles that are not wanted to those turned down, and notes which of those no item has.
fn leave_out(listing: &mut Listing, labels: &mut Labels, options: &ImportOptions) {
    let Listing { sources, items, turned_down, .. } = listing;
    let (mut unknown_classes, mut unknown_styles) = (options.skip_classes.clone(), options.skip_styles.clone());
    items.retain(|item| {
        let class = labels.class(&item.name, &sources[item.source].prefix);
        let style = labels.row(&item.name).and_then(|r| r.style.clone());
        let is_class = class.as_ref().is_some_and(|c| options.skip_classes.contains(c));
        let is_style = style.as_ref().is_some_and(|s| options.skip_styles.contains(s));
        unknown_classes.retain(|c| class.as_ref() != Some(c));
        unknown_styles.retain(|s| style.as_ref() != Some(s));
        let skipped = match (is_class, is_style) {
            (true, _) => class.map(|c| format!("class {c} was asked to be left out")),
            (_, true) => style.map(|s| format!("style {s} was asked to be left out")),
            _ => None,
        };
        let keep = skipped.is_none();
        turned_down.extend(skipped.map(|reason| FileReport::new(&item.name, FileStatus::LeftOut, reason)));
        keep
    });
    (labels.unknown_classes, labels.unknown_styles) = (unknown_classes, unknown_styles);
}

fn something_to_read(listing: &Listing) -> Result<()> {
    if !listing.items.is_empty() {
        return Ok(());
    }
    let looked = listing.turned_down.len();
    if listing.turned_down.iter().any(|f| f.status == FileStatus::LeftOut) {
        return Err(Error::BadOption("every picture was asked to be left out".into()));
    }
    let Some(first) = listing.turned_down.iter().find(|f| f.status == FileStatus::Rejected) else {
        return Err(Error::NoPictures { looked });
    };
    let (file, reason) = (first.file.clone(), first.reason.clone().unwrap_or_default());
    match listing.sources.iter().all(Source::is_archive) {
        true => Err(Error::BadArchive { file, reason }),
        false => Err(Error::AllRejected { looked, file, reason }),
    }
}

/// Decodes and fits what an earlier, interrupted import has not done yet. Gives all outcomes, the file of their pixels, and how many
/// were done before.
fn read(
    listing: &Listing,
    options: &ImportOptions,
    place: &Place,
    faces: &mut Faces<'_>,
) -> Result<(Vec<Entry>, PathBuf, usize)> {
    let spec = Spec::of(options);
    let total = listing.items.len();
    let picture_bytes = spec.height as usize * spec.width as usize * 3;
    let mut journal = Journal::open(&place.work_dir(), &fingerprint(listing, &spec), picture_bytes)?;
    let resumed = journal.entries.len();
    faces.rejected += journal.entries.iter().filter(|e| matches!(e, Entry::Rejected { .. })).count();
    faces.show(Phase::Reading, resumed, total)?;
    let flow = pipeline::run(listing, resumed, &spec, options.thread_count(), &mut |i, outcome| {
        faces.rejected += usize::from(outcome.is_err());
        journal.push(outcome)?;
        faces.flow(Phase::Reading, i + 1, total)
    })?;
    let (entries, pixels) = journal.finish()?;
    if flow.is_break() {
        return Err(Error::Interrupted(place.name().to_owned()));
    }
    Ok((entries, pixels, resumed))
}

/// Decodes everything and keeps nothing but what is to be said about it.
fn read_only(listing: &Listing, options: &ImportOptions, faces: &mut Faces<'_>) -> Result<Vec<Entry>> {
    let total = listing.items.len();
    let mut entries = Vec::with_capacity(total);
    faces.show(Phase::Reading, 0, total)?;
    let flow = pipeline::run(listing, 0, &Spec::of(options), options.thread_count(), &mut |i, outcome| {
        faces.rejected += usize::from(outcome.is_err());
        entries.push(Entry::of(outcome));
        faces.flow(Phase::Reading, i + 1, total)
    })?;
    if flow.is_break() { Err(Error::Interrupted(faces.name.to_owned())) } else { Ok(entries) }
}

/// What a journal's entries depend on: files and options, not threads.
fn fingerprint(listing: &Listing, spec: &Spec<'_>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(listing.fingerprint.as_bytes());
    hasher.update(format!("{}\n", spec.fingerprint()).as_bytes());
    listing.items.iter().for_each(|i| {
        hasher.update(i.name.as_bytes());
        hasher.update(b"\n");
    });
    hasher.finalize().to_hex().to_string()
}

fn enough_works(collection: &Collection<'_>, listing: &Listing, entries: &[Entry], turned: Turned) -> Result<()> {
    let found = collection.groups();
    if found < LEAST_WORKS && turned.unlicensed > 0 {
        return Err(Error::Unlicensed { works: turned.unlicensed, looked: entries.len() });
    }
    if found < LEAST_WORKS && turned.taken_down > 0 {
        let (file, reason) = first_rejected(listing, entries, |reason| reason.starts_with(gate::TAKEN_DOWN));
        return Err(Error::TakenDown { works: turned.taken_down, looked: entries.len(), file, reason });
    }
    if found < LEAST_WORKS && turned.reserved > 0 {
        let (file, reason) = first_rejected(listing, entries, |reason| reason.contains("reserved"));
        let reason = reason.strip_prefix(gate::RESERVED).unwrap_or(&reason).to_owned();
        return Err(Error::Reserved { works: turned.reserved, looked: entries.len(), file, reason });
    }
    if found == 0 {
        let (file, reason) = first_rejected(listing, entries, |_| true);
        return Err(Error::AllRejected { looked: entries.len(), file, reason });
    }
    if found < LEAST_WORKS {
        return Err(Error::TooFew { found, needed: LEAST_WORKS });
    }
    Ok(())
}

/// The first file turned down for such a reason, and the reason.
fn first_rejected(listing: &Listing, entries: &[Entry], is_such: impl Fn(&str) -> bool) -> (String, String) {
    let first = listing.items.iter().zip(entries).find_map(|(item, entry)| match entry {
        Entry::Rejected { reason } if is_such(reason) => Some((item.name.clone(), reason.clone())),
        _ => None,
    });
    first.unwrap_or_default()
}

/// The progress callback and what it is told besides the step.
struct Faces<'a> {
    name: &'a str,
    rejected: usize,
    progress: &'a mut dyn FnMut(ImportProgress) -> ControlFlow<()>,
}

impl Faces<'_> {
    fn flow(&mut self, phase: Phase, done: usize, total: usize) -> Result<ControlFlow<()>> {
        Ok((self.progress)(ImportProgress { phase, done, total, rejected: self.rejected }))
    }

    fn show(&mut self, phase: Phase, done: usize, total: usize) -> Result<()> {
        match self.flow(phase, done, total)? {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Interrupted(self.name.to_owned())),
        }
    }
}
