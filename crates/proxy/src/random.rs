//! Randomness from the system's generator, by way of the one crypto provider.

use mcp::Nonce;

/// An unguessable name for one request upstream.
pub(crate) fn nonce() -> Nonce {
    Nonce::new(bytes())
}

/// A number that no other session has.
pub(crate) fn serial() -> u128 {
    u128::from_be_bytes(bytes())
}

/// A number, for choices that nobody is to foresee.
pub(crate) fn number() -> u64 {
    let [first @ .., _, _, _, _, _, _, _, _] = bytes();
    u64::from_be_bytes(first)
}

/// A place to begin with in a list of any length.
pub(crate) fn index() -> usize {
    usize::from(byte()) << 8 | usize::from(byte())
}

/// A byte, for spreading waits.
pub(crate) fn byte() -> u8 {
    let [first, ..] = bytes();
    first
}

/// Fills `bytes` with what nobody can guess.
pub(crate) fn fill(bytes: &mut [u8; 16]) {
    #[expect(clippy::expect_used, reason = "a gateway without randomness must not go on")]
    aws_lc_rs::rand::fill(bytes).expect("the system's random generator does not fail");
}

fn bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    bytes
}
