//! Imports a collection and prints its counts, its time and the peak of memory.
//!
//!     cargo run -p pinxit-dataset --example measure_import -- SOURCE[,SOURCE] DATASET HEIGHT WIDTH [PATCHES]

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use pinxit_dataset::{Dataset, Framing, ImportOptions, import};
use pinxit_image::{Encoding, Metadata, encode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [sources, dir, height, width, rest @ ..] = args.as_slice() else {
        return Err("SOURCE[,SOURCE] DATASET HEIGHT WIDTH [PATCHES]".into());
    };
    let mut options = ImportOptions { resolution: (height.parse()?, width.parse()?), replace: true, ..ImportOptions::default() };
    options.default_licence = Some("own".into());
    if let [patches] = rest {
        options.framing = Framing::Patches(patches.parse()?);
    }
    let began = Instant::now();
    let sources: Vec<_> = sources.split(',').map(Into::into).collect();
    let report = import(&sources, &options, Path::new(dir), &mut |_| ControlFlow::Continue(()))?;
    let secs = began.elapsed().as_secs_f64();
    println!("{} pictures of {} works in {secs:.1} s: {:?}", report.pictures, report.works, report.counts);
    println!("of these files an import that was cut off had read {}", report.resumed);
    println!("train {} held out {} groups {} classes {:?}", report.train, report.held_out, report.groups, report.classes);
    println!("near-duplicate groups: {}", report.near_duplicates.len());
    report.warnings.iter().for_each(|w| println!("warning: {w}"));
    println!("peak memory of the import: {}", peak_memory());
    let began = Instant::now();
    let set = Dataset::open(Path::new(dir))?;
    println!("opened and verified in {:.2} s; peak memory now {}", began.elapsed().as_secs_f64(), peak_memory());
    let sheet = set.contact_sheet(96)?;
    std::fs::write(Path::new(dir).with_extension("png"), encode(&sheet, Encoding::Png, &Metadata::default())?)?;
    Ok(())
}

/// `VmHWM` of Linux.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|l| l.strip_prefix("VmHWM:")).map_or("unknown".into(), |l| l.trim().to_owned())
}
