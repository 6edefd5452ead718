//! Whether proxies take what the controller shows.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use xds::Identity;

/// A new authority.
fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

/// A certificate for `host` by an authority, and its key, both in PEM.
fn issued(
    host: &str,
    by: &CertifiedIssuer<'static, KeyPair>,
) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new([host.to_owned()])?.signed_by(&key, by)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

#[test]
fn a_certificate_is_trusted_with_its_key_by_its_authority_and_for_its_host()
-> Result<(), rcgen::Error> {
    let (ours, other) = (authority()?, authority()?);
    let (chain, key) = issued("controller.example", &ours)?;
    let (_, other_key) = issued("controller.example", &ours)?;
    let is_trusted = |key: &str, by: &str, host: &str| {
        Identity::is_trusted(chain.as_bytes(), key.as_bytes(), by.as_bytes(), host)
    };
    let host = "controller.example";
    assert!(is_trusted(&key, &ours.pem(), host));
    assert!(is_trusted(&key, &format!("{}{}", other.pem(), ours.pem()), host), "in a rotation");
    assert!(!is_trusted(&key, &other.pem(), host), "another authority");
    assert!(!is_trusted(&other_key, &ours.pem(), host), "another key");
    assert!(!is_trusted(&key, &ours.pem(), "other.example"), "another host");
    assert!(!is_trusted(&key, "", host), "no authority");
    assert!(!is_trusted(&key, "half of a backup", host), "a damaged authority");
    Ok(())
}
