//! Names of licences: SPDX ids where one is meant, and what the well-known ones ask for.

/// An artist's own works, not licensed from anybody.
pub const OWN: &str = "LicenseRef-own";
/// Works without any right left.
const PUBLIC_DOMAIN: &str = "LicenseRef-public-domain";

/// Other SPDX ids that count when they stand alone in a rights field.
const KNOWN: [&str; 12] = [
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unlicense",
    "0BSD",
    "OFL-1.1",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
];

/// What a licence asks of those who use a work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// Name the creator.
    pub attribution: bool,
    /// Pass adaptations on under the same terms.
    pub share_alike: bool,
    /// Not for commerce.
    pub non_commercial: bool,
    /// Share no adaptations.
    pub no_derivatives: bool,
}

/// The name under which a licence is recorded: the SPDX id where `text` is a Creative Commons address or another way to write one,
/// [`OWN`] for `own`; other words stand as they are. `None` where nothing is stated (`unstated`, `unknown`, `none`, SPDX `NOASSERTION`).
#[must_use]
pub fn named(text: &str) -> Option<String> {
    let text = text.trim();
    match text.to_lowercase().as_str() {
        "" | "unstated" | "unknown" | "none" | "noassertion" | "n/a" | "-" => None,
        "own" | "own work" | "own works" | "licenseref-own" => Some(OWN.to_owned()),
        _ => Some(clear(text).unwrap_or_else(|| text.to_owned())),
    }
}

/// The licence that a rights field names beyond doubt: a Creative Commons address in it, or an SPDX id and nothing else.
#[must_use]
pub fn clear(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    if let Some(id) = of_address(&lower).or_else(|| of_words(&lower)) {
        return Some(id);
    }
    if ["public domain", "publicdomain", "licenseref-public-domain"].contains(&lower.trim_end_matches('.')) {
        return Some(PUBLIC_DOMAIN.to_owned());
    }
    KNOWN.iter().find(|known| known.eq_ignore_ascii_case(text.trim())).map(|known| (*known).to_owned())
}

/// `…creativecommons.org/licenses/by-sa/4.0/…`
fn of_address(lower: &str) -> Option<String> {
    let (_, rest) = lower.split_once("creativecommons.org/")?;
    let mut parts = rest.split(['/', '?', '#', ' ', '"', '<', ')', ',', ';']);
    let (kind, code) = (parts.next()?, parts.next()?);
    let version = parts.next().filter(|v| is_version(v));
    match (kind, code) {
        ("publicdomain", "zero") => Some("CC0-1.0".to_owned()),
        ("publicdomain", "mark") => Some("CC-PDM-1.0".to_owned()),
        ("licenses", code) => creative(code.split('-'), version),
        _ => None,
    }
}

/// `CC BY-SA 4.0`, `cc-by-4.0`, `CC0 1.0 Universal`
fn of_words(lower: &str) -> Option<String> {
    let words: Vec<&str> = lower.split([' ', '-', '_']).filter(|w| !w.is_empty()).collect();
    match words.as_slice() {
        ["cc0"] | ["cc0", "1.0"] | ["cc0", "1.0", "universal"] => Some("CC0-1.0".to_owned()),
        ["cc", "pdm"] | ["cc", "pdm", "1.0"] => Some("CC-PDM-1.0".to_owned()),
        ["cc", elements @ .., last] if is_version(last) => creative(elements.iter().copied(), Some(last)),
        ["cc", elements @ ..] => creative(elements.iter().copied(), None),
        _ => None,
    }
}

fn is_version(word: &str) -> bool {
    !word.is_empty() && word.len() < 6 && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// SPDX writes the elements in one order, whatever order people do.
fn creative<'a>(elements: impl Iterator<Item = &'a str>, version: Option<&str>) -> Option<String> {
    let elements: Vec<&str> = elements.collect();
    let known = ["by", "nc", "nd", "sa"];
    if elements.is_empty() || elements.iter().any(|e| !known.contains(e)) {
        return None;
    }
    let mut id = String::from("CC");
    for element in known.iter().filter(|e| elements.contains(e)) {
        id.push('-');
        id.push_str(&element.to_uppercase());
    }
    if let Some(version) = version {
        id.push('-');
        id.push_str(version);
    }
    Some(id)
}

