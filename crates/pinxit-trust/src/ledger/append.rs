//! Writing: under a lock on the entries, lines first and synced, then the head. However many entries are appended at once, the disk is
//! waited for as often as for one.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use fs_err as fs;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::chain::{Tail, follow, read_head, sealed};
use super::{Error, Head, Kind, Ledger, New, Result, VERSION};

/// The hashed part of a line, without the closing brace that the hash comes before.
#[derive(Serialize)]
struct Body<'a> {
    v: u32,
    seq: u64,
    at: &'a str,
    kind: &'a str,
    subject: &'a Map<String, Value>,
    prev: &'a str,
}

/// What [`Ledger::repair`] did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repaired {
    /// Entries that were whole.
    pub kept: u64,
    /// Entries the head knew of, if there was one to read.
    pub known: Option<u64>,
    /// Where the bytes of the torn line lie now.
    pub set_aside: Option<PathBuf>,
    /// Where the ledger ends now.
    pub head: Head,
}

impl Ledger {
    /// Appends entries at the time `at` (RFC 3339, UTC), all or none of them; gives where the ledger ends now. Waits while another
    /// process writes.
    ///
    /// # Errors
    /// [`Error::Torn`], [`Error::Cut`], [`Error::NoHead`], [`Error::Broken`] when the end is not the one that was written last: then
    /// nothing is appended. [`Error::Io`].
    pub fn append(&self, at: &str, entries: &[New]) -> Result<Head> {
        let mut file = self.locked()?;
        let mut tail = self.tail(&mut file)?;
        let lines = lines(at, entries, &mut tail)?;
        self.write(&mut file, &lines, &tail)?;
        Ok(Head { count: tail.count, hash: tail.hash })
    }

