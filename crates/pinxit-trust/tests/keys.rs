//! Keys: how they are made, kept and refused.
#![allow(clippy::unwrap_used)] // in a test a panic is the report

use std::path::{Path, PathBuf};

use pinxit_trust::keys::{ArtistKey, Holder, KeyError, KeyFolder, Passphrase, TrustedRoot, Validity};
use time::{Duration, OffsetDateTime};

fn key(name: &str) -> ArtistKey {
    ArtistKey::issue(&Holder::artist(name), Validity::from_now()).unwrap()
}

/// A folder with one key of that validity in it.
fn folder(dir: &Path, validity: Validity, passphrase: Option<&str>) -> KeyFolder {
    let folder = KeyFolder::at(dir.join("keys"));
    let key = ArtistKey::issue(&Holder::artist("Jane Artist"), validity).unwrap();
    folder.create(&key, passphrase.and_then(Passphrase::new).as_ref()).unwrap();
    folder
}

fn days(from: i64, until: i64) -> Validity {
    let now = OffsetDateTime::now_utc();
    Validity { from: now + Duration::days(from), until: now + Duration::days(until) }
}

fn refusal(folder: &KeyFolder, passphrase: Option<&str>) -> KeyError {
    let error = folder.open(passphrase.and_then(Passphrase::new).as_ref()).unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    error
}

#[test]
fn a_key_comes_back_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    for (name, passphrase) in [("open", None), ("locked", Some("correct horse"))] {
        let folder = folder(&dir.path().join(name), Validity::from_now(), passphrase);
        assert_eq!(folder.is_locked().unwrap(), passphrase.is_some());
        let opened = folder.open(passphrase.and_then(Passphrase::new).as_ref()).unwrap();
        let chain = folder.chain().unwrap();
        assert_eq!(opened.chain(), &chain);
        assert_eq!((chain.signer.name.as_str(), chain.signer.organisation.as_deref()), ("Jane Artist", Some("Jane Artist")));
        assert_eq!(chain.root.name, "root of Jane Artist");
        assert!(chain.root.is_root && !chain.signer.is_root);
        assert_eq!(chain.root.fingerprint().len(), 64);
    }
}

#[test]
fn another_key_is_never_written_over_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path(), Validity::from_now(), None);
    let before = folder.chain().unwrap();
    assert!(matches!(folder.create(&key("Other"), None), Err(KeyError::Taken { .. })));
    assert_eq!(folder.chain().unwrap(), before);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_private_key() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path(), Validity::from_now(), None);
    let mode = |path: PathBuf| fs_err::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.own().join("key.pem")), 0o600);
    assert_eq!(mode(dir.path().join("keys")), 0o700);

    let key = folder.own().join("key.pem");
    fs_err::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = refusal(&folder, None);
    assert!(error.to_string().contains("0644") && error.hint().unwrap().contains("chmod 600"), "{error}");
}

#[test]
fn a_passphrase_is_needed_and_must_be_the_right_one() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path(), Validity::from_now(), Some("correct horse"));
    assert!(matches!(refusal(&folder, None), KeyError::Locked));
    for wrong in ["Correct horse", "correct horse ", "x"] {
        assert!(matches!(refusal(&folder, Some(wrong)), KeyError::WrongPassphrase), "{wrong}");
    }
    let text = fs_err::read_to_string(folder.own().join("key.pem")).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{text}");
}

