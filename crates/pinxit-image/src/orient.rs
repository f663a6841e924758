//! Turning and mirroring by EXIF orientation.

/// Lays `pixels`, `[height, width, 3]`, upright: what EXIF `orientation` (1…8) says about how to show them is
/// done to them. Returns the new width, height and samples. Numbers outside 1…8 mean "as it is".
///
/// Where each result pixel `(x, y)` comes from (EXIF 2.32, table 6): 2 `(w-x, y)`, 3 `(w-x, h-y)`, 4 `(x, h-y)`,
/// 5 `(y, x)`, 6 `(y, h-x)`, 7 `(w-y, h-x)`, 8 `(w-y, x)`, counting from the far edge where subtracted.
pub(crate) fn upright(width: u32, height: u32, pixels: Vec<u8>, orientation: u8) -> (u32, u32, Vec<u8>) {
    if !(2..=8).contains(&orientation) {
        return (width, height, pixels);
    }
    let (w, h) = (width as usize, height as usize);
    let turned = orientation >= 5;
    let (out_w, out_h) = if turned { (h, w) } else { (w, h) };
    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..out_h {
        for x in 0..out_w {
            let (sx, sy) = match orientation {
                2 => (w - 1 - x, y),
                3 => (w - 1 - x, h - 1 - y),
                4 => (x, h - 1 - y),
                5 => (y, x),
                6 => (y, h - 1 - x),
                7 => (w - 1 - y, h - 1 - x),
                _ => (w - 1 - y, x),
            };
            let at = (sy * w + sx) * 3;
            out.extend_from_slice(&pixels[at..at + 3]);
        }
    }
    (out_w as u32, out_h as u32, out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    /// The letter F as the EXIF orientation chart stores it for each orientation, 1 = dark.
    const STORED: [&[&str]; 8] = [
        &["11", "1.", "11", "1.", "1."],
        &["11", ".1", "11", ".1", ".1"],
        &[".1", ".1", "11", ".1", "11"],
        &["1.", "1.", "11", "1.", "11"],
        &["11111", "1.1.."],
        &["1.1..", "11111"],
        &["..1.1", "11111"],
        &["11111", "..1.1"],
    ];

    #[test]
    fn every_orientation_of_the_chart_ends_upright() {
        for (i, rows) in STORED.iter().enumerate() {
            let (width, height) = (rows[0].len() as u32, rows.len() as u32);
            let pixels: Vec<u8> = rows.iter().flat_map(|row| row.bytes()).flat_map(|b| [b; 3]).collect();
            let (w, h, out) = upright(width, height, pixels, i as u8 + 1);
            let upright: Vec<u8> = STORED[0].iter().flat_map(|row| row.bytes()).flat_map(|b| [b; 3]).collect();
            assert_eq!((w, h), (2, 5), "orientation {}", i + 1);
            assert_eq!(out, upright, "orientation {}", i + 1);
        }
    }

    #[test]
    fn numbers_that_do_not_exist_change_nothing() {
        for orientation in [0, 1, 9, 255] {
            assert_eq!(upright(2, 1, vec![1, 2, 3, 4, 5, 6], orientation), (2, 1, vec![1, 2, 3, 4, 5, 6]));
        }
    }
}
