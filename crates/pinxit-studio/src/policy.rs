//! `pinxit policy`: what a person undertakes when she paints with models, and the record that she did.
use pinxit_trust::ledger::Kind;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{Result, Studio, ledger};

/// Version of [`TEXT`]; acceptance is of one version.
pub const VERSION: u32 = 1;

/// What is undertaken.
pub const TEXT: &str = "\
I train and paint with pinxit under these rules:

1. I depict no real person without that person's consent.
2. I make no sexual or degrading pictures of minors, nor of anybody who seems to be one.
3. I do not pass pictures off as the work of a living artist, and name no model after one, without that artist's leave.
4. I pass on the credits that the works' licences ask for, and tell that a model painted the pictures.
";

/// The policy and whether it was accepted in this home.
#[derive(Clone, Debug, Serialize)]
pub struct Policy {
    /// Version of the text.
    pub version: u32,
    /// The text.
    pub text: &'static str,
    /// SHA-256 of the text, hex.
    pub sha256: String,
    /// When this version was accepted here, RFC 3339, if it was.
    pub accepted_at: Option<String>,
}

/// The policy as it stands here.
pub fn show(studio: &Studio) -> Result<Policy> {
    let sha256: String = Sha256::digest(TEXT).iter().map(|b| format!("{b:02x}")).collect();
    let mut accepted_at = None;
    for entry in ledger::of(studio).entries()? {
        let entry = entry?;
        if entry.kind == Kind::Policy.word() && entry.subject.get("sha256").is_some_and(|hash| *hash == sha256) {
            accepted_at = Some(entry.at);
        }
    }
    Ok(Policy { version: VERSION, text: TEXT, sha256, accepted_at })
}

/// Writes down in the ledger that the policy is accepted; once is enough.
pub fn accept(studio: &Studio) -> Result<Policy> {
    let policy = show(studio)?;
    if policy.accepted_at.is_some() {
        return Ok(policy);
    }
    let subject = json!({ "version": policy.version, "sha256": policy.sha256 });
    ledger::write(studio, &[ledger::entry(Kind::Policy, subject)])?;
    show(studio)
}
