//! `pinxit doctor`: what this machine can do, and what is missing.
mod kernels;

pub use kernels::{Kernel, kernels, summary};

use pinxit_tensor::{Array, ConvSpec, Precision, Rng, Tensor};
use serde::Serialize;
use std::path::Path;

use crate::{Error, Studio, machine};

/// Memory below which training at 64 px gets tight, MiB: the own discriminator's batch of 32 takes 0.5 GiB (xs-64) to 1.9 GiB (s-128).
const MEMORY_MIB: u64 = 2048;
/// Disk space below which a run may not find room for its states and snapshots, MiB.
const DISK_MIB: u64 = 1024;

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Good.
    Fine,
    /// Works, with a drawback.
    Weak,
    /// Does not work.
    Broken,
}

impl Verdict {
    /// In a table.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Fine => "fine",
            Verdict::Weak => "weak",
            Verdict::Broken => "broken",
        }
    }
}

/// One thing looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What.
    pub what: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
}

/// Looks at everything; `settings` is what was wrong with the settings files, if they could not be used. Nothing is left behind.
pub fn examine(studio: &Studio, settings: Option<&Error>) -> Vec<Finding> {
    let mut findings = vec![processor(), instructions(), bf16(), threads(), memory(), disk(studio), home(studio)];
    findings.extend(bin(studio));
    // A home that is no folder has been told of.
    findings.extend(settings.filter(|e| !matches!(e, Error::NotAFolder { .. })).map(broken_settings));
    findings.extend([arithmetic(), weights()]);
    findings
}

fn finding(what: &'static str, is_fine: bool, otherwise: Verdict, found: String) -> Finding {
    Finding { what, verdict: if is_fine { Verdict::Fine } else { otherwise }, found }
}

fn processor() -> Finding {
    let name = machine::processor().unwrap_or_else(|| std::env::consts::ARCH.to_string());
    finding("processor", true, Verdict::Fine, name)
}

fn instructions() -> Finding {
    let all = machine::instructions();
    let is_wide = all.iter().any(|i| i.starts_with("avx") || *i == "neon");
    let found = if all.is_empty() {
        "no vector instructions: training will be slow".to_string()
    } else {
        format!("{} (of {})", machine::computes_with(), all.join(", "))
    };
    finding("instructions", is_wide, Verdict::Weak, found)
}

/// Without it nothing is amiss: everything multiplies in f32.
fn bf16() -> Finding {
    let found = if Precision::Bf16.native() {
        "native: training multiplies in it, unless --set precision=f32"
    } else {
        "not native to these instructions: training multiplies in f32"
    };
    finding("bf16", true, Verdict::Fine, found.into())
}

fn threads() -> Finding {
    let (used, cores) = (machine::threads(), machine::cores());
    let more = machine::too_many_threads().map(|more| format!(": {more}")).unwrap_or_default();
    finding("threads", true, Verdict::Fine, format!("{used} of {cores} cores{more}"))
}

fn memory() -> Finding {
    match machine::memory_mib() {
        Some((total, free)) => finding("memory", free >= MEMORY_MIB, Verdict::Weak, format!("{free} of {total} MiB available")),
        None => finding("memory", true, Verdict::Fine, "not told by this system".into()),
    }
}

fn disk(studio: &Studio) -> Finding {
    match machine::disk_free_mib(studio.home()) {
        Some(free) => finding("disk", free >= DISK_MIB, Verdict::Weak, format!("{free} MiB free")),
        None => finding("disk", true, Verdict::Fine, "not told by this system".into()),
    }
}

/// The home, or the folder it would be made in, must be one that can be listed and takes a file.
fn home(studio: &Studio) -> Finding {
    let home = studio.home();
    let tried = std::path::absolute(home).and_then(|whole| {
        let place = whole.ancestors().find(|p| p.exists()).unwrap_or(&whole);
        fs_err::read_dir(place)?;
        tempfile::NamedTempFile::new_in(place).map(drop)
    });
    let state = if home.is_dir() { "" } else { " (not made yet)" };
    match tried {
        Ok(()) => finding("home", true, Verdict::Fine, format!("{}{state}", home.display())),
        Err(e) => finding("home", false, Verdict::Broken, format!("{} cannot be used: {e}", home.display())),
    }
}

/// In one line: without the excerpt of the file that a reader of TOML draws between bars.
fn broken_settings(e: &Error) -> Finding {
    let text = e.to_string();
    let is_excerpt = |line: &&str| line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit()).starts_with('|');
    let lines: Vec<&str> = text.lines().filter(|line| !is_excerpt(line)).collect();
    finding("settings", false, Verdict::Broken, lines.join(": "))
}

