//! The contact sheet of painted pictures.
use std::path::Path;

use pinxit_create::{Painter, Recipe};
use pinxit_image::{Encoding, Metadata, Picture};

use serde_json::json;

use crate::outbox::Parcel;
use crate::press::Press;
use crate::{Error, Result, paths};

/// Space between pictures of a contact sheet.
const SHEET_GAP_PX: u32 = 2;
/// Most pictures of one contact sheet.
const SHEET_MOST: usize = 4096;

/// Refuses a sheet of too many pictures, before any is painted.
pub(crate) fn check_size(pictures: usize) -> Result<()> {
    if pictures <= SHEET_MOST {
        return Ok(());
    }
    Err(Error::Setting {
        message: format!("a contact sheet of {pictures} pictures is too large"),
        hint: format!("paint at most {SHEET_MOST} at once, or leave --grid away"),
    })
}

/// The pictures as they were painted, side by side: `sheet.png`, or the next free number after it. Nobody chose that name, so another
/// sheet in the folder is no reason to fail. It is marked by what it shows.
pub(super) fn print(
    folder: &Path,
    pictures: &[Picture],
    recipes: &[Recipe],
    (columns, overwrite): (Option<usize>, bool),
    press: &Press,
    painter: &Painter,
) -> Result<Parcel> {
    let columns = columns.unwrap_or_else(|| (pictures.len() as f64).sqrt().ceil() as usize).max(1);
    let sheet = pinxit_image::grid(pictures, columns, SHEET_GAP_PX)?;
    let texts: Vec<String> = recipes.iter().map(Recipe::to_json).collect::<std::result::Result<_, _>>()?;
    let wanted = folder.join("sheet.png");
    let text = format!("sheet of {columns} columns\n{}", texts.join("\n"));
    let unsigned = press.marked(&wanted, sheet, &text, about_sheet(recipes), Encoding::Png)?;
    let path = if overwrite { wanted } else { paths::free_or(&wanted, |path| press.is_same(path, &unsigned.bytes)) };
    let file = press.signed(&path, unsigned, painter, None)?;
    Ok(Parcel::new(path, file, painter.model(), &json!({ "seeds": ranges(recipes.iter().map(|r| r.seed)) })))
}

/// What a contact sheet says of itself, as its title: no recipe paints it, but the model and the seeds paint its pictures.
fn about_sheet(recipes: &[Recipe]) -> Metadata {
    let Some(first) = recipes.first() else { return Metadata::default() };
    let seeds = ranges(recipes.iter().map(|r| r.seed));
    let title = format!("seeds {seeds} of {} ({}), psi {}", first.model.name, first.model.hash, first.psi);
    Metadata { title: Some(title), software: first.software.clone(), ..Metadata::default() }
}

/// `1,5,9-12`, as `--seeds` reads them.
fn ranges(seeds: impl Iterator<Item = u64>) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for seed in seeds {
        match runs.last_mut() {
            // A seed painted in several classes is one seed.
            Some((_, last)) if *last == seed || last.checked_add(1) == Some(seed) => *last = seed,
            _ => runs.push((seed, seed)),
        }
    }
    let written = |(first, last): &(u64, u64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.iter().map(written).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_written_as_they_are_read() {
        assert_eq!(ranges([1, 5, 9, 9, 10, 11, 12, u64::MAX].into_iter()), "1,5,9-12,18446744073709551615");
    }
}
