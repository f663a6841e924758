//! No verb opens a socket, whatever a file says. The kernel watches: under a filter of system calls (seccomp) whoever asks for a
//! socket is killed at once. Where strace is installed, its record of network calls must be empty as well.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Output, Stdio};

use common::{Desk, code, stderr, stdout};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// A painted picture.
const P: &str = "out/dots-round-000001.png";

/// Every command, and with what exit code it ends.
const ROAD: &[(&[&str], i32)] = &[
    (&["keys", "init", "--name", "Jane Artist"], 0),
    (&["keys", "show"], 0),
    (&["keys", "export", "-o", "jane.pem"], 0),
    (&["keys", "trust", "jane.pem"], 0),
    (&["import", "many", "--into", "more", "--size", "32", "--keep-near-duplicates"], 0),
    (&["train", "more", "--kimg", "0.04"], 0),
    (&["generate", "dots", "--seeds", "1", "--class", "round", "-o", "out"], 0),
    (&["generate", "--from", "out/dots-round-000001.png", "-o", "again"], 0),
    (&["generate", "dots", "--seeds", "2", "--class", "round", "--enlarge", "8", "-o", "large"], 0),
    (&["watermark", "detect", "remote.png"], 3),
    (&["explore", "walk", "--key", P, "--key", P, "--seconds", "0.1", "-o", "walk.gif"], 0),
    (&["explore", "loop", "dots", "--seeds", "0,1", "--seconds", "0.1", "-o", "loop.webp"], 0),
    (&["explore", "mix", "dots", "--rows", "0", "--columns", "1"], 0),
    (&["explore", "directions", "dots", "--count", "1"], 0),
    (&["explore", "move", P, "--by", "sefa-1=1"], 0),
    (&["explore", "mutate", P], 0),
    (&["explore", "truncate", P], 0),
    (&["explore", "bend", P, "--stage", "1", "--do", "mirror"], 0),
    (&["explore", "undo", "dots-round-000001-bent.png"], 0),
    (&["explore", "project", "dots", P, "--steps", "2"], 0),
    (&["explore", "drag", P, "--point", "9,9:12,9", "--steps", "1"], 0),
    (&["explore", "breed", P, P, "--children", "1"], 0),
    (&["explore", "tree", "children"], 0),
    (&["models", "blend", "dots", "dots", "--by", "0.5", "--as", "twin"], 0),
    (&["sign", "out/dots-round-000001.png"], 0),
    (&["verify", "out/dots-round-000001-signed.png"], 0),
    (&["verify", "remote.png"], 3),
    (&["info", "remote.png"], 0),
    (&["import", "stranger", "--into", "strange", "--size", "32", "--dry-run"], 0),
    (&["evaluate", "more", "--samples", "20", "--repeats", "1"], 0),
    (&["datasets", "export", "more", "-o", "files"], 0),
    (&["audit", "more", "--samples", "20"], 0),
    (&["audit", "--pictures", "files", "--dataset", "more"], 0),
    (&["info", "out/dots-round-000001.png"], 0),
    (&["doctor"], 0),
    (&["ledger", "verify"], 0),
    (&["ledger", "show"], 0),
    (&["ledger", "export", "-o", "ledger.jsonl"], 0),
    (&["ledger", "repair"], 0),
    (&["policy", "show"], 0),
    (&["policy", "accept"], 0),
    (&["datasets", "list"], 0),
    (&["datasets", "show", "more"], 0),
    (&["models", "list"], 0),
    (&["models", "show", "more"], 0),
    (&["models", "card", "more"], 0),
    (&["runs", "list"], 0),
    (&["runs", "show", "more"], 0),
    (&["takedown", "many/round/000.bmp", "--reason", "its maker asked for it"], 0),
    (&["runs", "remove", "more"], 0),
    (&["models", "remove", "more"], 0),
    (&["datasets", "remove", "more"], 0),
    (&["completions", "bash"], 0),
    (&["man", "man"], 0),
    (&["demo", "--assets", "assets", "--for", "1s", "-o", "demo"], 0),
];

#[test]
fn no_verb_opens_a_socket() {
    let desk = Desk::with_model();
    let assets = desk.path().join("assets");
    std::fs::create_dir_all(assets.join("models")).unwrap();
    std::fs::copy(desk.model("dots"), assets.join("models/base.safetensors")).unwrap();
    desk.pictures("assets/samples", 48);
    desk.pictures("many", 60);
    desk.pictures("stranger", 4);
    let remote = remote(&desk);
    for place in ["remote.png", "stranger/round/remote.png"] {
        std::fs::write(desk.path().join(place), &remote).unwrap();
    }
    // What the person is told shows that the address was read; nothing else was done with it.
    let seen = stdout(&desk.run(&["verify", "remote.png", "--json"]));
    assert!(seen.contains(ELSEWHERE), "{seen}");

    let has_strace = has_strace();
    for (args, exit) in ROAD {
        let out = watched(&desk, args, has_strace);
        let signal = out.status.signal();
        assert_ne!(signal, Some(libc::SIGSYS), "{args:?} asked for a socket");
        assert_eq!(out.status.code(), Some(*exit), "{args:?}: {}{}", stdout(&out), stderr(&out));
        if has_strace {
            let calls = std::fs::read_to_string(desk.path().join(TRACE)).unwrap();
            assert!(!calls.contains("socket(") && !calls.contains("connect("), "{args:?}:\n{calls}");
        }
    }
    let known: Vec<&[&str]> = ROAD.iter().map(|(args, _)| *args).collect();
    for verb in verbs(&desk, &[]) {
        let is_walked = known.iter().any(|args| args.len() >= verb.len() && verb.iter().zip(*args).all(|(a, b)| a == b));
        assert!(is_walked, "`pinxit {}` is not watched: add it to ROAD", verb.join(" "));
    }
}

