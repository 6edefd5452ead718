//! What an operator may write, and what it means: text in, document, snapshot and diagnostics out.
//!
//! Pure: no I/O, no tokio. The environment and the clock are the caller's. [`document`] holds what
//! is written, [`snapshot`] what it means to the proxy; the names of the snapshot are also those of
//! the crate.

mod compile;
mod diagnostic;
pub mod document;
mod duration;
mod feature;
mod format;
mod guard;
mod implied;
mod mcp_json;
mod merge;
mod named;
mod node;
mod origins;
mod read;
mod secret;
pub mod snapshot;
mod write;

pub use compile::{Compiled, Variables, compile, is_certificate_name};
pub use diagnostic::{Diagnostic, Place, Severity};
pub use document::{
    Close, Document, Drain, ElicitationLabel, FailureMode, Limits, Names, PrefixMode, Process,
    RedirectScheme, ServiceProtocol, Transport,
};
pub use duration::{Duration, DurationError};
pub use format::{Format, format};
pub use guard::{is_condition, is_guard};
pub use mcp_json::expand;
pub use merge::merge;
pub use origins::Origins;
pub use read::{Reading, read, read_published};
pub use secret::{Secret, Secrets};
pub use snapshot::{
    Action, Allowed, AllowedByHost, Backend, Certificate, Cors, Filters, HeaderChanges,
    HttpAddress, Lead, Listed, Listener, ListenerTls, Matched, Origin, PathRewrite, ProcessAddress,
    Redirect, RequestHead, Roots, Route, RouteTable, RouteTimeouts, Service, Share, Snapshot,
    Target, TargetAddress, TargetKey, TargetSettings, Timeouts, UpstreamTls, Verification,
    Weighted,
};
pub use write::{redacted, schema, to_yaml};
