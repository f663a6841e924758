//! `pinxit doctor`
use clap::Args;
use pinxit_studio::doctor::{self, Kernel, Verdict};
use pinxit_studio::{Error, Result, event};
use serde_json::json;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit doctor
  pinxit doctor --verbose   # and which kernel every convolution takes
  pinxit doctor --json";

/// Say what this machine can do and what is missing
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {}

pub fn run(_: &DoctorArgs, context: &Context) -> Result<()> {
    // What keeps the networks from being made is among the findings.
    let kernels = doctor::kernels().unwrap_or_default();
    let mut findings = doctor::examine(&context.studio, context.unusable.as_ref());
    findings.extend(doctor::summary(&kernels));
    let is_ill = findings.iter().any(|f| f.verdict == Verdict::Broken);
    if context.globals.json {
        output::data(&event::versioned(&json!({ "healthy": !is_ill, "findings": findings, "kernels": kernels })));
    } else {
        let rows: Vec<Vec<String>> =
            findings.iter().map(|f| vec![f.what.to_string(), f.verdict.word().to_string(), f.found.clone()]).collect();
        output::data(&output::table(&["what", "verdict", "found"], &rows));
        if context.globals.verbose {
            output::data(&format!("\n{}", table(&kernels)));
        }
    }
    if is_ill {
        let broken: Vec<&str> = findings.iter().filter(|f| f.verdict == Verdict::Broken).map(|f| f.what).collect();
        return Err(Error::Setting {
            message: format!("not everything works here: {}", broken.join(", ")),
            hint: "the table above says what was found".into(),
        });
    }
    context.next(&["pinxit demo".into(), "pinxit import PICTURES --into NAME --license own".into()]);
    Ok(())
}

/// Every convolution of every preset, and which way it goes forward and back to its input and to its weights.
fn table(kernels: &[Kernel]) -> String {
    let row = |k: &Kernel| {
        let [pictures, rows, columns] = k.input;
        let kernel = format!("{}x{}/{}", k.kernel[0], k.kernel[1], k.stride);
        let shape = format!("{pictures}x{rows}x{columns} {kernel} {}>{}", k.channels[0], k.channels[1]);
        let weights = k.weight_gradient.clone().unwrap_or_default();
        vec![k.preset.clone(), k.part.into(), shape, k.precision.into(), k.forward.clone(), k.input_gradient.clone(), weights]
    };
    let headings = ["preset", "part", "convolution", "precision", "forward", "input gradient", "weight gradient"];
    output::table(&headings, &kernels.iter().map(row).collect::<Vec<_>>())
}
