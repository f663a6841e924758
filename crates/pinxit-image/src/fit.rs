//! Bringing a picture of any shape to a given one, without ever stretching it.

use crate::error::{Error, Result};
use crate::grid::WHITE;
use crate::picture::{Picture, Window, byte_count};
use crate::resize::resize;
use crate::saliency::Detail;
use serde::{Deserialize, Serialize};

/// How a picture of another shape is brought to the one asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// The largest window in the middle.
    Centre,
    /// The largest window with the most detail, the middle preferred where it hardly matters.
    #[default]
    Smart,
    /// The whole picture, centred on white.
    Letterbox,
}

/// How many places along the free axis are compared.
const PLACES: u32 = 33;

/// How much of the detail a window at the very edge may lose to the middle: the "mild" in mild preference.
const CENTRE_PREFERENCE: f64 = 0.15;

impl std::fmt::Display for Fit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Centre => "centre",
            Self::Smart => "smart",
            Self::Letterbox => "letterbox",
        })
    }
}

impl std::str::FromStr for Fit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "centre" | "center" => Ok(Self::Centre),
            "smart" => Ok(Self::Smart),
            "letterbox" => Ok(Self::Letterbox),
            other => Err(Error::Setting { name: "fit", value: other.to_string(), range: "centre, smart, letterbox" }),
        }
    }
}

/// The picture brought to `width × height` px by cropping or on white bars, scaled in linear light.
///
/// # Errors
/// [`Error::Shape`] when a side is 0 or the result would take more than 4 GiB.
pub fn fit(picture: &Picture, how: Fit, width: u32, height: u32) -> Result<Picture> {
    byte_count(width, height)?;
    match how {
        Fit::Letterbox => letterbox(picture, width, height),
        Fit::Centre => {
            let (w, h) = largest(picture, width, height);
            let (x, y) = ((picture.width() - w) / 2, (picture.height() - h) / 2);
            resize(&picture.crop(Window { x, y, width: w, height: h })?, width, height)
        }
        Fit::Smart => resize(&picture.crop(smart_window(picture, width, height)?)?, width, height),
    }
}

/// The sides of the largest window of the shape `width : height` in a picture, px.
pub(crate) fn largest(picture: &Picture, width: u32, height: u32) -> (u32, u32) {
    let (pw, ph) = (u64::from(picture.width()), u64::from(picture.height()));
    let (w, h) = (u64::from(width), u64::from(height));
    // Rounded to the nearest pixel, and at least one: both quotients are at most the picture's own side.
    let side = |a: u64, b: u64, c: u64| (((2 * a * b + c) / (2 * c)).max(1)) as u32;
    if pw * h >= ph * w {
        (side(ph, w, h).min(picture.width()), picture.height())
    } else {
        (picture.width(), side(pw, h, w).min(picture.height()))
    }
}

/// The largest window of the shape asked for, slid along its free axis to where it holds the most detail.
fn smart_window(picture: &Picture, width: u32, height: u32) -> Result<Window> {
    let (w, h) = largest(picture, width, height);
    let (free_x, free_y) = (picture.width() - w, picture.height() - h);
    let middle = Window { x: free_x / 2, y: free_y / 2, width: w, height: h };
    if free_x == 0 && free_y == 0 {
        return Ok(middle);
    }
    let detail = Detail::of(picture);
    let mut best = (f64::NEG_INFINITY, middle);
    for place in 0..PLACES {
        let along = |free: u32| (u64::from(free) * u64::from(place) / u64::from(PLACES - 1)) as u32;
        let window = Window { x: along(free_x), y: along(free_y), ..middle };
        let off_centre = (f64::from(place) / f64::from(PLACES - 1) * 2.0 - 1.0).abs();
        let score = detail.share(window) * (1.0 - CENTRE_PREFERENCE * off_centre);
        if score > best.0 {
            best = (score, window);
        }
    }
    Ok(best.1)
}

