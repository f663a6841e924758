//! What is done to one hostile input: the bodies of the fuzz targets. `crates/pinxit-studio/tests/corpus.rs` runs the same on stable
//! Rust over the seeds and the kept corpus, with every `cargo test`.
#![allow(dead_code)] // each target is a program that uses its own part

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use pinxit_create::{Painter, Recipe};
use pinxit_dataset::rights::Signal;
use pinxit_dataset::{Examiner, ImportOptions};
use pinxit_image::{Limits, Picture, decode};
use pinxit_trust::keys::Certificate;
use pinxit_trust::ledger::Ledger;
use pinxit_trust::verify::{Anchors, State, Trust, verify_bytes};
use pinxit_trust::watermark::{Key, Watermark};

/// A name, and what is done with the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// A target, by its name.
pub const ALL: [Target; 6] =
    [("verify", verify), ("import", import), ("watermark", watermark), ("recipe", recipe), ("model", model), ("ledger", ledger)];

/// Whether a panic is in pinxit's own code. Those are mistakes wherever they happen; a panic in another's decoder is expected, and
/// only a mistake where nothing contains it: it then unwinds out of the target.
pub fn is_ours(panic: &PanicHookInfo<'_>) -> bool {
    panic.location().is_some_and(|place| place.file().contains("crates/pinxit") || place.file().contains("targets.rs"))
}

/// Instead of the hook of libFuzzer, to which every panic is a crash.
pub fn abort_on_our_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if is_ours(panic) {
            eprintln!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
            std::process::abort();
        }
    }));
}

/// `pinxit verify`. A credential that holds may only stand in a file that shows what was signed.
pub fn verify(bytes: &[u8]) {
    let Ok(report) = verify_bytes(bytes, &Anchors::default()) else { return };
    assert!(!matches!(report.trust, Trust::Own | Trust::Trusted { .. }), "nobody is trusted here");
    match report.state {
        State::Invalid => assert!(!report.problems.is_empty(), "an invalid credential says why"),
        State::Valid => {
            assert_eq!(report.intact, Some(true));
            let Ok(seen) = decode(bytes, &Limits::default()) else { return };
            assert!(signed_pictures().contains(&seen.picture), "a credential that holds, on another picture");
        }
        _ => {}
    }
}

/// The pictures of the only files for which somebody had a key: the seeds.
fn signed_pictures() -> &'static [Picture] {
    static SIGNED: LazyLock<Vec<Picture>> = LazyLock::new(|| {
        let seeds = [
            &include_bytes!("seeds/verify/generated.png")[..],
            include_bytes!("seeds/verify/generated.jpg"),
            include_bytes!("seeds/verify/generated.webp"),
            include_bytes!("seeds/verify/generated.tif"),
            include_bytes!("seeds/verify/generated.gif"),
        ];
        seeds.iter().filter_map(|seed| Some(decode(seed, &Limits::default()).ok()?.picture)).collect()
    });
    &SIGNED
}

/// Names an input can have in an import, by its first byte.
pub const IMPORT_NAMES: [&str; 14] = [
    "work.png",
    "a.xmp",
    "a.tdm.json",
    "a.headers",
    "a.license",
    "tdmrep.json",
    "robots.txt",
    "labels.csv",
    "labels.tsv",
    "manifest.jsonl",
    "works.zip",
    "works.tar",
    "works.tar.gz",
    "work.bin",
];

