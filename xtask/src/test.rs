//! `cargo xtask test`: what CI runs and what a contributor runs, with its own set-up.
use crate::{docs, layers, manifests, shell, trust};
use anyhow::{Context, Result};

/// Cheap checks first, so that a slip is told in seconds.
pub fn run() -> Result<()> {
    set_up()?;
    let cargo = shell::cargo();
    shell::step("format", &cargo, &["fmt", "--all", "--check"])?;
    layers::run()?;
    shell::step("lints", &cargo, &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    // Unit, property, snapshot, gradient, golden and end-to-end tests, all in the dev profile (optimised, with checks).
    shell::step("tests", &cargo, &["test", "--workspace", "--locked", "--no-fail-fast"])?;
    trust::run()?;
    shell::step_env("rustdoc", &cargo, &["doc", "--workspace", "--no-deps", "--locked"], &[("RUSTDOCFLAGS", "-D warnings")])?;
    docs::run(false)?;
    manifests::run_if_possible()?;
    println!("all well");
    Ok(())
}

/// rustfmt and clippy are components of the toolchain; a minimal one lacks them.
fn set_up() -> Result<()> {
    for (component, probe) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        let there = shell::command(&shell::cargo(), &[probe, "--version"]).output().is_ok_and(|o| o.status.success());
        if !there {
            shell::step("set-up", "rustup", &["component", "add", component])
                .with_context(|| format!("`cargo {probe}` is missing and rustup could not add it"))?;
        }
    }
    Ok(())
}
