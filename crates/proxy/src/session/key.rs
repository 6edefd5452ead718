//! The keys that seal what travels through clients. A ring, so that replicas share keys and a
//! new one can be introduced before the old one is retired.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What a sealed text is for. It is the associated data, so that one kind can never be passed
/// off as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An `Mcp-Session-Id`.
    Session,
    /// The `sessionId` in the URI that a client of HTTP+SSE posts to.
    Pipe,
}

impl Purpose {
    fn associated(self) -> Aad<&'static [u8]> {
        match self {
            Self::Session => Aad::from(b"session"),
            Self::Pipe => Aad::from(b"pipe"),
        }
    }
}

/// Why a key ring could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// The system gave no randomness.
    #[error("the system gave no random bytes")]
    Random,
    /// A ring needs a key to seal with.
    #[error("a key ring needs at least one key")]
    Empty,
}

/// AES-256-GCM keys by id. The first seals, all open. Nonces are random, which is safe for about
/// 2^32 texts a key (NIST SP 800-38D §8.3).
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<(u8, LessSafeKey)>,
}

impl KeyRing {
    /// A ring of one key that no other process knows: sessions end with this one.
    pub fn random() -> Result<Self, KeyError> {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| KeyError::Random)?;
        Self::new(&[(0, key)])
    }

    /// A ring of these keys by id, the first of which seals.
    pub fn new(keys: &[(u8, [u8; 32])]) -> Result<Self, KeyError> {
        if keys.is_empty() {
            return Err(KeyError::Empty);
        }
        let keys = keys
            .iter()
            .filter_map(|(id, bytes)| {
                let key = UnboundKey::new(&AES_256_GCM, bytes).ok()?;
                Some((*id, LessSafeKey::new(key)))
            })
            .collect();
        Ok(Self { keys })
    }

    /// The text as visible ASCII: key id, nonce and ciphertext in URL-safe base64.
    pub(super) fn seal(&self, purpose: Purpose, plain: &[u8]) -> Result<String, KeyError> {
        let (id, key) = self.keys.first().ok_or(KeyError::Empty)?;
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| KeyError::Random)?;
        let mut sealed = plain.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            purpose.associated(),
            &mut sealed,
        )
        .map_err(|_| KeyError::Random)?;

        let mut whole = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        whole.push(*id);
        whole.extend_from_slice(&nonce);
        whole.extend_from_slice(&sealed);
        Ok(URL_SAFE_NO_PAD.encode(whole))
    }

    /// What was sealed for `purpose` by a key of this ring; `None` for anything else.
    pub(super) fn open(&self, purpose: Purpose, text: &str) -> Option<Vec<u8>> {
        let whole = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, rest) = whole.split_first()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let (_, key) = self.keys.iter().find(|(known, _)| known == id)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = key.open_in_place(nonce, purpose.associated(), &mut sealed).ok()?;
        Some(plain.to_vec())
    }
}
