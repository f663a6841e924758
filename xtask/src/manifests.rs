//! Croissant manifests, judged by other people's code: `mlcroissant validate` on the samples' dataset and on one of awkward works.
use crate::{docs, shell};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// The validator, as it was when this was written.
const VALIDATOR: &str = "mlcroissant==1.1.1";
/// Reads every record of a manifest, which `validate` alone does not.
const READ: &str = "import sys, mlcroissant; \
    rows = list(mlcroissant.Dataset(jsonld=sys.argv[1]).records('works')); \
    assert rows and all(len(r['works/sha256']) == 64 for r in rows), rows[:1]; print(len(rows), 'records read')";

/// What a contributor asks for by name must be done.
pub fn run() -> Result<()> {
    check(&set_up()?)
}

/// Part of `cargo xtask test`, which needs nothing but Rust and a C compiler: without Python or network that is said, and no failure.
pub fn run_if_possible() -> Result<()> {
    match set_up() {
        Ok(python) => check(&python),
        Err(e) => {
            println!("manifests: not checked: {e:#}");
            Ok(())
        }
    }
}

/// Imports twice with the program and asks the validator.
fn check(python: &str) -> Result<()> {
    let program = docs::binary()?;
    let home = shell::root().join(".xtask/manifests-home");
    if home.exists() {
        fs::remove_dir_all(&home).with_context(|| home.display().to_string())?;
    }
    let reason = "these were made for the test, by the test itself";
    let fixtures = "crates/pinxit-dataset/tests/fixtures/rights";
    let imports: [(&str, &[&str]); 2] = [
        ("samples", &["samples", "--patches", "6"]),
        ("awkward", &[fixtures, "samples", "--license", "own", "--override-reservations", reason, "--keep-near-duplicates"]),
    ];
    let place = home.display().to_string();
    for (name, words) in imports {
        let import = [&["import"], words, &["--into", name, "--size", "32", "--home", &place, "-q"]].concat();
        shell::output(&program, &import)?;
        let manifest = home.join("datasets").join(name).join("croissant.json").display().to_string();
        validate(python, &manifest).with_context(|| name.to_owned())?;
        print!("manifests: {name}: ");
        println!("{}", shell::output(python, &["-c", READ, &manifest])?.trim());
    }
    Ok(())
}

/// A private environment with the validator in it.
fn set_up() -> Result<String> {
    let folder = shell::root().join(".xtask/manifest-venv");
    let python = folder.join("bin/python").display().to_string();
    let there = || shell::command(&python, &["-c", "import mlcroissant"]).output().is_ok_and(|o| o.status.success());
    if !Path::new(&python).exists() {
        shell::step("set-up", "python3", &["-m", "venv", &folder.display().to_string()])?;
    }
    if !there() {
        shell::step("set-up", &python, &["-m", "pip", "install", "--quiet", VALIDATOR])?;
    }
    Ok(python)
}

/// Warnings count as well: a manifest that other programs complain of is not done.
fn validate(python: &str, manifest: &str) -> Result<()> {
    let program = Path::new(python).with_file_name("mlcroissant").display().to_string();
    let out = shell::command(&program, &["validate", "--jsonld", manifest]).output().context("mlcroissant")?;
    let said = String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    if !out.status.success() || said.to_lowercase().contains("warning") {
        bail!("mlcroissant validate ({}):\n{said}", out.status);
    }
    Ok(())
}
