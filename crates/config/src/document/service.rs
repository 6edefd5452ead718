//! An ordinary HTTP server, as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credential::Credential;
use super::is_default;
use super::route::Close;
use super::target::TargetTls;
use crate::duration::Duration;

/// An ordinary HTTP server, which requests are passed on to as they come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    /// What routes call it.
    pub name: String,
    /// Where it is: `http://` or `https://`, a host, and a port, without a path. It may hold
    /// `${VAR}`, `${env:VAR}` and `${VAR:-default}`, from the gateway's environment.
    pub url: String,
    /// A key of the document's `endpoints`: connect there, instead of resolving the url's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<String>,
    /// What is spoken to it.
    #[serde(skip_serializing_if = "ServiceProtocol::is_default")]
    pub protocol: ServiceProtocol,
    /// What it is shown of secrets that come beside the document, in headers. It replaces what a client
    /// sends under these names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
    /// Deadlines of its own.
    #[serde(skip_serializing_if = "is_default")]
    pub timeouts: ServiceTimeouts,
    /// How its certificate is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TargetTls>,
    /// Keeps it shut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<Close>,
    /// Features that whoever serves this has to know; where one is not known, it is kept shut. A
    /// controller writes them for proxies that are older than itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
}

/// Deadlines of one ordinary HTTP server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceTimeouts {
    /// The time to connect. Unset: `limits.connect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<Duration>,
    /// From the moment in which a request is passed on to the end of the answer. Unset: any time. Of this
    /// and the route's `backendRequest` the shorter counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Duration>,
}

/// What is spoken to an ordinary HTTP server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ServiceProtocol {
    /// HTTP/1.1, with Upgrade.
    #[default]
    Http1,
    /// HTTP/2: with prior knowledge (h2c), or over TLS.
    Http2,
}

impl ServiceProtocol {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
