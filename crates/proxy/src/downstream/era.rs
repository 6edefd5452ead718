//! Lifecycle and errors of the protocol's eras. No sockets here.

pub(crate) mod legacy;
