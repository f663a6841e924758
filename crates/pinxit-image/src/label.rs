//! Visible labels: a line of letters on a plate in the lower right corner, legible on any picture.
//!
//! ```text
//! ┌──────────────────────┐
//! │                      │   plate   black at 78 %, so that white letters stand out from white as well
//! │         ┌────────────┤   letters white; a capital is at least 5 % of the shortest side high
//! │         │AI-generated│             (GB 45438-2025, 5.2), and never less than can be read
//! └─────────┴────────────┘
//! ```
//!
//! Latin, Greek and Cyrillic letters come from one font; of a second there are the few characters that say "AI-generated" in
//! Chinese, Japanese and Korean (`assets/fonts`).
use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, Glyph, GlyphId, OutlinedGlyph, PxScale, point};

use crate::error::{Error, Result};
use crate::picture::{Picture, Window};

static LATIN: &[u8] = include_bytes!("../../../assets/fonts/label-latin.ttf");
static HAN: &[u8] = include_bytes!("../../../assets/fonts/label-han.otf");

/// Height of a capital, as a share of the font's em; a test measures it.
const CAPITAL: f32 = 0.714;
/// Least height of a capital, as a share of the picture's shortest side (GB 45438-2025, 5.2).
pub const LEAST_SHARE: f32 = 0.05;
/// Below this nobody can read a capital, px.
const LEAST_CAPITAL_PX: f32 = 7.0;
/// The same where strokes lie close, as in Chinese, px: such a character is then 11 px high.
const LEAST_DENSE_PX: f32 = 9.0;
/// Room between letters and the edge of the plate, as a share of a capital.
const PADDING: f32 = 0.35;
/// How much of the picture the plate hides, 0…1.
const PLATE: f32 = 0.78;
/// The most of the picture's height that a plate may take.
const MOST_HEIGHT: f32 = 0.34;

/// Draws a label into a picture; gives where its plate lies.
///
/// # Errors
/// [`Error::LabelLetter`] for a character that the fonts have not; [`Error::LabelRoom`] where the text does not fit in letters that
/// can be read; [`Error::LabelEmpty`].
pub fn draw_label(picture: &mut Picture, text: &str) -> Result<Window> {
    let line = Line::set(text, picture.width(), picture.height())?;
    let plate = line.plate;
    for y in plate.y..plate.y + plate.height {
        for x in plate.x..plate.x + plate.width {
            blend(picture, x, y, 0, PLATE);
        }
    }
    for glyph in &line.glyphs {
        let bounds = glyph.px_bounds();
        let (left, top) = (bounds.min.x + line.shift.0, bounds.min.y + line.shift.1);
        glyph.draw(|x, y, coverage| blend(picture, plate.x + left as u32 + x, plate.y + top as u32 + y, 255, coverage));
    }
    Ok(plate)
}

/// Whether a label fits a picture of these sides, px, before there is one.
///
/// # Errors
/// Those of [`draw_label`].
pub fn check_label(text: &str, width: u32, height: u32) -> Result<()> {
    Line::set(text, width, height).map(drop)
}

/// Letters set in a row on the base line, and the plate they lie on.
struct Line {
    glyphs: Vec<OutlinedGlyph>,
    /// From where a glyph says it lies to its place on the plate, whole px.
    shift: (f32, f32),
    plate: Window,
}

impl Line {
    fn set(text: &str, width: u32, height: u32) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::LabelEmpty);
        }
        let letters: Vec<(&FontRef<'static>, GlyphId)> = text.chars().map(letter).collect::<Result<_>>()?;
        let least = if text.chars().any(is_dense) { LEAST_DENSE_PX } else { LEAST_CAPITAL_PX };
        let capital = (width.min(height) as f32 * LEAST_SHARE).ceil().max(least);
        let (glyphs, end) = row(&letters, capital / CAPITAL);
        let edge = |of: fn(&OutlinedGlyph) -> f32, from: f32, pick: fn(f32, f32) -> f32| glyphs.iter().map(of).fold(from, pick);
        let (left, right) = (edge(|g| g.px_bounds().min.x, 0.0, f32::min), edge(|g| g.px_bounds().max.x, end, f32::max));
        let (top, bottom) = (edge(|g| g.px_bounds().min.y, -capital, f32::min), edge(|g| g.px_bounds().max.y, 0.0, f32::max));
        let (wide, high) = ((right.ceil() - left) as u32, (bottom - top) as u32);
        // A small picture has room for the letters and little beside them.
        let padding = ((capital * PADDING).ceil() as u32).min(width.saturating_sub(wide) / 2).max(1);
        let (wide, high) = (wide + 2 * padding, high + 2 * padding);
        let needs_height = (high as f32 / MOST_HEIGHT).ceil() as u32;
        if wide > width || needs_height > height {
            return Err(Error::LabelRoom { width, height, needs_width: wide, needs_height });
        }
        let (plate, padding) = (Window { x: width - wide, y: height - high, width: wide, height: high }, padding as f32);
        Ok(Line { glyphs, shift: (padding - left, padding - top), plate })
    }
}

