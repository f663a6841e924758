//! What an interrupted import has done already.
//!
//! `NAME.partial/work/journal` holds a header line, then one line an item, in order; `NAME.partial/work/pixels` the packed pictures
//! of the accepted ones. Each line ends in a checksum of itself. After a kill the longest sound prefix of both counts and the rest is
//! done again, so what comes out is the same to the byte.

use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::near::Look;
use crate::pipeline::Outcome;
use crate::prepare::Tile;
use crate::rights::Found;

/// Items between flushes: at most so many are done again after a kill.
const FLUSH_EVERY: usize = 64;

/// One item's outcome, without its pixels.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)] // nearly all entries are works: a box each would only add to them
pub(crate) enum Entry {
    Rejected { reason: String },
    Accepted(Work),
}

/// A usable work, its pixels lying in the pixel file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Work {
    /// BLAKE3 of the file.
    #[serde(with = "hex")]
    pub file: blake3::Hash,
    pub sha256: String,
    pub iscc: Option<String>,
    /// First what the file says; the gate adds what is said elsewhere, and settles the licence.
    pub found: Found,
    pub examined_at: Option<String>,
    /// BLAKE3 of size and decoded pixels.
    #[serde(with = "hex")]
    pub content: blake3::Hash,
    pub original: (u32, u32),
    pub fixes: Vec<String>,
    pub look: Look,
    pub tiles: Vec<TileEntry>,
}

/// One packed picture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TileEntry {
    /// BLAKE3 of its pixels.
    #[serde(with = "hex")]
    pub blake3: blake3::Hash,
    pub window: Option<[u32; 4]>,
}

impl Entry {
    /// What is kept of an outcome, which is all but the pixels.
    pub fn of(outcome: Outcome) -> Self {
        let work = match outcome {
            Ok(work) => work,
            Err(reason) => return Entry::Rejected { reason },
        };
        let tile = |tile: &Tile| TileEntry { blake3: blake3::hash(&tile.pixels), window: tile.window };
        Entry::Accepted(Work {
            file: work.file,
            sha256: work.sha256,
            iscc: work.iscc,
            found: work.found,
            examined_at: work.examined_at,
            content: work.content,
            original: work.original,
            fixes: work.fixes,
            look: work.look,
            tiles: work.tiles.iter().map(tile).collect(),
        })
    }
}

/// Hashes are hex in the journal and bytes in memory: a hundred thousand of them are kept.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(hash: &blake3::Hash, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hash.to_hex())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<blake3::Hash, D::Error> {
        blake3::Hash::from_hex(String::deserialize(d)?).map_err(D::Error::custom)
    }
}

/// The journal and the pixel file, open for appending.
pub(crate) struct Journal {
    lines: BufWriter<fs::File>,
    pixels: BufWriter<fs::File>,
    pixels_path: PathBuf,
    unflushed: usize,
    /// Everything done so far, in the order of the items.
    pub entries: Vec<Entry>,
}

impl Journal {
    /// Opens the journal in `work`, or starts one, for a collection and options of this `fingerprint`. A journal of another
    /// fingerprint is thrown away. `picture_bytes` is `h*w*3`.
    pub fn open(work: &Path, fingerprint: &str, picture_bytes: usize) -> Result<Self> {
        fs::create_dir_all(work)?;
        let (journal, pixels_path) = (work.join("journal"), work.join("pixels"));
        let mut lines = open(&journal)?;
        let mut pixels = open(&pixels_path)?;
        let header = sealed(&format!("pinxit import journal 2 {fingerprint}"));
        let (mut entries, ends) = read_lines(&mut lines, &header)?;
        let sound = sound_entries(&entries, &mut pixels, picture_bytes)?;
        entries.truncate(sound);
        let tiles: usize = entries.iter().map(tile_count).sum();
        pixels.set_len((tiles * picture_bytes) as u64)?;
        pixels.seek(SeekFrom::End(0))?;
        let end = ends[sound];
        lines.set_len(end)?;
        lines.seek(SeekFrom::End(0))?;
        if end == 0 {
            lines.write_all(header.as_bytes())?;
        }
        Ok(Self {
            lines: BufWriter::new(lines),
            pixels: BufWriter::with_capacity(1 << 20, pixels),
            pixels_path,
            unflushed: 0,
            entries,
        })
    }

