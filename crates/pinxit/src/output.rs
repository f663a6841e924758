//! What commands say: errors with hints, tables, the suggestion of what to do next.
use std::error::Error as _;
use std::io::Write;

use pinxit_studio::Error;

const RED: &str = "\x1b[1;31m";
const CYAN: &str = "\x1b[1;36m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// `error: …` and `hint: …` on stderr; with `--json` also as an object on stdout.
pub fn error(e: &Error, json: bool) {
    let (message, hint) = (message(e), e.hint());
    if json {
        error_event(&message, hint.as_deref());
    }
    let word = if matches!(e, Error::Interrupted { .. }) { "stopped" } else { "error" };
    let message = if word == "stopped" { "nothing is lost".to_string() } else { message };
    say(&format!("{RED}{word}:{PLAIN} {message}"));
    if let Some(hint) = hint {
        say(&format!("{CYAN}hint:{PLAIN} {hint}"));
    }
}

/// Wrong usage as an object on stdout. clap has put it into paragraphs: the first is the message, and one may be of tips.
pub fn usage(e: &clap::Error) {
    let text = e.to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let message = paragraphs.next().unwrap_or_default();
    let hint = paragraphs.find_map(|p| p.strip_prefix("tip: ")).map(|tips| tips.replace("\n  tip: ", "; "));
    error_event(message.trim_start_matches("error: "), hint.as_deref());
}

fn error_event(message: &str, hint: Option<&str>) {
    let fields = serde_json::json!({ "event": "error", "message": message, "hint": hint });
    data(&pinxit_studio::event::versioned(&fields));
}

/// The message with its causes behind it, each said once.
fn message(e: &Error) -> String {
    let mut message = e.to_string();
    let mut cause = e.source();
    while let Some(c) = cause {
        let text = c.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = c.source();
    }
    message
}

/// A panic: a mistake of ours.
pub fn internal(what: &str) {
    say(&format!("{RED}internal error:{PLAIN} {what}"));
    say(&format!("{CYAN}hint:{PLAIN} this is a mistake in pinxit; whatever was saved is whole. Please report it with this text"));
}

/// Text of a stranger's file on one line of a terminal: nothing in it may move the cursor or pass for a line of ours.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A warning on stderr.
pub fn warning(message: &str, hint: Option<&str>) {
    say(&format!("{BOLD}warning:{PLAIN} {message}"));
    if let Some(hint) = hint {
        say(&format!("{CYAN}hint:{PLAIN} {hint}"));
    }
}

/// One line on stderr. That nobody can read it is no reason to stop.
pub fn say(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// One line of data on stdout: what was asked for, so a disk that is full ends the program. A reader that went away (`| head`) has
/// what it wanted.
pub fn data(line: &str) {
    match try_data(line) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(e) => {
            say(&format!("{RED}error:{PLAIN} standard output: {e}"));
            std::process::exit(1);
        }
    }
}

/// One line of data on stdout.
pub fn try_data(line: &str) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// What a dry run found out: one JSON object, or lines for people.
pub fn dry_run(json: bool, object: serde_json::Value, lines: &str) {
    if json { data(&pinxit_studio::event::versioned(&object)) } else { data(lines.trim_end()) }
}

/// The last line: what makes sense now.
pub fn next(commands: &[String]) {
    for (i, command) in commands.iter().enumerate() {
        say(&format!("{CYAN}{}{PLAIN} {command}", if i == 0 { "next:" } else { "  or:" }));
    }
}

/// Rows under headings, columns aligned, two spaces apart; numbers (all but the first column of digits) are right-aligned.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |c: usize| {
        let cells = rows.iter().filter_map(|r| r.get(c)).map(|cell| cell.chars().count());
        cells.chain([headings[c].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let is_number = |s: &String| s.is_empty() || s == "-" || s.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let right: Vec<bool> = (0..headings.len()).map(|c| c > 0 && rows.iter().all(|r| r.get(c).is_none_or(is_number))).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().enumerate().map(|(c, cell)| {
            let gap = " ".repeat(widths[c] - cell.chars().count());
            if right[c] { format!("{gap}{cell}") } else { format!("{cell}{gap}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    let head: Vec<String> = headings.iter().map(|h| h.to_string()).collect();
    std::iter::once(line(&head)).chain(rows.iter().map(|r| line(r))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align() {
        let rows = vec![vec!["trees".into(), "412".into(), "oak".into()], vec!["été".into(), "9".into(), "".into()]];
        assert_eq!(table(&["name", "pictures", "note"], &rows), "name   pictures  note\ntrees       412  oak\nété           9");
    }
}
