//! Reading the chain: line by line, each checked against the one before.

use std::io::{BufRead, BufReader, Read};

use fs_err as fs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Entry, Error, GENESIS, Ledger, Result, VERSION};

/// A line above this is none of ours.
const MAX_LINE: u64 = 16 << 20;
/// What stands between the hashed part of a line and its hash.
const BEFORE_HASH: &str = ",\"hash\":\"";
/// What ends a line.
const AFTER_HASH: &str = "\"}\n";

/// What `ledger.head` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tail {
    pub v: u32,
    pub count: u64,
    /// Length of the entries, bytes.
    pub bytes: u64,
    pub hash: String,
}

impl Tail {
    /// Of a ledger without entries.
    pub fn genesis() -> Self {
        Self { v: VERSION, count: 0, bytes: 0, hash: GENESIS.to_owned() }
    }
}

/// SHA-256 as hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// The line that holds `body` (an object without its closing brace), and its hash.
pub(super) fn sealed(body: &str) -> (String, String) {
    let hash = sha256(body.as_bytes());
    (format!("{body}{BEFORE_HASH}{hash}{AFTER_HASH}"), hash)
}

/// Checks a whole line that shall follow the chain at `tail`, and moves `tail` behind it.
pub(super) fn follow(line: &[u8], tail: &mut Tail) -> Result<Entry> {
    let number = tail.count + 1;
    let broken = |what: &str| Error::Broken { line: number, what: what.to_owned() };
    let text = std::str::from_utf8(line).map_err(|_| broken("it is not text"))?;
    let (body, _) = text.rsplit_once(BEFORE_HASH).ok_or_else(|| broken("it has no hash at its end"))?;
    let (expected, hash) = sealed(body);
    if expected != text {
        return Err(broken("its hash is not that of what it says"));
    }
    let entry: Entry = serde_json::from_str(text).map_err(|e| broken(&e.to_string()))?;
    if entry.v > VERSION {
        return Err(broken(&format!("it has version {}, this pinxit reads version {VERSION}", entry.v)));
    }
    if entry.seq != tail.count {
        return Err(broken(&format!("it says it is entry {}, and {} is its place", entry.seq, tail.count)));
    }
    if entry.prev != tail.hash {
        return Err(broken("it does not follow the line before"));
    }
    tail.count += 1;
    tail.bytes += line.len() as u64;
    tail.hash = hash;
    Ok(entry)
}

/// The entries of a ledger, in order.
pub struct Entries {
    lines: Option<BufReader<fs::File>>,
    tail: Tail,
    /// What the head says; `None` where there is none to read.
    head: Option<Tail>,
    /// The hash at the place where the head ends.
    at_head: Option<String>,
}

impl Entries {
    pub(super) fn open(ledger: &Ledger) -> Result<Self> {
        let lines = match fs::File::open(ledger.path()) {
            Ok(file) => {
                // A writer holds the lock for a moment: without it a line might be read half written.
                let _ = file.file().lock_shared();
                Some(file)
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(e.into()),
        };
        // Nothing written yet, or opened for the first entry and nothing more: no head is no loss.
        let is_empty = lines.as_ref().is_none_or(|file| file.metadata().is_ok_and(|m| m.len() == 0));
        let head = read_head(ledger)?.or(is_empty.then(Tail::genesis));
        Ok(Self { lines: lines.map(BufReader::new), tail: Tail::genesis(), head, at_head: None })
    }

    fn read(&mut self) -> Result<Option<Entry>> {
        let Some(reader) = &mut self.lines else { return Ok(None) };
        let mut line = Vec::new();
        reader.take(MAX_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            let what = "it is longer than any entry".to_owned();
            let is_long = line.len() as u64 == MAX_LINE;
            let number = self.tail.count + 1;
            return Err(if is_long { Error::Broken { line: number, what } } else { Error::Torn { line: number } });
        }
        let entry = follow(&line, &mut self.tail)?;
        if self.head.as_ref().is_some_and(|head| head.count == self.tail.count) {
            self.at_head = Some(self.tail.hash.clone());
        }
        Ok(Some(entry))
    }

    /// At the end: the head must lie on the chain. Whole entries behind it are those of a writer that crashed before it moved the head.
    fn check_end(&self) -> Result<()> {
        let Some(head) = &self.head else { return Err(Error::NoHead) };
        match &self.at_head {
            _ if head.count == 0 => Ok(()),
            Some(hash) if *hash == head.hash => Ok(()),
            Some(_) => Err(Error::Broken { line: head.count, what: "it is not the entry that the head knows".into() }),
            None => Err(Error::Cut { known: head.count, found: self.tail.count }),
        }
    }
}

impl Iterator for Entries {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.read() {
            Ok(Some(entry)) => Some(Ok(entry)),
            Ok(None) => {
                self.lines = None;
                let end = self.check_end().err();
                // Told once.
                self.head = Some(Tail::genesis());
                end.map(Err)
            }
            Err(e) => {
                self.lines = None;
                self.head = Some(Tail::genesis());
                Some(Err(e))
            }
        }
    }
}

/// What the head says; `None` where it is missing or cannot be read.
pub(super) fn read_head(ledger: &Ledger) -> Result<Option<Tail>> {
    match fs::read(ledger.head_path()) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
    }
}