    /// Appends an item's outcome.
    pub fn push(&mut self, outcome: Outcome) -> Result<()> {
        for tile in outcome.iter().flat_map(|work| &work.tiles) {
            self.pixels.write_all(&tile.pixels)?;
        }
        let entry = Entry::of(outcome);
        let text = serde_json::to_string(&entry).map_err(std::io::Error::other)?;
        self.lines.write_all(sealed(&text).as_bytes())?;
        self.entries.push(entry);
        self.unflushed += 1;
        if self.unflushed >= FLUSH_EVERY {
            self.flush()?;
        }
        Ok(())
    }

    /// Brings both files up to date: pixels first, for a line must never speak of pixels that are not there.
    pub fn flush(&mut self) -> Result<()> {
        self.pixels.flush()?;
        self.lines.flush()?;
        self.unflushed = 0;
        Ok(())
    }

    /// Ends the writing; gives the entries and the path of the pixel file.
    pub fn finish(mut self) -> Result<(Vec<Entry>, PathBuf)> {
        self.flush()?;
        Ok((self.entries, self.pixels_path))
    }
}

/// The works of the journal in `work`, as far as it is sound; none where there is no journal.
pub(crate) fn works(work: &Path) -> Result<Vec<Work>> {
    let mut reader = match fs::File::open(work.join("journal")) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => BufReader::new(other?),
    };
    let (mut works, mut line) = (Vec::new(), Vec::new());
    reader.read_until(b'\n', &mut line)?; // the header
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line)?;
        match parse(&line) {
            Some(Entry::Accepted(work)) => works.push(work),
            Some(Entry::Rejected { .. }) => {}
            None => return Ok(works),
        }
    }
}

fn open(path: &Path) -> Result<fs::File> {
    Ok(fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?)
}

/// The line with its checksum and end.
fn sealed(text: &str) -> String {
    format!("{text}\t{}\n", &blake3::hash(text.as_bytes()).to_hex()[..16])
}

fn tile_count(entry: &Entry) -> usize {
    match entry {
        Entry::Accepted(work) => work.tiles.len(),
        Entry::Rejected { .. } => 0,
    }
}

/// The sound entries, and where in the file each ends: `ends[n]` is the length of a journal of `n` entries, 0 if the header is not
/// the one expected.
fn read_lines(file: &mut fs::File, header: &str) -> Result<(Vec<Entry>, Vec<u64>)> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if line != header.as_bytes() {
        return Ok((Vec::new(), vec![0]));
    }
    let (mut entries, mut ends) = (Vec::new(), vec![line.len() as u64]);
    loop {
        line.clear();
        let n = reader.read_until(b'\n', &mut line)?;
        let Some(entry) = parse(&line) else { return Ok((entries, ends)) };
        entries.push(entry);
        ends.push(ends[ends.len() - 1] + n as u64);
    }
}

fn parse(line: &[u8]) -> Option<Entry> {
    let line = std::str::from_utf8(line).ok()?;
    let (text, _) = line.rsplit_once('\t')?;
    if sealed(text) != line {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// How many of the entries have all their pixels in the pixel file, unharmed.
fn sound_entries(entries: &[Entry], pixels: &mut fs::File, picture_bytes: usize) -> Result<usize> {
    let mut reader = BufReader::with_capacity(1 << 20, pixels);
    let mut buffer = vec![0; picture_bytes];
    for (n, entry) in entries.iter().enumerate() {
        let Entry::Accepted(work) = entry else { continue };
        for tile in &work.tiles {
            match reader.read_exact(&mut buffer) {
                Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(n),
                Err(e) => return Err(e.into()),
                Ok(()) if blake3::hash(&buffer) != tile.blake3 => return Ok(n),
                Ok(()) => {}
            }
        }
    }
    Ok(entries.len())
}