/// What a licence of this name asks for; `None` for names whose terms are not known here.
#[must_use]
pub fn terms(licence: &str) -> Option<Terms> {
    let upper = licence.to_uppercase();
    match upper.as_str() {
        "CC0-1.0" | "CC-PDM-1.0" | "UNLICENSE" | "0BSD" => return Some(Terms::default()),
        _ if upper == PUBLIC_DOMAIN.to_uppercase() || licence == OWN => return Some(Terms::default()),
        _ => {}
    }
    if let Some(elements) = upper.strip_prefix("CC-") {
        let has = |element: &str| elements.split('-').any(|e| e == element);
        return Some(Terms {
            attribution: has("BY"),
            share_alike: has("SA"),
            non_commercial: has("NC"),
            no_derivatives: has("ND"),
        });
    }
    let known = KNOWN.contains(&licence);
    known.then(|| Terms { attribution: true, share_alike: licence.starts_with("GPL"), ..Terms::default() })
}

/// Of two licences of one work the stricter: fewer freedoms; where one's terms are not known here, or both are alike, the first.
#[must_use]
pub(crate) fn stricter(first: Option<String>, second: Option<String>) -> Option<String> {
    let (a, b) = match (first, second) {
        (Some(a), Some(b)) => (a, b),
        (first, second) => return first.or(second),
    };
    if a == OWN {
        return Some(a);
    }
    match (terms(&a).map(weight), terms(&b).map(weight)) {
        (Some(weight_a), Some(weight_b)) if weight_b > weight_a => Some(b),
        _ => Some(a),
    }
}

fn weight(t: Terms) -> u8 {
    u8::from(t.attribution) + 2 * u8::from(t.share_alike) + 4 * u8::from(t.non_commercial) + 8 * u8::from(t.no_derivatives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_licence_has_one_name() {
        for (text, name) in [
            ("own", OWN),
            ("Own work", OWN),
            ("cc0", "CC0-1.0"),
            ("CC0 1.0 Universal", "CC0-1.0"),
            ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
            ("http://creativecommons.org/licenses/by-nc-sa/3.0/de/", "CC-BY-NC-SA-3.0"),
            ("This work is licensed under <a href=\"https://creativecommons.org/licenses/by/4.0/\">", "CC-BY-4.0"),
            ("CC BY-SA 4.0", "CC-BY-SA-4.0"),
            ("cc-by-sa-nc-4.0", "CC-BY-NC-SA-4.0"),
            ("CC-BY", "CC-BY"),
            ("mit", "MIT"),
            ("Public Domain.", "LicenseRef-public-domain"),
            ("bought from Ann, 2024", "bought from Ann, 2024"),
        ] {
            assert_eq!(named(text).as_deref(), Some(name), "{text}");
        }
        for nothing in ["", " ", "unstated", "Unknown", "none"] {
            assert_eq!(named(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_rights_notice_is_no_licence() {
        for text in ["© Ann, all rights reserved", "Ann", "CC Ann", "see my website", "https://ann.example/licence", "cc"] {
            assert_eq!(clear(text), None, "{text}");
        }
    }

    #[test]
    fn the_stricter_counts_where_both_are_known() {
        let of = |a: &str, b: &str| stricter(Some(a.into()), Some(b.into())).unwrap();
        assert_eq!(of("CC0-1.0", "CC-BY-4.0"), "CC-BY-4.0");
        assert_eq!(of("CC-BY-ND-4.0", "CC-BY-NC-SA-4.0"), "CC-BY-ND-4.0");
        assert_eq!(of("bought", "CC-BY-4.0"), "bought");
        assert_eq!(of(OWN, "CC-BY-4.0"), OWN, "an artist may use her own work whatever she lets others do");
        assert_eq!(stricter(None, Some("MIT".into())).as_deref(), Some("MIT"));
        assert!(terms("CC-BY-NC-4.0").unwrap().non_commercial && terms("bought").is_none());
    }
}
