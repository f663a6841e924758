//! "Did you mean": names close to a mistyped one.

/// At most three of `known` within a third of the length (at least two edits) of `wanted`, or that contain it; nearest
/// first, ties in the order given. Case is ignored.
pub fn matches<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let limit = (wanted.chars().count() / 3).max(2);
    let mut close: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let edits = distance(&wanted, &lower);
            let contains = wanted.chars().count() >= 3 && (lower.contains(&wanted) || wanted.contains(&lower));
            (edits <= limit && edits < lower.chars().count() || contains).then_some((edits, name))
        })
        .collect();
    close.sort_by_key(|(edits, _)| *edits);
    close.into_iter().take(3).map(|(_, name)| name).collect()
}

/// `"a", "b"`: names quoted, with commas.
pub fn listed(names: &[&str]) -> String {
    names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ")
}

/// A hint: `did you mean "a"?`, or where nothing is near, `otherwise` and the names there are, the first 12 of them.
pub fn hint(wanted: &str, known: &[&str], otherwise: &str) -> String {
    let close = matches(wanted, known.iter().copied());
    if !close.is_empty() {
        return format!("did you mean {}?", listed(&close));
    }
    let shown = &known[..known.len().min(12)];
    let rest = if known.len() > shown.len() { format!(" and {} more", known.len() - shown.len()) } else { String::new() };
    format!("{otherwise} {}{rest}", listed(shown))
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, d) in [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("é", "e", 1)] {
            assert_eq!(distance(a, b), d, "{a} {b}");
            assert_eq!(distance(b, a), d, "{b} {a}");
        }
    }

    #[test]
    fn nearest_first_and_nothing_far() {
        let known = ["roses", "rose", "tulip", "primrose"];
        assert_eq!(matches("rosé", known), ["rose", "roses"]);
        assert_eq!(matches("TULIPS", known), ["tulip"]);
        assert!(matches("zebra", known).is_empty());
        assert!(matches("xy", ["ab"]).is_empty(), "two edits of two letters is another word");
    }
}