/// The filter itself: this very program dies of a socket under it, and lives without it.
#[test]
fn the_filter_kills_who_asks_for_a_socket() {
    let asks = |filtered: bool| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "asks_for_a_socket", "--ignored"]).stdout(Stdio::null()).stderr(Stdio::null());
        if filtered {
            forbid_sockets(&mut command);
        }
        command.status().unwrap()
    };
    assert!(asks(false).success());
    assert_eq!(asks(true).signal(), Some(libc::SIGSYS));
}

#[test]
#[ignore = "the test above runs it, to see it killed"]
fn asks_for_a_socket() {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
}

/// Where a picture says that its credential lies.
const ELSEWHERE: &str = "http://credentials.invalid/manifest.c2pa";

/// A picture whose XMP names an address for its credential (C2PA 2.2, 11.5: `dcterms:provenance`).
fn remote(desk: &Desk) -> Vec<u8> {
    let args = ["generate", "dots", "--seeds", "9", "--class", "round", "--no-sign", "-o", "plain", "-q"];
    let out = desk.run(&args);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let png = std::fs::read(desk.path().join(stdout(&out).trim())).unwrap();
    let xmp = format!(
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dcterms=\"http://purl.org/dc/terms/\" dcterms:provenance=\"{ELSEWHERE}\"/>\
         </rdf:RDF></x:xmpmeta>"
    );
    let data = [b"iTXtXML:com.adobe.xmp\0\0\0\0\0", xmp.as_bytes()].concat();
    let mut sum = crc32(&data).to_be_bytes().to_vec();
    let mut chunk = ((data.len() - 4) as u32).to_be_bytes().to_vec();
    chunk.extend(&data);
    chunk.append(&mut sum);
    // Behind the signature and the header chunk, before pinxit's own XMP.
    [&png[..33], &chunk, &png[33..]].concat()
}

/// CRC-32 of PNG (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg()));
    !bytes.iter().fold(!0, step)
}

const TRACE: &str = "trace.log";

/// Whether strace is there and may trace; containers often forbid it.
fn has_strace() -> bool {
    let out = Command::new("strace").args(["-f", "-e", "trace=network", "true"]).output();
    let works = out.is_ok_and(|out| out.status.success());
    if !works {
        eprintln!("strace does not work here: the filter of system calls watches alone");
    }
    works
}

/// The program under the filter, and under strace where there is one.
fn watched(desk: &Desk, args: &[&str], has_strace: bool) -> Output {
    let plain = desk.command(args);
    let mut command = match has_strace {
        false => Command::new(plain.get_program()),
        true => {
            let mut strace = Command::new("strace");
            strace.args(["-f", "-qq", "-e", "trace=network", "-o", TRACE]).arg(plain.get_program());
            strace
        }
    };
    command.args(plain.get_args()).current_dir(desk.path()).stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    forbid_sockets(&mut command);
    command.output().unwrap()
}

/// Whoever this command starts is killed by the kernel (`SIGSYS`) when it asks for a socket of any family. `io_uring` is forbidden
/// as well: it can open sockets without that call. Where the kernel cannot do this the command does not start, and the test fails.
fn forbid_sockets(command: &mut Command) {
    let always = Vec::new(); // no condition on the arguments
    let forbidden = [libc::SYS_socket, libc::SYS_io_uring_setup].map(|call| (call, always.clone()));
    let machine = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(forbidden.into(), SeccompAction::Allow, SeccompAction::KillProcess, machine).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    let install = move || seccompiler::apply_filter(&program).map_err(|_| std::io::Error::last_os_error());
    // SAFETY: between fork and exec `apply_filter` does nothing but two system calls; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(install) };
}

/// Every command that does something, as the help tells: `[["import"], …, ["keys", "init"], …]`.
fn verbs(desk: &Desk, of: &[String]) -> Vec<Vec<String>> {
    let words: Vec<&str> = of.iter().map(String::as_str).chain(["--help"]).collect();
    let help = stdout(&desk.run(&words));
    let Some((_, commands)) = help.split_once("\nCommands:\n") else { return vec![of.to_vec()] };
    let commands = commands.split("\n\n").next().unwrap_or_default();
    let first_words = commands.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let names = first_words.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let all: Vec<Vec<String>> = names.flat_map(|name| verbs(desk, &[of, &[name.to_string()]].concat())).collect();
    assert!(!all.is_empty(), "{help}");
    all
}
