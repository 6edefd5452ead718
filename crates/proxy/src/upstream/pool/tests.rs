//! Which connection a request takes, against peers on raw sockets.

use std::time::Duration;

use http::{HeaderMap, Method};
use tokio::net::TcpListener;

use super::*;
use crate::clock::ManualClock;
use crate::upstream::transport::fixtures::{Act, LONG, Peer, Seen};

mod named;

fn pool(clock: Clock) -> HttpPool {
    let tasks = Tasks::new();
    HttpPool::new(tasks.clone(), clock.clone(), Names::new(tasks, clock))
}

struct Client {
    pool: HttpPool,
    clock: ManualClock,
    endpoints: Vec<SocketAddr>,
}

impl Client {
    fn new(endpoints: Vec<SocketAddr>) -> Self {
        let (clock, hand) = Clock::manual();
        Self { pool: pool(clock), clock: hand, endpoints }
    }

    async fn head(&self, body: &'static str) -> Result<HttpAnswer, UpstreamError> {
        let address = Address::of(&"http://peer.test/x".parse().unwrap()).unwrap();
        let mut request = Request::new(Full::new(Bytes::from_static(body.as_bytes())));
        *request.method_mut() = Method::POST;
        *request.headers_mut() =
            HeaderMap::from_iter([(http::header::HOST, address.authority.clone())]);
        let sending = Sending {
            address: &address,
            endpoints: &self.endpoints,
            pinned: None,
            tls: &UpstreamTls::default(),
            connect_timeout: Duration::from_secs(5),
            header_block: 32 * 1024,
        };
        tokio::time::timeout(LONG, self.pool.send(&sending, request)).await.unwrap()
    }

    /// Sends and reads the whole answer: its text, or the class of the error.
    async fn send(&self, body: &'static str) -> Result<String, &'static str> {
        let mut answer = self.head(body).await.map_err(|error| error.class())?;
        let body = answer.body.collect(1024).await.map_err(|error| error.class())?;
        Ok(String::from_utf8(body.to_vec()).unwrap())
    }
}

/// Sends `requests` one after another to a peer that follows `script`, and tells on which connection
/// each arrived.
async fn check(
    script: fn(&Seen) -> Vec<Act>,
    requests: &[&'static str],
    expected: &[(&str, usize)],
) -> (Client, Peer) {
    let peer = Peer::start(script).await;
    let client = Client::new(vec![peer.address]);
    for (place, request) in requests.iter().enumerate() {
        let answer = client.send(request).await;
        assert_eq!(answer.unwrap_or_else(str::to_owned), expected[place].0, "answer {place}");
    }
    let connections: Vec<_> = peer.seen().iter().map(|seen| seen.connection).collect();
    let wanted: Vec<_> = expected.iter().map(|(_, connection)| *connection).collect();
    assert_eq!(connections, wanted);
    (client, peer)
}

fn kept(_: &Seen) -> Vec<Act> {
    vec![Act::json("kept")]
}

#[tokio::test]
async fn an_answer_read_to_its_end_frees_its_connection() {
    let (client, _peer) = check(kept, &["a", "b"], &[("kept", 0), ("kept", 0)]).await;
    assert_eq!(client.pool.idle(), 1);
}

#[tokio::test]
async fn a_chunked_answer_frees_its_connection_too() {
    let chunked = |_: &Seen| vec![Act::events(), Act::chunk("a"), Act::chunk("b"), Act::end()];
    check(chunked, &["a", "b"], &[("ab", 0), ("ab", 0)]).await;
}

#[tokio::test]
async fn nothing_is_opened_ahead_and_nothing_kept_to_a_peer_that_closes() {
    let old = |_: &Seen| vec![Act::Write("HTTP/1.0 200 OK\r\n\r\nold".into()), Act::Close];
    let (client, _peer) = check(old, &["a", "b"], &[("old", 0), ("old", 1)]).await;
    assert_eq!(client.pool.idle(), 0);
    let closing = |_: &Seen| {
        vec![Act::Write(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nc".into(),
        )]
    };
    check(closing, &["a", "b"], &[("c", 0), ("c", 1)]).await;
}

#[tokio::test]
async fn a_connection_that_idled_too_long_is_not_used_again() {
    let (client, peer) = check(kept, &["a"], &[("kept", 0)]).await;
    client.clock.advance(Duration::from_secs(4));
    client.send("b").await.unwrap();
    assert_eq!(peer.seen()[1].connection, 1);
    peer.until(|_, open| open == 1).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_another_request() {
    let short = |_: &Seen| {
        let head = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\nContent-Length: 0\r\n\r\n";
        vec![Act::Write(head.into())]
    };
    let peer = Peer::start(short).await;
    let mut client = Client::new(vec![peer.address]);
    client.pool = pool(Clock::system());
    client.send("a").await.unwrap();
    peer.until(|_, open| open == 0).await;
}

#[tokio::test]
async fn an_answer_that_is_dropped_closes_its_connection() {
    let endless = |_: &Seen| vec![Act::events(), Act::chunk("a"), Act::Hang];
    let peer = Peer::start(endless).await;
    let client = Client::new(vec![peer.address]);
    let answer = client.head("a").await.unwrap();
    assert_eq!(client.pool.idle(), 0);
    drop(answer);
    peer.until(|_, open| open == 0).await;
    assert_eq!(client.pool.idle(), 0);
}

#[tokio::test]
async fn a_request_is_sent_again_when_the_connection_was_gone_before_it() {
    // It says nothing of closing, and closes.
    let silent = |seen: &Seen| match &seen.body[..] {
        b"first" => vec![Act::json("1"), Act::Close],
        _ => vec![Act::json("2")],
    };
    let peer = Peer::start(silent).await;
    let client = Client::new(vec![peer.address]);
    assert_eq!(client.send("first").await.unwrap(), "1");
    peer.until(|_, open| open == 0).await;
    assert_eq!(client.send("second").await.unwrap(), "2");
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn a_request_that_was_written_is_never_sent_again() {
    let dying = |seen: &Seen| match &seen.body[..] {
        b"first" => vec![Act::json("1")],
        _ => vec![Act::Close],
    };
    check(dying, &["first", "second"], &[("1", 0), ("cut", 0)]).await;
    check(|_| vec![Act::Close], &["first"], &[("cut", 0)]).await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error() {
    let short = |_: &Seen| {
        vec![Act::Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".into()), Act::Close]
    };
    check(short, &["a"], &[("cut", 0)]).await;
    let chunked = |_: &Seen| vec![Act::events(), Act::chunk("half"), Act::Close];
    check(chunked, &["a"], &[("cut", 0)]).await;
}

#[tokio::test]
async fn a_head_over_the_limit_is_an_error() {
    let long = |_: &Seen| {
        let value = "x".repeat(40 * 1024);
        vec![Act::Write(format!("HTTP/1.1 200 OK\r\nx: {value}\r\nContent-Length: 0\r\n\r\n"))]
    };
    check(long, &["a"], &[("cut", 0)]).await;
}

#[tokio::test]
async fn endpoints_take_turns_and_a_dead_one_is_passed_over() {
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (one, two) = (Peer::start(kept).await, Peer::start(kept).await);
    let client = Client::new(vec![one.address, dead, two.address]);
    for _ in 0..6 {
        client.send("a").await.unwrap();
    }
    assert_eq!(one.seen().len(), 2);
    assert_eq!(two.seen().len(), 4);
    let nobody = Client::new(vec![dead]);
    assert_eq!(nobody.send("a").await.unwrap_err(), "connect");
}
