//! An artist's key: a certificate of her own root, a certificate that signs pictures, and the private key of the latter.
//!
//! Two levels, because C2PA refuses a signer that vouches for itself. The root's private key signs one certificate and is
//! forgotten: who trusts an artist's root trusts exactly one key, and nobody can mint another under it.
mod certificate;
mod error;
mod folder;
mod issue;
mod secret;

pub use certificate::Certificate;
pub use error::KeyError;
pub use folder::{KeyFolder, Passphrase, TrustedRoot};
pub use issue::{Holder, Validity};
pub use secret::WatermarkSecret;

use ed25519_dalek::{Signer as _, SigningKey};

/// What signs pictures. Holds the private key: never written but by [`KeyFolder::create`].
pub struct ArtistKey {
    signing: SigningKey,
    chain: Chain,
}

/// The two certificates that go into every picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The certificate of the key that signs pictures.
    pub signer: Certificate,
    /// The root it ends in: what others are given to trust.
    pub root: Certificate,
}

impl ArtistKey {
    /// A new key and its two certificates, not yet written anywhere.
    ///
    /// # Errors
    /// [`KeyError::Name`] when the holder's name or organisation cannot stand in a certificate.
    pub fn issue(holder: &Holder, validity: Validity) -> Result<Self, KeyError> {
        issue::issue(holder, validity)
    }

    /// The certificates.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The Ed25519 signature (RFC 8032, 64 bytes) of `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }

    /// Refuses a key that would sign what nobody accepts: a chain that is not its own, or one that is not valid now.
    fn check(&self) -> Result<(), KeyError> {
        self.chain.check()?;
        if self.chain.signer.public_key() != self.signing.verifying_key().as_bytes() {
            return Err(KeyError::ForeignChain { why: "the certificate is another key's" });
        }
        Ok(())
    }
}

impl std::fmt::Debug for ArtistKey {
    /// Without the private key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArtistKey").field("chain", &self.chain).finish_non_exhaustive()
    }
}

impl Chain {
    /// Refuses a signer that its root has not signed, and certificates that are not valid now.
    pub(crate) fn check(&self) -> Result<(), KeyError> {
        if !self.root.has_signed(&self.signer) {
            return Err(KeyError::ForeignChain { why: "its root has not signed it" });
        }
        for certificate in [&self.signer, &self.root] {
            certificate.check_time(time::OffsetDateTime::now_utc())?;
        }
        Ok(())
    }

    /// Both certificates, PEM, the signer's first.
    fn to_pem(&self) -> String {
        self.signer.to_pem() + &self.root.to_pem()
    }

    fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        match <[Certificate; 2]>::try_from(Certificate::all_from_pem(text)?) {
            Ok([signer, root]) => Ok(Chain { signer, root }),
            Err(other) => {
                Err(KeyError::Certificate { why: format!("two certificates are needed, and there are {}", other.len()) })
            }
        }
    }
}
