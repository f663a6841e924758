//! Files of the person are never replaced unless she says so.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use common::{Desk, code, failure, stderr, stdout};

#[test]
fn a_contact_sheet_replaces_no_other_file() {
    let desk = Desk::with_dots();
    let thesis = desk.path().join("thesis.png");
    std::fs::write(&thesis, "years of work").unwrap();
    let refused = failure(&desk, &["datasets", "show", "dots", "--sheet", "thesis.png"]);
    assert!(refused.starts_with("exit 1\n") && refused.contains("thesis.png is there already"), "{refused}");
    assert!(refused.contains("--overwrite"), "{refused}");
    assert_eq!(std::fs::read_to_string(&thesis).unwrap(), "years of work");
    assert_eq!(code(&desk.run(&["datasets", "show", "dots", "--sheet", "thesis.png", "--overwrite"])), 0);
    assert_eq!(code(&desk.run(&["datasets", "show", "dots", "--sheet", "thesis.png"])), 0, "the same sheet again is painless");
    assert_ne!(std::fs::read(&thesis).unwrap(), b"years of work");

    // A JPEG by name once held the bytes of a PNG.
    assert_eq!(code(&desk.run(&["datasets", "show", "dots", "--sheet", "sheet.jpg"])), 0);
    assert!(std::fs::read(desk.path().join("sheet.jpg")).unwrap().starts_with(b"\xff\xd8\xff"));
    let refused = failure(&desk, &["datasets", "show", "dots", "--sheet", "sheet.pdf"]);
    assert!(refused.starts_with("exit 2\n") && refused.contains("none of .png, .jpg, .webp, .avif"), "{refused}");
}

/// Where nobody named a file, `show` wrote into the current folder, and failed where it must not.
#[test]
fn a_sheet_nobody_asked_for_lies_with_its_dataset_and_fails_nothing() {
    let desk = Desk::with_dots();
    let here = || std::fs::read_dir(desk.path()).unwrap().count();
    let (before, sheet) = (here(), desk.home().join("datasets/dots/sheet.png"));
    for _ in 0..2 {
        let out = desk.run(&["datasets", "show", "dots"]);
        assert!(code(&out) == 0 && stdout(&out).contains(&sheet.display().to_string()), "{}", stdout(&out));
    }
    assert!(sheet.is_file());
    assert_eq!(here(), before);
    // A folder of that name stands for whatever hinders the writing.
    std::fs::remove_file(&sheet).unwrap();
    std::fs::create_dir(&sheet).unwrap();
    let shown = failure(&desk, &["datasets", "show", "dots"]);
    assert!(shown.starts_with("exit 0\n") && shown.contains("48 from 48 works"), "{shown}");
    assert!(shown.contains("warning: no contact sheet") && shown.contains("--sheet FILE"), "{shown}");
    assert_eq!(stderr(&desk.run(&["datasets", "show", "dots", "-q"])), "");
    assert_eq!(code(&desk.run(&["train", "dots", "--dry-run"])), 0, "the dataset is as good as before");
}

