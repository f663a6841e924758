//! The chain holds, and what was done to it is noticed.

use std::path::Path;

use serde_json::json;

use super::*;

const AT: &str = "2026-11-26T02:10:00Z";

fn new(n: u64) -> New {
    let subject = json!({ "file": format!("{n}.png"), "psi": 0.7, "quote": "\"hash\":\"x\"}" });
    New { kind: Kind::Export, subject: subject.as_object().unwrap().clone() }
}

fn with(entries: u64) -> (tempfile::TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::at(dir.path());
    for n in 0..entries {
        ledger.append(AT, &[new(n)]).unwrap();
    }
    (dir, ledger)
}

fn lines(ledger: &Ledger) -> Vec<String> {
    std::fs::read_to_string(ledger.path()).unwrap().lines().map(String::from).collect()
}

fn put(ledger: &Ledger, lines: &[String]) {
    std::fs::write(ledger.path(), lines.iter().map(|l| format!("{l}\n")).collect::<String>()).unwrap();
}

#[test]
fn what_is_appended_is_read_back_and_verified() {
    let (_dir, ledger) = with(0);
    assert_eq!(ledger.verify(&[]).unwrap().head, None, "nothing was ever written");
    ledger.check_ready().unwrap();
    ledger.append(AT, &[new(0), new(1)]).unwrap();
    let head = ledger.append(AT, &[new(2)]).unwrap();
    let entries: Vec<Entry> = ledger.entries().unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(entries[2].subject, new(2).subject);
    let verified = ledger.verify(&[("a run".into(), head.clone())]).unwrap();
    assert_eq!((verified.head.as_ref(), verified.confirmed), (Some(&head), 1));
    assert_eq!(verified.kinds["export"], 3);
    assert_eq!(head.to_string().parse::<Head>().unwrap(), head);
    assert_eq!(ledger.append(AT, &[]).unwrap(), head, "nothing to write changes nothing");
}

/// As the module says it can be checked: with any SHA-256.
#[test]
fn a_hash_is_that_of_the_line_before_it() {
    let (_dir, ledger) = with(2);
    let lines = lines(&ledger);
    let (body, hash) = lines[1].rsplit_once(",\"hash\":\"").unwrap();
    assert_eq!(hash.trim_end_matches("\"}"), chain::sha256(body.as_bytes()));
    assert!(lines[0].contains(GENESIS) && !lines[1].contains(GENESIS));
}

#[test]
fn every_changed_byte_is_noticed() {
    let (_dir, ledger) = with(3);
    let whole = std::fs::read(ledger.path()).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(ledger.path(), &changed).unwrap();
        assert!(ledger.verify(&[]).is_err(), "byte {at}");
    }
}

#[test]
fn lines_moved_left_out_or_put_in_are_noticed() {
    let (_dir, ledger) = with(4);
    let whole = lines(&ledger);
    let broken = |lines: &[String]| {
        put(&ledger, lines);
        matches!(ledger.verify(&[]), Err(Error::Broken { .. }))
    };
    let swapped = [&whole[..1], &[whole[2].clone(), whole[1].clone()], &whole[3..]].concat();
    assert!(broken(&swapped));
    assert!(broken(&[&whole[..1], &whole[2..]].concat()));
    assert!(broken(&[&whole[..2], &whole[1..]].concat()));
    assert!(broken(&whole[1..]));
}

#[test]
fn an_end_cut_off_is_noticed_and_repaired_only_by_asking() {
    let (_dir, ledger) = with(4);
    put(&ledger, &lines(&ledger)[..2]);
    for result in [ledger.verify(&[]).map(drop), ledger.append(AT, &[new(9)]).map(drop), ledger.check_ready()] {
        assert!(matches!(result, Err(Error::Cut { known: 4, found: 2 })), "{result:?}");
    }
    let repaired = ledger.repair(AT).unwrap().unwrap();
    assert_eq!((repaired.kept, repaired.known, repaired.set_aside), (2, Some(4), None));
    let last = ledger.entries().unwrap().last().unwrap().unwrap();
    assert_eq!((last.kind.as_str(), &last.subject["known"]), ("repair", &json!(4)));
    assert!(ledger.repair(AT).unwrap().is_none(), "nothing more to do");
    std::fs::remove_file(ledger.path()).unwrap();
    assert!(matches!(ledger.check_ready(), Err(Error::Cut { known: 3, found: 0 })));
    assert!(matches!(ledger.verify(&[]), Err(Error::Cut { known: 3, found: 0 })));
}

