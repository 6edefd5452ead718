//! An address that is served, as it is written.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::route::Close;

/// An address that is served. Several listeners may share one address, told apart by `hostname`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Listener {
    /// What routes call it.
    pub name: String,
    /// Where it listens. Loopback by default: whoever can reach it can use every target.
    pub address: SocketAddr,
    /// The only host it answers for, `*.example.com` for every host below one. Unset: any host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// What is spoken on it.
    #[serde(skip_serializing_if = "Protocol::is_default")]
    pub protocol: Protocol,
    /// What it proves itself with, where `protocol` is `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,
    /// The web origins that may use it, besides loopback ones and the listener's own host:
    /// `https://app.example.com`, or `*` for any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_origins: Vec<String>,
    /// The `Host` names that a loopback listener answers to, besides loopback ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_hosts: Vec<String>,
    /// Keeps it shut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<Close>,
    /// Features that whoever serves this has to know; where one is not known, it is kept shut. A
    /// controller writes them for proxies that are older than itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
}

/// What is spoken on a listener.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Protocol {
    /// HTTP/1.1, and HTTP/2 with prior knowledge.
    #[default]
    Http,
    /// The same over TLS.
    Https,
}

/// What a listener proves itself with. Of several certificates the one that is for the name that a
/// client asks for is shown. Listeners of one address are told apart by that name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ListenerTls {
    /// Keys of secrets that a control plane sends beside the document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<String>,
    /// A file with a certificate and those that it was signed with, in PEM. It is read whenever the
    /// configuration is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_file: Option<PathBuf>,
    /// The file with its private key, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            hostname: None,
            protocol: Protocol::default(),
            tls: None,
            allowed_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            close: None,
            requires: Vec::new(),
        }
    }
}

impl Protocol {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
