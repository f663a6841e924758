//! The training state on disk, so that a run killed at any moment goes on as if it had not been.
//!
//! ```text
//! state/a.bin, state/b.bin   written in turn; the valid one with the higher step counts
//! state/good-STEP.bin        the last states found healthy, for a rollback
//!
//! one file:  "PINXRUN1" | u64 length of the header | header (JSON) | f32 little-endian numbers | BLAKE3 of all before
//! ```
//! A file is written beside its place, flushed to the disk, then renamed: it is there whole or not at all. The checksum and
//! the second file guard against what renaming cannot, a damaged disk.
use crate::state::{Counters, Learner, State};
use crate::{Error, Result};
use pinxit_nn::Weights;
use pinxit_tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"PINXRUN1";
/// Bytes of the trailing BLAKE3.
const HASH: usize = 32;
/// No honest header is larger, bytes.
const HEADER_LIMIT: u64 = 64 << 20;
/// States kept for a rollback: the newest may belong to a tick after the state that is resumed.
const GOOD_KEPT: usize = 2;

/// Names, shapes and counters of a state.
#[derive(Serialize, Deserialize)]
struct Header {
    counters: Counters,
    updates: (u64, u64),
    tensors: Vec<(String, Vec<usize>)>,
}

/// The `state/` folder of a run.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    /// Where the next state goes: the file that does not hold the newest one.
    next: &'static str,
}

impl Store {
    /// The store of run folder `run`, made if need be.
    pub fn open(run: &Path) -> Result<Self> {
        let store = Self::at(run);
        std::fs::create_dir_all(&store.dir).map_err(Error::file("create", &store.dir))?;
        Ok(store)
    }

    /// The store of run folder `run`, to be read.
    pub fn at(run: &Path) -> Self {
        Store { dir: run.join("state"), next: "a.bin" }
    }

    /// Saves `state` in place of the older of the two.
    pub fn save(&mut self, state: &State) -> Result<()> {
        write(&self.dir, self.next, state)?;
        self.next = if self.next == "a.bin" { "b.bin" } else { "a.bin" };
        Ok(())
    }

    /// The newest valid state and what was wrong with the other, if it was damaged.
    pub fn load(&mut self) -> Result<(State, Option<String>)> {
        let mut found: Option<(State, &'static str)> = None;
        let mut wrong = Vec::new();
        for name in ["a.bin", "b.bin"] {
            match read(&self.dir.join(name)) {
                Ok(Some(state)) => {
                    if found.as_ref().is_none_or(|(best, _)| best.counters.step < state.counters.step) {
                        found = Some((state, name));
                    }
                }
                Ok(None) => {}
                Err(reason) => wrong.push(format!("{name}: {reason}")),
            }
        }
        let reason = if wrong.is_empty() { None } else { Some(wrong.join("; ")) };
        let Some((state, name)) = found else {
            return Err(Error::BadState { dir: self.dir.clone(), reason: reason.unwrap_or_else(|| "none was saved".into()) });
        };
        self.next = if name == "a.bin" { "b.bin" } else { "a.bin" };
        Ok((state, reason))
    }

    /// The counters of the state that [`Store::load`] would choose, without keeping its numbers. `None` if there is none. Only the
    /// chosen file is summed up.
    pub fn counters(&self) -> Option<Counters> {
        let headed = |name: &str| {
            let path = self.dir.join(name);
            Some((read_counters(&path)?, path))
        };
        let mut saved: Vec<(Counters, PathBuf)> = ["a.bin", "b.bin"].into_iter().filter_map(headed).collect();
        saved.sort_by_key(|(counters, _)| std::cmp::Reverse(counters.step));
        saved.into_iter().find(|(_, path)| is_whole(path).unwrap_or(false)).map(|(counters, _)| counters)
    }

    /// Keeps `state` as a good one to return to.
    pub fn save_good(&self, state: &State) -> Result<()> {
        write(&self.dir, &good_name(state.counters.step), state)?;
        let mut steps = self.good_steps()?;
        steps.sort_unstable();
        for step in steps.iter().rev().skip(GOOD_KEPT) {
            let path = self.dir.join(good_name(*step));
            std::fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        }
        Ok(())
    }

    /// The good state of that step.
    pub fn load_good(&self, step: u64) -> Result<State> {
        let bad = |reason: String| Error::BadState { dir: self.dir.clone(), reason };
        read(&self.dir.join(good_name(step))).map_err(bad)?.ok_or_else(|| bad(format!("{} is gone", good_name(step))))
    }

    fn good_steps(&self) -> Result<Vec<u64>> {
        let entries = std::fs::read_dir(&self.dir).map_err(Error::file("read", &self.dir))?;
        let step = |name: String| name.strip_prefix("good-")?.strip_suffix(".bin")?.parse().ok();
        Ok(entries.flatten().filter_map(|e| step(e.file_name().to_string_lossy().into_owned())).collect())
    }
}

fn good_name(step: u64) -> String {
    format!("good-{step:09}.bin")
}

/// The tensors of a state in the order in which they are stored.
fn tensors(state: &State) -> Vec<(String, &Tensor)> {
    let (g, d) = (&state.generator, &state.discriminator);
    let groups = [
        ("g.w", &g.weights),
        ("g.m", &g.m),
        ("g.v", &g.v),
        ("d.w", &d.weights),
        ("d.m", &d.m),
        ("d.v", &d.v),
        ("spectral", &state.spectral),
        ("average", &state.average),
    ];
    groups.into_iter().flat_map(|(group, w)| w.iter().map(move |(name, t)| (format!("{group}/{name}"), t))).collect()
}

/// Writes `name` in `dir`, whole or not at all.
fn write(dir: &Path, name: &str, state: &State) -> Result<()> {
    let (path, temporary) = (dir.join(name), dir.join(format!("{name}.tmp")));
    let tensors = tensors(state);
    let header = Header {
        counters: state.counters.clone(),
        updates: (state.generator.updates, state.discriminator.updates),
        tensors: tensors.iter().map(|(name, t)| (name.clone(), t.shape().to_vec())).collect(),
    };
    let header = serde_json::to_vec(&header).map_err(|e| Error::Config(e.to_string()))?;
    let fill = |path: &Path| -> std::io::Result<()> {
        let mut out = Hashed { to: BufWriter::with_capacity(1 << 20, File::create(path)?), hash: blake3::Hasher::new() };
        out.write(MAGIC)?;
        out.write(&(header.len() as u64).to_le_bytes())?;
        out.write(&header)?;
        let mut bytes = Vec::new();
        for (_, t) in &tensors {
            bytes.clear();
            bytes.extend(t.data().iter().flat_map(|v| v.to_le_bytes()));
            out.write(&bytes)?;
        }
        let hash = out.hash.finalize();
        out.to.write_all(hash.as_bytes())?;
        out.to.into_inner()?.sync_all()
    };
    fill(&temporary).map_err(|e| {
        // Half a state helps nobody, and the space it takes may be all that is missing; the error at hand is the one to tell.
        let _ = std::fs::remove_file(&temporary);
        Error::file("write", &temporary)(e)
    })?;
    std::fs::rename(&temporary, &path).map_err(Error::file("rename", &path))?;
    // The rename itself must reach the disk too; folders cannot be flushed everywhere, and then there is nothing to do.
    let _ = File::open(dir).and_then(|d| d.sync_all());
    Ok(())
}

/// Counts what it writes into a checksum.
struct Hashed {
    to: BufWriter<File>,
    hash: blake3::Hasher,
}

impl Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hash.update(bytes);
        self.to.write_all(bytes)
    }
}

