//! What this machine is and how much of it may be used.
use std::path::Path;
use std::sync::OnceLock;

use pinxit_tensor::Isa;

use crate::settings::Instructions;
use crate::{Error, Result};

/// Most threads that may be asked for.
pub const MOST_THREADS: u16 = 1024;

/// Threads asked for.
static ASKED: OnceLock<usize> = OnceLock::new();

/// Sets what everything computes with: the number of threads, 1 to [`MOST_THREADS`] (None takes every core; never more than
/// [`cores`]), and the instructions. Call it once.
pub fn prepare(threads: Option<usize>, instructions: Instructions) -> Result<()> {
    let isa = match instructions {
        Instructions::Auto => None,
        Instructions::Portable => Some(Isa::Portable),
        Instructions::Avx2 => Some(Isa::Avx2),
        Instructions::Avx512 => Some(Isa::Avx512),
    };
    if isa.is_some_and(|isa| !pinxit_tensor::set_isa(isa)) {
        return Err(Error::Setting {
            message: format!("this processor has no {instructions}"),
            hint: "leave the setting out to use the best there is".into(),
        });
    }
    if let Some(n) = threads {
        pinxit_tensor::set_threads(n);
        ASKED.get_or_init(|| n);
    }
    Ok(())
}

/// Instructions and threads in use, in words.
pub fn computes_with() -> String {
    pinxit_tensor::cpu()
}

/// Threads in use.
pub fn threads() -> usize {
    pinxit_tensor::pool::threads()
}

/// Cores the system lets this process use, by its affinity and by the quota of its control group.
pub fn cores() -> usize {
    pinxit_tensor::pool::offered()
}

/// What there is to say where more threads were asked for than there are cores.
pub fn too_many_threads() -> Option<String> {
    let (asked, cores) = (*ASKED.get()?, cores());
    (asked > cores).then(|| format!("{asked} threads asked for, this machine offers {cores}"))
}

/// The processor's name, if the system tells.
pub fn processor() -> Option<String> {
    let text = fs_err::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_string())
}

/// Vector instructions the processor has, widest first.
pub fn instructions() -> Vec<&'static str> {
    let mut found = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        let known = [
            ("avx512bf16", std::arch::is_x86_feature_detected!("avx512bf16")),
            ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
            ("avx2", std::arch::is_x86_feature_detected!("avx2")),
            ("fma", std::arch::is_x86_feature_detected!("fma")),
        ];
        found.extend(known.into_iter().filter(|(_, has)| *has).map(|(name, _)| name));
    }
    #[cfg(target_arch = "aarch64")]
    found.push("neon");
    found
}

/// Total and available memory, MiB, if the system tells.
pub fn memory_mib() -> Option<(u64, u64)> {
    let text = fs_err::read_to_string("/proc/meminfo").ok()?;
    let field = |name: &str| -> Option<u64> {
        let line = text.lines().find(|l| l.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
    };
    Some((field("MemTotal:")?, field("MemAvailable:")?))
}

/// Free space on the disk that holds `path` (or its nearest existing parent), MiB, if `df` tells.
pub fn disk_free_mib(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|p| p.is_dir())?;
    let output = std::process::Command::new("df").arg("-Pk").arg(existing).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok().map(|kib| kib / 1024)
}
