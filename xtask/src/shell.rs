//! Running other programs from the repository root.
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The repository root: xtask lies one folder below it.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// A command in the repository root, which hears nothing of the person's own settings: an empty variable of pinxit's once changed
/// its help texts, and with them `docs/cli.md`.
pub fn command(program: &str, args: &[&str]) -> Command {
    let mut c = Command::new(program);
    c.args(args).current_dir(root());
    without_settings(&mut c, std::env::vars_os().map(|(name, _)| name));
    c
}

fn without_settings(c: &mut Command, set: impl Iterator<Item = OsString>) {
    for name in set.filter(|name| name.to_string_lossy().starts_with("PINXIT_")) {
        c.env_remove(name);
    }
}

/// The cargo that runs us.
pub fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// Runs a named step with its output shown; an error names the step.
pub fn step(name: &str, program: &str, args: &[&str]) -> Result<()> {
    step_env(name, program, args, &[])
}

/// [`step`] with environment variables set.
pub fn step_env(name: &str, program: &str, args: &[&str], env: &[(&str, &str)]) -> Result<()> {
    println!("── {name}: {program} {}", args.join(" "));
    let begun = Instant::now();
    let status =
        command(program, args).envs(env.iter().copied()).status().with_context(|| format!("{name}: cannot start {program}"))?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    println!("── {name}: ok, {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Standard output of a command that must succeed.
pub fn output(program: &str, args: &[&str]) -> Result<String> {
    output_env(program, args, &[])
}

/// [`output`] with environment variables set.
pub fn output_env(program: &str, args: &[&str], env: &[(&str, &str)]) -> Result<String> {
    let out = command(program, args).envs(env.iter().copied()).output().with_context(|| format!("cannot start {program}"))?;
    if !out.status.success() {
        bail!("{program} {} failed:\n{}", args.join(" "), String::from_utf8_lossy(&out.stderr));
    }
    Ok(String::from_utf8(out.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_person_are_not_passed_on() {
        let mut c = Command::new("pinxit");
        without_settings(&mut c, ["HOME", "PINXIT_TRAIN_KIMG"].map(OsString::from).into_iter());
        assert_eq!(c.get_envs().collect::<Vec<_>>(), [("PINXIT_TRAIN_KIMG".as_ref(), None)]);
    }
}
