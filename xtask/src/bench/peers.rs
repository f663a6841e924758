//! The Python side, in an environment of its own.
use super::run::Side;
use crate::shell;
use anyhow::{Context, Result};

/// The Python in which the peers are installed.
pub struct Peers {
    python: String,
}

impl Peers {
    /// Installs them where they are missing (minutes the first time).
    pub fn set_up() -> Result<Peers> {
        let said = shell::output("python3", &["benches/peers/setup.py", ".xtask/peers"])?;
        let python = said.lines().last().context("benches/peers/setup.py printed no Python")?.to_string();
        Ok(Peers { python })
    }
    /// A script of `benches/peers` called with `args`.
    pub fn script(&self, name: &str, args: &[&str]) -> Side {
        Side::new(&self.python, &[&[format!("benches/peers/{name}").as_str()], args].concat())
    }
    /// A line of Python.
    pub fn python(&self, line: &str) -> Side {
        Side::new(&self.python, &["-c", line])
    }
}
