//! `pinxit evaluate`
use clap::Args;
use pinxit_studio::Result;
use pinxit_studio::evaluate::{EvaluateRequest, Evaluated, evaluate, rows, suggestions};

use crate::context::Context;
use crate::{face, output};

const EXAMPLES: &str = "\
Examples:
  pinxit evaluate trees
  pinxit evaluate trees --dataset trees --pictures 500 --repeats 1
  pinxit evaluate runs/trees/model-000040.safetensors --dataset trees

The column \"real\" is what other real pictures of the same dataset score: no model can expect more.
The figures are also saved beside the model, as NAME.evaluation.json.";

/// Measure how good a model's pictures are, next to what real pictures score
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EvaluateArgs {
    /// A model, a run, or a model file
    model: String,
    /// Dataset to compare with [default: the one it was trained on]
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Pictures to paint each time; at most half of the dataset's
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(20..=50_000))]
    pictures: u32,
    /// Times to paint and measure, each with other seeds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: u32,
}

pub fn run(args: EvaluateArgs, context: &mut Context) -> Result<()> {
    let request = EvaluateRequest {
        model: args.model,
        dataset: args.dataset,
        pictures: args.pictures as usize,
        repeats: u64::from(args.repeats),
    };
    let evaluated = evaluate(&context.studio, &request, &mut context.face)?;
    if context.globals.json {
        return Ok(());
    }
    output::data(&table(&evaluated));
    context.next(&suggestions(&request.model));
    Ok(())
}

/// The figures as a table.
pub fn table(evaluated: &Evaluated) -> String {
    let report = &evaluated.report;
    let number = |v: Option<f64>| v.map_or("-".into(), face::short);
    let columns = rows(&report.mean).into_iter().zip(rows(&report.spread)).zip(rows(&report.real));
    let rows: Vec<Vec<String>> = columns
        .map(|(((name, mean), (_, spread)), (_, real))| vec![name.to_string(), number(mean), number(spread), number(real)])
        .collect();
    let head = format!("{} pictures x {}, {}", report.pictures, report.seeds.len(), report.features);
    format!("{head}\n{}", output::table(&["figure", &evaluated.name, "spread", "real"], &rows))
}
