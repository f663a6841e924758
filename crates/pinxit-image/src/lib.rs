//! File to picture and back: sniff, decode with limits, orient, colour-manage, crop, resize, encode, metadata.
