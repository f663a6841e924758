//! Rewrites a model with 16-bit weights, half the size, as shipped models are.
//!
//!     cargo run --release -p pinxit-nn --example half -- model.safetensors assets/models/base-64.safetensors
use pinxit_nn::{Model, Precision};
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(from), Some(to)) = (words.next(), words.next()) else { return Err("half FROM TO".into()) };
    let model = Model::load(Path::new(&from))?;
    model.save(Path::new(&to), Precision::F16)?;
    println!("{from} -> {to}: {} kimg, {} bytes", model.meta.training.kimg, std::fs::metadata(&to)?.len());
    Ok(())
}
