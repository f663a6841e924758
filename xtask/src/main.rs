//! The project's chores, one word each: `cargo xtask test|layers|docs|bench|evidence`.
mod bench;
mod docs;
mod evidence;
mod layers;
mod shell;
mod test;

use anyhow::{Result, bail};

const HELP: &str = "cargo xtask CHORE

  test               set up, then format, lints, layers, tests, docs check: what CI runs
  layers             the crates use only what ARCHITECTURE.md lets them use
  docs [--write]     generated pages are current and links resolve (--write: regenerate them)
  bench [--rounds N] train and generate speed beside PyTorch, in turns, 5 rounds; writes docs/benchmarks.md
  bench --quick      one preset, one round, nothing written
  evidence [NAME]    long proofs anyone can rerun; without a name, the list";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => test::run(),
        ["layers"] => layers::run(),
        ["docs"] => docs::run(false),
        ["docs", "--write"] => docs::run(true),
        ["bench"] => bench::run(false, 5),
        ["bench", "--rounds", n] => bench::run(false, n.parse()?),
        ["bench", "--quick"] => bench::run(true, 1),
        ["evidence", rest @ ..] => evidence::run(rest),
        ["help" | "--help" | "-h"] | [] => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("no chore {other:?}\n\n{HELP}"),
    }
}
