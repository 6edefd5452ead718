//! What a Gateway's objects are called.

use sha2::{Digest, Sha256};

/// The longest name of a Service.
const LONGEST: usize = 63;
/// How much of a name that is too long is kept before its hash.
const KEPT: usize = 54;

/// The name of the objects that run the Gateway `gateway`: the same, or where no Service can have it one
/// that is as near and still its own.
pub fn proxy_name(gateway: &str) -> String {
    if is_label(gateway) {
        return gateway.to_owned();
    }
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let mut near: String = gateway.chars().map(plain).take(KEPT).collect();
    if !near.starts_with(|letter: char| letter.is_ascii_lowercase()) {
        near = format!("gateway-{near}").chars().take(KEPT).collect();
    }
    let digest = Sha256::digest(gateway.as_bytes());
    let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hash}", near.trim_end_matches('-'))
}

/// Whether a Service can have this name (RFC 1035 label).
fn is_label(name: &str) -> bool {
    name.len() <= LONGEST
        && name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
