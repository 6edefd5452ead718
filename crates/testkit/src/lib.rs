//! What the tests stand on: the gateway's binary, real MCP servers and clients that others wrote, and raw sockets that
//! do what no real peer can be made to do. Nothing of the product depends on it, and it depends on nothing of the
//! product: it sees the gateway from outside.

mod caller;
mod client;
mod cluster;
mod conformance;
mod conversation;
mod gateway;
mod kept;
mod page;
mod peers;
mod piped;
mod plain;
mod player;
mod port;
mod process;
mod raw;
mod record;
mod recorder;
mod seeds;
mod shim;
mod tap;
mod tls;
mod transcript;
pub mod uris;
mod victim;
mod wire;

pub use caller::{Caller, CallerKind, Front, Heard, Place};
pub use client::Client;
pub use cluster::{Cluster, Forward};
pub use conformance::{Check, Difference, Scenarios, Verdict, conformance, kept_verdict};
pub use conversation::{
    REVISIONS, gateway_of, in_mid_stream, notification, one_call, progress, request, response,
    tool_call,
};
pub use gateway::{Gateway, Start, binary};
pub use kept::Kept;
pub use page::page;
pub use peers::Peers;
pub use piped::Piped;
pub use plain::{Asked, Plain, Visitor};
pub use player::{Played, Player, PlayerKind};
pub use port::reserved_port;
pub use process::{Process, output, output_within};
pub use raw::{Framing, Host, HostKind, RawCall, RawRequest, RawServer, Visit, one_tool};
pub use record::{DEADLINE, Record, say, within};
pub use recorder::{Answer, Exchange, Recorder};
pub use seeds::{Running, Seed, Shell, Source, Step, repository};
pub use shim::Shim;
pub use tap::Tap;
pub use tls::{Authority, Trust};
pub use transcript::{Change, Transcript};
pub use victim::{Kind, Victim};
pub use wire::{Event, EventStream, Reading, Wire, WireAnswer};
