//! The processor's peak, measured beside what is to be a share of it.
use super::THREADS;
use super::page::Section;
use super::run::{Reports, Side, in_turns};
use super::table::Table;
use anyhow::Result;
use serde_json::Value;

/// Peaks of all instruction sets, on one thread and on two.
pub fn side() -> Side {
    Side::example("peak", &[THREADS])
}

/// GFLOP/s in `precision` of the fastest instruction set on as many threads as the comparisons use; none where no loop is written
/// for this processor.
pub fn of(reports: &Reports, precision: &str) -> Option<f64> {
    let on_all = |peak: &Value| peak["threads"].as_u64().is_some_and(|n| n.to_string() == THREADS);
    let here = |peak: &&Value| peak["precision"] == precision && on_all(peak);
    let fastest = |report: &Value| {
        let all = report["peaks"].as_array()?.iter().filter(here).filter_map(|peak| peak["gflops_per_second"].as_f64());
        all.max_by(f64::total_cmp)
    };
    reports.median_of(fastest).ok()
}

pub fn measure(rounds: usize) -> Result<Section> {
    let [reports] = in_turns(rounds, [side()])?;
    let mut table = Table::new(2, &["instructions", "precision", "threads", "GFLOP/s"]);
    for peak in reports.last()?["peaks"].as_array().into_iter().flatten() {
        let same = |p: &&Value| ["set", "precision", "threads"].iter().all(|key| p[key] == peak[key]);
        let speed = reports.median_of(|report| report["peaks"].as_array()?.iter().find(same)?["gflops_per_second"].as_f64())?;
        let word = |key: &str| peak[key].as_str().unwrap_or_default().to_string();
        table.row(&[word("set"), word("precision"), peak["threads"].to_string(), format!("{speed:.0}")]);
    }
    let says = format!(
        "Register loops that only multiply and add, two operations each: the best of several calls, no memory touched\n\
         (`target/release/examples/peak {THREADS}`). Where more threads do not reach their multiple of one, the machine was busy. Shares of the\n\
         peak below are of a peak measured in the same turns."
    );
    Ok(Section { title: "The processor's peak", says, tables: vec![table] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_fastest_set_on_all_threads_is_the_peak() {
        let peak = |threads: u8, precision: &str, speed: f64| json!({ "threads": threads, "precision": precision, "gflops_per_second": speed });
        let report = json!({ "peaks": [peak(1, "f32", 9.0), peak(2, "f32", 3.0), peak(2, "f32", 5.0), peak(2, "bf16", 8.0)] });
        let reports = Reports::from(vec![report]);
        assert_eq!(of(&reports, "f32"), Some(5.0));
        assert_eq!(of(&reports, "f64"), None);
    }
}
