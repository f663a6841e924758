//! `docs/benchmarks.md`: the machine's class, and each section as it was measured.
use super::table::Table;

/// A comparison: what was measured and how, and the figures.
pub struct Section {
    /// Heading.
    pub title: &'static str,
    /// What a reader must know to read the figures.
    pub says: String,
    /// The figures.
    pub tables: Vec<Table>,
}

const HEAD: &str = "# Speed beside the peers

Made by `cargo xtask bench`; do not edit.

The programs of a comparison are called in turns, never at the same time, and the median of the calls is told: a busy
machine slows all of them, though not alike: PyTorch's threads wait for one another spinning and lose most. Speeds are to be
compared within a row, not between machines. Each section says how and where it was made.
";

/// A section as it stands on the page, with the command that made it.
pub fn section(s: &Section, command: &str, load: &str) -> String {
    let tables: String = s.tables.iter().map(|table| format!("\n{}", table.markdown())).collect();
    format!("\n## {}\n\n    {command}\n\n{} {load}\n\n{}\n{tables}", s.title, machine(), s.says)
}

/// `page` with a section in the place of the one of the same title, or else at the end.
pub fn with_section(page: &str, section: &str) -> String {
    let title = |text: &str| text.trim_start().lines().next().unwrap_or_default().to_string();
    let mut sections: Vec<String> = page.split("\n## ").skip(1).map(|text| format!("\n## {text}")).collect();
    match sections.iter_mut().find(|old| title(old) == title(section)) {
        Some(old) => *old = section.to_string(),
        None => sections.push(section.to_string()),
    }
    sections.iter_mut().for_each(|s| *s = format!("{}\n", s.trim_end()));
    format!("{HEAD}{}", sections.concat())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_its_older_self() {
        let page = with_section(&with_section("", "\n## One\n\nold\n"), "\n## Two\n\ntwo\n");
        let page = with_section(&page, "\n## One\n\nnew\n");
        assert_eq!(page, format!("{HEAD}\n## One\n\nnew\n\n## Two\n\ntwo\n"));
    }
}
