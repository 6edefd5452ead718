//! The gateway itself: serves MCP traffic for a snapshot of the configuration. It knows nothing of
//! where that configuration comes from.
//!
//! A request's way reads like the modules: [`listen`], [`serve`], `downstream`, `federation`,
//! `exchange`, `upstream`, and back.

// The layers of a request are futures within futures, deeper than the compiler looks by default.
#![recursion_limit = "256"]

mod gateway;
mod reload;
mod world;

mod arrival;
mod context;
mod listen;
mod place;
mod serve;

mod dispatch;
mod downstream;
mod exchange;
mod federation;
mod forward;
mod session;
mod upstream;

mod catalog;
mod error;
mod lines;
mod reply;

pub mod access_log;
pub mod admin;
mod auth;
mod certificate;
mod clock;
pub mod metrics;
mod random;
mod tasks;

pub use auth::{Authenticator, Principal};
pub use clock::{Clock, ManualClock};
pub use gateway::{Entrance, Gateway, Options};
pub use listen::ListenError;
pub use place::{Place, PlaceError};
pub use session::{KeyError, KeyRing};
pub use tasks::Tasks;
