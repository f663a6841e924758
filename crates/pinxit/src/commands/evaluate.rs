//! `pinxit evaluate`
use std::path::PathBuf;

use clap::Args;
use pinxit_studio::Result;
use pinxit_studio::evaluate::{EvaluateRequest, Evaluated, Judged, Report, evaluate, rows, suggestions};

use crate::context::Context;
use crate::{face, output};

const EXAMPLES: &str = "\
Examples:
  pinxit evaluate trees
  pinxit evaluate trees --dataset trees --samples 500 --repeats 1
  pinxit evaluate runs/trees/model-000040.safetensors --dataset trees
  pinxit evaluate --pictures painted-elsewhere --dataset trees

--pictures measures what another program has painted, at the dataset's size, once; those of a class in a sub-folder of its name.
The column \"real\" is what other real pictures of the same dataset score: no model can expect more.
The figures are also saved beside the model, as NAME.evaluation.json, or among the pictures, as evaluation.json.";

/// Measure how good a model's pictures are, next to what real pictures score
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EvaluateArgs {
    /// A model, a run, or a model file
    #[arg(value_name = "MODEL", required_unless_present = "pictures", conflicts_with = "pictures")]
    model: Option<String>,
    /// A folder of pictures to measure in place of a model's
    #[arg(long, value_name = "FOLDER", requires = "dataset", conflicts_with = "repeats")]
    pictures: Option<PathBuf>,
    /// Dataset to compare with [default: the one it was trained on]
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Pictures to measure each time; at most half of the dataset's
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(20..=50_000))]
    samples: u32,
    /// Times to paint and measure, each with other seeds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: u32,
    /// Also measure in the features of a network taught on the dataset's own labels (takes a minute or two longer)
    #[arg(long)]
    learnt: bool,
}

pub fn run(args: EvaluateArgs, context: &mut Context) -> Result<()> {
    let judged = match (args.model, args.pictures) {
        (_, Some(folder)) => Judged::Pictures(folder),
        (model, None) => Judged::Model(model.unwrap_or_default()),
    };
    let (samples, repeats) = (args.samples as usize, u64::from(args.repeats));
    let request = EvaluateRequest { judged, dataset: args.dataset, samples, repeats, learnt: args.learnt };
    let evaluated = evaluate(&context.studio, &request, &mut context.face)?;
    if context.globals.json {
        return Ok(());
    }
    output::data(&table(&evaluated));
    if !context.globals.quiet {
        output::say(&format!("saved in {}", evaluated.path.display()));
    }
    context.next(&suggestions(&request.judged));
    Ok(())
}

/// The figures as tables, one for each pair of eyes.
pub fn table(evaluated: &Evaluated) -> String {
    let reports = [Some(&evaluated.report), evaluated.report.learnt.as_deref()];
    reports.into_iter().flatten().map(|report| one_table(&evaluated.name, report)).collect::<Vec<_>>().join("\n\n")
}

fn one_table(name: &str, report: &Report) -> String {
    let number = |v: Option<f64>| v.map_or("-".into(), face::short);
    let many = report.fake.len() > 1;
    let columns = rows(&report.mean).into_iter().zip(rows(&report.spread)).zip(rows(&report.real));
    let rows: Vec<Vec<String>> = columns
        .map(|(((name, mean), (_, spread)), (_, real))| {
            vec![name.to_string(), number(mean), number(spread.filter(|_| many)), number(real)]
        })
        .collect();
    let head = format!("{} pictures x {}, {}", report.pictures, report.fake.len(), report.features);
    format!("{head}\n{}", output::table(&["figure", name, "spread", "real"], &rows))
}
