//! What the gateway itself says when a request cannot be served. The only place that turns an
//! error into an HTTP status and a JSON-RPC code; a target's own errors pass as they are.

mod call;
mod forward;
mod request;

pub use call::CallError;
pub use forward::ForwardError;
pub use request::RequestError;
