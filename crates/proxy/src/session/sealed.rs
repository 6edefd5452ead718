//! The sealed `Mcp-Session-Id`: what a session is, without any state on this side.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mcp::{ClientCapabilities, Revision};
use serde::{Deserialize, Serialize};

use crate::auth::Principal;
use crate::session::key::{KeyError, KeyRing, Purpose};

/// The longest client name or version that a session id carries, in bytes.
const MAX_CLIENT_TEXT: usize = 64;
/// The longest id that is looked at. Ours are shorter.
const MAX_ID: usize = 1024;

/// What a session id says, once opened and found to be the caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Tells sessions apart, and finds the record.
    pub serial: u128,
    /// The replica that holds the session's record and streams.
    pub owner: Arc<str>,
    /// The revision that `initialize` agreed on.
    pub revision: Revision,
    /// What its client can do, as far as the gateway knows it.
    pub capabilities: ClientCapabilities,
    /// What the client says of itself, where the only target is to hear it and it is short.
    pub declared: Option<Declared>,
    /// `clientInfo.name`, cut.
    pub client_name: String,
    /// `clientInfo.version`, cut.
    pub client_version: String,
    /// Who opened the session.
    pub principal: Principal,
    /// The backend that it was opened on.
    pub backend: Arc<str>,
    /// When it ends at the latest.
    pub expires: SystemTime,
}

/// A client in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The raw `capabilities` of its `initialize`.
    pub capabilities: String,
    /// The raw `clientInfo`.
    pub client_info: String,
}

/// The form on the wire, before it is sealed. Short keys: it travels with every request.
#[derive(Serialize, Deserialize)]
struct Wire {
    s: u128,
    o: Arc<str>,
    r: String,
    c: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<Declared>,
    n: String,
    v: String,
    p: String,
    b: Arc<str>,
    x: u64,
}

/// A session id as a client holds it: visible ASCII, at most 1 KiB, unreadable and unforgeable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionId(String);

impl SessionId {
    /// Seals `claims` with the ring's first key. What the client says of itself is left out where
    /// the id would become too long.
    pub(super) fn seal(
        keys: &KeyRing,
        purpose: Purpose,
        claims: &Claims,
    ) -> Result<Self, KeyError> {
        let expires = claims.expires.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let wire = Wire {
            s: claims.serial,
            o: claims.owner.clone(),
            r: claims.revision.as_str().to_owned(),
            c: claims.capabilities.bits(),
            d: claims.declared.clone(),
            n: cut(&claims.client_name).to_owned(),
            v: cut(&claims.client_version).to_owned(),
            p: claims.principal.as_str().to_owned(),
            b: claims.backend.clone(),
            x: expires,
        };
        let sealed = wire.seal(keys, purpose)?;
        if sealed.0.len() <= MAX_ID {
            return Ok(sealed);
        }
        Wire { d: None, ..wire }.seal(keys, purpose)
    }

    /// What `text` says, if this ring sealed it for `purpose` and it has not expired by `now`.
    pub(super) fn open(
        keys: &KeyRing,
        purpose: Purpose,
        text: &str,
        now: SystemTime,
    ) -> Option<Claims> {
        if text.len() > MAX_ID {
            return None;
        }
        let plain = keys.open(purpose, text)?;
        let wire: Wire = serde_json::from_slice(&plain).ok()?;
        let expires = UNIX_EPOCH + Duration::from_secs(wire.x);
        if expires <= now {
            return None;
        }
        Some(Claims {
            serial: wire.s,
            owner: wire.o,
            revision: Revision::parse(&wire.r)?,
            capabilities: ClientCapabilities::from_bits(wire.c),
            declared: wire.d,
            client_name: wire.n,
            client_version: wire.v,
            principal: Principal::new(&wire.p),
            backend: wire.b,
            expires,
        })
    }

    /// The text of the header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Wire {
    fn seal(&self, keys: &KeyRing, purpose: Purpose) -> Result<SessionId, KeyError> {
        let plain = serde_json::to_vec(self).map_err(|_| KeyError::Empty)?;
        keys.seal(purpose, &plain).map(SessionId)
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_CLIENT_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
