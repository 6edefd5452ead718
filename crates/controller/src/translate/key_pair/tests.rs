use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::fault;

/// A certificate and its key, in PEM.
fn pair() -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

#[test]
fn a_certificate_is_used_with_its_own_key_alone() {
    let ((chain, key), (_, other)) = (pair(), pair());
    assert_eq!(fault(&chain, &key), None);
    assert_eq!(fault(&chain, &other), Some("has a `tls.key` of another certificate"));
    assert_eq!(fault("", &key), Some("has no certificate in its `tls.crt`"));
    assert_eq!(fault(&chain, "half"), Some("has no private key in its `tls.key`"));
}
