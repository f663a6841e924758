//! Imports as a person would make them: folders and archives in, packed collections out.

mod archives;
mod bad_input;
mod common;
mod labels;
mod opening;
mod packing;
mod resume;