/// `pinxit import --dry-run` of a folder with two sound pictures and the input: all that an import does to one file, as a work, as a file
/// that speaks about works, or as an archive. The first byte says which.
pub fn import(bytes: &[u8]) {
    let Some((first, content)) = bytes.split_first() else { return };
    let name = IMPORT_NAMES[usize::from(*first) % IMPORT_NAMES.len()];
    FOLDER.with_borrow(|folder| {
        let Some(folder) = folder else { return };
        let path = folder.path().join("set").join(name);
        if std::fs::write(&path, content).is_err() {
            return;
        }
        let options = ImportOptions {
            default_licence: Some("own".into()),
            examiner: Some(Arc::new(Examination)),
            resolution: (16, 16),
            threads: 1,
            ..ImportOptions::default()
        };
        let sources = if name.starts_with("works.") { vec![path.clone()] } else { vec![folder.path().join("set")] };
        let report = pinxit_dataset::inspect(&sources, &options, &folder.path().join("into"), &mut |_| ControlFlow::Continue(()));
        if let Err(e) = report {
            assert!(!e.to_string().is_empty());
        }
        assert!(!folder.path().join("into").exists(), "a look writes nothing");
        let _ = std::fs::remove_file(path);
    });
}

/// What the studio's own examiner does.
#[derive(Debug)]
struct Examination;

impl Examiner for Examination {
    fn reads(&self) -> &[&'static str] {
        &["c2pa-training-mining"]
    }

    fn signals(&self, bytes: &[u8]) -> Vec<Signal> {
        let _ = verify_bytes(bytes, &Anchors::default());
        Vec::new()
    }

    fn fingerprint(&self, bytes: &[u8], picture: &Picture) -> Option<String> {
        pinxit_trust::fingerprint::iscc(bytes, picture).ok()
    }

    fn alike(&self, one: &str, other: &str) -> bool {
        one == other
    }
}

thread_local! {
    /// A folder in memory where there is one, with two works in `set/`.
    static FOLDER: RefCell<Option<tempfile::TempDir>> = RefCell::new(folder());
}

fn folder() -> Option<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(place).ok()?;
    let set: PathBuf = folder.path().join("set");
    std::fs::create_dir(&set).ok()?;
    for (name, colour) in [("a.png", [200, 10, 40]), ("b.png", [10, 200, 90])] {
        let picture = Picture::from_fn(16, 16, |x, y| colour.map(|c: u8| c ^ (x * y) as u8));
        let bytes = pinxit_image::encode(&picture, pinxit_image::Encoding::Png, &Default::default()).ok()?;
        std::fs::write(set.join(name), bytes).ok()?;
    }
    Some(folder)
}

/// The longest side and the most pixels of a picture that the watermark is looked for in here: every shape, and still some a second.
const MOST_SIDE: u32 = 16_384;
const MOST_PIXELS: u32 = 1 << 17;

/// The detector of the watermark on any picture. The first four bytes are the sides, the fifth says what the others do to it.
pub fn watermark(bytes: &[u8]) {
    let Some(([w0, w1, h0, h1, how], rest)) = bytes.split_first_chunk::<5>() else { return };
    let picture = if how % 2 == 0 {
        let width = (u32::from(u16::from_le_bytes([*w0, *w1])) % MOST_SIDE).max(1);
        let height = u32::from(u16::from_le_bytes([*h0, *h1])) % MOST_SIDE;
        let height = height.clamp(1, (MOST_PIXELS / width).max(1));
        let at = |i: usize| rest.get(i % rest.len().max(1)).copied().unwrap_or(*how);
        Picture::from_fn(width, height, |x, y| {
            let i = y as usize * width as usize + x as usize;
            [at(i * 3), at(i * 3 + 1), at(i * 3 + 2)]
        })
    } else {
        changed_mark([*w0, *w1, *h0, *h1], rest)
    };
    if let Some(found) = WATERMARK.detect(&picture) {
        assert!(found.bits <= 48 && found.id >> found.bits == 0, "{found:?}");
        assert!((0.4..=2.1).contains(&found.scale) && found.degrees.abs() <= 4.5 && found.score >= 7.0, "{found:?}");
    }
}

