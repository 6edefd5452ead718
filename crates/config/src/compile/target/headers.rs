//! The headers that a target is sent, and those of clients that it may see.

use http::{HeaderName, HeaderValue};

use super::Scope;
use crate::document::{Close, Target};
use crate::secret::Secret;

/// Headers of one connection, and those that the gateway writes itself.
const OWN: [&str; 17] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "last-event-id",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];
/// What a client proves itself with to the gateway; a target must not see it.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];

/// What the name of a header has in it that says who asks.
const CREDENTIAL_WORDS: [&str; 7] =
    ["apikey", "auth", "credential", "key", "password", "secret", "token"];

/// The configured headers. One that cannot be sent closes the target: it may be its credential.
pub(super) fn headers(
    written: &Target,
    scope: &mut Scope<'_, '_>,
) -> Result<Vec<(HeaderName, Secret)>, Close> {
    let mut headers: Vec<(HeaderName, Secret)> = Vec::new();
    let mut broken = None;
    for (name, value) in &written.headers {
        match header(name, value, scope) {
            Ok((name, _)) if headers.iter().any(|(known, _)| *known == name) => {
                let field = format!("headers.{name}");
                broken = Some(scope.close("target.header", &field, "this header is set twice"));
            }
            Ok(header) => headers.push(header),
            Err(close) => broken = Some(close),
        }
    }
    match broken {
        Some(close) => Err(close),
        None => Ok(headers),
    }
}

/// The client headers that are passed on. One that never is passed on is left out.
pub(super) fn forward_headers(written: &Target, scope: &mut Scope<'_, '_>) -> Vec<HeaderName> {
    let mut headers = Vec::new();
    for (index, text) in written.forward_headers.iter().enumerate() {
        let message = match HeaderName::from_bytes(text.as_bytes()) {
            Err(_) => format!("`{text}` is not the name of a header"),
            Ok(name) if CREDENTIALS.contains(&name.as_str()) => {
                format!("credentials are not forwarded; `{name}` is left out")
            }
            Ok(name) if is_own(&name) => {
                format!("`{name}` is the gateway's own and is not forwarded")
            }
            Ok(name) => {
                headers.push(name);
                continue;
            }
        };
        let path = scope.at(&format!("forwardHeaders[{index}]"));
        scope.report.error("target.forwardHeader", &path, message);
    }
    headers
}

fn header(
    name: &str,
    value: &str,
    scope: &mut Scope<'_, '_>,
) -> Result<(HeaderName, Secret), Close> {
    let field = format!("headers.{name}");
    let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(scope.close("target.header", &field, "this is not the name of a header"));
    };
    if is_own(&header) {
        let message = format!("`{header}` is the gateway's own and cannot be set");
        return Err(scope.close("target.header", &field, message));
    }
    let value = scope.resolve(&field, value)?;
    if HeaderValue::from_str(&value).is_err() {
        let message = "the value has characters that a header cannot carry";
        return Err(scope.close("target.header", &field, message));
    }
    Ok((header, Secret::new(value)))
}

/// Whether a target knows by this header who asks, as far as a name can tell.
pub(super) fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(['-', '_']);
    CREDENTIALS.contains(&name.as_str()) || words.any(|word| CREDENTIAL_WORDS.contains(&word))
}

/// Whether a header is not for others to set.
pub(in crate::compile) fn is_own(name: &HeaderName) -> bool {
    OWN.contains(&name.as_str()) || name.as_str().starts_with("mcp-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: bool) {
        assert_eq!(is_credential(name), expected, "{name}");
    }

    #[test]
    fn who_asks_is_told_by_names_that_say_so() {
        for name in
            ["Authorization", "Cookie", "X-API-Key", "apikey", "X-Auth-Token", "PRIVATE-TOKEN"]
        {
            check(name, true);
        }
        for name in ["X-Tenant", "User-Agent", "X-Monkey", "X-Author"] {
            check(name, false);
        }
    }
}
