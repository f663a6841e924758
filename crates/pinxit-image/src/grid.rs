//! Contact sheets.

use crate::error::{Error, Result};
use crate::picture::{Picture, byte_count};

/// The usual background of sheets, letterboxes and flattened transparency.
pub const WHITE: [u8; 3] = [255; 3];

/// Lays pictures out in rows of `columns` on white, `gap_px` apart and around; see [`grid_on`].
///
/// # Errors
/// As [`grid_on`].
pub fn grid(pictures: &[Picture], columns: usize, gap_px: u32) -> Result<Picture> {
    grid_on(pictures, columns, gap_px, WHITE)
}

/// Lays pictures out in rows of `columns`, from left to right and top to bottom, on `background`.
///
/// Every cell is as large as the largest picture; smaller ones are centred in theirs, none is scaled. Cells
/// are `gap_px` apart and as far from the sheet's edge.
///
/// # Errors
/// [`Error::Shape`] when there are no pictures, no columns, or the sheet would take more than 4 GiB.
pub fn grid_on(pictures: &[Picture], columns: usize, gap_px: u32, background: [u8; 3]) -> Result<Picture> {
    let cell_width = pictures.iter().map(Picture::width).max().unwrap_or(0);
    let cell_height = pictures.iter().map(Picture::height).max().unwrap_or(0);
    let columns = columns.min(pictures.len());
    if columns == 0 {
        return Err(Error::Shape { width: cell_width, height: cell_height, what: "a sheet needs pictures and columns" });
    }
    let side = |cell: u32, cells: usize| {
        let side = u64::from(cell) * cells as u64 + u64::from(gap_px) * (cells as u64 + 1);
        u32::try_from(side).unwrap_or(u32::MAX)
    };
    let (width, height) = (side(cell_width, columns), side(cell_height, pictures.len().div_ceil(columns)));
    byte_count(width, height)?;
    let mut sheet = Picture::filled(width, height, background);
    for (i, picture) in pictures.iter().enumerate() {
        let place = |index: usize, cell: u32, side: u32| gap_px + index as u32 * (cell + gap_px) + (cell - side) / 2;
        let x = place(i % columns, cell_width, picture.width());
        let y = place(i / columns, cell_height, picture.height());
        sheet.paste(picture, x, y);
    }
    Ok(sheet)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    #[test]
    fn cells_lie_where_they_should() {
        let pictures: Vec<_> = (0..5).map(|i| Picture::filled(4, 3, [i * 10, 1, 2])).collect();
        let sheet = grid_on(&pictures, 3, 2, [9, 9, 9]).unwrap();
        assert_eq!((sheet.width(), sheet.height()), (3 * 4 + 4 * 2, 2 * 3 + 3 * 2));
        assert_eq!(sheet.get(1, 1), Some([9, 9, 9]));
        assert_eq!(sheet.get(2, 2), Some([0, 1, 2]));
        assert_eq!(sheet.get(8, 7), Some([40, 1, 2]));
        assert_eq!(sheet.get(14, 7), Some([9, 9, 9]), "the sixth cell stays empty");
    }

    #[test]
    fn smaller_pictures_are_centred() {
        let sheet = grid(&[Picture::filled(4, 4, [0; 3]), Picture::filled(2, 2, [5; 3])], 2, 0).unwrap();
        assert_eq!(sheet.get(4, 0), Some(WHITE));
        assert_eq!(sheet.get(5, 1), Some([5; 3]));
    }

    #[test]
    fn nothing_and_far_too_much_are_errors() {
        assert!(grid(&[], 3, 0).is_err());
        assert!(grid(&[Picture::filled(1, 1, [0; 3])], 0, 0).is_err());
        assert!(grid(&[Picture::filled(1, 1, [0; 3])], 1, u32::MAX).is_err());
    }
}
