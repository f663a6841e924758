//! Calls one kernel on one thread, a given number of times and nothing else: for programs that count instructions, as
//! `cargo xtask bench --instructions` does.
//!
//!     kernel_calls "one 16x16 128>128" forward avx2 2
mod cases;

use cases::{Case, SHAPES};
use pinxit_tensor::{Isa, set_isa, set_threads};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, pass, set, calls] = words.as_slice() else { return Err("usage: kernel_calls SHAPE PASS SET CALLS".into()) };
    let (_, shape, depthwise) = SHAPES.iter().find(|s| s.0 == name).ok_or_else(|| format!("no shape {name}"))?;
    let isa =
        Isa::ALL.into_iter().find(|isa| isa.to_string().eq_ignore_ascii_case(set)).ok_or_else(|| format!("no set {set}"))?;
    set_threads(1);
    if !set_isa(isa) {
        return Err(format!("this processor has no {set}").into());
    }
    let mut case = Case::new(*shape, *depthwise);
    for _ in 0..calls.parse::<usize>()? {
        case.run(pass);
    }
    Ok(())
}
