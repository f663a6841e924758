//! A collection as plain files again, for other programs and for taking it in anew: names for its pictures, and a label file.
use crate::error::{Error, Result};
use crate::{Dataset, Split};

/// What the label file of an exported collection is called.
pub const LABEL_FILE: &str = "labels.csv";

/// The name of picture `i` among exported pictures.
#[must_use]
pub fn file_name(i: usize) -> String {
    format!("{i:06}.png")
}

/// The sidecar of picture `i`, where its work is reserved against training: a picture must not lose that on its way through a dataset.
#[must_use]
pub fn sidecar(dataset: &Dataset, i: usize) -> Option<(String, &'static [u8])> {
    let reserved = dataset.record(i).signals.iter().any(|s| s.reserves);
    reserved.then(|| (format!("{i:06}.tdm.json"), &b"{\"tdm-reservation\": 1}\n"[..]))
}

/// The label file of all pictures, as CSV: file, class, style, caption, title, creator, licence, source, group and side of the split.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn label_table(dataset: &Dataset) -> Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let refused = |e: csv::Error| Error::Io(std::io::Error::other(e));
    let head = ["file", "class", "style", "caption", "title", "creator", "licence", "source", "group", "split"];
    table.write_record(head).map_err(refused)?;
    for i in 0..dataset.len() {
        let (r, file) = (dataset.record(i), file_name(i));
        let [class, style, caption, creator, source] =
            [&r.class, &r.style, &r.caption, &r.creator, &r.source].map(|value| value.as_deref().unwrap_or_default());
        let split = if r.split == Split::Train { "train" } else { "held-out" };
        table
            .write_record([&file, class, style, caption, &r.title, creator, &r.licence, source, &r.group, split])
            .map_err(refused)?;
    }
    table.into_inner().map_err(|e| Error::Io(std::io::Error::other(e.to_string())))
}
