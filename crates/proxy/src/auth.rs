//! Who calls. Until there is authentication everybody is `anonymous`; one function says so, and
//! tests replace it.

use std::fmt;
use std::sync::Arc;

use http::request::Parts;

/// Who calls, as authenticated. Sessions are bound to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal(Arc<str>);

impl Principal {
    /// A principal by its name, which must be unique among all that can call.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Self::new("anonymous")
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How a request's principal is found. Called once per request, before anything is looked up.
#[derive(Clone)]
pub struct Authenticator(Arc<dyn Fn(&Parts) -> Principal + Send + Sync>);

impl Authenticator {
    /// Everybody is anonymous.
    pub fn anonymous() -> Self {
        let anonymous = Principal::anonymous();
        Self::new(move |_| anonymous.clone())
    }

    /// Asks `principal` for each request's head.
    pub fn new(principal: impl Fn(&Parts) -> Principal + Send + Sync + 'static) -> Self {
        Self(Arc::new(principal))
    }

    /// Who sent the request with this head.
    pub fn principal(&self, head: &Parts) -> Principal {
        (self.0)(head)
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Authenticator")
    }
}
