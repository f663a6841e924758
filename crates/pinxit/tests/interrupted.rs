//! Stopped, killed, out of disk, started twice: a run goes on as if nothing had happened.
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
#![cfg(unix)]
mod common;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Desk, code, stderr};

/// Kills survived by one run.
const KILLS: u32 = 20;

fn train(desk: &Desk, name: &str, kimg: &str) -> Command {
    let has_begun = desk.home().join("runs").join(name).join("config.toml").exists();
    let mut command = if has_begun {
        desk.command(&["train", "--resume", name, "-q"])
    } else {
        desk.command(&["train", "dots", "--name", name, "--kimg", kimg, "-q"])
    };
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn model(desk: &Desk, name: &str) -> Vec<u8> {
    std::fs::read(desk.model(name)).unwrap()
}

fn finish(desk: &Desk, name: &str, kimg: &str) {
    let out = train(desk, name, kimg).output().unwrap();
    assert!(out.status.success(), "{}", stderr(&out));
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn killed_twenty_times_the_model_is_the_same_bit_for_bit() {
    let desk = Desk::with_dots();
    let kimg = "1.2";
    let began = Instant::now();
    finish(&desk, "whole", kimg);
    let whole = began.elapsed();
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    let mut kills = 0;
    // Lives of up to a tenth of the run, some too short to have begun at all.
    while kills < KILLS {
        let mut child = train(&desk, "killed", kimg).spawn().unwrap();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = (random >> 40) as f64 / (1u64 << 24) as f64;
        std::thread::sleep(Duration::from_millis(10) + whole.mul_f64(0.1 * share) + startup(whole).mul_f64(share));
        match child.try_wait().unwrap() {
            None => {
                signal(&child, "KILL");
                child.wait().unwrap();
                kills += 1;
            }
            // It ended between two kills: from here on the same run is asked to begin anew.
            Some(status) => {
                assert!(status.success(), "{status}");
                assert_eq!(model(&desk, "killed"), model(&desk, "whole"), "after {kills} kills");
                std::fs::remove_dir_all(desk.home().join("runs/killed")).unwrap();
                std::fs::remove_file(desk.model("killed")).unwrap();
            }
        }
    }
    finish(&desk, "killed", kimg);
    assert_eq!(model(&desk, "killed"), model(&desk, "whole"));
    let lines = |name: &str| std::fs::read_to_string(desk.home().join("runs").join(name).join("stats.jsonl")).unwrap();
    let steps = |text: String| -> Vec<u64> {
        text.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["step"].as_u64().unwrap()).collect()
    };
    assert_eq!(steps(lines("killed")), steps(lines("whole")), "no line lost, none twice");
}

/// What a life spends before its first step, about.
fn startup(whole: Duration) -> Duration {
    whole.mul_f64(0.05).max(Duration::from_millis(100))
}

#[test]
fn ctrl_c_saves_says_how_to_go_on_and_exits_130() {
    let desk = Desk::with_dots();
    finish(&desk, "whole", "0.4");
    let child = train(&desk, "stopped", "0.4").spawn().unwrap();
    let preview = desk.home().join("runs/stopped/previews/000000.000.png");
    wait_for(|| preview.exists());
    signal(&child, "INT");
    let out = child.wait_with_output().unwrap();
    assert_eq!(code(&out), 130, "{}", stderr(&out));
    assert!(stderr(&out).contains("hint: go on with `pinxit train --resume stopped`"), "{}", stderr(&out));
    finish(&desk, "stopped", "0.4");
    assert_eq!(model(&desk, "stopped"), model(&desk, "whole"));
}

#[test]
fn a_second_process_on_one_run_is_refused() {
    let desk = Desk::with_dots();
    let mut first = train(&desk, "busy", "400").spawn().unwrap();
    wait_for(|| desk.home().join("runs/busy/previews/000000.000.png").exists());
    let second = desk.run(&["train", "--resume", "busy"]);
    let shown = desk.run(&["runs", "list"]);
    let removed = desk.run(&["runs", "remove", "busy"]);
    signal(&first, "KILL");
    first.wait().unwrap();
    assert_eq!(code(&second), 1);
    let text = stderr(&second);
    assert!(text.contains(&format!("is in use by process {}", first.id())) && text.contains("hint:"), "{text}");
    assert!(common::stdout(&shown).contains("running") && code(&removed) == 1);
    assert!(common::stdout(&desk.run(&["runs", "list"])).contains("stopped"), "a killed process holds no lock");
}

/// Two processes may begin one run at the same moment: the one that comes too late must not leave its own `run.toml` behind.
#[test]
fn a_run_that_another_process_is_beginning_is_left_alone() {
    let desk = Desk::with_dots();
    let run = desk.home().join("runs/new");
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join("run.toml"), "of the other").unwrap();
    let lock = std::fs::File::create(run.join("lock")).unwrap();
    lock.lock().unwrap();
    let out = train(&desk, "new", "0.04").output().unwrap();
    assert!(code(&out) == 1 && stderr(&out).contains("is in use by process"), "{}", stderr(&out));
    assert_eq!(std::fs::read_to_string(run.join("run.toml")).unwrap(), "of the other");
}

/// A limit on the size of files is the full disk that needs no administrator: writing beyond it fails in the same place.
#[test]
fn a_full_disk_during_a_checkpoint_loses_nothing() {
    let desk = Desk::with_dots();
    finish(&desk, "whole", "0.2");
    let child = train(&desk, "full", "0.2").spawn().unwrap();
    wait_for(|| desk.home().join("runs/full/state/b.bin").exists());
    signal(&child, "INT");
    child.wait_with_output().unwrap();
    let state = desk.home().join("runs/full/state");
    let before = std::fs::metadata(state.join("a.bin")).unwrap().len();
    let out = limited(&desk, before / 4, "train --resume full --kimg 0.4 -q");
    assert_eq!(code(&out), 1, "{}", stderr(&out));
    assert!(stderr(&out).contains("state") && stderr(&out).contains("hint:"), "{}", stderr(&out));
    // The longer end was noted, the checkpoint was not; back to the first end, and the same model comes out.
    let out = desk.run(&["train", "--resume", "full", "--kimg", "0.2", "-q"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert_eq!(model(&desk, "full"), model(&desk, "whole"));

    // Before the first state there is nothing to go on with; after a last one that was not saved, the end is not reached.
    let out = limited(&desk, before / 4, "train dots --name first --kimg 0.04 -q");
    assert_eq!(code(&out), 1, "{}", stderr(&out));
    assert!(stderr(&out).contains("state") && stderr(&out).contains("disk space and try again"), "{}", stderr(&out));
    assert!(!desk.home().join("runs/first").exists());
    finish(&desk, "last", "0.04");
    assert_eq!(code(&limited(&desk, before / 2, "train --resume last --kimg 0.08 -q")), 1);
    let state = |name: &str| common::stdout(&desk.run(&["runs", "show", name])).lines().nth(1).map(String::from);
    assert_eq!(state("last").as_deref(), Some("state      stopped"));
    finish(&desk, "last", "0.08");
    assert_eq!(state("last").as_deref(), Some("state      finished"));
}

/// The program where no file may be larger than so many bytes.
fn limited(desk: &Desk, bytes: u64, words: &str) -> std::process::Output {
    let program = desk.command(&[]);
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" {words}", bytes / 512);
    let mut limited = Command::new("sh");
    limited.args(["-c", &script]).arg(program.get_program()).current_dir(desk.path());
    limited.envs(program.get_envs().filter_map(|(k, v)| v.map(|v| (k, v))));
    limited.output().unwrap()
}

fn wait_for(mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(120), "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}
