//! `pinxit doctor`
use clap::Args;
use pinxit_studio::doctor::{self, Verdict};
use pinxit_studio::{Error, Result, event};
use serde_json::json;

use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  pinxit doctor
  pinxit doctor --json";

/// Say what this machine can do and what is missing
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {}

pub fn run(_: &DoctorArgs, context: &Context) -> Result<()> {
    let findings = doctor::examine(&context.studio, context.unusable.as_ref());
    let is_ill = findings.iter().any(|f| f.verdict == Verdict::Broken);
    if context.globals.json {
        output::data(&event::versioned(&json!({ "healthy": !is_ill, "findings": findings })));
    } else {
        let rows: Vec<Vec<String>> =
            findings.iter().map(|f| vec![f.what.to_string(), f.verdict.word().to_string(), f.found.clone()]).collect();
        output::data(&output::table(&["what", "verdict", "found"], &rows));
    }
    if is_ill {
        let broken: Vec<&str> = findings.iter().filter(|f| f.verdict == Verdict::Broken).map(|f| f.what).collect();
        return Err(Error::Setting {
            message: format!("not everything works here: {}", broken.join(", ")),
            hint: "the table above says what was found".into(),
        });
    }
    context.next(&["pinxit demo".into(), "pinxit import PICTURES --into NAME".into()]);
    Ok(())
}
