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
  bench [--rounds N] [--presets A,B]   speed, memory and start-up beside PyTorch, oneDNN and ONNX Runtime, in turns, 5 rounds;
                     writes docs/benchmarks.md
  bench --quick      one preset, a few kernels, one round, nothing written
  bench --instructions   instructions of a few kernels (valgrind), and their change against docs/benchmarks.md
  evidence [NAME]    long proofs anyone can rerun; without a name, the list";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => test::run(),
        ["layers"] => layers::run(),
        ["docs"] => docs::run(false),
        ["docs", "--write"] => docs::run(true),
        ["bench"] => bench::run(5, ""),
        ["bench", "--rounds", n] => bench::run(n.parse()?, ""),
        ["bench", "--rounds", n, "--presets", names] => bench::run(n.parse()?, names),
        ["bench", "--quick"] => bench::quick(),
        ["bench", "--instructions"] => bench::instructions::run(),
        ["evidence", rest @ ..] => evidence::run(rest),
        ["help" | "--help" | "-h"] | [] => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("no chore {other:?}\n\n{HELP}"),
    }
}
