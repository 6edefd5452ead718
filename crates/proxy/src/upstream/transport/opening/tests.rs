//! Targets of which nobody says how they are spoken to.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::sync::mpsc::channel;

use super::*;
use crate::upstream::transport::fixtures::{Act, HELLO, LONG, Peer, Seen, dial};
use crate::upstream::transport::{Connection, Dial};

/// The bytes of every nonce, so that a script knows the id before it is asked.
const BYTES: [u8; 16] = [7; 16];

/// A dial of a target at `/mcp` that does not say what it speaks.
fn unsaid(peer: &Peer) -> Dial {
    let mut dial =
        dial(&format!("url: 'http://{}/mcp', timeouts: {{ connect: 1s }}", peer.address));
    dial.random = |bytes| *bytes = BYTES;
    dial
}

async fn open(dial: &Dial) -> Result<Connection, UpstreamError> {
    let (hearer, _) = channel(64);
    Connection::open(dial, hearer, LONG).await
}

/// A server of HTTP+SSE that refuses what it does not know with `status`.
async fn old(status: &'static str) -> Peer {
    let asked = Arc::new(Notify::new());
    let hello = HELLO.replace("ID", &String::from_utf8_lossy(Nonce::new(BYTES).id().as_bytes()));
    Peer::start(move |seen| {
        if seen.is_get() {
            let endpoint = Act::chunk("event: endpoint\ndata: /messages?s=1\n\n");
            return vec![
                Act::events(),
                endpoint,
                Act::Wait(asked.clone()),
                Act::event(&hello),
                Act::Hang,
            ];
        }
        if seen.head.starts_with("POST /messages?s=1 ") {
            if seen.is("initialize") {
                asked.notify_one();
            }
            return vec![Act::status("202 Accepted")];
        }
        vec![Act::status(status)]
    })
    .await
}

fn begins(seen: &[Seen], with: &str) -> usize {
    seen.iter().filter(|seen| seen.head.starts_with(with)).count()
}

#[tokio::test]
async fn a_target_that_refuses_initialize_is_asked_for_its_old_stream() {
    for status in ["400 Bad Request", "404 Not Found", "405 Method Not Allowed"] {
        let peer = old(status).await;
        let dial = unsaid(&peer);
        let first = open(&dial).await.unwrap();
        assert_eq!(first.hello().protocol_version.as_str(), "2025-06-18");
        assert_eq!(begins(&peer.seen(), "POST /mcp "), 1);
        // What was found is known from now on.
        let _second = open(&dial).await.unwrap();
        assert_eq!(begins(&peer.seen(), "POST /mcp "), 1);
        assert_eq!(begins(&peer.seen(), "GET /mcp "), 2);
    }
}

#[tokio::test]
async fn a_target_that_has_become_newer_is_found() {
    let peer = Peer::start(|seen| {
        seen.opening().unwrap_or_else(|| vec![Act::status("405 Method Not Allowed")])
    })
    .await;
    let dial = unsaid(&peer);
    dial.speaks_sse.store(true, Ordering::Relaxed);
    open(&dial).await.unwrap();
    assert!(!dial.speaks_sse.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_target_without_either_is_told_by_how_it_refused() {
    let peer = Peer::start(|_| vec![Act::status("404 Not Found")]).await;
    let error = open(&unsaid(&peer)).await.unwrap_err().to_string();
    assert!(error.contains("answered 404"), "{error}");
    assert_eq!(begins(&peer.seen(), "GET /mcp "), 1);
    // A stream on which nothing comes is none.
    let silent = |seen: &Seen| match seen.is_get() {
        true => vec![Act::events(), Act::Hang],
        false => vec![Act::status("405 Method Not Allowed")],
    };
    let peer = Peer::start(silent).await;
    let error = open(&unsaid(&peer)).await.unwrap_err().to_string();
    assert!(error.contains("answered 405"), "{error}");
}

#[tokio::test]
async fn a_target_that_fails_otherwise_is_not_taken_for_an_old_one() {
    for status in ["401 Unauthorized", "429 Too Many Requests", "500 Oh"] {
        let peer = Peer::start(move |_| vec![Act::status(status)]).await;
        open(&unsaid(&peer)).await.unwrap_err();
        assert_eq!(begins(&peer.seen(), "GET "), 0);
    }
}
