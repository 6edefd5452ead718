//! Clients that do not go on.

use arc_swap::ArcSwapOption;
use config::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;
use crate::access_log::AccessLog;
use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::context::Closing;
use crate::metrics::Metrics;
use crate::session::{KeyRing, Sessions};
use crate::tasks::Tasks;
use crate::upstream::fixtures::LONG;

const SHORT: Deadlines =
    Deadlines { head: Duration::from_millis(20), write: Duration::from_millis(20) };

/// A gateway without a world.
fn context() -> Arc<Context> {
    let (tasks, limits) = (Tasks::new(), Limits::default());
    let metrics = Metrics::new(&tasks);
    Arc::new(Context {
        world: ArcSwapOption::empty(),
        clock: Clock::system(),
        sessions: Sessions::new(KeyRing::random().unwrap(), &limits, metrics.clone()),
        tasks,
        metrics,
        connections: Arc::new(Semaphore::new(limits.connections)),
        limits: Arc::new(limits),
        authenticator: Authenticator::anonymous(),
        access_log: AccessLog::off(),
        replica: "test".into(),
        closing: Closing::default(),
    })
}

/// A client's end of a connection that is served within `deadlines`, and the serving of it.
fn connect(deadlines: Deadlines, buffer: usize) -> (DuplexStream, JoinHandle<()>) {
    let (client, server) = tokio::io::duplex(buffer);
    let anywhere = ([127, 0, 0, 1], 0).into();
    let closing = Closing::default();
    let seat = Arc::default();
    let arrival = Arrival { configured: anywhere, remote: anywhere, tls: None, closing, seat };
    let served = converse(context(), arrival, server, CancellationToken::new(), deadlines);
    (client, tokio::spawn(served))
}

/// What a client hears until its connection is closed, when it says `said` and no more.
async fn check(deadlines: Deadlines, said: &[u8]) -> Vec<u8> {
    let (mut client, _) = connect(deadlines, 1 << 10);
    client.write_all(said).await.unwrap();
    let mut heard = Vec::new();
    tokio::time::timeout(LONG, client.read_to_end(&mut heard)).await.unwrap().unwrap();
    heard
}

#[tokio::test]
async fn who_never_asks_anything_is_not_kept() {
    check(SHORT, b"").await;
    check(SHORT, b"P").await;
    check(SHORT, b"GET / HTTP/1.1\r\n").await;
    // HTTP/2, with empty settings.
    check(SHORT, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
}

#[tokio::test]
async fn who_asks_in_time_is_answered() {
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let heard = check(Deadlines::default(), request).await;
    assert!(heard.starts_with(b"HTTP/1.1 503"), "{}", String::from_utf8_lossy(&heard));
}

#[tokio::test]
async fn who_stops_reading_is_not_kept() {
    let deadlines = Deadlines { write: SHORT.write, ..Deadlines::default() };
    let (mut client, served) = connect(deadlines, 64);
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    tokio::time::timeout(LONG, served).await.unwrap().unwrap();
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard.len(), 64);
}