/// Letters side by side from 0 on the base line at 0, in an em of so many px; and where the next one would stand.
fn row(letters: &[(&FontRef<'static>, GlyphId)], em: f32) -> (Vec<OutlinedGlyph>, f32) {
    let (mut at, mut glyphs) = (0.0, Vec::new());
    for &(font, id) in letters {
        let units = font.units_per_em().unwrap_or(1000.0);
        // The library counts sizes from ascender to descender.
        let scale = PxScale::from(em * font.height_unscaled() / units);
        // A blank has no outline.
        glyphs.extend(font.outline_glyph(Glyph { id, scale, position: point(at, 0.0) }));
        at += font.h_advance_unscaled(id) * em / units;
    }
    (glyphs, at)
}

/// The first font that has the character.
fn letter(character: char) -> Result<(&'static FontRef<'static>, GlyphId)> {
    let found = fonts().iter().map(|font| (font, font.glyph_id(character))).find(|(_, id)| id.0 != 0);
    found.ok_or(Error::LabelLetter { letter: character })
}

fn fonts() -> &'static [FontRef<'static>] {
    static FONTS: OnceLock<Vec<FontRef<'static>>> = OnceLock::new();
    // Both are built in, and a test opens them.
    FONTS.get_or_init(|| [LATIN, HAN].into_iter().filter_map(|bytes| FontRef::try_from_slice(bytes).ok()).collect())
}

/// Whether strokes lie close: Chinese, Japanese and Korean.
fn is_dense(character: char) -> bool {
    matches!(u32::from(character), 0x1100..=0x11ff | 0x2e80..=0xd7ff | 0xf900..=0xffef)
}

/// Moves a pixel towards a grey value by a share, 0…1; nothing outside the picture.
fn blend(picture: &mut Picture, x: u32, y: u32, grey: u8, share: f32) {
    if x >= picture.width() || y >= picture.height() {
        return;
    }
    let at = (y as usize * picture.width() as usize + x as usize) * 3;
    for sample in &mut picture.pixels_mut()[at..at + 3] {
        *sample = (f32::from(*sample) + (f32::from(grey) - f32::from(*sample)) * share.clamp(0.0, 1.0)).round() as u8;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // in a test a panic is the report
mod tests {
    use super::*;

    /// Rows of the plate in which a column has a letter's full white.
    fn white_rows(picture: &Picture, plate: Window) -> u32 {
        let row_has = |y: u32| (plate.x..plate.x + plate.width).any(|x| picture.get(x, y).unwrap()[0] > 200);
        (plate.y..plate.y + plate.height).filter(|&y| row_has(y)).count() as u32
    }

    #[test]
    fn capitals_are_a_twentieth_of_the_shortest_side_high_and_never_too_small_to_read() {
        for (width, height) in [(64, 64), (128, 128), (200, 400), (512, 512), (1024, 300), (2000, 2000)] {
            let mut picture = Picture::filled(width, height, [90, 120, 60]);
            let plate = draw_label(&mut picture, "HIH").unwrap();
            let rows = white_rows(&picture, plate);
            assert!(rows as f32 >= width.min(height) as f32 * LEAST_SHARE, "{width}x{height}: {rows} px");
            assert!(rows >= LEAST_CAPITAL_PX as u32, "{width}x{height}: {rows} px");
        }
    }

    #[test]
    fn characters_of_chinese_are_higher_than_capitals() {
        let mut picture = Picture::filled(512, 512, [0; 3]);
        let plate = draw_label(&mut picture, "AI生成").unwrap();
        assert!(white_rows(&picture, plate) >= 30, "512 px: 26 px are asked for");
    }

    /// WCAG 2.2: 4.5 is enough for text, 7 is enhanced.
    #[test]
    fn letters_stand_out_from_the_plate_on_every_background() {
        let light = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        for ground in [[0; 3], [255; 3], [128; 3], [255, 255, 0], [0, 255, 255]] {
            let mut picture = Picture::filled(128, 128, ground);
            let plate = draw_label(&mut picture, "AI-generated").unwrap();
            let dark = picture.get(plate.x, plate.y).unwrap().map(light);
            let dark = 0.2126 * dark[0] + 0.7152 * dark[1] + 0.0722 * dark[2];
            assert!(1.05 / (dark + 0.05) > 7.0, "{ground:?}: {}", 1.05 / (dark + 0.05));
        }
    }

    #[test]
    fn only_the_plate_is_touched_and_it_lies_in_the_corner() {
        let ground = Picture::from_fn(150, 90, |x, y| [x as u8, y as u8, 77]);
        let mut picture = ground.clone();
        let plate = draw_label(&mut picture, "KI-generiert").unwrap();
        assert_eq!((plate.x + plate.width, plate.y + plate.height), (150, 90));
        for y in 0..90 {
            for x in 0..150 {
                let inside = x >= plate.x && y >= plate.y;
                assert!(inside || picture.get(x, y) == ground.get(x, y), "{x} {y}");
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_and_named() {
        let fails = |text: &str, side: u32| check_label(text, side, side).unwrap_err();
        assert!(matches!(fails("AI-generated", 32), Error::LabelRoom { width: 32, .. }));
        assert!(matches!(fails("AI \u{1f600}", 512), Error::LabelLetter { letter: '\u{1f600}' }));
        assert!(matches!(fails("  ", 512), Error::LabelEmpty));
        let mut small = Picture::filled(3, 500, [9; 3]);
        assert!(draw_label(&mut small, "AI").is_err() && small == Picture::filled(3, 500, [9; 3]), "and nothing is drawn");
    }

    #[test]
    fn the_languages_that_labels_are_written_in_have_their_letters() {
        for text in [
            "AI-generated",
            "Généré par IA",
            "KI-generiert",
            "Wygenerowano przez SI",
            "Yapay zekâ ile üretildi",
            "Сгенерировано ИИ",
            "Δημιουργήθηκε με ΤΝ",
            "AI生成",
            "人工智能生成合成",
            "人工知能生成",
            "인공지능 생성",
        ] {
            check_label(text, 1024, 1024).unwrap_or_else(|e| panic!("{text}: {e}"));
        }
        assert_eq!(fonts().len(), 2);
    }
}
