//! Sessions: how they are kept, lost and ended, and the GET stream that belongs to them.

use tokio::sync::Notify;

use super::error;
use crate::upstream::transport::fixtures::{
    Act, LONG, Peer, Seen, exchange, open, outgoing, streamable,
};
use crate::upstream::transport::inbox::Inbound;
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_lost_session_is_told_to_the_caller_and_the_owner() {
    let peer = Peer::start(|seen| {
        seen.opening_with_session().unwrap_or_else(|| vec![Act::status("404 Not Found")])
    })
    .await;
    let (connection, mut inbound) = open(&streamable(peer.address)).await;
    assert!(connection.is_open());
    assert_eq!(exchange(&connection, outgoing(1, "x")).await.1, "session_gone");
    assert!(!connection.is_open());
    assert!(matches!(inbound.recv().await, Some(Inbound::Closed(_))));
    assert_eq!(exchange(&connection, outgoing(2, "x")).await.1, "closed");
}

#[tokio::test]
async fn a_session_is_deleted_when_it_is_closed() {
    let peer = Peer::start(|seen| {
        seen.opening_with_session().unwrap_or_else(|| vec![Act::status("405 Method Not Allowed")])
    })
    .await;
    let (connection, _) = open(&streamable(peer.address)).await;
    connection.close().await;
    connection.close().await;
    let last = peer.seen().pop().unwrap();
    assert!(last.head.starts_with("DELETE /mcp"));
    assert_eq!(last.header("mcp-session-id"), Some("s1"));
    assert_eq!(peer.seen().len(), 4);
}

#[tokio::test]
async fn the_get_stream_is_there_before_the_first_call_and_comes_back() {
    let cut = Arc::new(Notify::new());
    let told = cut.clone();
    let streams = std::sync::atomic::AtomicUsize::new(0);
    let peer = Peer::start(move |seen| {
        if !seen.is_get() {
            return seen
                .opening_with_session()
                .unwrap_or_else(|| vec![Act::status("202 Accepted")]);
        }
        let first = streams.fetch_add(1, Ordering::Relaxed) == 0;
        let say = |data: &str| Act::chunk(&format!("retry: 5\ndata: {data}\n\n"));
        let mut acts = vec![Act::events()];
        if first {
            acts.push(say(r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#));
            acts.push(say(r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#));
            acts.push(Act::Wait(told.clone()));
            acts.push(Act::Close);
        } else {
            acts.push(Act::Hang);
        }
        acts
    })
    .await;
    let (connection, mut inbound) = open(&streamable(peer.address)).await;
    assert!(peer.seen().iter().any(Seen::is_get));
    assert!(matches!(inbound.recv().await, Some(Inbound::Log(_))));
    peer.until(|seen, _| seen.iter().any(|seen| seen.body.ends_with(br#""id":9,"result":{}}"#)))
        .await;
    cut.notify_one();
    // What happened meanwhile is not known, so it may have changed.
    let next = tokio::time::timeout(LONG, inbound.recv()).await.unwrap();
    assert!(matches!(next, Some(Inbound::ListChanged(mcp::ListKind::Tools))));
    assert_eq!(peer.seen().iter().filter(|seen| seen.is_get()).count(), 2);
    drop(connection);
    peer.until(|_, open| open == 0).await;
}

#[tokio::test]
async fn a_target_that_dies_is_noticed_without_a_call() {
    let peer = Peer::start(|seen| {
        if seen.is_get() {
            return vec![Act::events(), Act::Hang];
        }
        seen.opening_with_session().unwrap_or_default()
    })
    .await;
    let (_connection, mut inbound) = open(&streamable(peer.address)).await;
    drop(peer);
    let next = tokio::time::timeout(LONG, inbound.recv()).await.unwrap();
    let Some(Inbound::Closed(error)) = next else { panic!("{next:?}") };
    assert_eq!(error.class(), "connect");
}

#[tokio::test]
async fn an_error_of_a_call_that_speaks_of_sessions_loses_none() {
    let peer = Peer::start(|seen| {
        seen.opening_with_session().unwrap_or_else(|| {
            let body = error(seen).replace("no", "no such session of parliament");
            let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n";
            vec![Act::Write(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))]
        })
    })
    .await;
    let (connection, _) = open(&streamable(peer.address)).await;
    let (messages, class) = exchange(&connection, outgoing(1, "x")).await;
    assert_eq!((messages.len(), class), (1, ""));
    assert!(connection.is_open());
}
