//! The C2PA library, set up once: what it may do, whom it trusts, and how it gets a signature.
use std::sync::Arc;

use c2pa::{Context, Settings, SigningAlg};
use pinxit_image::Format;
use serde_json::json;

use super::CredentialError;
use crate::keys::{ArtistKey, Certificate};

/// Room for the COSE signature: two certificates of at most 700 bytes each, 64 bytes of signature, headers.
const RESERVED: usize = 4096;

/// The most that a compressed manifest of a stranger may unpack to, MiB.
const UNPACKED_MIB: u32 = 8;

/// A context that trusts `roots` and reaches for no network: whatever a stranger's picture points at stays unread.
pub(crate) fn shared_context(roots: &[Certificate]) -> Result<Arc<Context>, CredentialError> {
    let anchors: String = roots.iter().map(Certificate::to_pem).collect();
    let trust = if anchors.is_empty() { json!({}) } else { json!({ "user_anchors": anchors }) };
    let settings = json!({
        "version": 1,
        "trust": trust,
        "core": { "allowed_network_hosts": [], "max_decompressed_manifest_size_in_mb": UNPACKED_MIB },
        "verify": {
            "verify_after_sign": true,
            "verify_after_sign_hash": true,
            "remote_manifest_fetch": false,
            "ocsp_fetch": false,
        },
        "builder": { "thumbnail": { "enabled": false } },
    });
    let settings = Settings::new().with_json(&settings.to_string())?;
    Ok(Context::new().with_settings(settings)?.into_shared())
}

/// The media type of a file that can carry a credential, by its first bytes.
pub(crate) fn media_type(bytes: &[u8]) -> Result<&'static str, CredentialError> {
    match pinxit_image::require_format(bytes)? {
        Format::Png => Ok("image/png"),
        Format::Jpeg => Ok("image/jpeg"),
        Format::WebP => Ok("image/webp"),
        Format::Tiff => Ok("image/tiff"),
        Format::Gif => Ok("image/gif"),
        format => Err(CredentialError::Format { format }),
    }
}

/// Hands signatures of an artist's key to the library; the private key itself never goes there.
pub(super) struct EngineSigner<'a> {
    key: &'a ArtistKey,
}

impl<'a> EngineSigner<'a> {
    pub(super) fn new(key: &'a ArtistKey) -> Self {
        EngineSigner { key }
    }
}

impl c2pa::Signer for EngineSigner<'_> {
    fn sign(&self, data: &[u8]) -> c2pa::Result<Vec<u8>> {
        Ok(self.key.sign(data).to_vec())
    }

    fn alg(&self) -> SigningAlg {
        SigningAlg::Ed25519
    }

    /// The root as well: who is shown the picture can then see, and choose to trust, what it ends in.
    fn certs(&self) -> c2pa::Result<Vec<Vec<u8>>> {
        let chain = self.key.chain();
        Ok(vec![chain.signer.der().to_vec(), chain.root.der().to_vec()])
    }

    fn reserve_size(&self) -> usize {
        RESERVED
    }
}
