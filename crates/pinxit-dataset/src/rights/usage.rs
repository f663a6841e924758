//! Statements in text: `Content-Usage` (IETF aipref drafts), `tdm-reservation` (TDMRep), `X-Robots-Tag`; as headers, as rules of a
//! `robots.txt`, as JSON.

use serde_json::Value;

use super::{CONTENT_USAGE, ROBOTS_TAG, Signal, TDM, UNREADABLE};

/// Categories that speak of training, in the current vocabulary draft and those before it.
const TRAINING: [&str; 7] = ["train-ai", "train-genai", "ai", "genai", "tdm", "bots", "all"];

/// A statement for all files of a folder whose path fits a pattern.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// `/`, then a path below the folder; `*` stands for anything, a final `$` for the end.
    pub pattern: String,
    pub signal: Signal,
}

/// `train-ai=n, search=y`: what it says about training, if anything.
pub(super) fn content_usage(value: &str, place: &str) -> Option<Signal> {
    let mut allowed = false;
    for member in value.split(',') {
        // Parameters behind a semicolon have no meaning in the drafts.
        let member = member.split(';').next().unwrap_or_default();
        let Some((key, value)) = member.split_once('=') else { continue };
        if !TRAINING.contains(&key.trim().to_lowercase().as_str()) {
            continue;
        }
        match value.trim().trim_matches('"').to_lowercase().as_str() {
            "n" => return Some(Signal::new(CONTENT_USAGE, place, member.trim(), true)),
            "y" => allowed = true,
            _ => {}
        }
    }
    allowed.then(|| Signal::new(CONTENT_USAGE, place, value.trim(), false))
}

/// A saved HTTP response header, or a file written like one: `Name: value` lines.
pub(super) fn headers(text: &str, place: &str) -> Vec<Signal> {
    let mut signals = Vec::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        match name.trim().to_lowercase().as_str() {
            "content-usage" => signals.extend(content_usage(value, place)),
            "tdm-reservation" => signals.push(reservation(value, "", place)),
            "x-robots-tag" => {
                let says_no = |word: &str| ["noai", "noimageai"].contains(&word.trim().to_lowercase().as_str());
                let words = value.split([',', ':']);
                signals.extend(words.filter(|w| says_no(w)).map(|w| Signal::new(ROBOTS_TAG, place, w.trim(), true)));
            }
            _ => {}
        }
    }
    signals
}

/// `1` reserves, `0` does not; anything else is no valid statement, and taken for the stricter.
pub(super) fn reservation(value: &str, policy: &str, place: &str) -> Signal {
    let policy = if policy.is_empty() { String::new() } else { format!("; policy {policy}") };
    match value.trim().to_lowercase().as_str() {
        "1" | "true" => Signal::new(TDM, place, &format!("1{policy}"), true),
        "0" | "false" => Signal::new(TDM, place, "0", false),
        other => Signal::new(TDM, place, &format!("{other} (not 0 or 1)"), true),
    }
}

/// The rules of a `robots.txt` that speak of training, whichever agent they are for.
pub(super) fn robots(text: &str, place: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((name, value)) = line.split_once(':') else { continue };
        if !name.trim().eq_ignore_ascii_case("content-usage") {
            continue;
        }
        let value = value.trim();
        let (pattern, usage) = match value.split_once(char::is_whitespace) {
            Some((pattern, usage)) if pattern.starts_with(['/', '*']) => (pattern, usage),
            _ => ("/", value),
        };
        rules.extend(content_usage(usage, place).map(|signal| Rule { pattern: pattern.to_owned(), signal }));
    }
    rules
}

/// `tdmrep.json`, or such a file beside one picture: an object or a list of them, each with `tdm-reservation`. A file that is no
/// such JSON was meant to be one, and is taken for a reservation of everything.
pub(super) fn tdm_json(text: &str, place: &str) -> Vec<Rule> {
    let everything = |what: String| vec![Rule { pattern: "/".into(), signal: Signal::new(UNREADABLE, place, &what, true) }];
    let objects = match serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Array(objects)) => objects,
        Ok(object @ Value::Object(_)) => vec![object],
        Ok(_) => return everything("a TDM declaration that is neither an object nor a list: taken for a reservation".into()),
        Err(e) => return everything(format!("a TDM declaration that cannot be read ({e}): taken for a reservation")),
    };
    let word = |object: &Value, keys: [&str; 2]| match keys.iter().find_map(|key| object.get(key)) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Null) | None => None,
        Some(other) => Some(other.to_string()),
    };
    let rule = |object: &Value| {
        let value = word(object, ["tdm-reservation", "tdm_reservation"])?;
        let policy = word(object, ["tdm-policy", "tdm_policy"]).unwrap_or_default();
        let location = word(object, ["location", "Location"]).unwrap_or_else(|| "/".into());
        Some(Rule { pattern: path_of(&location), signal: reservation(&value, &policy, place) })
    };
    objects.iter().filter_map(rule).collect()
}

