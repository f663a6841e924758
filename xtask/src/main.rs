//! The project's chores, one word each: `cargo xtask test|layers|docs|trust|bench|evidence`.
mod bench;
mod docs;
mod evidence;
mod layers;
mod manifests;
mod shell;
mod test;
mod trust;

use anyhow::{Result, bail};

const HELP: &str = "cargo xtask CHORE

  test               set up, then format, lints, layers, tests, docs check: what CI runs
  layers             the crates use only what ARCHITECTURE.md lets them use
  docs [--write]     generated pages are current and links resolve (--write: regenerate them)
  manifests          mlcroissant (Python, set up in .xtask/) accepts the manifests of two datasets
  bench              speed, memory and start-up beside PyTorch, oneDNN and ONNX Runtime, in turns; writes docs/benchmarks.md
                     [--rounds 5] [--presets xs-64,s-64] [--parts peak,training,painting,kernels,start-up,instructions]
  bench --quick      one preset, a few kernels, one round, nothing written
  bench --instructions   instructions of a few kernels (valgrind), and their change against docs/benchmarks.md
  trust              other people's verifiers judge our credentials (part of test; sets them up in .xtask/trust)
  evidence [NAME]    long proofs anyone can rerun; without a name, the list";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => test::run(),
        ["layers"] => layers::run(),
        ["docs"] => docs::run(false),
        ["docs", "--write"] => docs::run(true),
        ["manifests"] => manifests::run(),
        ["trust"] => trust::run(),
        ["bench", "--quick"] => bench::quick(),
        ["bench", "--instructions"] => bench::instructions::run(),
        ["bench", rest @ ..] => bench::run(rest),
        ["evidence", rest @ ..] => evidence::run(rest),
        ["help" | "--help" | "-h"] | [] => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("no chore {other:?}\n\n{HELP}"),
    }
}
