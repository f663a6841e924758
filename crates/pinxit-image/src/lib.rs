//! File to picture and back: sniff, decode with limits, orient, colour-manage, crop, resize, encode, metadata.
//!
//! One type goes through every door: [`Picture`], 8-bit sRGB, three channels, no alpha. [`decode`] makes one
//! out of the bytes of a file and lists every [`Fix`] it had to make on the way; [`encode`] turns one into a
//! file that carries its recipe. This crate owns every codec of the workspace and uses no other of its crates.
//!
//! ```
//! use pinxit_image::{Encoding, Fit, Limits, Metadata, Picture};
//!
//! let picture = Picture::filled(64, 48, [200, 120, 40]);
//! let bytes = pinxit_image::encode(&picture, Encoding::Png, &Metadata::default())?;
//! let decoded = pinxit_image::decode(&bytes, &Limits::default())?;
//! assert_eq!(decoded.picture, picture);
//! let square = pinxit_image::fit(&decoded.picture, Fit::Centre, 32, 32)?;
//! assert_eq!((square.width(), square.height()), (32, 32));
//! # Ok::<(), pinxit_image::Error>(())
//! ```

mod animation;
mod atomic;
mod colour;
mod decode;
mod disclosure;
mod encode;
mod error;
mod fit;
mod fix;
mod format;
mod grid;
mod info;
mod label;
mod limits;
mod metadata;
mod orient;
mod patches;
mod picture;
mod relabel;
mod resize;
mod saliency;
mod sniff;
mod xmp;

pub use animation::{Animation, AnimationFormat, AnimationSpec};
pub use atomic::{write_atomic, write_atomic_private};
pub use decode::{Decoded, decode, read};
pub use disclosure::{Disclosure, LabelLaw, LatentLabel, Stated};
pub use encode::{Encoding, encode};
pub use error::Error;
pub use fit::{Fit, fit};
pub use fix::Fix;
pub use format::Format;
pub use grid::{WHITE, grid, grid_on};
pub use info::{Info, info};
pub use label::{LEAST_SHARE, check_label, draw_label};
pub use limits::Limits;
pub use metadata::{Metadata, TRAINED_ALGORITHMIC_MEDIA, read_recipe};
pub use patches::{patch_windows, patches};
pub use picture::{Picture, Window};
pub use relabel::relabel;
pub use resize::resize;
pub use sniff::{require_format, sniff};
pub use xmp::{XmpPackets, xmp_packets};
