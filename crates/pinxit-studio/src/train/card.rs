//! `run.toml`: what a run folder needs to be resumed without being told again.
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::settings::Condition;
use crate::{Error, Result};

const FILE: &str = "run.toml";

/// What a run learns from. The settings of the training itself lie in `config.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunCard {
    /// Format version, 1.
    pub v: u32,
    /// Name of the dataset.
    pub dataset: String,
    /// Model file it began from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Labels it learns.
    pub condition: Condition,
    /// Where the ledger ended when it began, `COUNT:HASH`: should the ledger lose that, the run tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// When it began, RFC 3339.
    pub began: String,
    /// Program that began it.
    pub software: String,
}

impl RunCard {
    /// A run that begins now.
    pub fn new(dataset: &str, from: Option<String>, condition: Condition) -> Self {
        RunCard {
            v: 1,
            dataset: dataset.into(),
            from,
            condition,
            ledger: None,
            began: crate::ledger::now(),
            software: concat!("pinxit ", env!("CARGO_PKG_VERSION")).into(),
        }
    }

    /// Writes it into run folder `dir`, whole or not at all.
    pub fn save(&self, dir: &Path) -> Result<()> {
        let text = toml::to_string(self).map_err(std::io::Error::other)?;
        Ok(pinxit_image::write_atomic(&dir.join(FILE), text.as_bytes())?)
    }

    /// Reads that of run folder `dir`.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let text = match fs_err::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(pinxit_train::Error::NoRun { dir: dir.into() }.into());
            }
            Err(e) => return Err(e.into()),
        };
        toml::from_str(&text).map_err(|e| Error::Settings { path, message: e.to_string() })
    }
}
