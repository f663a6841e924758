//! `pinxit explore` and `models blend`, as a person meets them: every tool on a freshly trained model, what it makes replayed, and bad input.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use common::{Desk, code, failure, stderr, stdout};
use serde_json::Value;

/// A model, and three of its pictures in `p/`.
fn with_pictures() -> (Desk, Vec<String>) {
    let desk = Desk::with_model();
    let out = desk.run(&["generate", "dots", "--class", "round", "--seeds", "0-2", "-o", "p", "-q"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let pictures = stdout(&out).lines().map(String::from).collect();
    (desk, pictures)
}

fn ok(desk: &Desk, args: &[&str]) -> Vec<String> {
    let out = desk.run(args);
    assert_eq!(code(&out), 0, "{args:?}: {}", stderr(&out));
    stdout(&out).lines().map(String::from).collect()
}

fn pixels(desk: &Desk, file: &str) -> Vec<u8> {
    let bytes = std::fs::read(desk.path().join(file)).unwrap();
    image::load_from_memory(&bytes).unwrap().to_rgb8().into_raw()
}

fn operations(desk: &Desk, file: &str) -> Vec<Value> {
    let out = desk.run(&["info", file, "--json"]);
    serde_json::from_str::<Value>(&stdout(&out)).unwrap()["recipe"]["operations"].as_array().unwrap().clone()
}

/// The pictures that a credential names as ingredients, and how; it must hold, and say that AI made the picture.
fn made_from(desk: &Desk, file: &str) -> Vec<[String; 2]> {
    let out = desk.run(&["verify", file, "--json"]);
    let seen = serde_json::from_str::<Value>(&stdout(&out)).unwrap()["files"][0].take();
    assert_eq!((code(&out), seen["says"]["making"].as_str()), (0, Some("ai-generated")), "{file}: {seen}");
    let all = seen["says"]["ingredients"].as_array().unwrap();
    assert_eq!(all.iter().filter(|i| i["is_model"] == true).count(), 1, "{file}: {all:?}");
    let pictures = all.iter().filter(|i| i["is_model"] == false);
    pictures.map(|i| [&i["title"], &i["relationship"]].map(|v| v.as_str().unwrap().to_string())).collect()
}

/// Painted again from its own recipe, without a signature: the same pixels.
fn replays(desk: &Desk, file: &str) {
    let again = ok(desk, &["generate", "--from", file, "--no-sign", "-o", "again", "--overwrite", "-q"]);
    assert_eq!(pixels(desk, &again[0]), pixels(desk, file), "{file}");
    let out = desk.run(&["verify", file]);
    assert_eq!(code(&out), 0, "{file} is signed: {}", stdout(&out));
}

#[test]
fn pictures_are_changed_and_the_change_is_in_their_recipes() {
    let (desk, pictures) = with_pictures();
    let first = pictures[0].as_str();
    let found = ok(&desk, &["explore", "directions", "dots", "--count", "2", "-o", "strips.png", "-q"]);
    assert_eq!(found, ["strips.png", "sefa-1", "sefa-2"]);
    let named = ok(&desk, &["explore", "directions", "dots", "--rename", "sefa-2=light", "-q"]);
    assert_eq!(named, ["light", "sefa-1"]);
    let picked =
        ["explore", "directions", "dots", "--toward", first, "--away", &pictures[1], "--as", "mine", "-o", "mine.png", "-q"];
    assert_eq!(ok(&desk, &picked), ["mine.png", "mine"]);
    let changes: [(&[&str], &str, &str); 5] = [
        (&["move", "--by", "light=2", "--by", "mine=-1"], "moved", "move"),
        (&["mutate", "--by", "0.5"], "mutated", "mutate"),
        (&["truncate", "--psi", "0.3", "--stages", "0-1"], "truncated", "truncate"),
        (&["bend", "--stage", "1", "--do", "mirror", "--do", "boost=2", "--area", "0,0,50,100"], "bent", "bend"),
        (&["bend", "--stage", "2", "--do", "mute", "--cluster", "1/2", "--overwrite"], "bent", "bend"),
    ];
    for (tool, word, op) in changes {
        let made = ok(&desk, &[&["explore", tool[0], first], &tool[1..], &["-o", "changed", "-q"]].concat());
        assert_eq!(made, [format!("changed/dots-round-000000-{word}.png")], "{tool:?}");
        assert_ne!(pixels(&desk, &made[0]), pixels(&desk, first), "{tool:?}");
        assert_eq!(operations(&desk, &made[0])[0]["op"], op);
        assert_eq!(made_from(&desk, &made[0]), [["dots-round-000000.png", "parentOf"]]);
        replays(&desk, &made[0]);
    }
    let moved = "changed/dots-round-000000-moved.png";
    assert_eq!(operations(&desk, moved).len(), 2);
    let undone = ok(&desk, &["explore", "undo", moved, "--steps", "2", "-o", "changed", "-q"]);
    assert_eq!(pixels(&desk, &undone[0]), pixels(&desk, first), "without its steps it is the picture it was");
    assert_eq!(made_from(&desk, &undone[0]), [["dots-round-000000-moved.png", "parentOf"]]);
    let large = ok(&desk, &["explore", "mutate", first, "--enlarge", "2", "-o", "large", "-q"]);
    assert_eq!(pixels(&desk, &large[0]).len(), 4 * pixels(&desk, first).len());
    replays(&desk, &large[0]);
}

#[test]
fn latents_are_found_and_bred() {
    let (desk, pictures) = with_pictures();
    let found = ["explore", "project", "dots", &pictures[1], "--steps", "30", "--starts", "1", "-o", "found", "--json"];
    let out = desk.run(&found);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let result: Value = serde_json::from_str(stdout(&out).lines().last().unwrap()).unwrap();
    assert!(result["result"]["psnr_db"].as_f64().unwrap() > 10.0, "{result}");
    let projected = "found/dots-round-000001-projected.png";
    replays(&desk, projected);
    assert_eq!(made_from(&desk, projected), [["dots-round-000001.png", "inputTo"]]);
    // A bitmap carries no credential: it is named all the same.
    let tuned = [
        "explore",
        "project",
        "dots",
        "dots/round/000.bmp",
        "--steps",
        "4",
        "--starts",
        "1",
        "--tune-as",
        "tuned",
        "-o",
        "tuned",
        "-q",
    ];
    let found = ok(&desk, &tuned);
    replays(&desk, &found[0]);
    assert_eq!(made_from(&desk, &found[0]), [["000.bmp", "inputTo"]]);
    assert!(desk.model("tuned").exists());
    let dragged = ok(&desk, &["explore", "drag", &pictures[0], "--point", "12,12:16,12", "--steps", "3", "-o", "found", "-q"]);
    replays(&desk, &dragged[0]);
    assert_eq!(made_from(&desk, &dragged[0]), [["dots-round-000000.png", "parentOf"]]);
    let bred = ok(&desk, &["explore", "breed", &pictures[0], &pictures[2], "--children", "3", "-o", "p", "--grid", "-q"]);
    assert_eq!(bred.len(), 4, "three children and a sheet: {bred:?}");
    replays(&desk, &bred[0]);
    assert_eq!(made_from(&desk, &bred[0]), [["dots-round-000000.png", "inputTo"], ["dots-round-000002.png", "inputTo"]]);
    let again = ok(&desk, &["explore", "breed", &pictures[0], &pictures[2], "--children", "3", "-o", "twins", "-q"]);
    assert_eq!(pixels(&desk, &again[2]), pixels(&desk, &bred[2]), "the same seed, the same children");
    let tree = ok(&desk, &["explore", "tree", "p"]);
    let child = "  dots-round-000000-child-1.png  (of dots-round-000000.png and dots-round-000002.png)";
    assert!(tree.contains(&child.to_string()), "{tree:#?}");
}

#[test]
fn walks_and_sheets_are_one_signed_file() {
    let (desk, pictures) = with_pictures();
    for (name, through) in [("loop.gif", "w"), ("loop.png", "z"), ("loop.webp", "w")] {
        let way = [
            "explore",
            "loop",
            "dots",
            "--seeds",
            "1,2",
            "--seconds",
            "0.4",
            "--fps",
            "10",
            "--through",
            through,
            "--class",
            "round",
        ];
        assert_eq!(ok(&desk, &[&way[..], &["-o", name, "-q"]].concat()), [name]);
        let out = desk.run(&["verify", name]);
        assert_eq!(code(&out), 0, "{name}: {}", stdout(&out));
        let again = format!("again-{name}");
        ok(&desk, &["explore", "walk", "--from", name, "-o", &again, "--no-sign", "-q"]);
        assert_eq!(pixels(&desk, &again), pixels(&desk, name), "{name} is made again from its recipe");
    }
    ok(&desk, &["explore", "walk", "--key", &pictures[0], "--key", &pictures[1], "--seconds", "0.3", "-o", "walk.png", "-q"]);
    assert_eq!(made_from(&desk, "walk.png"), [["dots-round-000000.png", "inputTo"], ["dots-round-000001.png", "inputTo"]]);
    ok(&desk, &["explore", "mix", "dots", "--rows", "0-1", "--columns", "2-4", "-q"]);
    assert_eq!(pixels(&desk, "mix.png").len(), (4 * 32 + 5 * 2) * (3 * 32 + 4 * 2) * 3, "a corner, a head, two rows");
    let out = desk.run(&["verify", "mix.png"]);
    assert_eq!(code(&out), 0, "{}", stdout(&out));
    assert!(stdout(&desk.run(&["ledger", "show", "--kind", "export", "--last", "1"])).contains("mix.png"));
}

#[test]
fn related_models_are_blended() {
    let (desk, pictures) = with_pictures();
    ok(&desk, &["train", "dots", "--from", "dots", "--name", "later", "--kimg", "0.04", "-q"]);
    ok(&desk, &["models", "blend", "dots", "later", "--by", "0.5", "--as", "between"]);
    ok(&desk, &["models", "blend", "dots", "later", "--from-stage", "2", "--as", "swapped"]);
    ok(&desk, &["models", "blend", "dots", "later", "--minus", "dots", "--by", "1", "--as", "summed"]);
    let card = ok(&desk, &["models", "card", "between"]).join("\n");
    assert!(
        card.contains("| blended of | dots (") && card.contains("| blended of | later (") && card.contains("Nobody trained it"),
        "{card}"
    );
    let made = ok(&desk, &["generate", "between", "--class", "round", "--seeds", "0", "-o", "between", "-q"]);
    assert_ne!(pixels(&desk, &made[0]), pixels(&desk, &pictures[0]));
    replays(&desk, &made[0]);
}

/// A viewer may open the preview at any moment: it is whole each time, and the person's own file is none.
#[test]
fn a_search_shows_what_it_has_by_now() {
    let (desk, pictures) = with_pictures();
    let project = ["explore", "project", "dots", &pictures[1], "--steps", "30", "--starts", "1", "--preview", "now/p.png"];
    let out = desk.run(&[&project[..], &["--json"]].concat());
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let events: Vec<Value> = stdout(&out).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |event: &str| events.iter().filter(|e| e["event"] == event).cloned().collect::<Vec<_>>();
    let likeness: Vec<f64> = of("so-far").iter().map(|e| e["figures"]["likeness_db"].as_f64().unwrap()).collect();
    assert!(likeness.len() == 3 && likeness[2] > likeness[0], "{likeness:?}");
    let written = of("picture").into_iter().filter(|e| e["role"] == "preview" && e["path"] == "now/p.png");
    assert_eq!(written.count(), 3);
    assert_eq!(pixels(&desk, "now/p.png").len(), 32 * 32 * 3);
    assert_eq!(std::fs::read_dir(desk.path().join("now")).unwrap().count(), 1, "nothing half-written beside it");
    let seen = failure(&desk, &[&project[..], &["-o", "twice"]].concat());
    assert!(seen.starts_with("exit 1\n") && seen.contains("now/p.png") && seen.contains("--overwrite"), "{seen}");
    let out = desk.run(&[&project[..], &["-o", "twice", "--overwrite"]].concat());
    assert!(stderr(&out).contains("looking for the picture"), "{}", stderr(&out));
    let drag = ["explore", "drag", &pictures[0], "--point", "12,12:16,12", "--steps", "2", "--preview", "drag.webp", "-q"];
    ok(&desk, &drag);
    assert_eq!(pixels(&desk, "drag.webp"), pixels(&desk, &pictures[0]), "before its first step");
    let seen = failure(&desk, &["explore", "project", "dots", &pictures[1], "--preview", "p.tiff"]);
    assert!(seen.starts_with("exit 1\n") && seen.contains(".png, .jpg or .webp"), "{seen}");
}

#[test]
fn guidance_goes_beyond_the_labels_and_is_in_the_recipe() {
    let desk = Desk::with_model();
    let paint = |more: &[&str]| {
        let args = ["generate", "dots", "--seeds", "3", "--class", "round", "--psi", "0.8", "-o", "p", "-q"];
        ok(&desk, &[&args[..], more].concat()).remove(0)
    };
    let (plain, guided) = (paint(&[]), paint(&["--guide", "2.5"]));
    assert_eq!(guided, "p/dots-round-000003-psi0.8-guide2.5.png");
    assert_ne!(pixels(&desk, &guided), pixels(&desk, &plain));
    let mix = &operations(&desk, &guided)[0];
    assert_eq!((&mix["op"], &mix["seed"], &mix["by"]), (&"mix".into(), &3.into(), &(-1.5).into()));
    replays(&desk, &guided);
    assert_eq!(paint(&["--guide", "1"]), plain, "1 is no operation");
    let usage = failure(&desk, &["generate", "dots", "--guide", "11"]);
    assert!(usage.starts_with("exit 2\n") && usage.contains("0 to 10"), "{usage}");
    ok(&desk, &["train", "dots", "--name", "plain", "--condition", "none", "--kimg", "0.04", "-q"]);
    let seen = failure(&desk, &["generate", "plain", "--guide", "2"]);
    assert!(seen.starts_with("exit 1\n") && seen.contains("nothing to guide seed 0 to"), "{seen}");
}

/// A model in a file that no home holds paints as any other, and every tool takes its pictures up again where it is named.
#[test]
fn a_model_outside_of_the_home_is_named() {
    let (desk, pictures) = with_pictures();
    let first = pictures[0].as_str();
    ok(&desk, &["explore", "loop", "dots", "--seeds", "1", "--seconds", "0.1", "-o", "l.png", "-q"]);
    std::fs::rename(desk.model("dots"), desk.path().join("away.safetensors")).unwrap();
    std::fs::rename(desk.home().join("runs/dots"), desk.path().join("run")).unwrap();
    let by: &[&str] = &["--model", "away.safetensors"];
    let tools: [&[&str]; 6] = [
        &["generate", "--from", first],
        &["explore", "mutate", first],
        &["explore", "bend", first, "--stage", "1", "--do", "mute", "--cluster", "1/2"],
        &["explore", "drag", first, "--point", "12,12:16,12", "--steps", "1"],
        &["explore", "breed", first, &pictures[1], "--children", "1"],
        &["explore", "undo", first, "--steps", "0"],
    ];
    for tool in tools {
        let seen = failure(&desk, tool);
        assert!(seen.starts_with("exit 1\n") && seen.contains("name its file with --model"), "{tool:?}: {seen}");
        ok(&desk, &[tool, by, &["-q"]].concat());
    }
    ok(&desk, &["explore", "walk", "away.safetensors", "--key", first, "--seconds", "0.1", "-o", "w.png", "-q"]);
    ok(&desk, &["explore", "walk", "away.safetensors", "--from", "l.png", "-o", "again.png", "-q"]);
    ok(&desk, &["train", "dots", "--name", "other", "--seed", "5", "--kimg", "0.04", "-q"]);
    let seen = failure(&desk, &["explore", "mutate", first, "--model", "other"]);
    assert!(seen.starts_with("exit 1\n") && seen.contains("and other is another model"), "{seen}");
    let usage = failure(&desk, &["generate", "other", "--model", "other"]);
    assert!(usage.starts_with("exit 2\n"), "{usage}");
}

#[test]
fn bad_input_is_told_from_good() {
    let (desk, pictures) = with_pictures();
    let first = pictures[0].as_str();
    std::fs::write(desk.path().join("text.png"), "no picture").unwrap();
    let whole = std::fs::read(desk.path().join("dots/round/000.bmp")).unwrap();
    std::fs::write(desk.path().join("half.png"), &std::fs::read(desk.path().join(first)).unwrap()[..600]).unwrap();
    std::fs::write(desk.path().join("dark.bmp"), common::bmp(8, 8, |_, _| [9; 3])).unwrap();
    std::fs::write(desk.path().join("photo.bmp"), &whole).unwrap();
    let point = ["--point", "1,1:2,2"];
    let drag = |more: &[&'static str]| [&["explore", "drag"], more, &point[..]].concat();
    let masked = |mask| [&["explore", "drag", first, "--mask", mask], &point[..]].concat();
    let said: [(&[&str], &str); 30] = [
        (&["explore", "truncate", first, "--stages", "4"], "stages 0 to 3"),
        (&["explore", "directions", "dots", "--stages", "0-7"], "stages 0 to 3"),
        (&["explore", "directions", "dots", "--toward", first, "--away", first, "--as", "x"], "are alike"),
        (&["explore", "directions", "dots", "--toward", "photo.bmp", "--away", first, "--as", "x"], "photo.bmp"),
        (&["explore", "directions", "dots", "--rename", "nothing=x"], "no direction \"nothing\" is kept"),
        (&["explore", "project", "dots", "half.png", "--steps", "1"], "half.png"),
        (&["explore", "project", "dots", "dots", "--steps", "1"], "a file, not a folder"),
        (&["explore", "project", "nothing", first], "no model \"nothing\""),
        (&["explore", "project", "dots", first, "--tune-as", "dots"], "dots"),
        (&drag(&["photo.bmp"]), "photo.bmp"),
        (&drag(&["nowhere.png"]), "nowhere.png"),
        (&masked("text.png"), "text.png"),
        (&masked("dark.bmp"), "dark everywhere"),
        (&["explore", "breed", first, "photo.bmp"], "photo.bmp"),
        (&["explore", "walk", "--key", "text.png", "-o", "walk.gif"], "text.png"),
        (&["explore", "walk", "--from", first, "-o", "walk.gif"], "not a recipe that can be read"),
        (&["explore", "move", first, "--by", "nothing=1"], "no direction \"nothing\" is kept"),
        (&["explore", "mutate", first, "--stages", "9"], "stages 0 to 3"),
        (&["explore", "bend", first, "--stage", "9", "--do", "mute"], "stages 0 to 3"),
        (&["explore", "bend", first, "--stage", "0", "--do", "mute", "--channels", "8"], "channels 0 to 7"),
        (&["explore", "undo", first], "the recipe has 0 operations"),
        (&["explore", "drag", first, "--point", "32,0:1,1"], "lies outside"),
        (&["explore", "project", "dots", "text.png"], "text.png"),
        (&["explore", "project", "dots", "nowhere.png"], "nowhere.png"),
        (&["explore", "walk", "dots", "--seeds", "0,1", "-o", "walk.avi"], "end its name with .gif"),
        (&["explore", "walk", "-o", "walk.gif"], "between what shall it walk"),
        (&["explore", "tree", "."], "carries a recipe"),
        (&["explore", "directions", "dots", "--as", "alone"], "a name alone makes no direction"),
        (&["explore", "mix", "dots", "--stages", "7"], "stages 0 to 3"),
        (&["models", "blend", "dots", "dots", "--from-stage", "0", "--as", "x"], "1 to 3"),
    ];
    for (args, wanted) in said {
        let seen = failure(&desk, args);
        assert!(seen.starts_with("exit 1\n") && seen.contains(wanted), "{args:?}: {seen}");
    }
    // Nothing is named, or no set of pictures: wrong usage.
    let unsaid: [&[&str]; 10] = [
        &["explore", "move", first],
        &["explore", "move", "--by", "light=1"],
        &["explore", "mutate"],
        &["explore", "bend", first, "--stage", "1"],
        &["explore", "breed"],
        &["explore", "drag", first],
        &["explore", "project", "dots"],
        &["explore", "mix", "dots", "--rows", ""],
        &["explore", "directions", "dots", "--toward", first, "--as", "x"],
        &["explore", "directions", "dots", "--away", first, "--as", "x"],
    ];
    for args in unsaid {
        let seen = failure(&desk, args);
        assert!(seen.starts_with("exit 2\n") && seen.contains("--help"), "{args:?}: {seen}");
    }
    ok(&desk, &["explore", "directions", "dots", "--count", "1", "-o", "strip.png", "-q"]);
    let seen = failure(&desk, &["explore", "move", first, "--by", "sefa-1=1", "--stages", "9"]);
    assert!(seen.starts_with("exit 1\n") && seen.contains("stages 0 to 3"), "{seen}");
    // Another model's latents, and a video without an ffmpeg.
    ok(&desk, &["train", "dots", "--name", "other", "--seed", "5", "--kimg", "0.04", "-q"]);
    let other = ok(&desk, &["generate", "other", "--seeds", "0", "--class", "round", "-o", "other", "-q"]);
    let foreign: [&[&str]; 3] = [
        &["explore", "breed", first, &other[0]],
        &["explore", "walk", "--key", first, "--key", &other[0], "-o", "w.gif"],
        &["explore", "directions", "dots", "--toward", first, "--away", &other[0], "--as", "x"],
    ];
    for args in foreign {
        let seen = failure(&desk, args);
        assert!(seen.starts_with("exit 1\n") && seen.contains("another model"), "{args:?}: {seen}");
    }
    let seen = failure(&desk, &["explore", "move", &other[0], "--by", "sefa-1=1"]);
    assert!(seen.contains("no direction \"sefa-1\" is kept for this model"), "{seen}");
    let out = desk.command(&["explore", "loop", "dots", "--seeds", "0,1", "-o", "loop.mp4"]).env("PATH", "").output().unwrap();
    assert!(code(&out) == 1 && stderr(&out).contains("no ffmpeg"), "{}", stderr(&out));
    // Nothing of the person's is written over.
    ok(&desk, &["explore", "mutate", first, "-q"]);
    let seen = failure(&desk, &["explore", "mutate", first, "--seed", "9"]);
    assert!(seen.contains("--overwrite"), "{seen}");
}

/// What lies on the desk, half-written files too.
#[cfg(unix)]
fn names(desk: &Desk) -> Vec<String> {
    let all = std::fs::read_dir(desk.path()).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = all.collect();
    names.sort();
    names
}

/// An ffmpeg that keeps what it is given shows what ours does with one; then one that fails.
#[cfg(unix)]
#[test]
fn a_video_is_whole_or_not_there() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::with_model();
    std::fs::create_dir(desk.path().join("bin")).unwrap();
    let program = desk.path().join("bin/ffmpeg");
    let ffmpeg = |does: &str| {
        std::fs::write(&program, format!("#!/bin/sh\nfor last; do :; done\n{does}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let path = format!("{}:{}", desk.path().join("bin").display(), std::env::var("PATH").unwrap());
    let film = |name: &str, seconds: &str| {
        let mut command = desk.command(&[
            "explore",
            "loop",
            "dots",
            "--seeds",
            "0,1",
            "--class",
            "round",
            "--seconds",
            seconds,
            "-o",
            name,
            "-q",
        ]);
        command.env("PATH", &path).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
        command
    };
    ffmpeg("exec cat > \"$last\"");
    let out = film("whole.mp4", "0.2").output().unwrap();
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert_eq!(std::fs::metadata(desk.path().join("whole.mp4")).unwrap().len(), 6 * 32 * 32 * 3, "six frames");
    let before = names(&desk);
    // Interrupted while it is written: our own formats, and a video.
    for name in ["half.webp", "half.gif", "half.mp4"] {
        let child = film(name, "600").spawn().unwrap();
        let began = std::time::Instant::now();
        while !names(&desk).iter().any(|n| n.contains(".partial")) {
            assert!(began.elapsed().as_secs() < 120, "it has not begun");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let done = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let out = child.wait_with_output().unwrap();
        assert!(done.success() && code(&out) == 130, "{name}: {}", stderr(&out));
        assert_eq!(names(&desk), before, "{name}");
    }
    ffmpeg("echo 'no such codec' >&2; exit 1");
    let out = film("failed.webm", "1").output().unwrap();
    assert!(code(&out) == 1 && stderr(&out).contains("ffmpeg failed: no such codec"), "{}", stderr(&out));
    assert_eq!(names(&desk), before);
}
