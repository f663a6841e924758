//! The law of the house: a crate uses only the crates above it, and only those named in ARCHITECTURE.md.
use crate::shell;
use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Each room and what it may use; the order is the order of the page.
const MAY_USE: &[(&str, &[&str])] = &[
    ("pinxit-tensor", &[]),
    ("pinxit-nn", &["pinxit-tensor"]),
    ("pinxit-image", &[]),
    ("pinxit-dataset", &["pinxit-image"]),
    ("pinxit-train", &["pinxit-tensor", "pinxit-nn", "pinxit-dataset"]),
    ("pinxit-create", &["pinxit-tensor", "pinxit-nn", "pinxit-image"]),
    ("pinxit-trust", &["pinxit-tensor", "pinxit-image"]),
    (
        "pinxit-studio",
        &["pinxit-tensor", "pinxit-nn", "pinxit-image", "pinxit-dataset", "pinxit-train", "pinxit-create", "pinxit-trust"],
    ),
    ("pinxit", &["pinxit-studio"]),
    ("xtask", &[]),
];

/// Reads `cargo metadata` and fails on any edge that is not in [`MAY_USE`] (dev-dependencies count as well).
pub fn run() -> Result<()> {
    let meta: Value =
        serde_json::from_str(&shell::output(&shell::cargo(), &["metadata", "--no-deps", "--format-version", "1"])?)?;
    let packages = meta["packages"].as_array().context("cargo metadata without packages")?;
    let mut wrong = Vec::new();
    for p in packages {
        let name = p["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = MAY_USE.iter().find(|(n, _)| *n == name) else {
            wrong.push(format!("{name}: not a room of the house; add it to ARCHITECTURE.md and xtask/src/layers.rs"));
            continue;
        };
        let used = p["dependencies"].as_array().into_iter().flatten().filter_map(|d| d["name"].as_str());
        for d in used.filter(|d| MAY_USE.iter().any(|(n, _)| n == d) && !allowed.contains(d)) {
            wrong.push(format!("{name} uses {d}, which it may not"));
        }
    }
    if !wrong.is_empty() {
        bail!("layers broken:\n  {}", wrong.join("\n  "));
    }
    println!("layers: {} crates, every edge allowed", packages.len());
    Ok(())
}