    /// Whether entries can be appended: cheap, and before work that shall be written down. Writes nothing.
    ///
    /// # Errors
    /// Those of [`Ledger::append`].
    pub fn check_ready(&self) -> Result<()> {
        match fs::File::open(self.path()) {
            Ok(mut file) => {
                lock_result(file.file().lock_shared())?;
                self.tail(&mut file).map(drop)
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => match read_head(self)? {
                Some(head) if head.count > 0 => Err(Error::Cut { known: head.count, found: 0 }),
                _ => Ok(()),
            },
            Err(e) => Err(e.into()),
        }
    }

    /// Where the ledger ends, as its head says; `None` before the first entry.
    ///
    /// # Errors
    /// Those of [`Ledger::check_ready`].
    pub fn head(&self) -> Result<Option<Head>> {
        self.check_ready()?;
        Ok(read_head(self)?.filter(|t| t.count > 0).map(|t| Head { count: t.count, hash: t.hash }))
    }

    /// Puts a torn or cut ledger in order: whole lines stay, the rest is set aside in a file of its own, a head is written, and an
    /// entry says what was done. `None` when nothing was wrong.
    ///
    /// # Errors
    /// [`Error::Broken`] when a whole line does not follow the one before: that is no crash, and is not repaired. [`Error::Io`].
    pub fn repair(&self, at: &str) -> Result<Option<Repaired>> {
        let mut file = self.locked()?;
        let (mut tail, torn) = self.whole(&mut file)?;
        let head = read_head(self)?;
        let is_known = head.as_ref().is_some_and(|h| h.count <= tail.count) || (head.is_none() && tail.count == 0);
        if torn.is_empty() && is_known {
            return Ok(None);
        }
        let set_aside = if torn.is_empty() { None } else { Some(self.set_aside(&mut file, tail.bytes, &torn)?) };
        let kept = tail.count;
        let known = head.map(|h| h.count);
        let name = set_aside.as_ref().and_then(|p| p.file_name()).map(|n| n.to_string_lossy().into_owned());
        let subject = json!({ "kept": kept, "known": known, "torn_bytes": torn.len(), "set_aside": name });
        let subject = subject.as_object().cloned().unwrap_or_default();
        let lines = lines(at, &[New { kind: Kind::Repair, subject }], &mut tail)?;
        self.write(&mut file, &lines, &tail)?;
        Ok(Some(Repaired { kept, known, set_aside, head: Head { count: tail.count, hash: tail.hash } }))
    }

    /// The file of entries, held by this process alone until it is dropped.
    fn locked(&self) -> Result<fs::File> {
        fs::create_dir_all(&self.folder)?;
        let file = fs::OpenOptions::new().read(true).append(true).create(true).open(self.path())?;
        lock_result(file.file().lock())?;
        Ok(file)
    }

    /// Where the chain ends: what the head says, and whole lines behind it, which a writer left that crashed before it moved the head.
    fn tail(&self, file: &mut fs::File) -> Result<Tail> {
        let len = file.metadata()?.len();
        let mut tail = match read_head(self)? {
            Some(head) => head,
            None if len == 0 => Tail::genesis(),
            None => return Err(Error::NoHead),
        };
        if len < tail.bytes {
            let (whole, _) = self.whole(file)?;
            return Err(Error::Cut { known: tail.count, found: whole.count });
        }
        let ending = format!("{}\"}}\n", tail.hash);
        if tail.count > 0 && read_at(file, tail.bytes.saturating_sub(ending.len() as u64), ending.len())? != ending.as_bytes() {
            return Err(Error::Broken { line: tail.count, what: "it is not the entry that the head knows".into() });
        }
        let rest = read_at(file, tail.bytes, (len - tail.bytes) as usize)?;
        for line in rest.split_inclusive(|&b| b == b'\n') {
            if line.last() != Some(&b'\n') {
                return Err(Error::Torn { line: tail.count + 1 });
            }
            follow(line, &mut tail)?;
        }
        Ok(tail)
    }

    /// The chain of whole lines from the start, and what lies behind it.
    fn whole(&self, file: &mut fs::File) -> Result<(Tail, Vec<u8>)> {
        let len = file.metadata()?.len();
        let all = read_at(file, 0, len as usize)?;
        let mut tail = Tail::genesis();
        for line in all.split_inclusive(|&b| b == b'\n') {
            if line.last() != Some(&b'\n') {
                return Ok((tail, line.to_vec()));
            }
            follow(line, &mut tail)?;
        }
        Ok((tail, Vec::new()))
    }

    /// Keeps the bytes of a torn line in a file of their own, and cuts them off the ledger.
    fn set_aside(&self, file: &mut fs::File, keep: u64, torn: &[u8]) -> Result<PathBuf> {
        let mut path = self.folder.join("ledger.torn");
        for i in 2.. {
            if !path.exists() {
                break;
            }
            path = self.folder.join(format!("ledger.torn-{i}"));
        }
        pinxit_image::write_atomic(&path, torn)?;
        file.set_len(keep)?;
        Ok(path)
    }

    fn write(&self, file: &mut fs::File, lines: &str, tail: &Tail) -> Result<()> {
        file.write_all(lines.as_bytes())?;
        file.sync_data()?;
        let head = serde_json::to_vec(tail).map_err(|e| Error::Unwritable(e.to_string()))?;
        pinxit_image::write_atomic(&self.head_path(), &head)?;
        Ok(())
    }
}

/// The lines of new entries; `tail` moves behind them.
fn lines(at: &str, entries: &[New], tail: &mut Tail) -> Result<String> {
    let mut lines = String::new();
    for New { kind, subject } in entries {
        let body = Body { v: VERSION, seq: tail.count, at, kind: kind.word(), subject, prev: &tail.hash };
        let body = serde_json::to_string(&body).map_err(|e| Error::Unwritable(e.to_string()))?;
        let (line, _) = sealed(body.strip_suffix('}').unwrap_or(&body));
        follow(line.as_bytes(), tail)?;
        lines.push_str(&line);
    }
    Ok(lines)
}

fn read_at(file: &mut fs::File, at: u64, len: usize) -> Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::with_capacity(len);
    Read::take(&mut *file, len as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Some network file systems have no locks; refusing to work there would help nobody.
fn lock_result(locked: std::io::Result<()>) -> Result<()> {
    match locked {
        Err(e) if e.kind() == std::io::ErrorKind::Unsupported => Ok(()),
        other => Ok(other?),
    }
}
