//! What depends on the era that a target speaks: how a session begins, and what is said to a server
//! that asks. No sockets here; `transport` carries it.

pub(crate) mod legacy;
