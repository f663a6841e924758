//! `pinxit import`
use std::path::PathBuf;

use clap::Args;
use pinxit_studio::event::{self, Silent};
use pinxit_studio::import::{FileStatus, ImportReport, ImportRequest, import, inspect, suggestions};
use pinxit_studio::settings::{FitTo, ImportPartial, ImportSettings, Setting, Size, resolved_json, write_resolved};
use pinxit_studio::{Kind, Result, check_reason};
use serde_json::json;

use crate::cli::words;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit import ~/Pictures/trees --into trees --license own
  pinxit import trees.zip --into trees --size 64x96 --fit letterbox --license own
  pinxit import paintings/ --into scenes --patches 12 --license CC0-1.0
  pinxit import flowers/ --into flowers --labels labels.csv

Pictures are PNG, JPEG, WebP, GIF, TIFF, BMP or JPEG XL, whatever their names say.
AVIF, HEIC and raw photographs are not read: save them as PNG or JPEG.

Every picture needs a licence: in a label file, in its XMP, in a sidecar (a.png.license), or by --license for those without.
Pictures reserved against training are left out, and copies of them too. Read are PLUS Data Mining and TDM reservations in XMP and
a.xmp, a.tdm.json, tdmrep.json, and Content-Usage in a.headers and robots.txt (docs/rights.md).

Sub-folders become classes, unless a label file (CSV or JSONL: file, class, style, caption, title, creator, licence,
source, group, split) says otherwise; `file` is a path inside the source, or a name that only one picture has. A labels.csv,
labels.jsonl or manifest.jsonl among the pictures is read without being named. Originals are never changed. A stopped import goes on where it was.";

/// Take in pictures: check, crop, drop duplicates, label, pack
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArgs {
    /// Folders, ZIP or TAR archives, pictures
    #[arg(required = true, value_name = "PICTURES")]
    sources: Vec<PathBuf>,
    /// Name of the dataset [default: that of the first source]
    #[arg(long, value_name = "NAME")]
    into: Option<String>,
    /// Size of every picture, px: 64, or 64x96 (width x height) [default: 64]
    #[arg(long, value_name = "SIZE")]
    size: Option<Size>,
    /// Pictures of another shape: centre, smart (most detail), letterbox; never stretched [default: smart]
    #[arg(long, value_name = "HOW", value_parser = words::<FitTo>(FitTo::WORDS, FitTo::ALSO), hide_possible_values = true)]
    fit: Option<FitTo>,
    /// Cut up to N patches from each large picture; all of one picture stay on one side of the split
    #[arg(long, value_name = "N")]
    patches: Option<u32>,
    /// CSV or JSONL file of labels
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Licence of pictures for which nothing else states one: own for works of your own, or such as CC0-1.0
    #[arg(long, value_name = "LICENCE", visible_alias = "licence", value_parser = licence)]
    license: Option<String>,
    /// Take in pictures although they are reserved against training, for this reason; it is kept with each of them and in the ledger
    #[arg(long, value_name = "REASON", value_parser = reason)]
    override_reservations: Option<String>,
    /// Replace a dataset of that name; the old one goes to bin/ of the home
    #[arg(long)]
    replace: bool,
    /// Keep near-duplicates instead of all but the first
    #[arg(long)]
    keep_near_duplicates: bool,
    /// Leave out a class (repeatable)
    #[arg(long, value_name = "CLASS", help_heading = "More")]
    skip_class: Vec<String>,
    /// Leave out a style (repeatable)
    #[arg(long, value_name = "STYLE", help_heading = "More")]
    skip_style: Vec<String>,
    /// Look at every picture, say what would become of it, and write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

fn licence(text: &str) -> std::result::Result<String, String> {
    let name = text.trim();
    if name.is_empty() {
        Err("a licence has a name, such as CC0-1.0, or own for works of your own".into())
    } else {
        Ok(name.into())
    }
}

fn reason(text: &str) -> std::result::Result<String, String> {
    check_reason(text)?;
    Ok(text.trim().to_owned())
}

pub fn run(args: ImportArgs, context: &mut Context) -> Result<()> {
    let given = ImportPartial {
        size: args.size,
        fit: args.fit,
        patches: args.patches,
        license: args.license.map(Some),
        keep_near_duplicates: args.keep_near_duplicates.then_some(true),
    };
    let (settings, resolved) = context.resolve(|file| &file.import, &given, ImportSettings::resolve);
    let request = ImportRequest {
        sources: args.sources,
        into: args.into,
        settings,
        labels: args.labels,
        override_reservations: args.override_reservations,
        skip_classes: args.skip_class,
        skip_styles: args.skip_style,
        replace: args.replace,
    };
    if args.dry_run {
        return dry_run(&request, &resolved, context);
    }
    let report = import(&context.studio, &request, &mut context.face)?;
    if context.globals.json {
        return Ok(());
    }
    output::data(&counts(&report));
    context.next(&suggestions(&report));
    Ok(())
}

/// Settings first, then what would become of the files: those that are not simply accepted by name, all of them counted.
fn dry_run(request: &ImportRequest, resolved: &[Setting], context: &mut Context) -> Result<()> {
    let folder = context.studio.path(Kind::Dataset, &request.name()?)?;
    if !context.globals.json {
        output::data(&format!("# into {}\n{}", folder.display(), write_resolved("import", resolved).trim_end()));
        output::data(&counts(&inspect(&context.studio, request, &mut context.face)?));
        return Ok(());
    }
    let mut report = inspect(&context.studio, request, &mut Silent(&mut context.face))?;
    report.files.retain(|f| !matches!(f.status, FileStatus::Accepted | FileStatus::Ignored));
    let settings = resolved_json(resolved);
    let object = json!({ "dry_run": "import", "folder": folder, "settings": settings, "report": report });
    output::data(&event::versioned(&object));
    Ok(())
}

fn counts(report: &ImportReport) -> String {
    let mut rows: Vec<Vec<String>> = report.counts.iter().map(|(s, n)| vec![s.word().to_string(), n.to_string()]).collect();
    rows.push(vec!["pictures packed".into(), report.pictures.to_string()]);
    rows.push(vec!["held out".into(), report.held_out.to_string()]);
    output::table(&["files", "count"], &rows)
}
