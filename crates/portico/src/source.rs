//! Where documents come from. A source is a task that holds a `watch::Sender`; sources do not know
//! each other, and the proxy knows none.

pub(crate) mod file;
mod input;
mod library;
mod paths;
pub(crate) mod xds;

pub(crate) use library::Library;