/// Reads a state; `None` if there is no such file, a reason if it cannot be used.
fn read(path: &Path) -> std::result::Result<Option<State>, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e.to_string()),
    };
    parse(&bytes).map(Some)
}

fn read_counters(path: &Path) -> Option<Counters> {
    let mut file = File::open(path).ok()?;
    let mut start = [0; 16];
    file.read_exact(&mut start).ok()?;
    let length = header_length(&start)?;
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).ok()?;
    serde_json::from_slice::<Header>(&header).ok().map(|header| header.counters)
}

/// Whether the checksum of a state is right.
fn is_whole(path: &Path) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let body = file.metadata()?.len().saturating_sub(HASH as u64);
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader((&mut file).take(body))?;
    let mut hash = [0; HASH];
    file.read_exact(&mut hash)?;
    Ok(hasher.finalize() == hash)
}

/// The length of the header, from the first 16 bytes of a state; `None` if it can be none.
fn header_length(start: &[u8]) -> Option<u64> {
    let length = start.get(8..16)?.iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b));
    (start.starts_with(MAGIC) && length <= HEADER_LIMIT).then_some(length)
}

fn parse(bytes: &[u8]) -> std::result::Result<State, String> {
    let body_len = bytes.len().checked_sub(HASH).ok_or("it is cut short")?;
    let (body, hash) = bytes.split_at(body_len);
    if !body.starts_with(MAGIC) || body.len() < 16 {
        return Err("it is no training state".into());
    }
    if blake3::hash(body).as_bytes() != hash {
        return Err("its checksum is wrong".into());
    }
    let length = header_length(body).filter(|&n| n as usize <= body.len() - 16).ok_or("its header is cut short")?;
    let (header, mut numbers) = body[16..].split_at(length as usize);
    let header: Header = serde_json::from_slice(header).map_err(|e| format!("its header is not readable: {e}"))?;
    let mut groups: [Weights; 8] = std::array::from_fn(|_| Weights::new());
    const NAMES: [&str; 8] = ["g.w", "g.m", "g.v", "d.w", "d.m", "d.v", "spectral", "average"];
    for (name, shape) in &header.tensors {
        let bytes = shape.iter().try_fold(4usize, |n, &s| n.checked_mul(s)).filter(|&n| n <= numbers.len());
        let (mine, rest) = numbers.split_at(bytes.ok_or("its numbers are cut short")?);
        numbers = rest;
        let (group, name) = name.split_once('/').ok_or("a tensor has no group")?;
        let at = NAMES.iter().position(|n| *n == group).ok_or_else(|| format!("a group {group:?} is unknown"))?;
        let values = mine.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        groups[at].insert(name, Tensor::new(shape, values));
    }
    let [gw, gm, gv, dw, dm, dv, spectral, average] = groups;
    let (g_updates, d_updates) = header.updates;
    Ok(State {
        generator: Learner { weights: gw, m: gm, v: gv, updates: g_updates },
        discriminator: Learner { weights: dw, m: dm, v: dv, updates: d_updates },
        spectral,
        average,
        counters: header.counters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(step: u64) -> State {
        let weights = |k: f32| -> Weights {
            [("a".to_string(), Tensor::from_fn(&[3, 2], |i| i as f32 * k)), ("b".to_string(), Tensor::scalar(k))]
                .into_iter()
                .collect()
        };
        let mut counters = Counters::start("hash", None);
        (counters.step, counters.lr_scale, counters.elapsed_secs) = (step, 0.1 + 0.2, 1.0 / 3.0);
        State {
            generator: Learner { updates: 5, ..Learner::new(weights(0.1)) },
            discriminator: Learner::new(weights(0.7)),
            spectral: weights(0.3),
            average: weights(f32::MIN_POSITIVE),
            counters,
        }
    }

    fn same(a: &State, b: &State) -> bool {
        a.counters == b.counters
            && a.generator.updates == b.generator.updates
            && tensors(a).iter().zip(tensors(b)).all(|((n, t), (m, u))| *n == m && t.shape() == u.shape() && t.data() == u.data())
    }

    #[test]
    fn what_was_saved_last_is_what_is_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        assert!(matches!(store.load(), Err(Error::BadState { .. })) && store.counters().is_none());
        for step in 1..6 {
            store.save(&state(step)).unwrap();
            let (loaded, wrong) = Store::open(dir.path()).unwrap().load().unwrap();
            assert!(same(&loaded, &state(step)) && wrong.is_none(), "step {step}");
            assert_eq!(store.counters().as_ref(), Some(&loaded.counters));
        }
        assert_eq!(std::fs::read_dir(dir.path().join("state")).unwrap().count(), 2, "two files and no leftovers");
    }

    #[test]
    fn damage_to_one_file_falls_back_to_the_other_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        store.save(&state(1)).unwrap();
        store.save(&state(2)).unwrap();
        let newest = dir.path().join("state/b.bin");
        let bytes = std::fs::read(&newest).unwrap();
        for at in [0, 9, 40, bytes.len() / 2, bytes.len() - 1] {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            std::fs::write(&newest, &bad).unwrap();
            let mut store = Store::open(dir.path()).unwrap();
            let (loaded, wrong) = store.load().unwrap();
            assert!(same(&loaded, &state(1)) && wrong.is_some_and(|w| w.starts_with("b.bin")), "byte {at}");
            assert_eq!(store.next, "b.bin", "the damaged file is the one to be replaced");
            assert_eq!(store.counters(), Some(loaded.counters), "byte {at}: what is listed is what is resumed");
        }
        for len in [0, 7, 30, bytes.len() - 1] {
            std::fs::write(&newest, &bytes[..len]).unwrap();
            let mut store = Store::open(dir.path()).unwrap();
            assert!(same(&store.load().unwrap().0, &state(1)), "cut to {len}");
            assert_eq!(store.counters().map(|c| c.step), Some(1), "cut to {len}");
        }
        std::fs::write(dir.path().join("state/a.bin"), "nonsense").unwrap();
        let error = Store::open(dir.path()).unwrap().load().unwrap_err();
        assert!(error.to_string().contains("a.bin") && error.hint().is_some(), "{error}");
    }

    #[test]
    fn a_write_cut_off_half_way_is_never_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        store.save(&state(1)).unwrap();
        let whole = std::fs::read(dir.path().join("state/a.bin")).unwrap();
        std::fs::write(dir.path().join("state/b.bin.tmp"), &whole[..whole.len() / 2]).unwrap();
        let (loaded, wrong) = Store::open(dir.path()).unwrap().load().unwrap();
        assert!(same(&loaded, &state(1)) && wrong.is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_leaves_the_old_state_and_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        store.save(&state(1)).unwrap();
        std::os::unix::fs::symlink("/dev/full", dir.path().join("state/b.bin.tmp")).unwrap();
        let error = store.save(&state(2)).unwrap_err();
        assert!(error.to_string().contains("b.bin") && error.hint().unwrap().contains("disk"), "{error}");
        assert!(same(&store.load().unwrap().0, &state(1)));
    }

    #[test]
    fn only_the_newest_good_states_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        for step in [10, 20, 30] {
            store.save_good(&state(step)).unwrap();
        }
        let mut steps = store.good_steps().unwrap();
        steps.sort_unstable();
        assert_eq!(steps, [20, 30]);
        assert!(same(&store.load_good(30).unwrap(), &state(30)) && store.load_good(10).is_err());
    }
}