/// The path of an address.
fn path_of(location: &str) -> String {
    let path = match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => location,
    };
    if path.starts_with(['/', '*']) { path.to_owned() } else { format!("/{path}") }
}

/// Whether a pattern (RFC 9309, 2.2.3) fits a path: from its start, `*` for anything, a final `$` for the end.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, ends) = pattern.strip_suffix('$').map_or((pattern, false), |p| (p, true));
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let last = if ends { parts.pop() } else { None };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    match last {
        Some(last) => rest.ends_with(last),
        None => !ends || rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(value: &str) -> Option<bool> {
        content_usage(value, "x").map(|s| s.reserves)
    }

    #[test]
    fn preferences_about_training_are_heard() {
        for no in ["train-ai=n", "search=y, train-ai=n", "TRAIN-AI = n ;x=1", "train-genai=n", "bots=n, train-ai=y", "tdm=n"] {
            assert_eq!(usage(no), Some(true), "{no}");
        }
        assert_eq!(usage("train-ai=y"), Some(false));
        for nothing in ["search=n", "train-ai", "train-ai=maybe", "", "n", "=n"] {
            assert_eq!(usage(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn headers_are_read_line_by_line() {
        let text = "HTTP/2 200\r\nContent-Type: image/png\r\ncontent-usage: train-ai=n\r\nTDM-Reservation: 1\r\nX-Robots-Tag: otherbot: noindex, noai\r\n";
        let kinds: Vec<String> = headers(text, "x").into_iter().filter(|s| s.reserves).map(|s| s.kind).collect();
        assert_eq!(kinds, [CONTENT_USAGE, TDM, ROBOTS_TAG]);
        assert!(headers("tdm-reservation: 0\nX-Robots-Tag: noindex", "x").iter().all(|s| !s.reserves));
    }

    #[test]
    fn a_declaration_that_cannot_be_read_reserves_everything() {
        for bad in ["", "{", "1", "\"no\"", "[1"] {
            let rules = tdm_json(bad, "x");
            assert!(rules.len() == 1 && rules[0].signal.reserves && rules[0].pattern == "/", "{bad}");
        }
        assert!(tdm_json("{\"tdm-reservation\": \"perhaps\"}", "x")[0].signal.reserves);
        assert!(tdm_json("{\"name\": \"x\"}", "x").is_empty());
        let rules = tdm_json("[{\"location\":\"https://a.example/x/*.png\",\"tdm-reservation\":1,\"tdm-policy\":\"p\"}]", "x");
        assert_eq!((rules[0].pattern.as_str(), rules[0].signal.says.as_str()), ("/x/*.png", "1; policy p"));
    }

    #[test]
    fn robots_rules_have_a_path_or_none() {
        let text = "User-Agent: *\nAllow: /\nContent-Usage: train-ai=n # all\nContent-Usage: /free/ train-ai=y\nContent-usage: /x search=n\n";
        let rules = robots(text, "x");
        assert_eq!(rules.iter().map(|r| r.pattern.as_str()).collect::<Vec<_>>(), ["/", "/free/"]);
        assert_eq!(rules.iter().map(|r| r.signal.reserves).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn patterns_fit_as_robots_rules_do() {
        for (pattern, path) in
            [("/", "/a"), ("/a", "/abc"), ("/*.png$", "/x/y.png"), ("*", "/a"), ("/a*c", "/abcd"), ("/a$", "/a"), ("/*", "/")]
        {
            assert!(fits(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [("/b", "/a"), ("/*.png$", "/x.pngx"), ("/a$", "/ab"), ("/a*x", "/abc")] {
            assert!(!fits(pattern, path), "{pattern} {path}");
        }
    }
}
