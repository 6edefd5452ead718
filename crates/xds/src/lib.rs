//! Carries documents from a controller to its proxies, and back how their targets stand: the
//! incremental variant of xDS over gRPC, three types of resources, versions that are hashes of what
//! they stand for. Knows what a resource is for, and nothing of what is in it.

mod client;
mod connect;
mod delta;
mod generated;
mod limits;
mod listen;
mod report;
mod resource;
mod server;

pub use client::{Client, Received};
pub use connect::{ConnectError, Endpoint};
pub use limits::Limits;
pub use listen::{Connection, Identity, IdentityError, accept};
pub use report::{Finding, Report, TargetReport};
pub use resource::{Resource, ResourceType, Scope};
pub use server::{Admit, Caller, Denied, Observation, Published, Server};
