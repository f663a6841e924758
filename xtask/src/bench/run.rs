//! Programs that report on themselves in one JSON line, called in turns, so that a busy machine slows all of them alike.
use crate::shell;
use anyhow::{Context, Result, anyhow};
use serde_json::Value;

/// One program of a comparison and how it is called.
pub struct Side {
    program: String,
    args: Vec<String>,
    env: &'static [(&'static str, &'static str)],
}

impl Side {
    /// `program` called with `args`.
    pub fn new(program: &str, args: &[&str]) -> Side {
        Side { program: program.into(), args: args.iter().map(|a| a.to_string()).collect(), env: &[] }
    }
    /// One of our examples, built by [`super::build`].
    pub fn example(name: &str, args: &[&str]) -> Side {
        Side::new(&format!("target/release/examples/{name}"), args)
    }
    /// With environment variables set.
    pub fn with_env(self, env: &'static [(&'static str, &'static str)]) -> Side {
        Side { env, ..self }
    }
    /// Calls it and returns what it prints.
    pub fn output(&self) -> Result<String> {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        shell::output_env(&self.program, &args, self.env)
    }
    /// Calls it and reads its last line.
    pub fn call(&self) -> Result<Value> {
        let said = self.output()?;
        serde_json::from_str(said.lines().last().unwrap_or_default()).with_context(|| format!("{} said {said:?}", self.program))
    }
}

/// What one side said in each round.
pub struct Reports(Vec<Value>);

impl From<Vec<Value>> for Reports {
    fn from(reports: Vec<Value>) -> Reports {
        Reports(reports)
    }
}

impl Reports {
    /// Median over the rounds of a number it reported.
    pub fn median(&self, key: &str) -> Result<f64> {
        self.median_of(|report| report[key].as_f64()).with_context(|| key.to_string())
    }
    /// Median over the rounds of what `number` finds in a report.
    pub fn median_of(&self, number: impl Fn(&Value) -> Option<f64>) -> Result<f64> {
        let found: Option<Vec<f64>> = self.0.iter().map(number).collect();
        median(found.ok_or_else(|| anyhow!("a number is missing from the report"))?)
    }
    /// The report of the last round.
    pub fn last(&self) -> Result<&Value> {
        self.0.last().context("no round was run")
    }
}

/// The middle one; of an even number the upper.
pub fn median(mut numbers: Vec<f64>) -> Result<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().context("no round was run")
}

/// First, second, …, first, second, …: the reports of each side.
pub fn in_turns<const N: usize>(rounds: usize, sides: [Side; N]) -> Result<[Reports; N]> {
    let mut reports = [(); N].map(|()| Reports(Vec::new()));
    for _ in 0..rounds {
        for (side, reports) in sides.iter().zip(&mut reports) {
            reports.0.push(side.call()?);
        }
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_report_counts() {
        let reports = Reports([3.0, 1.0, 9.0].map(|speed| serde_json::json!({ "speed": speed })).to_vec());
        assert!(reports.median("speed").is_ok_and(|speed| speed == 3.0));
        assert!(reports.median("weight").is_err());
        assert!(Reports(Vec::new()).median("speed").is_err());
    }
}
