//! Marks and reads lists of files, for `xtask/evidence/watermark.sh`.
//!
//!     watermark embed KEY OUT-FOLDER < LINES-OF-"ID PATH"     prints "path id out psnr_db survived milliseconds"
//!     watermark detect KEY < LINES-OF-PATH                    prints "path id score scale degrees flipped turns milliseconds"
//!     watermark windows KEY COUNT SIDE < LINES-OF-PATH        looks for marks in windows of unmarked pictures

use pinxit_image::{Encoding, Limits, Metadata, Picture, Window, encode, read};
use pinxit_trust::watermark::{Key, Watermark};
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let lines: Vec<String> = std::io::stdin().lock().lines().collect::<Result<_, _>>()?;
    match args.as_slice() {
        ["embed", key, out] => embed(&Watermark::new(&Key::derive(key)), Path::new(out), &lines),
        ["detect", key] => detect(&Watermark::new(&Key::derive(key)), &lines),
        ["windows", key, count, side] => windows(&Watermark::new(&Key::derive(key)), count.parse()?, side.parse()?, &lines),
        _ => Err("embed KEY OUT-FOLDER | detect KEY | windows KEY COUNT SIDE; lists come on standard input".into()),
    }
}

fn picture(path: &str) -> Outcome<Picture> {
    Ok(read(Path::new(path), &Limits::default())?.picture)
}

fn embed(watermark: &Watermark, out: &Path, lines: &[String]) -> Outcome<()> {
    std::fs::create_dir_all(out)?;
    for (i, line) in lines.iter().enumerate() {
        let (id, path) = line.split_once(' ').ok_or("a line is ID PATH")?;
        let original = picture(path)?;
        let began = Instant::now();
        let marked = watermark.embed(&original, id.parse()?)?;
        let took = began.elapsed().as_secs_f64() * 1e3;
        let file = out.join(format!("{i:05}.png"));
        std::fs::write(&file, encode(&marked.picture, Encoding::Png, &Metadata::default())?)?;
        println!("{path}\t{id}\t{}\t{:.3}\t{}\t{took:.1}", file.display(), marked.psnr_db, marked.survived);
    }
    Ok(())
}

fn detect(watermark: &Watermark, lines: &[String]) -> Outcome<()> {
    for path in lines {
        let picture = picture(path)?;
        let began = Instant::now();
        let found = watermark.detect(&picture);
        let took = began.elapsed().as_secs_f64() * 1e3;
        match found {
            Some(f) => println!(
                "{path}\t{}\t{:.1}\t{:.4}\t{:.2}\t{}\t{}\t{took:.1}",
                f.id, f.score, f.scale, f.degrees, f.flipped, f.quarter_turns
            ),
            None => println!("{path}\t-\t-\t-\t-\t-\t-\t{took:.1}"),
        }
    }
    Ok(())
}

/// Windows of `side` px at places of a fixed sequence, picture after picture, until there are `count`.
fn windows(watermark: &Watermark, count: usize, side: u32, lines: &[String]) -> Outcome<()> {
    let pictures: Vec<Picture> = lines.iter().map(|path| picture(path)).collect::<Outcome<_>>()?;
    let pictures: Vec<Picture> = pictures.into_iter().filter(|p| p.width() >= side && p.height() >= side).collect();
    let (began, mut state, mut found) = (Instant::now(), 1u64, 0);
    // SplitMix64 (Steele et al. 2014).
    let mut next = move |below: u32| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ z >> 31) % u64::from(below)) as u32
    };
    for i in 0..count {
        let from = &pictures[i % pictures.len()];
        let (x, y) = (next(from.width() - side + 1), next(from.height() - side + 1));
        let window = Window { x, y, width: side, height: side };
        if let Some(mark) = watermark.detect(&from.crop(window)?) {
            found += 1;
            println!("false positive in picture {} at {window:?}: {mark:?}", lines[i % lines.len()]);
        }
    }
    let secs = began.elapsed().as_secs_f64();
    println!("{count} windows of {side} px from {} pictures: {found} found, {secs:.0} s", pictures.len());
    Ok(())
}
