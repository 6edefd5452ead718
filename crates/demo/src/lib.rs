//! Two small real MCP servers for `portico run --demo`: `time` (stateless) and `notes` (with
//! sessions). They speak streamable HTTP on loopback and know nothing of the gateway.

mod endpoint;
mod events;
mod notes;
mod server;
mod service;
mod session;
mod time;

pub use server::{Demo, start};

#[cfg(test)]
mod tests;
