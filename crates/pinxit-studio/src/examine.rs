//! What the importer is told of each file by the crates that see more of it than it does.
use pinxit_dataset::Examiner;
use pinxit_dataset::rights::Signal;
use pinxit_image::Picture;

/// Fingerprints each work.
#[derive(Debug)]
pub(crate) struct Examination;

impl Examiner for Examination {
    fn reads(&self) -> &[&'static str] {
        &[]
    }

    fn signals(&self, _bytes: &[u8]) -> Vec<Signal> {
        Vec::new()
    }

    fn fingerprint(&self, bytes: &[u8], picture: &Picture) -> Option<String> {
        pinxit_trust::fingerprint::iscc(bytes, picture).ok()
    }
}
