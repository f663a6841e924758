//! A picture leaves, loses its credential and its metadata on the way, and is known again. The model is the one in the repository.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
use std::path::{Path, PathBuf};

use pinxit_image::{Encoding, Limits, Metadata, Picture, Window};
use pinxit_studio::event::{Event, Unwatched, Watcher};
use pinxit_studio::generate::{GenerateRequest, Generated, RepaintRequest, generate, repaint};
use pinxit_studio::settings::GenerateSettings;
use pinxit_studio::sign::Signing;
use pinxit_studio::trace::{By, Kept, Match, Sought, Trace, detect};
use pinxit_studio::verify::{State, Verified, Verifier};
use pinxit_studio::{Error, Kind, Studio};

struct Desk {
    dir: tempfile::TempDir,
    studio: Studio,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let studio = Studio::at(dir.path().join("home"));
        std::fs::create_dir_all(studio.folder(Kind::Model)).unwrap();
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models/base-64.safetensors");
        std::fs::copy(model, studio.path(Kind::Model, "base-64").unwrap()).unwrap();
        Desk { studio, dir }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Three pictures of 64 px, enlarged and signed, in `out`.
    fn paint(&self, enlarge: u32) -> Generated {
        generate(&self.studio, &request(&self.at("out"), enlarge, true), &mut Unwatched).unwrap()
    }

    fn again(&self, pictures: &[PathBuf], folder: &str, watermark: bool, signing: Option<Signing>) -> Vec<PathBuf> {
        let (pictures, out) = (pictures.to_vec(), self.at(folder));
        let request = RepaintRequest {
            pictures,
            model: None,
            format: None,
            quality: 90,
            out,
            watermark,
            signing,
            overwrite: false,
            gate: Default::default(),
            labels: Default::default(),
        };
        repaint(&self.studio, &request, &mut Unwatched).unwrap().pictures
    }

    /// A picture as another program saves it: JPEG, no metadata.
    fn stripped(&self, picture: &Picture, name: &str, quality: u8) -> PathBuf {
        let bytes = pinxit_image::encode(picture, Encoding::Jpeg { quality }, &Metadata::default()).unwrap();
        std::fs::write(self.at(name), bytes).unwrap();
        self.at(name)
    }

    fn verify(&self, file: &Path) -> Verified {
        Verifier::of(&self.studio).unwrap().verify(file).unwrap()
    }
}

fn request(folder: &Path, enlarge: u32, sign: bool) -> GenerateRequest {
    GenerateRequest {
        model: "base-64".into(),
        seeds: vec![1, 2, 3],
        classes: Vec::new(),
        styles: Vec::new(),
        caption: None,
        prompt: None,
        guide: 1.0,
        settings: GenerateSettings { enlarge, sign, ..GenerateSettings::default() },
        signing: Signing::default(),
        sheet: false,
        columns: None,
        out: Some(folder.into()),
        overwrite: false,
        gate: Default::default(),
    }
}

fn picture(file: &Path) -> Picture {
    pinxit_image::decode(&std::fs::read(file).unwrap(), &Limits::default()).unwrap().picture
}

fn matched(trace: Trace) -> Match {
    match trace.ledger {
        Kept::Match(found) => found,
        other => panic!("no match: {other:?}"),
    }
}

#[test]
fn a_stripped_picture_is_matched_back_by_its_mark() {
    let desk = Desk::new();
    let made = desk.paint(4);
    let leaving = desk.verify(&made.pictures[1]);
    assert_eq!(leaving.report.state, State::Valid);
    let says = leaving.report.says.unwrap();
    let Sought::Found(mark) = leaving.trace.watermark.clone() else { panic!("{:?}", leaving.trace.watermark) };
    assert_eq!((mark.bits, mark.id.len(), mark.scale), (48, 12, 1.0));
    let bindings: Vec<(&str, &str)> = says.soft_bindings.iter().map(|b| (b.alg.as_str(), b.value.as_str())).collect();
    assert_eq!(bindings[0], ("org.pinxit.watermark.v1", mark.id.as_str()));
    assert!(bindings[1].0 == "io.iscc.v0" && bindings[1].1.starts_with("ISCC:EE"), "{bindings:?}");
    assert!(says.actions.iter().any(|action| action.action == "c2pa.watermarked.bound"));
    assert_eq!(matched(leaving.trace).by, By::File);

    let original = picture(&made.pictures[1]);
    let part = original.crop(Window { x: 30, y: 20, width: 200, height: 210 }).unwrap();
    let small = pinxit_image::resize(&original, 192, 192).unwrap();
    let attacks =
        [desk.stripped(&original, "jpeg.jpg", 50), desk.stripped(&small, "small.jpg", 75), desk.stripped(&part, "part.jpg", 75)];
    for file in attacks {
        let (found, name) = (desk.verify(&file), file.display());
        assert_eq!(found.report.state, State::Missing, "{name}");
        let Sought::Found(read) = &found.trace.watermark else { panic!("{name}: {:?}", found.trace.watermark) };
        assert_eq!(read.id, mark.id, "{name}");
        let found = matched(found.trace);
        assert_eq!((found.by, found.others, found.export.seed), (By::Watermark, 0, Some(2)), "{name}");
        assert_eq!(found.export.file.as_deref(), Some("base-64-000002-x4.png"), "{name}");
    }
    let stranger = Picture::from_fn(300, 260, |x, y| [(x / 2) as u8, (y * x / 400) as u8, (x ^ y) as u8]);
    let stranger = desk.verify(&desk.stripped(&stranger, "stranger.jpg", 90)).trace;
    assert!(matches!((&stranger.watermark, &stranger.ledger), (Sought::NotFound, Kept::NoMatch)), "{stranger:?}");
}

