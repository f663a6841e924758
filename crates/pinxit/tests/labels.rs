//! Labels, and the person's part in a picture, as a stranger meets them.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use std::path::{Path, PathBuf};

use common::{Desk, code, failure, stderr, stdout};
use image::RgbImage;
use serde_json::Value;

/// The shipped model: its pictures of 64 px have room for a label.
fn base() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models/base-64.safetensors").display().to_string()
}

fn painted(desk: &Desk, more: &[&str]) -> PathBuf {
    let base = base();
    let out = desk.run(&[&["generate", &base, "--seeds", "3", "-q"][..], more].concat());
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    desk.path().join(stdout(&out).trim())
}

fn pixels(path: &Path) -> RgbImage {
    image::load_from_memory(&std::fs::read(path).unwrap()).unwrap().to_rgb8()
}

fn verified(desk: &Desk, path: &Path) -> Value {
    let out = desk.run(&["verify", &path.display().to_string(), "--json"]);
    let seen: Value = serde_json::from_str(stdout(&out).trim()).unwrap();
    seen["files"][0].clone()
}

fn signed(desk: &Desk, args: &[&str]) -> PathBuf {
    let out = desk.run(&[&["sign"][..], args, &["-q"]].concat());
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    desk.path().join(stdout(&out).trim())
}

/// Height of the brightest letters in the lower right corner, px.
fn letters_px(labelled: &RgbImage, plain: &RgbImage) -> u32 {
    let changed = |x, y| labelled.get_pixel(x, y) != plain.get_pixel(x, y);
    let row = |y| (0..labelled.width()).any(|x| changed(x, y) && labelled.get_pixel(x, y).0.iter().all(|v| *v > 190));
    (0..labelled.height()).filter(|y| row(*y)).count() as u32
}

