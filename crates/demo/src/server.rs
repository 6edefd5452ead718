//! The running servers: a listener each, and the connections to it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::endpoint::Endpoint;
use crate::notes::Notes;
use crate::service::Service;
use crate::time::Time;

/// How many connections a server has at a time; further ones wait.
const MAX_CONNECTIONS: usize = 256;

/// The demo servers. They end, with all their connections, when this is dropped.
#[derive(Debug)]
pub struct Demo {
    addresses: Vec<(String, SocketAddr)>,
    /// Dropping the set ends the servers.
    _servers: JoinSet<()>,
}

/// Starts both servers, each on a port of loopback that the system chooses. Call it within a
/// tokio runtime.
///
/// # Errors
/// A port of loopback cannot be listened on.
pub async fn start() -> io::Result<Demo> {
    let mut servers = JoinSet::new();
    let mut addresses = Vec::new();
    for name in ["time", "notes"] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        addresses.push((name.to_owned(), listener.local_addr()?));
        match name {
            "time" => servers.spawn(serve(listener, Endpoint::new(Time))),
            _ => servers.spawn(serve(listener, Endpoint::new(Notes::default()))),
        };
    }
    Ok(Demo { addresses, _servers: servers })
}

impl Demo {
    /// The name and address of each server. Its MCP endpoint is at `/mcp`.
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        self.addresses.clone()
    }
}

/// Accepts connections for ever.
async fn serve<S: Service>(listener: TcpListener, endpoint: Endpoint<S>) {
    let endpoint = Arc::new(endpoint);
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= MAX_CONNECTIONS {
            connections.join_next().await;
        }
        tokio::select! {
            accepted = listener.accept() => {
                // A failure to accept is one peer's, or passes when connections end.
                let Ok((stream, _)) = accepted else {
                    tokio::task::yield_now().await;
                    continue;
                };
                connections.spawn(connection(stream, endpoint.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection<S: Service>(stream: TcpStream, endpoint: Arc<Endpoint<S>>) {
    let service = service_fn(move |request| {
        let endpoint = endpoint.clone();
        async move { Ok::<_, std::convert::Infallible>(endpoint.answer(request).await) }
    });
    let mut builder = http1::Builder::new();
    // A connection that breaks is the client's affair.
    let _ended =
        builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}