#[test]
fn without_the_secret_the_fingerprint_still_finds_it_and_nothing_is_made() {
    let desk = Desk::new();
    let made = desk.paint(4);
    let small = pinxit_image::resize(&picture(&made.pictures[0]), 150, 150).unwrap();
    let file = desk.stripped(&small, "small.jpg", 60);
    std::fs::remove_file(desk.studio.keys().watermark_file()).unwrap();
    let found = desk.verify(&file);
    assert!(matches!(found.trace.watermark, Sought::NoKey));
    let found = matched(found.trace);
    assert_eq!((found.by, found.export.seed), (By::Fingerprint, Some(1)));
    assert!(!desk.studio.keys().watermark_file().exists(), "asking makes no secret");
    assert!(matches!(detect(&desk.studio, &[file]), Err(Error::NoMarks { .. })));
    let elsewhere = Studio::at(desk.at("elsewhere"));
    let seen = Verifier::of(&elsewhere).unwrap().verify(&made.pictures[0]).unwrap().trace;
    assert!(matches!((seen.watermark, seen.ledger), (Sought::NoKey, Kept::Empty)));
    assert!(!elsewhere.home().exists(), "a question writes nothing");
}

/// Golden: signed and marked, a picture's recipe is read and paints the same pixels; without a signature the same bytes.
#[test]
fn after_signing_and_marking_the_recipe_paints_the_same_pixels() {
    let desk = Desk::new();
    let made = desk.paint(4).pictures;
    let signed = desk.again(&made, "signed", true, Some(Signing::default()));
    let plain = desk.again(&made, "plain", true, None);
    let twice = desk.again(&plain, "twice", true, None);
    for (i, first) in made.iter().enumerate() {
        let original = picture(first);
        assert_eq!((original.width(), original.height()), (256, 256));
        assert!(original == picture(&signed[i]) && original == picture(&plain[i]), "{}", first.display());
        assert_eq!(std::fs::read(&plain[i]).unwrap(), std::fs::read(&twice[i]).unwrap(), "byte for byte without a signature");
    }
    // Without a mark it is what the model painted, enlarged: the mark is a change of a few grey levels.
    let bare = desk.again(&made[..1], "bare", false, None).remove(0);
    let (unmarked, marked) = (picture(&bare), picture(&made[0]));
    let most = unmarked.pixels().iter().zip(marked.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!((1..=40).contains(&most), "{most}");
    assert!(matches!(desk.verify(&bare).trace.watermark, Sought::NotFound));
}

/// What was said of watermarks: the gate of near copies has its own to say.
#[derive(Default)]
struct Heard(Vec<String>);

impl Watcher for Heard {
    fn event(&mut self, event: Event) {
        if let Event::Note { message } | Event::Warning { message, .. } = event
            && message.contains("watermark")
        {
            self.0.push(message);
        }
    }
    fn stop(&mut self) -> bool {
        false
    }
}

#[test]
fn pictures_that_are_too_small_say_so_once_and_make_no_secret() {
    let (desk, mut heard) = (Desk::new(), Heard::default());
    generate(&desk.studio, &request(&desk.at("out"), 1, false), &mut heard).unwrap();
    assert_eq!(heard.0.len(), 1, "{:?}", heard.0);
    assert!(heard.0[0].contains("64x64 px carry no watermark") && heard.0[0].contains("--enlarge 4"), "{:?}", heard.0);
    assert!(!desk.studio.keys().folder().exists());
    let entries = |last| pinxit_studio::ledger::show(&desk.studio, Some("export"), last).unwrap();
    assert!(entries(9).iter().all(|entry| !entry.subject.contains_key("watermark")));
    // At 128 px there is room for a short id, and a mark that did not pass its trial is named by its file.
    let mut heard = Heard::default();
    let made = generate(&desk.studio, &request(&desk.at("out"), 2, false), &mut heard).unwrap();
    for (entry, file) in entries(3).iter().zip(&made.pictures) {
        let (id, bits) = (&entry.subject["watermark"], &entry.subject["watermark_bits"]);
        assert_eq!((id.as_str().map(str::len), bits), (Some(6), &24.into()));
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.ends_with("-x2.png") && entry.subject["file"] == name, "{name}");
    }
    assert!(heard.0.iter().all(|said| said.contains("-x2.png: its watermark is weak")), "{:?}", heard.0);
}

#[test]
fn an_enlargement_out_of_range_is_refused_before_anything_is_painted() {
    let desk = Desk::new();
    for times in [0, 9] {
        let refused = generate(&desk.studio, &request(&desk.at("out"), times, false), &mut Unwatched).unwrap_err();
        assert!(refused.to_string().contains(&format!("cannot be enlarged {times} times")), "{refused}");
    }
    assert!(!desk.at("out").exists());
}

#[test]
fn a_contact_sheet_is_marked_and_in_the_ledger() {
    let desk = Desk::new();
    let request = GenerateRequest { sheet: true, seeds: (0..16).collect(), ..request(&desk.at("out"), 1, true) };
    let made = generate(&desk.studio, &request, &mut Unwatched).unwrap();
    let again = generate(&desk.studio, &request, &mut Unwatched).unwrap();
    assert_eq!(made.sheet, again.sheet, "the same sheet is no other file");
    let found = desk.verify(&made.sheet.unwrap()).trace;
    assert!(matches!(&found.watermark, Sought::Found(mark) if mark.bits == 48), "{found:?}");
    let found = matched(found);
    assert_eq!((found.by, found.export.file.as_deref(), found.export.seed), (By::File, Some("sheet.png"), None));
}