#[test]
fn a_certificate_out_of_its_time_signs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let expired = folder(&dir.path().join("a"), days(-30, -1), None);
    let early = folder(&dir.path().join("b"), days(2, 30), None);
    let error = refusal(&expired, None);
    assert!(matches!(&error, KeyError::Expired { name, .. } if name == "Jane Artist"), "{error}");
    assert!(matches!(refusal(&early, None), KeyError::NotYetValid { .. }));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mine = folder(&dir.path().join("mine"), Validity::from_now(), None);
    let other = folder(&dir.path().join("other"), Validity::from_now(), None);
    let pem = |folder: &KeyFolder, name: &str| fs_err::read_to_string(folder.own().join(name)).unwrap();
    let (my_chain, other_chain) = (pem(&mine, "chain.pem"), pem(&other, "chain.pem"));

    fs_err::write(mine.own().join("chain.pem"), &other_chain).unwrap();
    assert!(matches!(refusal(&mine, None), KeyError::ForeignChain { .. }), "the other's certificates");

    let second = |pem: &str| pem[pem.rfind("-----BEGIN").unwrap()..].to_string();
    let mixed = my_chain.replace(&second(&my_chain), &second(&other_chain));
    fs_err::write(mine.own().join("chain.pem"), mixed).unwrap();
    assert!(matches!(refusal(&mine, None), KeyError::ForeignChain { .. }), "the other's root");

    fs_err::write(mine.own().join("chain.pem"), second(&my_chain)).unwrap();
    assert!(matches!(refusal(&mine, None), KeyError::Certificate { .. }), "one certificate");

    fs_err::write(mine.own().join("chain.pem"), "what is this").unwrap();
    assert!(matches!(refusal(&mine, None), KeyError::Certificate { .. }));

    fs_err::write(mine.own().join("chain.pem"), &my_chain).unwrap();
    for damaged in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "\u{fffd}"] {
        fs_err::write(mine.own().join("key.pem"), damaged).unwrap();
        assert!(matches!(refusal(&mine, None), KeyError::Damaged { .. }), "{damaged:?}");
    }
}

#[test]
fn a_missing_key_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = KeyFolder::at(dir.path().join("nowhere"));
    assert!(!nothing.has_key());
    let error = refusal(&nothing, None);
    assert!(matches!(error, KeyError::Missing { .. }) && error.hint().unwrap().contains("keys init"), "{error}");

    let half = folder(dir.path(), Validity::from_now(), None);
    fs_err::remove_file(half.own().join("key.pem")).unwrap();
    let error = refusal(&half, None);
    assert!(matches!(&error, KeyError::Half { file } if file.ends_with("key.pem")), "{error}");
}

#[test]
fn names_that_cannot_stand_in_a_certificate_are_refused() {
    for bad in ["", "  ", "a\nb", &"x".repeat(65)] {
        let error = ArtistKey::issue(&Holder::artist(bad), Validity::from_now()).unwrap_err();
        assert!(matches!(error, KeyError::Name { .. }), "{bad:?}");
    }
    for good in ["J", "Jörg Müller, Ölmaler", "白石", &"x".repeat(64)] {
        assert_eq!(key(good).chain().signer.name, *good);
    }
}

#[test]
fn only_roots_can_be_trusted_and_a_name_means_one_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let folder = KeyFolder::at(dir.path().join("keys"));
    assert!(folder.trusted().unwrap().is_empty());
    let (jane, joe) = (key("Jane"), key("Joe"));
    let root = |name: &str, key: &ArtistKey| TrustedRoot { name: name.into(), certificate: key.chain().root.clone() };
    folder.trust(&root("jane", &jane)).unwrap();
    folder.trust(&root("jane", &jane)).unwrap();
    folder.trust(&root("a-joe", &joe)).unwrap();
    assert!(matches!(folder.trust(&root("jane", &joe)), Err(KeyError::Taken { .. })));
    let signer = TrustedRoot { name: "x".into(), certificate: jane.chain().signer.clone() };
    assert!(matches!(folder.trust(&signer), Err(KeyError::NotARoot { .. })));
    let names: Vec<String> = folder.trusted().unwrap().into_iter().map(|root| root.name).collect();
    assert_eq!(names, ["a-joe", "jane"]);
    fs_err::write(dir.path().join("keys/trusted/bad.pem"), "not a certificate").unwrap();
    let error = folder.trusted().unwrap_err();
    assert!(error.to_string().contains("bad.pem"), "{error}");
}

/// Run by hand: `cargo test -p pinxit-trust --test keys write_the_keys_out_of_time -- --ignored`. The keys open nothing and sign nothing:
/// they are for the messages of the program.
#[test]
#[ignore = "writes two keys for the tests of the binary"]
fn write_the_keys_out_of_time() {
    let day = |year: i32| OffsetDateTime::from_unix_timestamp(0).unwrap().replace_year(year).unwrap();
    for (name, from, until) in [("expired", 2001, 2002), ("early", 2125, 2126)] {
        let dir = tempfile::tempdir().unwrap();
        let made = folder(dir.path(), Validity { from: day(from), until: day(until) }, None);
        let to = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pinxit/tests/fixtures/keys").join(name);
        fs_err::create_dir_all(&to).unwrap();
        for file in ["key.pem", "chain.pem"] {
            fs_err::copy(made.own().join(file), to.join(file)).unwrap();
        }
    }
}
