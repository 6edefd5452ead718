//! A client's session: an id that carries everything it needs, sealed, and a record in memory
//! that appears only when something has to be remembered.

mod key;
mod record;
mod sealed;
mod store;
#[cfg(test)]
mod tests;

pub use key::{KeyError, KeyRing};
pub use record::{CallInFlight, Session, StreamSeat};
pub use sealed::{Claims, SessionId};
pub use store::{SessionError, Sessions};
