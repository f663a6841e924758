//! What the importer is told about a work by those who can see more of it than this crate may.

use pinxit_image::Picture;

use crate::rights::Signal;

/// Looks at each file of an import, on any thread: fingerprints it, and reads statements in metadata that this crate does not see.
pub trait Examiner: std::fmt::Debug + Send + Sync {
    /// Names of the conventions it reads beside [`READS`](crate::rights::READS).
    fn reads(&self) -> &[&'static str];

    /// Statements about training in a file's bytes. What cannot be read, and may be a reservation, is one.
    fn signals(&self, bytes: &[u8]) -> Vec<Signal>;

    /// The content fingerprint of a file: ISCC of its bytes and of what is seen.
    fn fingerprint(&self, bytes: &[u8], picture: &Picture) -> Option<String>;

    /// Whether two fingerprints are of pictures that look the same.
    fn alike(&self, one: &str, other: &str) -> bool;
}
