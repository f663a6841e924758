//! Tensors in a safetensors file, read as if the file were hostile and written so that none is ever half there.
//!
//! Reading checks in this order, each before the next can cost anything: size of the file, size of the header, the header
//! itself (the `safetensors` crate: no overlaps, no gaps, no overflow, exactly as long as the file), number types and ranks.
//! Only then are numbers copied, so memory is bounded by twice the file's own size.
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use half::f16;
use pinxit_tensor::Tensor;
use safetensors::{Dtype, SafeTensors};
use serde_json::json;

use crate::spec::Spec;
use crate::{Error, Result, Weights};

/// A header longer than this was not written by us: 600 tensors take about 60 kB.
const MAX_HEADER_BYTES: u64 = 8 << 20;
/// A file longer than this was not written by us: the largest network with its optimizer state takes about 200 MB.
const MAX_FILE_BYTES: u64 = 2 << 30;
/// Dimensions a tensor of ours may have.
const MAX_RANK: usize = 5;

/// Number type in the file. Computation is in `f32` either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Exactly what was trained.
    #[default]
    F32,
    /// Half the size, about three decimal digits: for models that are given away.
    F16,
}

/// What a file held.
#[derive(Clone, Debug)]
pub struct TensorFile {
    /// Tensors by name.
    pub weights: Weights<f32>,
    /// The file's own metadata.
    pub metadata: BTreeMap<String, String>,
}

/// A checked file whose numbers have not been copied yet.
pub(crate) struct Opened<'a> {
    file: SafeTensors<'a>,
    pub metadata: BTreeMap<String, String>,
}

/// Reads a file of F32 or F16 tensors.
pub fn read_tensors(path: &Path) -> Result<TensorFile> {
    let bytes = read_bytes(path)?;
    from_bytes(&bytes)
}

/// The same from memory.
pub fn from_bytes(bytes: &[u8]) -> Result<TensorFile> {
    let opened = Opened::new(bytes)?;
    Ok(TensorFile { weights: opened.weights()?, metadata: opened.metadata })
}

/// Writes F32 tensors. The file appears whole under its name or not at all, also if the machine stops in between.
pub fn write_tensors(path: &Path, weights: &Weights<f32>, metadata: &BTreeMap<String, String>) -> Result<()> {
    write_atomic(path, &to_bytes(weights, metadata, Precision::F32))
}

/// A file's bytes, refused if it is longer than any file of ours.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(Error::io("read", path))?;
    let len = file.metadata().map_err(Error::io("read", path))?.len();
    if len > MAX_FILE_BYTES {
        return Err(Error::TooLarge(format!("the file has {len} bytes, at most {MAX_FILE_BYTES} are read")));
    }
    let mut bytes = Vec::with_capacity(len as usize);
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    Ok(bytes)
}

/// Temporary file in the same folder, flushed to the disk, then renamed over `path`.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    // A model is as readable as any other file the person makes: her umask decides, not the privacy of temporary files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut temp = builder.tempfile_in(folder).map_err(Error::io("write", path))?;
    temp.write_all(bytes).map_err(Error::io("write", path))?;
    temp.as_file().sync_all().map_err(Error::io("write", path))?;
    temp.persist(path).map_err(|e| Error::io("write", path)(e.error))?;
    // The new name itself must reach the disk too; systems that cannot open a folder (Windows) do that by themselves.
    if let Ok(dir) = std::fs::File::open(folder) {
        dir.sync_all().map_err(Error::io("write", path))?;
    }
    Ok(())
}

/// The whole file in memory: the same tensors and metadata give the same bytes. (The crate's own writer puts metadata keys in
/// the random order of a hash map, so the header is written here; `tests/files.rs` reads it back through the crate.)
pub(crate) fn to_bytes(weights: &Weights<f32>, metadata: &BTreeMap<String, String>, precision: Precision) -> Vec<u8> {
    let (name, size) = match precision {
        Precision::F32 => ("F32", 4),
        Precision::F16 => ("F16", 2),
    };
    let (mut header, mut at) = (serde_json::Map::new(), 0);
    if !metadata.is_empty() {
        header.insert("__metadata__".into(), json!(metadata));
    }
    for (key, t) in weights {
        let end = at + t.len() * size;
        header.insert(key.clone(), json!({"dtype": name, "shape": t.shape(), "data_offsets": [at, end]}));
        at = end;
    }
    let mut head = serde_json::Value::Object(header).to_string().into_bytes();
    head.resize(head.len().next_multiple_of(8), b' ');
    let mut out = Vec::with_capacity(8 + head.len() + at);
    out.extend((head.len() as u64).to_le_bytes());
    out.extend(head);
    for t in weights.iter().map(|(_, t)| t.data()) {
        match precision {
            Precision::F32 => out.extend(t.iter().flat_map(|v| v.to_le_bytes())),
            Precision::F16 => out.extend(t.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes())),
        }
    }
    out
}

