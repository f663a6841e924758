//! Small things about paths.
use std::path::Path;

use crate::Result;

/// Creates the folder that `path` will lie in.
pub fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => Ok(fs_err::create_dir_all(parent)?),
        _ => Ok(()),
    }
}