#[test]
fn a_torn_line_is_noticed_and_set_aside() {
    let (dir, ledger) = with(2);
    let mut bytes = std::fs::read(ledger.path()).unwrap();
    bytes.extend_from_slice(b"{\"v\":1,\"seq\":2,\"at\":\"20");
    std::fs::write(ledger.path(), &bytes).unwrap();
    for result in [ledger.verify(&[]).map(drop), ledger.append(AT, &[new(9)]).map(drop), ledger.check_ready()] {
        assert!(matches!(result, Err(Error::Torn { line: 3 })), "{result:?}");
    }
    let repaired = ledger.repair(AT).unwrap().unwrap();
    assert_eq!(std::fs::read(dir.path().join("ledger.torn")).unwrap(), b"{\"v\":1,\"seq\":2,\"at\":\"20");
    assert_eq!(ledger.verify(&[]).unwrap().head, Some(repaired.head));
    ledger.append(AT, &[new(3)]).unwrap();
}

#[test]
fn a_writer_that_died_before_it_moved_the_head_leaves_nothing_wrong() {
    let (_dir, ledger) = with(2);
    let head = std::fs::read(ledger.head_path()).unwrap();
    ledger.append(AT, &[new(2), new(3)]).unwrap();
    std::fs::write(ledger.head_path(), head).unwrap();
    ledger.verify(&[]).unwrap();
    assert_eq!(ledger.append(AT, &[new(4)]).unwrap().count, 5);
    assert_eq!(ledger.verify(&[]).unwrap().kinds["export"], 5);
}

#[test]
fn a_missing_head_is_noticed_and_a_false_one_too() {
    let (_dir, ledger) = with(3);
    let head = std::fs::read_to_string(ledger.head_path()).unwrap();
    for bad in ["", "{", "{\"v\":1}"] {
        std::fs::write(ledger.head_path(), bad).unwrap();
        assert!(matches!(ledger.verify(&[]), Err(Error::NoHead)) && matches!(ledger.check_ready(), Err(Error::NoHead)));
    }
    std::fs::remove_file(ledger.head_path()).unwrap();
    assert!(matches!(ledger.append(AT, &[new(1)]), Err(Error::NoHead)));
    assert_eq!(ledger.repair(AT).unwrap().unwrap().known, None);
    let (_other, ledger) = with(3);
    std::fs::write(ledger.head_path(), head.replace(&head[head.len() - 9..head.len() - 3], "000000")).unwrap();
    assert!(ledger.verify(&[]).is_err() && ledger.append(AT, &[]).is_err());
}

/// Both files rewritten together fool the chain, and not those who remember it.
#[test]
fn a_ledger_written_anew_is_told_by_those_who_remember() {
    let (_dir, ledger) = with(3);
    let remembered = ledger.head().unwrap().unwrap();
    let (other_dir, other) = with(0);
    (0..5).for_each(|n| drop(other.append(AT, &[new(n + 10)]).unwrap()));
    other.verify(&[]).unwrap();
    let kept = [("run \"oaks\"".to_owned(), remembered.clone())];
    let error = other.verify(&kept).unwrap_err();
    assert!(matches!(error, Error::Forgotten { .. }) && error.to_string().contains("oaks"), "{error}");
    let (_short, shorter) = with(2);
    assert!(matches!(shorter.verify(&kept), Err(Error::Forgotten { .. })), "it ends before");
    assert_eq!(ledger.verify(&kept).unwrap().confirmed, 1);
    drop(other_dir);
}

#[test]
fn a_repair_does_not_cover_tampering() {
    let (_dir, ledger) = with(3);
    let text = std::fs::read_to_string(ledger.path()).unwrap();
    std::fs::write(ledger.path(), text.replace("1.png", "7.png")).unwrap();
    assert!(matches!(ledger.repair(AT), Err(Error::Broken { line: 2, .. })));
}

#[test]
fn many_threads_append_to_one_chain() {
    let (dir, _) = with(0);
    let write = |t: u64, dir: &Path| {
        let ledger = Ledger::at(dir);
        (0..20).for_each(|n| drop(ledger.append(AT, &[new(t * 100 + n), new(n)]).unwrap()));
    };
    std::thread::scope(|scope| {
        (0..4).for_each(|t| {
            drop(scope.spawn({
                let dir = dir.path();
                move || write(t, dir)
            }))
        })
    });
    assert_eq!(Ledger::at(dir.path()).verify(&[]).unwrap().kinds["export"], 160);
}

#[test]
fn hostile_files_end_in_an_error() {
    let (_dir, ledger) = with(1);
    for bad in [&b"\n"[..], b"null\n", b"{}\n", b"\xff\xfe\n", b",\"hash\":\"\"}\n", b"[[[[[[[[\n"] {
        std::fs::write(ledger.path(), bad).unwrap();
        assert!(ledger.verify(&[]).is_err() && ledger.append(AT, &[]).is_err(), "{bad:?}");
    }
    for text in ["", "1", "1:zz", "x:y", ":", "-1:00"] {
        assert!(text.parse::<Head>().is_err(), "{text}");
    }
}
