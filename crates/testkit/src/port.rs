//! Ports for programs that cannot be asked which one they got: free, and not given to anyone else meanwhile.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use anyhow::Context;

/// A port of 127.0.0.1 that is free to be listened on. A connection is opened and closed from the listening side, so
/// that the port rests in TIME_WAIT: the system gives it to nobody as a port of their own, while a server that sets
/// SO_REUSEADDR (Node, Python and Rust all do) can listen on it, again and again.
pub fn reserved_port() -> anyhow::Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free on 127.0.0.1")?;
    let address = listener.local_addr().context("a listener without an address")?;
    let client = TcpStream::connect(address).context("cannot reach a port of our own")?;
    let (server, _) = listener.accept().context("cannot accept a connection of our own")?;
    drop(server);
    drop(client);
    Ok(address.port())
}
