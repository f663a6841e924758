//! Who made a picture, with what, from whose works, and who decided: credentials, watermark, fingerprint, originality audit, ledger.
//! The only crate that sees C2PA.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))] // in a test a panic is the report

pub mod credential;
pub mod fingerprint;
pub mod keys;
pub mod ledger;
pub mod originality;
pub mod sealed;
pub mod verify;
pub mod watermark;
