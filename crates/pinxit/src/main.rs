//! The picture studio: train on a collection, paint, sign.
fn main() {}
