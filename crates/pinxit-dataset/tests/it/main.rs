//! Imports as a person would make them: folders and archives in, packed collections out.
#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report

mod archives;
mod bad_input;
mod common;
mod labels;
mod opening;
mod packing;
mod resume;
mod rights;
mod takedown;
