//! Other people's verifiers judge our credentials: encypher-c2pa and c2pa-python (five formats), c2pa-ts (PNG and JPEG).
use crate::shell;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// Where the scripts and the pinned versions lie.
const SCRIPTS: &str = "benches/peers/trust";
/// Where everything is installed and written.
const FOLDER: &str = ".xtask/trust";

/// Sets up the verifiers (again is free), signs pictures, and lets them judge.
pub fn run() -> Result<()> {
    let folder = shell::root().join(FOLDER);
    std::fs::create_dir_all(&folder)?;
    let python = python(&folder)?;
    node(&folder)?;
    let pictures = folder.join("pictures");
    let pictures = text(&pictures)?;
    // With the features that the tests have: `cargo run` would build the library of C2PA once more, two minutes long. (`cargo test
    // --example` builds a test harness, and left whatever program of that name was there before.)
    shell::output(&shell::cargo(), &["build", "--workspace", "--locked", "--quiet", "--example", "fixtures"])?;
    let own = std::env::current_exe()?;
    let fixtures = own.with_file_name("examples").join(format!("fixtures{}", std::env::consts::EXE_SUFFIX));
    shell::step("sign", text(&fixtures)?, &[pictures])?;
    // What encypher remembers between calls stays in this folder as well.
    let alone = [("ENCYPHER_C2PA_TELEMETRY", "off"), ("ENCYPHER_C2PA_CONFIG_DIR", text(&folder)?)];
    shell::step_env("trust (Python)", &python, &[&format!("{SCRIPTS}/check.py"), pictures], &alone)?;
    let script = folder.join("check.mjs");
    shell::step("trust (Node)", "node", &[text(&script)?, pictures])
}

/// A Python environment with the pinned verifiers; gives its interpreter.
fn python(folder: &Path) -> Result<String> {
    let environment = folder.join("venv");
    let python = environment.join("bin/python3");
    let wanted = std::fs::read_to_string(shell::root().join(SCRIPTS).join("requirements.txt"))?;
    if !is_installed(folder, "requirements.txt", &wanted) || !python.is_file() {
        shell::step("set-up", "python3", &["-m", "venv", text(&environment)?])
            .context("Python 3 with its venv module is needed (on Debian: apt install python3-venv)")?;
        let requirements = format!("{SCRIPTS}/requirements.txt");
        shell::step("set-up", text(&python)?, &["-m", "pip", "install", "-q", "--no-deps", "-r", &requirements])?;
        std::fs::write(folder.join("requirements.txt"), wanted)?;
    }
    Ok(text(&python)?.to_string())
}

/// The pinned package of npm. Node looks for packages beside a script, so the script is copied there.
fn node(folder: &Path) -> Result<()> {
    let scripts = shell::root().join(SCRIPTS);
    let wanted = std::fs::read_to_string(scripts.join("package-lock.json"))?;
    if !is_installed(folder, "package-lock.json", &wanted) || !folder.join("node_modules").is_dir() {
        for name in ["package.json", "package-lock.json"] {
            std::fs::copy(scripts.join(name), folder.join(name))?;
        }
        // Nothing of a stranger's package runs at its installation.
        // `ci` would refuse the lock: optional binaries for other machines, which nobody needs here, are not in it.
        let args =
            ["install", "--no-save", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", text(folder)?];
        if let Err(e) = shell::step("set-up", "npm", &args) {
            std::fs::remove_file(folder.join("package-lock.json"))?;
            return Err(e).context("Node 20 with npm is needed (on Debian: apt install nodejs npm)");
        }
    }
    std::fs::copy(scripts.join("check.mjs"), folder.join("check.mjs"))?;
    Ok(())
}

/// Whether what the copy of the list in the folder says was installed is what is wanted now.
fn is_installed(folder: &Path, name: &str, wanted: &str) -> bool {
    std::fs::read_to_string(folder.join(name)).is_ok_and(|then| then == wanted)
}

fn text(path: &Path) -> Result<&str> {
    match path.to_str() {
        Some(text) => Ok(text),
        None => bail!("{} is not UTF-8", path.display()),
    }
}
