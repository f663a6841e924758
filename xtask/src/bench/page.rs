//! `docs/benchmarks.md`: the machine's class, and each section as it was measured.
use super::table::Table;
use std::fmt::Write;

/// A comparison: what was measured and how, and the figures.
pub struct Section {
    /// Heading.
    pub title: &'static str,
    /// What a reader must know to read the figures.
    pub says: String,
    /// The figures.
    pub tables: Vec<Table>,
}

/// The page.
pub fn page(command: &str, load: &str, sections: &[Section]) -> Result<String, std::fmt::Error> {
    let mut p = String::new();
    writeln!(p, "# Speed beside the peers\n")?;
    writeln!(p, "Made by `{command}`; do not edit. {} {load}\n", machine())?;
    writeln!(
        p,
        "The programs of a comparison are called in turns, never at the same time, and the median of the calls is told: a busy\n\
         machine slows all of them, though not alike: PyTorch's threads wait for one another spinning and lose most. Speeds are to be\n\
         compared within a row, not between machines."
    )?;
    for s in sections {
        writeln!(p, "\n## {}\n\n{}", s.title, s.says)?;
        for table in &s.tables {
            write!(p, "\n{}", table.markdown())?;
        }
    }
    Ok(p)
}

/// How busy the machine is: ask before anything is built.
pub fn load() -> String {
    let averages = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages.split(' ').next().filter(|load| !load.is_empty()).map_or(String::new(), |load| format!("Load before: {load}."))
}

/// The class of machine, without its name.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| cpu.lines().find_map(|l| l.strip_prefix(name)?.split_once(':').map(|(_, v)| v.trim().to_string()));
    let wide = match () {
        _ if cpu.contains("avx512_bf16") => "AVX-512 with bf16",
        _ if cpu.contains("avx512f") => "AVX-512",
        _ => "no AVX-512",
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (model, family) = (field("model name").unwrap_or_else(|| "unknown CPU".into()), field("cpu family").unwrap_or_default());
    format!("Machine class: {cores} cores, {model} (family {family}, model {}), {wide}.", field("model\t\t").unwrap_or_default())
}
