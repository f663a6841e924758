//! How much a stranger's file may ask for.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Limits that are checked on a file's header, before anything of the claimed size is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The longest side allowed, px.
    pub max_side_px: u32,
    /// The most memory the decoded samples may take, in their own depth and channels, bytes. A decoder's
    /// working memory beside them is limited to the same figure again.
    pub max_bytes: u64,
    /// The largest file that is read at all, bytes.
    pub max_file_bytes: u64,
}

impl Default for Limits {
    /// 8192 px a side, 256 MiB decoded, 256 MiB of file.
    fn default() -> Self {
        Self { max_side_px: 8192, max_bytes: 256 << 20, max_file_bytes: 256 << 20 }
    }
}

impl Limits {
    /// Checks the sides of a header, px, and the bytes that one pixel takes when decoded.
    pub(crate) fn check(&self, width: u32, height: u32, bytes_per_pixel: u64) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(Error::Shape { width, height, what: "a side is 0" });
        }
        if width > self.max_side_px || height > self.max_side_px {
            return Err(Error::TooManyPixels { width, height, max_side_px: self.max_side_px });
        }
        // Sides are below 2^32 and pixels at most 16 bytes, so only the second product can overflow.
        let needed_bytes = (u64::from(width) * u64::from(height)).saturating_mul(bytes_per_pixel);
        if needed_bytes > self.max_bytes {
            return Err(Error::TooManyBytes { width, height, needed_bytes, max_bytes: self.max_bytes });
        }
        Ok(())
    }

    /// Checks the size of a file, bytes.
    pub(crate) fn check_file(&self, bytes: u64) -> Result<()> {
        if bytes > self.max_file_bytes {
            return Err(Error::FileTooLarge { bytes, max_file_bytes: self.max_file_bytes });
        }
        Ok(())
    }
}
