//! A wire tap between the gateway and a real server: passes every byte on and keeps what the gateway sent.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::record::Record;

/// A listener that forwards to one port of 127.0.0.1.
pub struct Tap {
    /// The port to connect to instead of the server's.
    pub port: u16,
    /// What was sent to the server, by connection.
    sent: Record<Vec<u8>>,
}

impl Tap {
    /// Listens, and forwards every connection to `port`.
    pub async fn to(port: u16) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a tap")?;
        let address = listener.local_addr().context("a tap without an address")?;
        let sent = Record::default();
        tokio::spawn(accept(listener, port, sent.clone()));
        Ok(Self { port: address.port(), sent })
    }

    /// Everything that was sent to the server so far, one connection after the other.
    pub fn sent(&self) -> String {
        String::from_utf8_lossy(&self.sent.all().concat()).into_owned()
    }

    /// How many requests or notifications of `method` were sent so far.
    pub fn count(&self, method: &str) -> usize {
        let compact: String = self.sent().split_ascii_whitespace().collect();
        compact.matches(&format!("\"method\":\"{method}\"")).count()
    }

    /// Awaits the moment when `method` was sent at least `times` times.
    pub async fn sees(&self, method: &str, times: usize) -> anyhow::Result<()> {
        let what = format!("{times} of `{method}` upstream");
        self.sent.until(&what, |_| (self.count(method) >= times).then_some(())).await
    }
}

async fn accept(listener: TcpListener, port: u16, sent: Record<Vec<u8>>) {
    while let Ok((client, _)) = listener.accept().await {
        let sent = sent.clone();
        tokio::spawn(async move {
            let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            // A server that is down is a connection that ends: the drop of `client` says so.
            if let Ok(server) = TcpStream::connect(server).await {
                let (client_reads, client_writes) = client.into_split();
                let (server_reads, server_writes) = server.into_split();
                let mut connection = 0;
                sent.change(|connections| {
                    connection = connections.len();
                    connections.push(Vec::new());
                });
                let keep = move |bytes: &[u8]| {
                    sent.change(|connections| {
                        if let Some(kept) = connections.get_mut(connection) {
                            kept.extend_from_slice(bytes);
                        }
                    });
                };
                tokio::join!(
                    forward(client_reads, server_writes, keep),
                    forward(server_reads, client_writes, |_| ()),
                );
            }
        });
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, keep: impl Fn(&[u8])) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let Some(bytes) = buffer.get(..length) else { break };
        keep(bytes);
        if to.write_all(bytes).await.is_err() {
            break;
        }
    }
    // The other side is told at once, also where it would go on writing.
    let _ = to.shutdown().await;
}
