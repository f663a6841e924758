//! Generated pages and links: what the docs say exists.
use crate::shell;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Checks (or with `write` regenerates) `docs/cli.md`, then every relative link in tracked Markdown.
pub fn run(write: bool) -> Result<()> {
    cli_reference(write)?;
    links()
}

/// The reference is what the binary says of itself, so it cannot drift.
fn cli_reference(write: bool) -> Result<()> {
    let now = shell::output(&binary()?, &["cli-reference"])?;
    let page = shell::root().join("docs/cli.md");
    if write {
        return fs::write(&page, now).with_context(|| page.display().to_string());
    }
    let then = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    if now != then {
        bail!("docs/cli.md is out of date: run `cargo xtask docs --write`");
    }
    println!("docs: docs/cli.md is current");
    Ok(())
}

/// The program as the tests use it. `cargo run` would build all of it once more: without the tests' dependencies, features differ.
pub fn binary() -> Result<String> {
    shell::output(&shell::cargo(), &["test", "--workspace", "--locked", "--quiet", "--no-run", "--test", "help"])?;
    let own = std::env::current_exe()?;
    Ok(own.with_file_name(format!("pinxit{}", std::env::consts::EXE_SUFFIX)).to_string_lossy().into_owned())
}

/// Every `](path)` that is neither a URL nor an anchor must name a file that is there.
fn links() -> Result<()> {
    let root = shell::root();
    let listed = shell::output("git", &["ls-files", "--cached", "--others", "--exclude-standard", "*.md"])?;
    let (mut seen, mut broken) = (0, Vec::new());
    for page in listed.lines().map(PathBuf::from) {
        let Ok(text) = fs::read_to_string(root.join(&page)) else { continue };
        for target in targets(&text) {
            seen += 1;
            let place = page.parent().unwrap_or(Path::new("")).join(target);
            if !root.join(&place).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    if !broken.is_empty() {
        bail!("broken links:\n  {}", broken.join("\n  "));
    }
    println!("docs: {seen} links resolve");
    Ok(())
}

fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next()).filter(|t| !t.is_empty() && !t.contains(':'))
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_relative_files_are_targets() {
        let text = "[a](docs/a.md) [b](https://x.y/z) [c](#here) ![d](e.png \"title\") [f](g.md#part)";
        assert_eq!(super::targets(text).collect::<Vec<_>>(), ["docs/a.md", "e.png", "g.md"]);
    }
}
