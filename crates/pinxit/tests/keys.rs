//! Keys that cannot sign: each refused with a message that names what is wrong and says what to do, before anything is painted.
#![cfg(unix)] // rights of files are told by their mode
#![allow(clippy::unwrap_used)] // a test that cannot go on may panic
mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use common::{Desk, code, failure, stderr, stdout};

fn own(desk: &Desk) -> PathBuf {
    desk.home().join("keys/artist")
}

/// A desk with a model, a picture to sign, and the key of Jane Artist.
fn jane() -> Desk {
    let desk = Desk::with_model();
    let out = desk.run(&["generate", "dots", "--seeds", "1", "--class", "round", "--no-sign", "-o", "plain", "-q"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert_eq!(code(&desk.run(&["keys", "init", "--name", "Jane Artist"])), 0);
    desk
}

/// Both verbs that sign refuse, say all of `words`, and write nothing.
fn refused(desk: &Desk, words: &[&str]) {
    let paint = ["generate", "dots", "--seeds", "2", "--class", "round", "-o", "out", "-q"];
    for args in [&paint[..], &["sign", "plain/dots-round-000001.png", "-o", "out"]] {
        let said = failure(desk, args);
        assert!(said.starts_with("exit 1\n") && said.contains("hint: "), "{args:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{args:?} does not say {word:?}: {said}");
        }
        let out = desk.path().join("out");
        assert!(std::fs::read_dir(out).map_or(true, |mut files| files.next().is_none()), "{args:?} wrote something");
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_new_key_is_for_its_owner_alone_and_one_that_others_can_read_signs_nothing() {
    let desk = jane();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let key = own(&desk).join("key.pem");
    assert_eq!((mode(&desk.home().join("keys")), mode(&key)), (0o700, 0o600));
    for (wrong, says) in [(0o644, "(mode 0644)"), (0o640, "(mode 0640)"), (0o606, "(mode 0606)")] {
        set_mode(&key, wrong);
        refused(&desk, &["other people can read the private key", "keys/artist/key.pem", says, "chmod 600"]);
        assert!(stdout(&desk.run(&["keys", "show"])).contains("other people can read"), "it is shown, too");
    }
    set_mode(&key, 0o600);
    assert_eq!(code(&desk.run(&["sign", "plain/dots-round-000001.png", "-o", "out"])), 0);
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let desk = jane();
    std::fs::write(desk.path().join("words.txt"), "correct horse\n").unwrap();
    std::fs::write(desk.path().join("wrong.txt"), "correct cow\n").unwrap();
    std::fs::write(desk.path().join("empty.txt"), "\nsecond line\n").unwrap();
    let init = ["keys", "init", "--name", "Jane Artist", "--replace", "--passphrase-file", "words.txt"];
    assert_eq!(code(&desk.run(&init)), 0);
    refused(&desk, &["the key is locked by a passphrase, and none was given", "PINXIT_PASSPHRASE", "--passphrase-file"]);
    let sign = ["sign", "plain/dots-round-000001.png", "-o", "out", "--passphrase-file"];
    let with = |file: &str| failure(&desk, &[&sign[..], &[file]].concat());
    let said = with("wrong.txt");
    assert!(
        said.starts_with("exit 1\n") && said.contains("the passphrase is wrong") && said.contains("keys init --replace"),
        "{said}"
    );
    assert!(with("empty.txt").contains("the first line of empty.txt is empty"));
    assert!(with("absent.txt").contains("absent.txt"));
    assert!(with("words.txt").starts_with("exit 0\n"));
}

/// Keys whose certificates are out of their time; `pinxit-trust`'s test `write_the_keys_out_of_time` made them.
#[test]
fn a_certificate_out_of_its_time_signs_nothing() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys");
    for (name, words) in [
        ("expired", ["the certificate of Jane Artist expired on 2002-01-01", "pinxit keys init --replace"]),
        ("early", ["the certificate of Jane Artist is not valid before 2125-01-01", "check the date of this machine"]),
    ] {
        let desk = jane();
        for file in ["key.pem", "chain.pem"] {
            std::fs::copy(fixtures.join(name).join(file), own(&desk).join(file)).unwrap();
        }
        set_mode(&own(&desk).join("key.pem"), 0o600);
        refused(&desk, &words);
        assert!(stdout(&desk.run(&["keys", "show"])).contains(words[0]), "{name}: it is shown, too");
    }
}

#[test]
fn a_chain_that_is_not_the_keys_own_is_refused() {
    let (desk, other) = (jane(), Desk::new());
    assert_eq!(code(&other.run(&["keys", "init", "--name", "Joe"])), 0);
    std::fs::copy(own(&other).join("chain.pem"), own(&desk).join("chain.pem")).unwrap();
    refused(&desk, &["key and certificates do not belong together", "backup"]);
    // One's own certificate, under another's root.
    let pem = |desk: &Desk| std::fs::read_to_string(own(desk).join("chain.pem")).unwrap();
    let replaced = desk.run(&["keys", "init", "--name", "Jane Artist", "--replace"]);
    assert_eq!(code(&replaced), 0, "{}", stderr(&replaced));
    let (mine, theirs) = (pem(&desk), pem(&other));
    let root = |pem: &str| pem[pem.rfind("-----BEGIN").unwrap()..].to_string();
    std::fs::write(own(&desk).join("chain.pem"), mine.replace(&root(&mine), &root(&theirs))).unwrap();
    refused(&desk, &["key and certificates do not belong together", "backup"]);
}

#[test]
fn a_key_that_is_missing_half_or_damaged_is_named() {
    let nothing = Desk::new();
    for args in [&["keys", "show"][..], &["keys", "export"]] {
        let said = failure(&nothing, args);
        assert!(
            said.starts_with("exit 1\n") && said.contains("there is no key in") && said.contains("keys init --name"),
            "{said}"
        );
    }
    let desk = jane();
    let (key, chain) = (own(&desk).join("key.pem"), own(&desk).join("chain.pem"));
    let (whole_key, whole_chain) = (std::fs::read(&key).unwrap(), std::fs::read(&chain).unwrap());
    std::fs::remove_file(&key).unwrap();
    refused(&desk, &["the key is not whole", "keys/artist/key.pem is missing", "copy the file back"]);
    for damaged in [&b""[..], b"\xff\xfe", &whole_key[..60], b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        std::fs::write(&key, damaged).unwrap();
        set_mode(&key, 0o600);
        refused(&desk, &["the private key is damaged", "backup"]);
    }
    std::fs::write(&key, &whole_key).unwrap();
    std::fs::remove_file(&chain).unwrap();
    refused(&desk, &["the key is not whole", "keys/artist/chain.pem is missing"]);
    for damaged in [&b"what is this"[..], &whole_chain[..100]] {
        std::fs::write(&chain, damaged).unwrap();
        refused(&desk, &["not a usable certificate"]);
    }
    std::fs::write(&chain, &whole_chain).unwrap();
    assert_eq!(code(&desk.run(&["sign", "plain/dots-round-000001.png", "-o", "out"])), 0, "put back, it signs");
}