/// The marked picture of the test vectors, cut to a window, with bytes added to its samples: so the code behind the search is reached.
fn changed_mark(window: [u8; 4], noise: &[u8]) -> Picture {
    let mut picture = MARKED.clone();
    let noise = if noise.is_empty() { &[0][..] } else { noise };
    picture.pixels_mut().iter_mut().zip(noise.iter().cycle()).for_each(|(sample, n)| *sample = sample.wrapping_add(n >> 3));
    let [x, y, w, h] = window.map(u32::from);
    let (x, y) = (x % picture.width(), y % picture.height());
    let window =
        pinxit_image::Window { x, y, width: (w + 1).min(picture.width() - x), height: (h + 1).min(picture.height() - y) };
    picture.crop(window).unwrap_or(picture)
}

static WATERMARK: LazyLock<Watermark> = LazyLock::new(|| Watermark::new(&Key::derive("pinxit test vectors")));
static MARKED: LazyLock<Picture> = LazyLock::new(|| {
    let file = include_bytes!("../crates/pinxit-trust/tests/data/watermark.png");
    decode(file, &Limits::default()).map_or_else(|_| Picture::filled(256, 256, [9; 3]), |decoded| decoded.picture)
});

/// What `info` reads of a file, header, XMP and recipe; and what `generate --from` then does with the recipe, by a tiny model. The bytes
/// are tried as a recipe alone, too.
pub fn recipe(bytes: &[u8]) {
    let _ = pinxit_image::info(bytes);
    let _ = pinxit_image::xmp_packets(bytes);
    let inside = pinxit_image::read_recipe(bytes).ok().flatten();
    for text in inside.iter().map(String::as_str).chain(std::str::from_utf8(bytes)) {
        let Ok(recipe) = Recipe::from_json(text) else { continue };
        let again = recipe.to_json().ok().and_then(|json| Recipe::from_json(&json).ok());
        assert_eq!(again.as_ref(), Some(&recipe), "a recipe that is not the same when written and read");
        PAINTER.with_borrow_mut(|painter| painter.as_mut().map(|painter| paint(painter, recipe)));
    }
}

/// Longest side of a finished picture here: larger ones are refused or made of the same loops, in seconds.
const MOST_FINISHED_PX: u32 = 512;

fn paint(painter: &mut Painter, recipe: Recipe) {
    let recipe = Recipe { model: painter.model().clone(), ..recipe };
    let (Ok(sides), Ok(painted)) = (painter.sides(&recipe), painter.paint(std::slice::from_ref(&recipe))) else { return };
    if sides.0.max(sides.1) <= MOST_FINISHED_PX {
        let finished = painted.first().and_then(|picture| recipe.finish(picture).ok());
        assert_eq!(finished.map(|picture| (picture.width(), picture.height())), Some(sides));
    }
}

thread_local! {
    static PAINTER: RefCell<Option<Painter>> = RefCell::new({
        let model = pinxit_nn::Model::from_bytes(include_bytes!("seeds/model/whole"));
        model.ok().map(|model| Painter::open(model, "seed"))
    });
}

/// A model from anywhere, and any file of tensors.
pub fn model(bytes: &[u8]) {
    let _ = pinxit_nn::tensorfile::from_bytes(bytes);
    if let Ok(model) = pinxit_nn::Model::from_bytes(bytes) {
        let again = model.to_bytes(pinxit_nn::Precision::F32).ok().and_then(|bytes| pinxit_nn::Model::from_bytes(&bytes).ok());
        assert_eq!(again.map(|again| again.hash()), Some(model.hash()), "a model that is not the same when written and read");
    }
}

/// A ledger that somebody else wrote, and certificates to trust.
pub fn ledger(bytes: &[u8]) {
    let _ = Certificate::all_from_pem(bytes);
    let _ = Certificate::from_der(bytes);
    FOLDER.with_borrow(|folder| {
        let Some(folder) = folder else { return };
        let ledger = Ledger::at(folder.path());
        if std::fs::write(ledger.path(), bytes).is_err() {
            return;
        }
        if let Ok(verified) = ledger.verify(&[]) {
            assert_eq!(verified.kinds.values().sum::<u64>(), verified.head.map_or(0, |head| head.count));
        }
    });
}
