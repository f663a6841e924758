//! Watermarks and enlarging, as a stranger uses them.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use common::{Desk, code, failure, stderr, stdout};
use serde_json::Value;

/// The pictures of two seeds, 32 px enlarged to 256, by their paths from the desk.
fn painted(desk: &Desk, more: &[&str]) -> Vec<String> {
    let args = ["generate", "dots", "--seeds", "1-2", "--class", "round", "--enlarge", "8", "-o", "out", "-q"];
    let out = desk.run(&[&args[..], more].concat());
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    stdout(&out).lines().map(String::from).collect()
}

fn json(desk: &Desk, args: &[&str]) -> Value {
    serde_json::from_str(&stdout(&desk.run(&[args, &["--json"]].concat()))).unwrap()
}

/// A PNG without any chunk that a decoder can do without: no credential, no recipe, no XMP.
fn stripped(png: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (png[..8].to_vec(), 8);
    while at < png.len() {
        let len = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize + 12;
        if png[at + 4].is_ascii_uppercase() {
            out.extend(&png[at..at + len]);
        }
        at += len;
    }
    out
}

#[test]
fn a_mark_is_found_with_its_entry_and_exit_codes_tell() {
    let desk = Desk::with_model();
    let none = failure(&desk, &["watermark", "detect", "dots/round/000.bmp"]);
    assert!(none.starts_with("exit 1\n") && none.contains("no watermark secret") && none.contains("--home"), "{none}");
    assert!(!desk.home().join("keys").exists(), "asking makes no secret");
    let unknown = failure(&desk, &["verify", "dots/round/000.bmp"]);
    assert!(unknown.starts_with("exit 3\n") && unknown.contains("this studio has no key to look for marks with"), "{unknown}");

    let pictures = painted(&desk, &[]);
    assert_eq!(pictures, ["out/dots-round-000001-x8.png", "out/dots-round-000002-x8.png"]);
    let bytes = std::fs::read(desk.path().join(&pictures[0])).unwrap();
    std::fs::write(desk.path().join("found.png"), stripped(&bytes)).unwrap();
    let out = desk.run(&["watermark", "detect", "found.png"]);
    let seen = stdout(&out);
    assert_eq!(code(&out), 0, "{seen}{}", stderr(&out));
    assert!(seen.starts_with("found.png: with a mark of this studio\n  watermark   this studio's, id "), "{seen}");
    assert!(seen.contains("  ledger      by its watermark dots-round-000001-x8.png, painted by dots ("), "{seen}");
    let seen = json(&desk, &["watermark", "detect", "found.png"]);
    let file = &seen["files"][0];
    assert_eq!((&file["watermark"]["state"], &file["watermark"]["bits"]), (&"found".into(), &48.into()), "{seen}");
    assert_eq!((&file["ledger"]["by"], &file["ledger"]["seed"]), (&"watermark".into(), &1.into()), "{seen}");
    assert_eq!(file["ledger"]["model"], "dots");

    let both = failure(&desk, &["watermark", "detect", "found.png", "dots/round/000.bmp"]);
    assert!(both.starts_with("exit 3\n") && both.contains("000.bmp: no mark of this studio found\n"), "{both}");
    let all = desk.run(&["watermark", "detect", "found.png", "dots/round/000.bmp", "absent.png"]);
    assert_eq!(code(&all), 1, "what cannot be read weighs most");

    let verified = failure(&desk, &["verify", "found.png"]);
    assert!(verified.starts_with("exit 3\n") && verified.contains("without a credential"), "{verified}");
    assert!(verified.contains("  ledger      by its watermark dots-round-000001-x8.png"), "{verified}");
    let verified = stdout(&desk.run(&["verify", &pictures[1]]));
    assert!(verified.contains("  ledger      this very file, dots-round-000002-x8.png, painted by dots ("), "{verified}");
}

#[test]
fn the_secret_stays_when_the_key_is_replaced_and_is_shown() {
    let desk = Desk::with_model();
    assert_eq!(code(&desk.run(&["keys", "init", "--name", "Jane Artist"])), 0);
    let shown = stdout(&desk.run(&["keys", "show"]));
    assert!(shown.contains("watermarks    no secret yet"), "{shown}");
    let pictures = painted(&desk, &[]);
    let secret = std::fs::read(desk.home().join("keys/watermark.key")).unwrap();
    assert_eq!(code(&desk.run(&["keys", "init", "--name", "Jane Painter", "--replace"])), 0);
    assert_eq!(std::fs::read(desk.home().join("keys/watermark.key")).unwrap(), secret);
    let shown = stdout(&desk.run(&["keys", "show"]));
    assert!(shown.contains("keys/watermark.key") && !shown.contains(String::from_utf8(secret).unwrap().trim()), "{shown}");
    assert_eq!(code(&desk.run(&["watermark", "detect", &pictures[0]])), 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = desk.home().join("keys/watermark.key");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = failure(&desk, &["generate", "dots", "--seeds", "3", "--class", "round", "--enlarge", "8", "-o", "new"]);
        assert!(refused.starts_with("exit 1\n") && refused.contains("chmod 600"), "{refused}");
        assert!(!desk.path().join("new").exists(), "nothing is painted that cannot be marked");
        let verified = desk.run(&["verify", &pictures[0]]);
        assert!(
            code(&verified) == 0 && stdout(&verified).contains("watermark   not looked for: other people"),
            "{}",
            stdout(&verified)
        );
    }
}

#[test]
fn marks_are_left_away_by_flag_and_by_setting() {
    let desk = Desk::with_model();
    let bare = painted(&desk, &["--no-watermark", "--no-sign"]);
    assert!(!desk.home().join("keys").exists(), "neither key nor secret was needed");
    let config = desk.home().join("config.toml");
    let settings = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, settings + "[generate]\nwatermark = false\nenlarge = 8\n").unwrap();
    let again = desk.run(&["generate", "dots", "--seeds", "1-2", "--class", "round", "-o", "out", "-q", "--no-sign"]);
    assert_eq!(stdout(&again).lines().collect::<Vec<_>>(), bare, "{}", stderr(&again));
    let plan = json(&desk, &["generate", "dots", "--seeds", "1", "--class", "round", "--enlarge", "1", "-n"]);
    assert_eq!(plan["settings"]["watermark"]["value"], false);
    assert_eq!((&plan["settings"]["enlarge"]["value"], &plan["pictures"][0]), (&1.into(), &"dots-round-000001.png".into()));
}

#[test]
fn an_enlargement_is_a_whole_number_from_1_to_8() {
    let desk = Desk::with_model();
    for times in ["0", "9", "2.5", "-2", "many"] {
        assert_eq!(code(&desk.run(&["generate", "dots", "--enlarge", times])), 2, "{times}");
    }
    assert_eq!(code(&desk.run(&["generate", "--from", "x.png", "--enlarge", "2"])), 2, "the recipe says how large");
    let config = desk.home().join("config.toml");
    let settings = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, settings + "[generate]\nenlarge = 9\n").unwrap();
    let refused = failure(&desk, &["generate", "dots", "--class", "round"]);
    assert!(refused.starts_with("exit 1\n") && refused.contains("cannot be enlarged 9 times"), "{refused}");
}
