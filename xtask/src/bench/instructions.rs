//! Instructions of a few kernels, counted by callgrind: a figure that a busy machine does not change, so that a regression shows.
use super::page::Section;
use super::table::Table;
use crate::shell;
use anyhow::{Context, Result, bail};

/// Shape and pass: Winograd three times, direct convolutions, depthwise. Small ones: under callgrind a program crawls.
const KERNELS: &[(&str, &str)] = &[
    ("one 16x16 128>128", "forward"),
    ("one 16x16 128>128", "input"),
    ("one 16x16 128>128", "weight"),
    ("4x4/2 32>32 at 8", "forward"),
    ("4x4/2 32>32 at 8", "weight"),
    ("1x1 16>96 at 32 of 8", "forward"),
    ("depthwise 96 small", "forward"),
    ("depthwise 96 small", "weight"),
];
/// What is counted, in cargo's words.
const PROGRAM: &str = "-p pinxit-tensor --example kernel_calls";
/// Valgrind knows no AVX-512.
const SETS: &[&str] = &["portable", "avx2"];

/// Whether instructions can be counted here.
pub fn possible() -> bool {
    shell::command("valgrind", &["--version"]).output().is_ok_and(|o| o.status.success())
}

/// `cargo xtask bench --instructions`: the counts, beside those of `docs/benchmarks.md`.
pub fn run() -> Result<()> {
    if !possible() {
        bail!("valgrind is not here: install it to count instructions (Debian's package is called valgrind)");
    }
    super::build(PROGRAM)?;
    let page = std::fs::read_to_string(shell::root().join("docs/benchmarks.md")).unwrap_or_default();
    let mut table = Table::new(3, &["shape", "pass", "set", "million instructions", "recorded", "change"]);
    each(|words, count| {
        let recorded = recorded(&page, &words);
        let change = recorded.map_or("–".into(), |r| format!("{:+.1} %", (count / r - 1.0) * 100.0));
        let numbers = [million(count), recorded.map_or("–".into(), million), change];
        table.row(&[&words[..], &numbers].concat());
    })
}

/// The section of `docs/benchmarks.md`.
pub fn measure() -> Result<Section> {
    super::build(PROGRAM)?;
    let mut table = Table::new(3, &["shape", "pass", "set", "million instructions"]);
    each(|words, count| table.row(&[&words[..], &[million(count)]].concat()))?;
    let says = "Instructions of one call on one thread, counted by callgrind (`cargo xtask bench --instructions` shows the change against this\n\
                table). They say nothing of speed on their own, and do not depend on how busy the machine is.";
    Ok(Section { title: "Instructions", says: says.into(), tables: vec![table] })
}

/// Shape, pass and set of each count, and the millions of instructions of a call.
fn each(mut tell: impl FnMut([String; 3], f64)) -> Result<()> {
    for &(shape, pass) in KERNELS {
        for &set in SETS {
            // The first call also makes room and everything else that happens once; the second only computes.
            let call = count(shape, pass, set, "2")? - count(shape, pass, set, "1")?;
            tell([shape, pass, set].map(String::from), call / 1e6);
        }
    }
    Ok(())
}

fn million(count: f64) -> String {
    format!("{count:.3}")
}

/// Instructions of the whole program.
fn count(shape: &str, pass: &str, set: &str, calls: &str) -> Result<f64> {
    let valgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let program = ["target/release/examples/kernel_calls", shape, pass, set, calls];
    let out = shell::command("valgrind", &[&valgrind[..], &program].concat()).output().context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&out.stderr);
    let collected = said.lines().find_map(|l| l.split_once("Collected :")?.1.trim().parse().ok());
    collected.filter(|_| out.status.success()).with_context(|| format!("callgrind on {shape} {pass} {set}:\n{said}"))
}

/// The count that a page holds for a shape, pass and set.
fn recorded(page: &str, words: &[String]) -> Option<f64> {
    let row = page.lines().find_map(|l| l.strip_prefix(&format!("| {} |", words.join(" | "))))?;
    row.split('|').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_count_is_found_again_on_the_page() {
        let page = "| a | input | avx2 | 9.5 |\n| a | forward | avx2 | 1.250 |\n";
        let words = ["a", "forward", "avx2"].map(String::from);
        assert_eq!(super::recorded(page, &words), Some(1.25));
        assert_eq!(super::recorded(page, &words[1..]), None);
    }
}