impl<'a> Opened<'a> {
    /// Checks everything about a file but its numbers.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        let Some(head) = bytes.first_chunk::<8>() else {
            return Err(Error::Damaged(format!("it has only {} bytes", bytes.len())));
        };
        let header = u64::from_le_bytes(*head);
        if header > MAX_HEADER_BYTES {
            return Err(Error::TooLarge(format!("the header claims {header} bytes, at most {MAX_HEADER_BYTES} are read")));
        }
        let (_, index) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let metadata = index.metadata().iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
        for (name, view) in file.iter() {
            if !matches!(view.dtype(), Dtype::F32 | Dtype::F16) {
                return Err(Error::NumberType { name: short(name), dtype: view.dtype().to_string() });
            }
            if view.shape().len() > MAX_RANK {
                let rank = view.shape().len();
                return Err(Error::Shapes(format!("{:?} has {rank} dimensions, at most {MAX_RANK} are used", short(name))));
            }
        }
        Ok(Opened { file, metadata })
    }

    /// Refuses missing, additional and differently shaped tensors.
    pub fn expect(&self, specs: &[Spec]) -> Result<()> {
        for s in specs {
            let found = self.file.tensor(&s.name).map_err(|_| Error::Shapes(format!("{:?} is missing", s.name)))?;
            if found.shape() != s.shape {
                return Err(Error::Shapes(format!("{:?} has shape {:?}, must have {:?}", s.name, found.shape(), s.shape)));
            }
        }
        match self.file.names().iter().find(|n| !specs.iter().any(|s| s.name == **n)) {
            Some(name) => Err(Error::Shapes(format!("{:?} is no part of it", short(name)))),
            None => Ok(()),
        }
    }

    /// Copies the numbers out. Refuses infinities and NaN.
    pub fn weights(&self) -> Result<Weights<f32>> {
        self.file
            .iter()
            .map(|(name, view)| Ok((name.to_string(), numbers(name, view.dtype(), view.shape(), view.data())?)))
            .collect()
    }
}

fn numbers(name: &str, dtype: Dtype, shape: &[usize], data: &[u8]) -> Result<Tensor<f32>> {
    let numbers: Vec<f32> = match dtype {
        Dtype::F16 => data.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        _ => data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
    };
    match numbers.iter().all(|v| v.is_finite()) {
        true => Ok(Tensor::new(shape, numbers)),
        false => Err(Error::NotFinite(short(name))),
    }
}

/// What the crate found wrong, in words.
fn damaged(e: safetensors::SafeTensorError) -> Error {
    use safetensors::SafeTensorError as S;
    Error::Damaged(match e {
        S::MetadataIncompleteBuffer => "its length is not what its header says".into(),
        S::InvalidHeaderLength => "it ends within its header".into(),
        S::InvalidHeader(_) | S::InvalidHeaderDeserialization(_) => "its header is not readable".into(),
        S::InvalidOffset(name) => format!("tensor {:?} lies outside its place", short(&name)),
        S::TensorInvalidInfo => "a tensor's shape does not fit its length".into(),
        S::ValidationOverflow => "a tensor claims more numbers than can be counted".into(),
        other => format!("{other}"),
    })
}

/// A name from a file, fit for an error message.
fn short(name: &str) -> String {
    name.chars().take(80).collect()
}

/// Infinities and NaN are not refused when a training state is written, only when it is read; this names the first one.
pub(crate) fn first_not_finite(weights: &Weights<f32>) -> Option<&str> {
    weights.iter().find(|(_, t)| t.data().iter().any(|v| !v.is_finite())).map(|(n, _)| n.as_str())
}
