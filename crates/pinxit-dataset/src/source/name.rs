//! What a name alone says about a file.

use crate::report::FileStatus;
use crate::source::LabelFile;

/// Label files that are used without being asked for, the most telling first.
const LABEL_FILES: [&str; 6] = ["manifest.jsonl", "labels.jsonl", "metadata.jsonl", "labels.csv", "metadata.csv", "manifest.csv"];
/// Files that lie beside pictures and are not meant as one.
const COMPANIONS: [&str; 17] = [
    "txt", "md", "json", "jsonl", "csv", "tsv", "html", "htm", "xml", "yaml", "yml", "toml", "pdf", "xmp", "ini", "log", "sha256",
];
const ARCHIVES: [&str; 9] = ["zip", "tar", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar"];

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn extension(name: &str) -> String {
    last(name).rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default()
}

pub(super) fn is_label_file(name: &str) -> bool {
    LABEL_FILES.contains(&last(name).to_ascii_lowercase().as_str())
}

/// Why a file of this name is not even opened.
pub(super) fn not_a_picture(name: &str) -> Option<(FileStatus, String)> {
    let hidden = name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX");
    let system = ["thumbs.db", "desktop.ini"].contains(&last(name).to_ascii_lowercase().as_str());
    let extension = extension(name);
    if hidden || system {
        return Some((FileStatus::Ignored, "a hidden file".into()));
    }
    if ARCHIVES.contains(&extension.as_str()) {
        return Some((FileStatus::Rejected, "an archive inside the source: name it as a source of its own".into()));
    }
    COMPANIONS.contains(&extension.as_str()).then(|| (FileStatus::Ignored, format!("a .{extension} file, not a picture")))
}

/// The label file that lies least deep, then the most telling name, then the alphabet.
pub(super) fn best_label_file(mut found: Vec<LabelFile>) -> Option<LabelFile> {
    let rank = |file: &LabelFile| {
        let own = last(&file.name).to_ascii_lowercase();
        let telling = LABEL_FILES.iter().position(|l| *l == own);
        (file.name.matches('/').count(), telling, file.name.clone())
    };
    found.sort_by_key(rank);
    found.into_iter().next()
}

/// An archive entry's path made safe, or why it is refused. Entries are never written to disk; a name that tries to climb out
/// shows that the archive was made to do harm, or by a broken tool.
pub(super) fn safe_entry(name: &str) -> std::result::Result<String, String> {
    let drive = name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
    if name.starts_with('/') || name.starts_with('\\') || drive {
        return Err("the archive names an absolute path: refused".into());
    }
    if name.contains('\0') {
        return Err("the archive names a path with a zero byte: refused".into());
    }
    let parts: Vec<&str> = name.split(['/', '\\']).filter(|p| !p.is_empty() && *p != ".").collect();
    if parts.contains(&"..") {
        return Err("the archive names a path outside itself (..): refused".into());
    }
    if parts.is_empty() {
        return Err("the archive names a file without a name: refused".into());
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn climbing_names_are_refused() {
        for bad in ["../a.png", "a/../../b.png", "/etc/passwd", "C:\\x.png", "..\\x.png", "\\\\host\\x.png", "a\0b.png", "./", ""]
        {
            assert!(safe_entry(bad).is_err(), "{bad:?}");
        }
        assert_eq!(safe_entry("./a//b\\c.png").unwrap(), "a/b/c.png");
        assert_eq!(safe_entry("a..b/..c.png").unwrap(), "a..b/..c.png");
    }

    #[test]
    fn the_shallowest_and_most_telling_label_file_wins() {
        let file = |name: &str| LabelFile { name: name.into(), source: 0, bytes: Vec::new() };
        let best = best_label_file(vec![file("a/manifest.jsonl"), file("labels.csv"), file("labels.jsonl")]).unwrap();
        assert_eq!(best.name, "labels.jsonl");
    }

    #[test]
    fn names_tell_pictures_from_company() {
        assert!(not_a_picture("a/b.PNG").is_none());
        assert!(not_a_picture("noextension").is_none());
        assert_eq!(not_a_picture("a/.DS_Store").unwrap().0, FileStatus::Ignored);
        assert_eq!(not_a_picture("a/README.md").unwrap().0, FileStatus::Ignored);
        assert_eq!(not_a_picture("more.ZIP").unwrap().0, FileStatus::Rejected);
    }
}
