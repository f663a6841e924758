//! Commands to suggest, as they would be typed.

/// `pinxit` and these words, each quoted where a shell would take it apart.
pub fn command(words: &[&str]) -> String {
    let quoted = words.iter().map(|word| quote(word));
    std::iter::once("pinxit".to_string()).chain(quoted).collect::<Vec<_>>().join(" ")
}

/// A word as a POSIX shell takes it for one: plain where it can be, else in single quotes.
pub fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_string() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_quotes_gets_them() {
        assert_eq!(command(&["generate", "--from", "été/a-1.png"]), "pinxit generate --from été/a-1.png");
        assert_eq!(command(&["info", "my trees.png"]), "pinxit info 'my trees.png'");
        assert_eq!(quote("it's $5"), r"'it'\''s $5'");
        assert_eq!(quote(""), "''");
    }
}
