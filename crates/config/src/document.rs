//! What an operator may write: the native document. These serde types are the YAML, the JSON
//! Schema for editors, and later the xDS payload; there is no second representation.

mod backend;
mod credential;
mod filter;
mod limits;
mod listener;
mod matches;
mod route;
mod service;
mod size;
mod target;
mod weighted;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use backend::{Backend, ElicitationLabel, FailureMode, PrefixMode, TargetEntry};
pub use credential::Credential;
pub use filter::{Cors, Filters, HeaderChanges, PathRewrite, Redirect, RedirectScheme, Rewrite};
pub use limits::{Limits, Timeouts};
pub use listener::{Listener, ListenerTls, Protocol};
pub use matches::{HeaderMatch, Match, MatchValue, PathMatch, QueryMatch};
pub use route::{Action, Close, Route, RouteTimeouts};
pub use service::{Service, ServiceProtocol, ServiceTimeouts};
pub use target::{Process, Target, TargetTls, Transport};
pub use weighted::{Lead, WeightedBackend};

use crate::duration::Duration;
use crate::secret::Secrets;

/// A whole document. Everything has a default: one target is a complete document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Document {
    /// The addresses that are served. None written: one, on 127.0.0.1:8080.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<Listener>,
    /// Which requests reach which backend. None written: path `/mcp` on every listener reaches the
    /// first backend, and `/mcp/<name>` each backend by its name where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// The MCP servers that clients see. None written: one, `default`, of all targets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<Backend>,
    /// The real MCP servers, which backends name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// The ordinary HTTP servers, which routes name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// Addresses behind an `endpoints` key of a target or service, for hosts that a control plane
    /// resolves. One whose key is absent, or has no address, is down.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub endpoints: BTreeMap<String, Vec<SocketAddr>>,
    /// How tool and prompt names are made.
    #[serde(skip_serializing_if = "is_default")]
    pub names: Names,
    /// The bounds that protect the gateway. Static: read at start.
    #[serde(skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// The admin port. Static: read at start.
    #[serde(skip_serializing_if = "is_default")]
    pub admin: Admin,
    /// How the gateway stops. Static: read at start.
    #[serde(skip_serializing_if = "is_default")]
    pub drain: Drain,
    /// Keeps all of it shut, on every listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<Close>,
    /// What listeners prove themselves with, by key. It comes beside the document and is never
    /// written in it.
    #[serde(skip)]
    pub secrets: Secrets,
}

/// How tool and prompt names are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Names {
    /// The longest name that is listed, in characters; longer ones are shortened the same way on
    /// every replica. Clients add a prefix of their own, and some drop tools beyond 60 or 64.
    #[schemars(range(min = 24, max = 128))]
    pub max_length: usize,
}

impl Names {
    /// The lengths that a name may be limited to: shorter ones could not tell tools apart, and
    /// the protocol has no longer ones.
    pub(crate) const LENGTHS: RangeInclusive<usize> = 24..=128;
}

impl Default for Names {
    fn default() -> Self {
        Self { max_length: 50 }
    }
}

/// The admin port: metrics, health and the configuration in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Admin {
    /// Where it listens. Loopback by default: `/config` shows how the gateway is built.
    pub address: SocketAddr,
}

impl Default for Admin {
    fn default() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 15000)) }
    }
}

/// How the gateway stops on SIGTERM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Drain {
    /// How long it is unready and still accepts, for load balancers that lag.
    pub announce: Duration,
    /// How long requests in flight may take to end after that.
    pub limit: Duration,
}

impl Default for Drain {
    fn default() -> Self {
        Self { announce: Duration::ZERO, limit: Duration::from_secs(30) }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}
