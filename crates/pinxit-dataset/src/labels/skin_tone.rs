//! Emoji titles end in skin tones: `kiss: woman, man, medium-light skin tone`. The motif is the title without them.

const TONES: [&str; 5] = ["light", "medium-light", "medium", "medium-dark", "dark"];

/// The title without its skin tones; the same for all variants of one motif and for the one without a tone.
pub(super) fn motif(title: &str) -> String {
    let (head, tail) = title.split_once(':').unwrap_or((title, ""));
    let rest: Vec<&str> = tail.split(',').map(str::trim).filter(|part| !part.is_empty() && !is_tone(part)).collect();
    if rest.is_empty() { head.trim().to_owned() } else { format!("{}: {}", head.trim(), rest.join(", ")) }
}

fn is_tone(part: &str) -> bool {
    part.strip_suffix(" skin tone").is_some_and(|tone| TONES.contains(&tone))
}

#[cfg(test)]
mod tests {
    use super::motif;

    #[test]
    fn tones_go_and_motifs_stay() {
        for (title, expected) in [
            ("Santa Claus: light skin tone", "Santa Claus"),
            ("Santa Claus", "Santa Claus"),
            ("kiss: man, man, medium-dark skin tone", "kiss: man, man"),
            ("kiss: man, man", "kiss: man, man"),
            ("people holding hands: light skin tone, dark skin tone", "people holding hands"),
            ("woman: medium skin tone, red hair", "woman: red hair"),
            ("woman: red hair", "woman: red hair"),
            ("keycap: #", "keycap: #"),
        ] {
            assert_eq!(motif(title), expected);
        }
    }
}
