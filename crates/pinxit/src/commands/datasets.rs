//! `pinxit datasets`
use std::path::PathBuf;

use clap::{Args, Subcommand};
use pinxit_studio::datasets::{self, DatasetState, SheetPlace};
use pinxit_studio::settings::ImageFormat;
use pinxit_studio::{Kind, Result, counted, event};
use serde_json::json;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit datasets list
  pinxit datasets show trees --sheet trees.png
  pinxit datasets export trees -o trees-as-files
  pinxit datasets remove trees";

/// List, show, export and remove datasets
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DatasetsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// All datasets
    List,
    /// One dataset: labels, licences, and a contact sheet
    Show {
        /// Its name
        name: String,
        /// Write the contact sheet there, as PNG, JPEG, WebP or AVIF by its name [default: sheet.png in the dataset's folder]
        #[arg(long, value_name = "FILE", value_parser = sheet_file)]
        sheet: Option<SheetFile>,
        /// Replace another file of that name
        #[arg(long, requires = "sheet")]
        overwrite: bool,
    },
    /// Write every picture as a PNG, with a label file beside them
    Export {
        /// Its name
        name: String,
        /// Folder for the files
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        /// Replace other files of the same names
        #[arg(long)]
        overwrite: bool,
    },
    /// Move a dataset into bin/ of the home
    Remove {
        /// Its name
        name: String,
    },
}

impl DatasetsArgs {
    /// Whether it is the one action that takes long, and stops between two files.
    pub fn is_export(&self) -> bool {
        matches!(self.action, Action::Export { .. })
    }
}

/// A file and the format that its name asks for.
type SheetFile = (PathBuf, ImageFormat);

fn sheet_file(text: &str) -> std::result::Result<SheetFile, String> {
    let path = PathBuf::from(text);
    let format = ImageFormat::of_name(&path)?;
    Ok((path, format))
}

pub fn run(args: DatasetsArgs, context: &mut Context) -> Result<()> {
    match args.action {
        Action::List => list(context),
        Action::Show { name, sheet, overwrite } => {
            let place = sheet.map_or(SheetPlace::WithDataset, |(path, format)| SheetPlace::Here { path, format, overwrite });
            show(&name, &place, context)
        }
        Action::Export { name, out, overwrite } => {
            let exported = datasets::export(&context.studio, &name, &out, overwrite, &mut context.face)?;
            if !context.globals.json {
                output::data(&exported.labels.display().to_string());
            }
            Ok(())
        }
        Action::Remove { name } => super::remove(Kind::Dataset, &name, context),
    }
}

fn list(context: &Context) -> Result<()> {
    let entries = datasets::list(&context.studio)?;
    if context.globals.json {
        output::data(&event::versioned(&json!({ "datasets": entries })));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| match &entry.state {
            DatasetState::Whole(file) => vec![
                entry.name.clone(),
                file.count.to_string(),
                format!("{}x{}", file.width, file.height),
                file.classes.len().to_string(),
                file.styles.len().to_string(),
                file.licences.keys().cloned().collect::<Vec<_>>().join(", "),
            ],
            DatasetState::Damaged { error } => {
                vec![entry.name.clone(), "-".into(), "-".into(), "-".into(), "-".into(), error.clone()]
            }
        })
        .collect();
    output::data(&output::table(&["name", "pictures", "size", "classes", "styles", "licences"], &rows));
    if rows.is_empty() {
        context.next(&["pinxit import PICTURES --into NAME --license own".into()]);
    }
    Ok(())
}

fn show(name: &str, place: &SheetPlace, context: &Context) -> Result<()> {
    let detail = datasets::show(&context.studio, name, place)?;
    if let Some(reason) = detail.no_sheet.as_ref().filter(|_| !context.globals.quiet) {
        output::warning(&format!("no contact sheet: {reason}"), Some("name a place for it with --sheet FILE"));
    }
    if context.globals.json {
        output::data(&event::versioned(&detail));
        return Ok(());
    }
    let file = &detail.file;
    let mut rows = vec![
        vec!["pictures".into(), format!("{} from {}, {} held out", file.count, counted(file.works, "work"), file.held_out)],
        vec!["size".into(), format!("{}x{} px, {}", file.width, file.height, file.fit)],
    ];
    for (word, counts) in [("class", &detail.class_counts), ("style", &detail.style_counts), ("licence", &file.licences)] {
        rows.extend(counts.iter().map(|(name, n)| vec![word.to_string(), format!("{name}: {n}")]));
    }
    if detail.captions > 0 {
        rows.push(vec!["captions".into(), format!("{} of {} pictures have one", detail.captions, file.count)]);
    }
    rows.push(vec!["hash".into(), file.manifest_hash.clone()]);
    rows.push(vec!["folder".into(), detail.path.display().to_string()]);
    rows.extend(detail.sheet.iter().map(|sheet| vec!["sheet".into(), sheet.display().to_string()]));
    output::data(&output::table(&["what", name], &rows));
    context.next(&datasets::suggestions(name, file.train));
    Ok(())
}