/// What was removed or replaced and still takes space, if anything was.
fn bin(studio: &Studio) -> Option<Finding> {
    let mib = bytes(&studio.bin()) >> 20;
    let found = format!("{mib} MiB of removed things: delete {} to free them", studio.bin().display());
    studio.bin().exists().then(|| finding("bin", true, Verdict::Fine, found))
}

/// Bytes of all files below a folder; what cannot be read counts nothing.
fn bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|e| e.metadata().map_or(0, |m| if m.is_dir() { bytes(&e.path()) } else { m.len() })).sum()
}

/// A small convolution against sums written out: the kernels chosen for this processor compute what they should.
fn arithmetic() -> Finding {
    let (n, side, ci, co) = (2, 9, 5, 19);
    let mut rng = Rng::stream(0, "doctor");
    let x: Tensor = rng.normal_tensor(&[n, side, side, ci]);
    let w: Tensor = rng.normal_tensor(&[3, 3, ci, co]);
    let got = x.conv(&w, ConvSpec::same(3));
    let mut worst = 0.0f64;
    for (i, value) in got.data().iter().enumerate() {
        let (o, px) = (i % co, i / co);
        let (column, row, picture) = (px % side, px / side % side, px / side / side);
        let wanted = dot(&x, &w, (picture, row, column, o), (side, ci, co));
        worst = worst.max((f64::from(*value) - wanted).abs());
    }
    finding("arithmetic", worst < 1e-4, Verdict::Broken, format!("convolution is off by at most {worst:.1e}"))
}

/// One output of a 3x3 convolution with zero padding 1, in f64.
fn dot(x: &Tensor, w: &Tensor, (n, row, column, o): (usize, usize, usize, usize), (side, ci, co): (usize, usize, usize)) -> f64 {
    let mut sum = 0.0;
    for (dy, dx) in (0..3).flat_map(|dy| (0..3).map(move |dx| (dy, dx))) {
        let (y, px) = (row + dy, column + dx);
        if y == 0 || px == 0 || y > side || px > side {
            continue;
        }
        for c in 0..ci {
            let a = x.data()[((n * side + y - 1) * side + px - 1) * ci + c];
            let b = w.data()[((dy * 3 + dx) * ci + c) * co + o];
            sum += f64::from(a) * f64::from(b);
        }
    }
    sum
}

fn weights() -> Finding {
    match pinxit_nn::FeatureNet::shipped() {
        Ok(net) => finding("feature network", true, Verdict::Fine, format!("{} weights built in", net.weights().parameters())),
        Err(e) => finding("feature network", false, Verdict::Broken, e.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_computes_right() {
        let found = arithmetic();
        assert_eq!(found.verdict, Verdict::Fine, "{}", found.found);
    }

    #[test]
    fn a_home_under_a_file_is_broken() {
        let dir = tempfile::tempdir().unwrap();
        let findings = examine(&Studio::at(dir.path().join("new/home")), None);
        assert!(findings.iter().all(|f| f.verdict != Verdict::Broken), "{findings:?}");
        assert!(fs_err::read_dir(dir.path()).unwrap().next().is_none(), "nothing is left behind");
        let file = dir.path().join("file");
        fs_err::write(&file, "no folder").unwrap();
        for place in [file.join("home"), file] {
            assert_eq!(home(&Studio::at(&place)).verdict, Verdict::Broken, "{}", place.display());
        }
    }

    #[test]
    fn settings_are_told_of_in_one_line_with_the_reason() {
        let message =
            "TOML parse error at line 12, column 8\n   |\n12 | kimg = \"a | b\"\n   |        ^^^^^^^\ninvalid type: \"a | b\"";
        let e = Error::Settings { path: "config.toml".into(), message: message.into() };
        let found = broken_settings(&e).found;
        assert!(found.ends_with("TOML parse error at line 12, column 8: invalid type: \"a | b\""), "{found}");
    }

    #[test]
    fn the_bin_says_what_it_takes_and_how_to_free_it() {
        let dir = tempfile::tempdir().unwrap();
        let studio = Studio::at(dir.path());
        assert!(bin(&studio).is_none());
        fs_err::create_dir_all(studio.bin().join("runs/a")).unwrap();
        fs_err::write(studio.bin().join("runs/a/state"), vec![0; 3 << 20]).unwrap();
        let found = bin(&studio).unwrap().found;
        assert!(found.starts_with("3 MiB ") && found.contains(&studio.bin().display().to_string()), "{found}");
    }
}
