//! For tests: peers on raw sockets that say exactly what a script tells them, and what is needed to
//! dial them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use config::{Limits, Target, Variables};
use http::HeaderMap;
use mcp::Nonce;
use tokio::sync::mpsc::{Receiver, channel};

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::tasks::Tasks;
use crate::upstream::declaration::Declaration;
use crate::upstream::error::UpstreamError;
use crate::upstream::names::Names;
use crate::upstream::pool::HttpPool;
use crate::upstream::processes::Processes;
use crate::upstream::transport::{Answer, Connection, Dial, Inbound, Outgoing, Settings};

mod peer;

pub(crate) use peer::{Act, Peer, Seen};

/// Longer than anything in a test should take.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A target as configuration has it: `members` are those of the YAML, as a flow mapping without
/// braces.
pub(crate) fn target(members: &str) -> Arc<Target> {
    let text =
        format!("targets: [{{ name: t, {members} }}]\nbackends: [{{ name: b, targets: [t] }}]");
    let reading = config::read("test.yaml", &text).unwrap();
    assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
    let compiled = config::compile(&reading.document, &reading.origins, &Variables::new());
    let backend = &compiled.snapshot.backends["b"];
    assert!(backend.targets[0].closed.is_none(), "{:?}", compiled.diagnostics);
    backend.targets[0].clone()
}

pub(crate) fn dial_with(members: &str, limits: Limits) -> Dial {
    let (tasks, clock) = (Tasks::new(), Clock::system());
    let settings = Settings { target: target(members), endpoints: Arc::new([]) };
    let most = settings.target.settings.max_processes;
    let processes = Processes::new("tests", most, Metrics::new(&tasks).target("b", "t"));
    Dial {
        settings: Arc::new(ArcSwap::from_pointee(settings)),
        http: HttpPool::new(tasks.clone(), clock.clone(), Names::new(tasks.clone(), clock)),
        processes,
        limits: Arc::new(limits),
        tasks,
        random: |bytes| aws_lc_rs::rand::fill(bytes).unwrap(),
        declaration: Declaration::default(),
        speaks_sse: Arc::default(),
        purpose: "test",
    }
}

pub(crate) fn dial(members: &str) -> Dial {
    dial_with(members, Limits::default())
}

pub(crate) fn streamable(address: SocketAddr) -> Dial {
    dial(&format!("url: 'http://{address}/mcp'"))
}

/// Opens a connection that must open.
pub(crate) async fn open(dial: &Dial) -> (Connection, Receiver<Inbound>) {
    let (sender, inbound) = channel(64);
    (Connection::open(dial, sender, LONG).await.unwrap(), inbound)
}

/// A request with this nonce, of a form in which an edit would show.
pub(crate) fn outgoing(nonce: u8, method: &str) -> Outgoing {
    let nonce = Nonce::new([nonce; 16]);
    let id = String::from_utf8_lossy(nonce.id().as_bytes()).into_owned();
    let token = String::from_utf8_lossy(&nonce.progress_token()).into_owned();
    let body = format!(
        r#"{{ "params":{{"_meta":{{"progressToken":{token}}}, "name":"\u0065cho","big":123456789012345678901234567890}},"method":"{method}" , "id":{id},"jsonrpc":"2.0","x":null}}"#
    );
    Outgoing { nonce, body: body.into(), headers: HeaderMap::new() }
}

/// An answer read to its end: its chunks or messages, and the error if it ended with one.
pub(crate) async fn read(answer: Answer) -> (Vec<Bytes>, Option<UpstreamError>) {
    let mut all = Vec::new();
    match answer {
        Answer::Body(mut body) => {
            let mut whole = Vec::new();
            while let Some(chunk) = body.next().await {
                match chunk {
                    Ok(chunk) => whole.extend_from_slice(&chunk),
                    Err(error) => return (vec![whole.into()], Some(error)),
                }
            }
            all.push(whole.into());
        }
        Answer::Messages(mut messages) => {
            while let Some(message) = messages.next().await {
                match message {
                    Ok(message) => all.push(message.bytes().clone()),
                    Err(error) => return (all, Some(error)),
                }
            }
        }
    }
    (all, None)
}

/// Sends a request and reads all of its answer; an error before or in it by its class.
pub(crate) async fn exchange(
    connection: &Connection,
    outgoing: Outgoing,
) -> (Vec<String>, &'static str) {
    let exchanged = async {
        match connection.request(outgoing).await {
            Ok(answer) => read(answer).await,
            Err(error) => (Vec::new(), Some(error)),
        }
    };
    let (all, error) = tokio::time::timeout(LONG, exchanged).await.unwrap();
    let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    (all.into_iter().map(text).collect(), error.map_or("", |error| error.class()))
}

/// What an `initialize` is answered with; `ID` stands for the id.
pub(crate) const HELLO: &str = r#"{"jsonrpc":"2.0","id":ID,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"peer","version":"1"}}}"#;
