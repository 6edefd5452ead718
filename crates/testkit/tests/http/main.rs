//! Ordinary HTTP servers behind the gateway: requests and answers are passed on as they come, both
//! ways at once, and changed only where a route says so.

mod choosing;
mod passing;
mod rewriting;
mod secure;
mod waiting;

use testkit::{Gateway, Plain};

/// A gateway in front of `servers`, with these routes.
async fn gateway(servers: &[&Plain], routes: &str) -> anyhow::Result<Gateway> {
    Gateway::native(&document(servers, routes)).await
}

/// The document of that.
fn document(servers: &[&Plain], routes: &str) -> String {
    let services: String = servers.iter().map(|server| server.service()).collect();
    format!("routes:\n{routes}\nservices:\n{services}")
}
