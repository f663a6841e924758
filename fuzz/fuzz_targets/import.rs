#![no_main]
#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(init: targets::abort_on_our_panics(), |data: &[u8]| targets::import(data));
