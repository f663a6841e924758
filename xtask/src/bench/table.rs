//! Markdown tables that are printed row by row as they are measured.

/// A head, and rows of as many cells.
pub struct Table {
    text: String,
}

impl Table {
    /// The first `words` columns hold words, the others numbers.
    pub fn new(words: usize, head: &[&str]) -> Table {
        let sides: Vec<&str> = (0..head.len()).map(|i| if i < words { "---" } else { "--:" }).collect();
        let mut table = Table { text: String::new() };
        println!();
        table.line(&format!("| {} |", head.join(" | ")));
        table.line(&format!("|{}|", sides.join("|")));
        table
    }
    /// Adds a row, and prints it.
    pub fn row(&mut self, cells: &[String]) {
        self.line(&format!("| {} |", cells.join(" | ")));
    }
    /// The whole, as Markdown.
    pub fn markdown(&self) -> &str {
        &self.text
    }

    fn line(&mut self, line: &str) {
        println!("{line}");
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// A ratio, bold where it is the one that counts.
pub fn ratio(value: f64, bold: bool) -> String {
    if bold { format!("**{value:.2}×**") } else { format!("{value:.2}×") }
}

/// A share in percent.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_table_is_markdown() {
        let mut table = super::Table::new(1, &["what", "ms"]);
        table.row(&["one".into(), "1.0".into()]);
        assert_eq!(table.markdown(), "| what | ms |\n|---|--:|\n| one | 1.0 |\n");
    }
}