fn letterbox(picture: &Picture, width: u32, height: u32) -> Result<Picture> {
    // The largest size of the picture's own shape that fits: the roles of picture and frame are exchanged.
    let (pw, ph) = (u64::from(picture.width()), u64::from(picture.height()));
    let (w, h) = (u64::from(width), u64::from(height));
    let (inner_w, inner_h) = if pw * h >= ph * w {
        (width, ((2 * w * ph + pw) / (2 * pw)).clamp(1, h) as u32)
    } else {
        (((2 * h * pw + ph) / (2 * ph)).clamp(1, w) as u32, height)
    };
    let mut sheet = Picture::filled(width, height, WHITE);
    sheet.paste(&resize(picture, inner_w, inner_h)?, (width - inner_w) / 2, (height - inner_h) / 2);
    Ok(sheet)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    /// A flat picture with a checked square at `x0..x0 + 40`.
    fn checked_at(width: u32, height: u32, x0: u32) -> Picture {
        Picture::from_fn(width, height, |x, y| {
            let inside = (x0..x0 + 40).contains(&x) && (x / 4 + y / 4).is_multiple_of(2);
            if inside { [250, 20, 20] } else { [90, 90, 90] }
        })
    }

    #[test]
    fn smart_finds_the_detail_and_centre_does_not() {
        for x0 in [0, 130, 260] {
            let picture = checked_at(300, 60, x0);
            let window = smart_window(&picture, 10, 10).unwrap();
            assert!(window.x <= x0 && x0 + 40 <= window.x + window.width, "detail at {x0}, window {window:?}");
        }
        let centre = fit(&checked_at(300, 60, 0), Fit::Centre, 30, 30).unwrap();
        assert_eq!(centre, Picture::filled(30, 30, [90; 3]));
    }

    #[test]
    fn a_flat_picture_is_cropped_in_the_middle() {
        let window = smart_window(&Picture::filled(301, 60, [7; 3]), 1, 1).unwrap();
        assert!(window.x.abs_diff(120) <= 4, "{window:?}");
    }

    #[test]
    fn a_circle_stays_a_circle() {
        let disc = Picture::from_fn(160, 96, |x, y| {
            let (dx, dy) = (f64::from(x) - 79.5, f64::from(y) - 47.5);
            if dx.hypot(dy) < 40.0 { [0; 3] } else { [255; 3] }
        });
        for how in [Fit::Centre, Fit::Smart, Fit::Letterbox] {
            let small = fit(&disc, how, 48, 48).unwrap();
            let dark = |x: u32, y: u32| small.get(x, y).unwrap()[0] < 128;
            let (columns, rows): (Vec<u32>, Vec<u32>) =
                (0..48).flat_map(|y| (0..48).map(move |x| (x, y))).filter(|&(x, y)| dark(x, y)).unzip();
            let extent = |v: &[u32]| v.iter().max().unwrap() - v.iter().min().unwrap();
            assert!(extent(&columns).abs_diff(extent(&rows)) <= 1, "{how}");
        }
    }

    #[test]
    fn letterbox_keeps_everything_and_adds_white() {
        let sheet = fit(&Picture::filled(100, 50, [10, 20, 30]), Fit::Letterbox, 40, 40).unwrap();
        assert_eq!(sheet.get(20, 9), Some(WHITE));
        assert_eq!(sheet.get(0, 10), Some([10, 20, 30]));
        assert_eq!(sheet.get(39, 29), Some([10, 20, 30]));
        assert_eq!(sheet.get(20, 30), Some(WHITE));
    }

    #[test]
    fn extreme_shapes_come_through() {
        for (w, h) in [(1, 1), (1, 500), (500, 1), (3, 7)] {
            for how in [Fit::Centre, Fit::Smart, Fit::Letterbox] {
                let out = fit(&Picture::filled(w, h, [4; 3]), how, 16, 9).unwrap();
                assert_eq!((out.width(), out.height()), (16, 9));
            }
        }
        assert!(fit(&Picture::filled(3, 3, [4; 3]), Fit::Smart, 0, 9).is_err());
    }

    #[test]
    fn names_are_read_back() {
        for how in [Fit::Centre, Fit::Smart, Fit::Letterbox] {
            assert_eq!(how.to_string().parse::<Fit>().unwrap(), how);
        }
        assert!("stretch".parse::<Fit>().is_err());
    }
}
