//! Making a key and its two certificates (C2PA 2.2, 14.5.1: what a signer's certificate must say).
use ed25519_dalek::{Signer as _, SigningKey};
use rand_core::{OsRng, RngCore};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose,
    PKCS_ED25519, PublicKeyData, SerialNumber, SignatureAlgorithm,
};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use super::{ArtistKey, Certificate, Chain, KeyError};

/// Years a new certificate is valid. Without a timestamp from an authority (that would be a socket) a signature counts only as
/// long as its certificate does, so this is how long pictures stay verifiable.
const YEARS: i64 = 20;

/// Clocks of other machines may be behind by this much.
const CLOCKS: Duration = Duration::hours(24);

/// The longest common name and organisation (X.520, `ub-common-name`).
const NAME_MOST: usize = 64;

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Common name: the artist's.
    pub name: String,
    /// Organisation; an artist by herself is her own.
    pub organisation: String,
}

impl Holder {
    /// An artist by herself.
    #[must_use]
    pub fn artist(name: &str) -> Self {
        Holder { name: name.into(), organisation: name.into() }
    }
}

/// From when to when, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub from: OffsetDateTime,
    /// Last moment.
    pub until: OffsetDateTime,
}

impl Validity {
    /// From yesterday for 20 years.
    #[must_use]
    pub fn from_now() -> Self {
        let now = OffsetDateTime::now_utc();
        Validity { from: now - CLOCKS, until: now + Duration::days(365 * YEARS + YEARS / 4) }
    }
}

pub(super) fn issue(holder: &Holder, validity: Validity) -> Result<ArtistKey, KeyError> {
    check_name(&holder.name)?;
    check_name(&holder.organisation)?;
    let failed = |e: rcgen::Error| KeyError::Issue { why: e.to_string() };
    let (root_key, signing) = (Ed25519::generate(), Ed25519::generate());

    let mut root = parameters(holder, "root of ", &root_key, validity);
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root_certificate = root.self_signed(&root_key).map_err(failed)?;

    let mut signer = parameters(holder, "", &signing, validity);
    signer.is_ca = IsCa::ExplicitNoCa;
    signer.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // The purpose that C2PA's own trust list and every verifier since version 1 takes; C2PA's newer one is refused by some.
    signer.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    signer.use_authority_key_identifier_extension = true;
    let certificate = signer.signed_by(&signing, &Issuer::from_params(&root, &root_key)).map_err(failed)?;

    let chain = Chain { signer: Certificate::from_der(certificate.der())?, root: Certificate::from_der(root_certificate.der())? };
    Ok(ArtistKey { signing: signing.key, chain })
}

fn parameters(holder: &Holder, prefix: &str, key: &Ed25519, validity: Validity) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    let name: String = format!("{prefix}{}", holder.name).chars().take(NAME_MOST).collect();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.distinguished_name.push(DnType::OrganizationName, holder.organisation.clone());
    parameters.not_before = validity.from;
    parameters.not_after = validity.until;
    parameters.serial_number = Some(serial_number());
    parameters.key_identifier_method = KeyIdMethod::PreSpecified(Sha256::digest(key.public)[..20].to_vec());
    parameters
}

/// 16 random bytes (RFC 5280, 4.1.2.2: positive, at most 20).
fn serial_number() -> SerialNumber {
    let mut bytes = [0; 16];
    OsRng.fill_bytes(&mut bytes);
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn check_name(name: &str) -> Result<(), KeyError> {
    let length = name.chars().count();
    let good = (1..=NAME_MOST).contains(&length) && !name.trim().is_empty() && !name.chars().any(char::is_control);
    if good { Ok(()) } else { Err(KeyError::Name { name: name.into() }) }
}

/// A key as rcgen wants it: rcgen's own would bring a second library for the same curve.
struct Ed25519 {
    key: SigningKey,
    public: [u8; 32],
}

impl Ed25519 {
    fn generate() -> Self {
        let key = SigningKey::generate(&mut OsRng);
        let public = key.verifying_key().to_bytes();
        Ed25519 { key, public }
    }
}

impl PublicKeyData for Ed25519 {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

impl rcgen::SigningKey for Ed25519 {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.key.sign(message).to_bytes().to_vec())
    }
}
