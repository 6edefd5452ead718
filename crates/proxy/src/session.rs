//! A client's session: an id that carries everything it needs, sealed, and a record in memory
//! that appears only when something has to be remembered.

mod calls;
mod client_tasks;
mod ear;
#[cfg(test)]
pub(crate) mod fixtures;
mod heard;
mod key;
mod outbox;
mod overlays;
mod pipe;
mod questions;
mod record;
mod sealed;
mod speaker;
mod store;
mod streams;
mod subscriptions;
#[cfg(test)]
mod tests;

pub use calls::CallInFlight;
pub use key::{KeyError, KeyRing};
pub use pipe::Pipe;
pub use record::{Beginning, Session, StreamSeat};
pub use sealed::{Claims, Declared};
pub(crate) use speaker::Speaker;
pub use store::{SessionError, Sessions};
pub use streams::{EventId, Reader, Stream};