#[test]
fn a_visible_label_is_in_the_pixels_and_not_in_the_recipe() {
    let desk = Desk::new();
    std::fs::create_dir(desk.home().join("models")).unwrap();
    std::fs::copy(base(), desk.model("base-64")).unwrap();
    let plain = painted(&desk, &["-o", "plain", "--no-sign"]);
    let labelled = painted(&desk, &["-o", "labelled", "--visible-label"]);
    let (a, b) = (pixels(&plain), pixels(&labelled));
    assert!(letters_px(&b, &a) as f32 >= 0.05 * 64.0, "{} px", letters_px(&b, &a));
    assert!(a.pixels().zip(b.pixels()).take(64 * 40).all(|(a, b)| a == b), "the rest is as it was");
    // A recipe knows of no label, so the picture is painted again without.
    let again = desk.run(&["generate", "--from", &labelled.display().to_string(), "-o", "again", "-q"]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    assert_eq!(pixels(&desk.path().join(stdout(&again).trim())), a);
    let with = desk.run(&["generate", "--from", &plain.display().to_string(), "-o", "with", "-q", "--visible-label"]);
    assert_eq!(pixels(&desk.path().join(stdout(&with).trim())), b);
    // Painted once more it stays; another label is another picture.
    let before = std::fs::read(&labelled).unwrap();
    painted(&desk, &["-o", "labelled", "--visible-label"]);
    assert_eq!(std::fs::read(&labelled).unwrap(), before);
    let base = base();
    let refused = failure(&desk, &["generate", &base, "--seeds", "3", "-o", "labelled", "--visible-label=KI"]);
    assert!(refused.contains("--overwrite"), "{refused}");
}

#[test]
fn what_cannot_be_labelled_is_refused_before_anything_is_written() {
    let desk = Desk::with_model();
    let small = failure(&desk, &["generate", "dots", "--seeds", "1", "-o", "out", "--visible-label"]);
    assert!(small.contains("too small for this label") && small.contains("--enlarge"), "{small}");
    let enlarged = desk.run(&["generate", "dots", "--seeds", "1", "-o", "large", "--visible-label", "--enlarge", "4", "-q"]);
    assert_eq!(code(&enlarged), 0, "{}", stderr(&enlarged));
    let base = base();
    let letters = failure(&desk, &["generate", &base, "--seeds", "1", "-o", "out", "--visible-label=🎨"]);
    assert!(letters.contains("cannot be written"), "{letters}");
    let chinese = failure(&desk, &["generate", &base, "--seeds", "1", "-o", "cn", "--label", "cn", "--visible-label=KI"]);
    assert!(chinese.contains("no label in China"), "{chinese}");
    assert!(!desk.path().join("cn").exists());
    let photo = failure(&desk, &["sign", "dots/round/000.bmp", "--label", "cn"]);
    assert!(photo.contains("BMP"), "{photo}");
}

#[test]
fn the_labels_of_laws_are_read_back_and_stand_still() {
    let desk = Desk::new();
    assert_eq!(code(&desk.run(&["keys", "init", "--name", "Zoë Artist"])), 0);
    for (format, sign) in [("png", ""), ("jpeg", "--no-sign"), ("webp", "--no-sign")] {
        let mut args = vec!["-o", format, "--label", "cn", "--label", "sb942", "--format", format];
        args.extend(Some(sign).filter(|s| !s.is_empty()));
        let path = painted(&desk, &args);
        let seen = verified(&desk, &path);
        let stated = &seen["unsigned"]["stated"];
        let aigc: Value = serde_json::from_str(stated["aigc"].as_str().unwrap()).unwrap();
        assert_eq!(
            (aigc["Label"].as_str(), aigc["ContentProducer"].as_str()),
            (Some("1"), Some("Zo%C3%AB%20Artist")),
            "{format}"
        );
        assert_eq!(stated["provider"], "Zoë Artist", "{format}");
        assert_eq!((&stated["system"], &stated["id"]), (&"pinxit".into(), &aigc["ProduceID"]), "{format}");
        if sign.is_empty() {
            let says = &seen["says"];
            assert_eq!((&says["id"], &says["provider"], &says["when"]), (&stated["id"], &stated["provider"], &stated["when"]));
        }
        // Chinese letters are drawn, higher than 5 %.
        let plain = pixels(&painted(&desk, &["-o", "plain", "--no-sign"]));
        assert!(format == "jpeg" || letters_px(&pixels(&path), &plain) >= 8, "{format}");
        let before = std::fs::read(&path).unwrap();
        painted(&desk, &args);
        assert_eq!(std::fs::read(&path).unwrap(), before, "{format}: once more it keeps its time and number");
        let told = stdout(&desk.run(&["info", &path.display().to_string()]));
        assert!(told.contains("AIGC: {\"Label\":\"1\"") && told.contains("metadata: Zoë Artist; pinxit "), "{told}");
    }
    let plain = painted(&desk, &["-o", "bytes", "--no-sign"]);
    let first = std::fs::read(&plain).unwrap();
    std::fs::remove_file(&plain).unwrap();
    painted(&desk, &["-o", "bytes", "--no-sign"]);
    assert_eq!(std::fs::read(&plain).unwrap(), first, "without a label there is no time in it");
}

#[test]
fn a_note_and_the_choice_it_was_are_in_the_credential() {
    let desk = Desk::with_model();
    let out = desk.run(&["generate", "dots", "--seeds", "1-5", "--class", "round", "-o", "out", "-q"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let fresh = verified(&desk, &desk.path().join("out/dots-round-000002.png"));
    let authorship = &fresh["says"]["authorship"];
    assert_eq!(authorship["dataset"]["works"], 48);
    assert_eq!(authorship["training"]["runs"], 1);
    let by_hand = authorship["training"]["set_by_hand"].to_string();
    assert!(by_hand.contains("\"length.kimg\"") && !by_hand.contains("\"seed\""), "{by_hand}");
    assert_eq!((&authorship["selection"]["painted_with_model"], &authorship["selection"]["seed"]), (&0.into(), &"2".into()));
    assert_eq!(fresh["ledger_place"]["kind"], "holds");

    let path = signed(&desk, &["out/dots-round-000002.png", "--note", "the only\n calm one"]);
    let seen = verified(&desk, &path);
    let authorship = &seen["says"]["authorship"];
    assert_eq!((&authorship["note"], &authorship["selection"]["painted_with_model"]), (&"the only calm one".into(), &5.into()));
    assert_eq!(seen["says"]["ingredients"][0]["relationship"], "parentOf");
    let actions: Vec<&str> = seen["says"]["actions"].as_array().unwrap().iter().map(|a| a["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["c2pa.opened", "c2pa.published"]);
    let told = stdout(&desk.run(&["verify", &path.display().to_string()]));
    for line in [
        "works       48 taken in",
        "chosen      5 pictures painted with the model before; seed 2",
        "note        \"the only calm one\"",
        "remembers   a place in the ledger, which holds it",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    assert!(told.contains("ledger      this very file, dots-round-000002-signed.png"), "{told}");
    let second = signed(&desk, &["out/dots-round-000003.png"]);
    assert_eq!(verified(&desk, &second)["says"]["authorship"]["selection"]["signed_with_model"], 1);
    // Of a picture from elsewhere, or changed since, nothing but the note is known.
    let copy = desk.path().join("copy.png");
    pixels(&desk.path().join("out/dots-round-000002.png")).save(&copy).unwrap();
    let stranger = signed(&desk, &["copy.png", "--note", "found"]);
    assert_eq!(verified(&desk, &stranger)["says"]["authorship"].to_string(), "{\"note\":\"found\"}");
    let long = failure(&desk, &["sign", "copy.png", "-o", "x", "--note", &"a".repeat(3000)]);
    assert!(long.contains("3000 bytes"), "{long}");
}

#[test]
fn a_ledger_written_anew_is_noticed_by_the_pictures_it_let_out() {
    let desk = Desk::with_model();
    let out = desk.run(&["generate", "dots", "--seeds", "1-3", "--class", "round", "-o", "out", "-q"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let path = desk.path().join("out/dots-round-000002.png");
    assert_eq!(verified(&desk, &path)["ledger_place"]["kind"], "holds");
    // Another desk's ledger is whole in itself, and is another history.
    let other = Desk::with_model();
    for file in ["ledger.jsonl", "ledger.head"] {
        std::fs::copy(other.home().join(file), desk.home().join(file)).unwrap();
    }
    let seen = verified(&desk, &path);
    assert_eq!((&seen["state"], &seen["ledger_place"]["kind"]), (&"valid".into(), &"lost".into()));
    let told = stdout(&desk.run(&["verify", &path.display().to_string()]));
    assert!(told.contains("remembers   a place that the ledger does NOT hold"), "{told}");
    // A line changed is more than another history.
    let ledger = desk.home().join("ledger.jsonl");
    let text = std::fs::read_to_string(&ledger).unwrap().replacen("dots", "lots", 1);
    std::fs::write(&ledger, text).unwrap();
    assert_eq!(verified(&desk, &path)["ledger_place"]["kind"], "broken");
    // Whose ledger it was nobody else is told.
    let joe = Desk::new();
    assert!(verified(&joe, &path)["ledger_place"].is_null());
}

#[test]
fn labels_of_signed_pictures_are_for_what_ai_made() {
    let desk = Desk::new();
    let path = painted(&desk, &["-o", "out"]);
    let worded = painted(&desk, &["-o", "worded", "--visible-label"]);
    let twice = failure(&desk, &["sign", &worded.display().to_string(), "--label", "cn"]);
    assert!(twice.contains("carries the label \"AI-generated\" already"), "{twice}");
    let once = signed(&desk, &[&worded.display().to_string(), "--visible-label"]);
    assert_eq!(pixels(&once), pixels(&worded), "the same label is not drawn again");
    let labelled = signed(&desk, &[&path.display().to_string(), "--label", "cn", "--label", "sb942", "--visible-label=AI生成"]);
    let seen = verified(&desk, &labelled);
    assert_eq!((&seen["state"], &seen["says"]["making"]), (&"valid".into(), &"ai-generated".into()));
    assert_eq!(seen["unsigned"]["stated"]["id"], seen["says"]["id"]);
    assert_eq!(seen["says"]["recipe"]["seed"], 3);
    assert_eq!(seen["says"]["actions"][1]["description"], "labelled in the picture: AI生成");
    let ground = RgbImage::from_fn(120, 120, |x, y| image::Rgb([x as u8, y as u8, 9]));
    ground.save(desk.path().join("photo.png")).unwrap();
    let refused = failure(&desk, &["sign", "photo.png", "--visible-label"]);
    assert!(refused.contains("--made-as ai"), "{refused}");
    assert!(failure(&desk, &["sign", "photo.png", "--visible-label", "--made-as", "photo"]).contains("--made-as ai"));
    let theirs = signed(&desk, &["photo.png", "--visible-label", "--made-as", "ai"]);
    assert!(letters_px(&pixels(&theirs), &ground) >= 6);
    let unknown = failure(&desk, &["sign", "photo.png", "--label", "sb942", "--made-as", "ai", "--overwrite"]);
    assert!(unknown.contains("no recipe of pinxit"), "{unknown}");
}
