//! Lists the demo's pictures and the shipped models for `include_bytes!`, so that the program carries them wherever it goes.
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (samples, models) = (root.join("samples"), root.join("assets/models"));
    // Cargo looks into a folder's contents; one that does not exist would rebuild every time.
    for folder in [&samples, &models].into_iter().filter(|f| f.exists()) {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    println!("cargo::rerun-if-changed={}", root.join("assets").display());
    let mut code = String::new();
    table(&mut code, "SAMPLES", &samples, &["jpg", "jpeg", "png", "jsonl"]);
    table(&mut code, "MODELS", &models, &["safetensors"]);
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default().join("embedded.rs");
    if let Err(e) = std::fs::write(&out, code) {
        println!("cargo::error={}: {e}", out.display());
    }
}

/// `pub(crate) static NAME: &[(path below the folder, bytes)]`, sorted by path.
fn table(code: &mut String, name: &str, folder: &Path, endings: &[&str]) {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.retain(|f| f.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending)));
    files.sort();
    // Writing into a String cannot fail.
    let _ = writeln!(code, "pub(crate) static {name}: &[(&str, &[u8])] = &[");
    for file in files {
        let below = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        let full = file.canonicalize().unwrap_or(file);
        let _ = writeln!(code, "    ({below:?}, include_bytes!({:?})),", full.to_string_lossy());
    }
    let _ = writeln!(code, "];");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
