//! How far apart the fingerprints of pictures are, and how far a picture's own moves: `fingerprints FOLDER…`.
//!
//! For every number of bits: pairs of different pictures that are not further apart, pictures that have such a neighbour, and pictures
//! found again after each change. What `fingerprint::SAME_BITS` was chosen by (`docs/watermark.md`).
use std::path::PathBuf;

use pinxit_image::{Encoding, Limits, Metadata, Picture, Window};
use pinxit_trust::fingerprint::{image_bits, image_code};

type Change = (&'static str, fn(&Picture) -> Result<Picture, pinxit_image::Error>);

/// What happens to pictures on their way.
const CHANGES: [Change; 6] = [
    ("JPEG 50", |picture| jpeg(picture, 50)),
    ("JPEG 20", |picture| jpeg(picture, 20)),
    ("half the sides", |picture| scaled(picture, 0.5)),
    ("0.75 of the sides, JPEG 50", |picture| jpeg(&scaled(picture, 0.75)?, 50)),
    ("1.5 times the sides", |picture| scaled(picture, 1.5)),
    ("cut by 3 % a side", |picture| {
        let (x, y) = (picture.width() * 3 / 100, picture.height() * 3 / 100);
        picture.crop(Window { x, y, width: picture.width() - 2 * x, height: picture.height() - 2 * y })
    }),
];

fn jpeg(picture: &Picture, quality: u8) -> Result<Picture, pinxit_image::Error> {
    let bytes = pinxit_image::encode(picture, Encoding::Jpeg { quality }, &Metadata::default())?;
    Ok(pinxit_image::decode(&bytes, &Limits::default())?.picture)
}

fn scaled(picture: &Picture, times: f64) -> Result<Picture, pinxit_image::Error> {
    let side = |side: u32| ((f64::from(side) * times).round() as u32).max(1);
    pinxit_image::resize(picture, side(picture.width()), side(picture.height()))
}

fn bits(picture: &Picture) -> Result<u64, Box<dyn std::error::Error>> {
    Ok(image_bits(&image_code(picture)?)?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in std::env::args().skip(1) {
        files.extend(std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let (mut codes, mut moved) = (Vec::new(), vec![Vec::new(); CHANGES.len()]);
    for file in &files {
        let Ok(decoded) = pinxit_image::decode(&std::fs::read(file)?, &Limits::default()) else { continue };
        let code = bits(&decoded.picture)?;
        codes.push(code);
        for ((_, change), moved) in CHANGES.iter().zip(&mut moved) {
            moved.push((bits(&change(&decoded.picture)?)? ^ code).count_ones());
        }
    }
    let n = codes.len();
    let apart = |i: usize, j: usize| (codes[i] ^ codes[j]).count_ones();
    let mut pairs = [0usize; 65];
    (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).for_each(|(i, j)| pairs[apart(i, j) as usize] += 1);
    let nearest: Vec<u32> = (0..n).map(|i| (0..n).filter(|j| *j != i).map(|j| apart(i, j)).min().unwrap_or(64)).collect();
    println!("{n} pictures, {} pairs", n * n.saturating_sub(1) / 2);
    println!("bits  pairs  have a neighbour  {}", CHANGES.map(|(name, _)| name).join("  "));
    for most in 0..=10u32 {
        let sum: usize = pairs[..=most as usize].iter().sum();
        let share = |all: &[u32]| 100.0 * all.iter().filter(|bits| **bits <= most).count() as f64 / n.max(1) as f64;
        let found: Vec<String> = moved.iter().map(|moved| format!("{:.1} %", share(moved))).collect();
        println!("{most:4}  {sum:5}  {:.1} %  {}", share(&nearest), found.join("  "));
    }
    Ok(())
}