#[test]
fn painting_replaces_no_other_picture() {
    let desk = Desk::with_model();
    let paint = |more: &[&str]| desk.run(&[&["generate", "dots", "--class", "round", "--grid", "-o", "out"], more].concat());
    for _ in 0..2 {
        let out = paint(&["--seeds", "0-3"]);
        assert_eq!(code(&out), 0, "the same pictures again are painless: {}", stderr(&out));
    }
    assert_eq!(std::fs::read_dir(desk.path().join("out")).unwrap().count(), 5);
    // Another sheet in the same folder takes another name.
    let out = paint(&["--seeds", "4-5"]);
    assert!(code(&out) == 0 && stdout(&out).contains("sheet-2.png"), "{}", stderr(&out));

    let drawing = desk.path().join("out/dots-round-000007.png");
    std::fs::write(&drawing, "a drawing").unwrap();
    let out = paint(&["--seeds", "6-8"]);
    assert!(code(&out) == 1 && stderr(&out).contains("dots-round-000007.png is there already"), "{}", stderr(&out));
    assert!(!desk.path().join("out/dots-round-000006.png").exists(), "looked for before anything is painted");
    assert_eq!(code(&paint(&["--seeds", "0-3", "--caption", "four"])), 1, "another recipe is another picture");
    let calmer = paint(&["--seeds", "0-3", "--psi", "0.5"]);
    assert!(code(&calmer) == 0 && stdout(&calmer).contains("dots-round-000000-psi0.5.png"), "{}", stderr(&calmer));
    assert_eq!(std::fs::read_to_string(&drawing).unwrap(), "a drawing");
    assert_eq!(code(&paint(&["--seeds", "6-8", "--overwrite"])), 0);

    std::fs::write(desk.path().join("dots-round-000000-again.png"), "mine").unwrap();
    let again = ["generate", "--from", "out/dots-round-000000.png"];
    assert_eq!(code(&desk.run(&again)), 1);
    assert_eq!(code(&desk.run(&[&again[..], &["--overwrite"]].concat())), 0);
    assert_eq!(code(&desk.run(&again)), 0, "the same picture is no other file");

    // All names are looked at before the first is painted.
    assert_eq!(code(&desk.run(&["generate", "dots", "--class", "round", "--seeds", "0", "--caption", "calm", "-o", "calm"])), 0);
    let from =
        |other| ["generate", "--from", "out/dots-round-000001.png", "--from", "out/dots-round-000000.png", "--from", other];
    let alike = failure(&desk, &[&from("calm/dots-round-000000.png")[..], &["-o", "two"]].concat());
    assert!(alike.starts_with("exit 1\n") && alike.contains("two of these pictures would be"), "{alike}");
    assert_eq!(code(&desk.run(&[&from("absent.png")[..], &["-o", "two"]].concat())), 1);
    assert!(!desk.path().join("two").exists());
}

#[test]
fn a_replaced_dataset_goes_to_the_bin() {
    let desk = Desk::with_dots();
    let old = std::fs::read(desk.home().join("datasets/dots/dataset.json")).unwrap();
    desk.pictures("others", 20);
    let out = desk.run(&["import", "others", "--into", "dots", "--size", "32", "--replace"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let bin = desk.home().join("bin");
    assert!(stderr(&out).contains(&format!("its space is free again when {} is deleted", bin.display())), "{}", stderr(&out));
    let kept: Vec<_> = std::fs::read_dir(desk.home().join("bin/datasets")).unwrap().collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(std::fs::read(kept[0].as_ref().unwrap().path().join("dataset.json")).unwrap(), old);
}

#[test]
fn a_folder_of_the_persons_is_no_place_for_the_demo() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.path().join("mine/pictures")).unwrap();
    std::fs::write(desk.path().join("mine/pictures/aunt.png"), "aunt").unwrap();
    let refused = failure(&desk, &["demo", "-o", "mine"]);
    assert!(refused.starts_with("exit 1\n") && refused.contains("mine holds other things"), "{refused}");
    assert_eq!(std::fs::read_dir(desk.path().join("mine")).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(desk.path().join("mine/pictures/aunt.png")).unwrap(), "aunt");
}

#[test]
fn a_dataset_stays_while_a_run_learns_from_it() {
    let desk = Desk::with_dots();
    let mut run = desk.command(&["train", "dots", "--kimg", "1000", "-q"]).spawn().unwrap();
    let state = desk.home().join("runs/dots/stats.jsonl");
    while std::fs::read(&state).map_or(0, |text| text.len()) == 0 {
        assert!(run.try_wait().unwrap().is_none(), "the run ended before its first tick");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let removed = failure(&desk, &["datasets", "remove", "dots"]);
    let replaced = failure(&desk, &["import", "dots", "--into", "dots", "--size", "32", "--replace"]);
    run.kill().unwrap();
    run.wait().unwrap();
    for refused in [removed, replaced] {
        assert!(refused.starts_with("exit 1\n") && refused.contains("\"dots\" is learning from"), "{refused}");
    }
    assert_eq!(code(&desk.run(&["datasets", "remove", "dots"])), 0, "the killed run holds it no longer");
}

#[test]
fn a_reader_that_goes_away_stops_no_run() {
    let desk = Desk::with_dots();
    let mut command = desk.command(&["train", "dots", "--kimg", "0.04", "--json"]);
    let mut run = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(run.stdout.take());
    assert!(run.wait().unwrap().success());
    assert!(desk.model("dots").is_file());
}

#[test]
#[cfg(target_os = "linux")]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let desk = Desk::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let out = desk.command(&["datasets", "list", "--json"]).stdout(full).output().unwrap();
    assert!(code(&out) == 1 && stderr(&out).contains("standard output"), "{}", stderr(&out));
}
