//! An X.509 certificate: its bytes, and the few facts of it that pinxit shows and checks.
use ed25519_dalek::{Signature, VerifyingKey};
use pkcs8::LineEnding;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, Pem, X509Certificate};

use super::KeyError;

/// A certificate that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// Common name of the holder; empty if it has none.
    pub name: String,
    /// Organisation of the holder.
    pub organisation: Option<String>,
    /// First moment of validity, UTC.
    pub from: OffsetDateTime,
    /// Last moment of validity, UTC.
    pub until: OffsetDateTime,
    /// Whether it may vouch for others.
    pub is_root: bool,
    key: Vec<u8>,
    subject: Vec<u8>,
    issuer: Vec<u8>,
}

impl Certificate {
    /// Reads DER.
    ///
    /// # Errors
    /// [`KeyError::Certificate`].
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let (rest, x509) = X509Certificate::from_der(der).map_err(|e| KeyError::Certificate { why: e.to_string() })?;
        if !rest.is_empty() {
            return Err(KeyError::Certificate { why: "something follows it".into() });
        }
        let moment = |t: x509_parser::time::ASN1Time| t.to_datetime();
        Ok(Certificate {
            der: der.to_vec(),
            name: first(x509.subject().iter_common_name()).unwrap_or_default(),
            organisation: first(x509.subject().iter_organization()),
            from: moment(x509.validity().not_before),
            until: moment(x509.validity().not_after),
            is_root: x509.is_ca() && x509.subject().as_raw() == x509.issuer().as_raw(),
            subject: x509.subject().as_raw().to_vec(),
            issuer: x509.issuer().as_raw().to_vec(),
            key: x509.public_key().subject_public_key.data.to_vec(),
        })
    }

    /// Every certificate of a PEM text, in order.
    ///
    /// # Errors
    /// [`KeyError::Certificate`] when there is none, or one cannot be read.
    pub fn all_from_pem(text: &[u8]) -> Result<Vec<Self>, KeyError> {
        let mut all = Vec::new();
        for block in Pem::iter_from_buffer(text) {
            let block = block.map_err(|e| KeyError::Certificate { why: e.to_string() })?;
            if block.label == "CERTIFICATE" {
                all.push(Self::from_der(&block.contents)?);
            }
        }
        if all.is_empty() {
            return Err(KeyError::Certificate { why: "it holds no PEM block CERTIFICATE".into() });
        }
        Ok(all)
    }

    /// As PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        // Only a label that is none could fail.
        pkcs8::der::pem::encode_string("CERTIFICATE", LineEnding::LF, &self.der).unwrap_or_default()
    }

    /// The bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the bytes, hexadecimal: what two people read to each other to know that they mean one certificate.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        Sha256::digest(&self.der).iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The key it is about.
    pub(super) fn public_key(&self) -> &[u8] {
        &self.key
    }

    /// Whether it says that `other` has issued it; a name, no proof.
    pub(crate) fn names_as_issuer(&self, other: &Certificate) -> bool {
        self.issuer == other.subject
    }

    /// Whether this certificate's Ed25519 key made the signature under `other`.
    pub(super) fn has_signed(&self, other: &Certificate) -> bool {
        let signed = || {
            let (_, x509) = X509Certificate::from_der(&other.der).ok()?;
            let key = VerifyingKey::from_bytes(self.key.as_slice().try_into().ok()?).ok()?;
            let signature = Signature::from_slice(&x509.signature_value.data).ok()?;
            key.verify_strict(x509.tbs_certificate.as_ref(), &signature).ok()
        };
        signed().is_some()
    }

    /// Whether this certificate's Ed25519 key made the signature (RFC 8032, 64 bytes) of `message`.
    pub(crate) fn has_signed_message(&self, message: &[u8], signature: &[u8]) -> bool {
        let signed = || {
            let key = VerifyingKey::from_bytes(self.key.as_slice().try_into().ok()?).ok()?;
            key.verify_strict(message, &Signature::from_slice(signature).ok()?).ok()
        };
        signed().is_some()
    }

    /// Refuses one that is not valid at `now`.
    pub(super) fn check_time(&self, now: OffsetDateTime) -> Result<(), KeyError> {
        if now > self.until {
            return Err(KeyError::Expired { name: self.name.clone(), until: self.until.date().to_string() });
        }
        if now < self.from {
            return Err(KeyError::NotYetValid { name: self.name.clone(), from: self.from.date().to_string() });
        }
        Ok(())
    }
}

fn first<'a>(mut values: impl Iterator<Item = &'a x509_parser::x509::AttributeTypeAndValue<'a>>) -> Option<String> {
    values.next().and_then(|value| value.as_str().ok()).map(String::from)
}
