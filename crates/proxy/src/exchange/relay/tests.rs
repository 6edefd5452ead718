//! Long answers: what passes, what becomes an error, and what is cut off.

use std::sync::Arc;

use config::Limits;
use http::HeaderMap;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::auth::Principal;
use crate::clock::Clock;
use crate::exchange::Rename;
use crate::federation;
use crate::metrics::Metrics;
use crate::session::Speaker;
use crate::tasks::Tasks;
use crate::upstream::fixtures::{Act, LONG, Peer, target};
use crate::upstream::{Owner, Settings, Surroundings, Upstream};

/// What a client gets of the answer in these pieces, in which `ID` stands for the request's id:
/// the text, and the error that ends it.
async fn relayed(pieces: Vec<String>) -> (String, String) {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let peer = Peer::start(move |seen| {
        let opening = seen.opening();
        opening.unwrap_or_else(|| {
            let chunks = pieces.iter().map(|piece| Act::chunk(&piece.replace("ID", &seen.id())));
            [Act::Write(head.to_owned())].into_iter().chain(chunks).chain([Act::end()]).collect()
        })
    })
    .await;
    let tasks = Tasks::new();
    let metrics = Metrics::new(&tasks);
    let of_target = metrics.target("b", "t");
    let limits = Arc::new(Limits::default());
    let (clock, target) = (Clock::system(), target(&format!("url: 'http://{}'", peer.address)));
    let surroundings = Surroundings { clock, tasks: tasks.clone(), metrics, limits };
    let settings = Settings { target: target.clone(), endpoints: Arc::new([]) };
    let message = r#"{"jsonrpc":"2.0","id":7,"method":"m"}"#;
    let message = Message::parse(message.into()).unwrap();
    let exchange = Exchange {
        target: target.name.clone(),
        upstream: Upstream::start(&surroundings, settings, of_target),
        owner: Owner::Principal(Principal::anonymous()),
        id: message.id().unwrap().clone(),
        message,
        rename: Rename::Nothing,
        headers: HeaderMap::new(),
        uris: None,
        speaker: Speaker { offer: federation::fixtures::empty_view().offer(), target: 0 },
        session: None,
        takes_events: false,
        effect: None,
    };
    let mut parts = exchange.start(&tasks, LONG, CancellationToken::new());
    let (mut text, mut failure) = (Vec::new(), String::new());
    while let Some(part) = parts.recv().await {
        match part {
            Part::Chunk(bytes) | Part::Response(bytes) | Part::Message(bytes) => {
                text.extend_from_slice(&bytes);
            }
            Part::Paused(_) => {}
            Part::Failed(error) => failure = error.to_string(),
        }
    }
    (String::from_utf8(text).unwrap(), failure)
}

fn long() -> String {
    "x".repeat(2 * COLLECT)
}

fn invalid(what: &str) -> String {
    format!("target `t` did not answer with MCP: {what}")
}

#[tokio::test]
async fn a_long_answer_passes_whole_with_the_clients_id() {
    let expected = |id| format!(r#"{{"jsonrpc":"2.0","result":"{0}{0}","id":{id}}}"#, long());
    let whole = expected("ID");
    let (first, last) = whole.split_at(whole.len() / 2);
    let relayed = relayed(vec![first.to_owned(), last.to_owned()]).await;
    assert!(relayed == (expected("7"), String::new()));
}

#[tokio::test]
async fn a_long_answer_to_another_request_is_an_error_where_its_head_says_so() {
    let answer = format!(r#"{{"jsonrpc":"2.0","id":"another","result":"{}"}}"#, long());
    let expected = invalid("it answered another request");
    assert_eq!(relayed(vec![answer]).await, (String::new(), expected));
}

#[tokio::test]
async fn a_long_answer_to_another_request_is_cut_off_where_its_end_says_so() {
    let start = format!(r#"{{"jsonrpc":"2.0","result":"{}","#, long());
    let (text, failure) = relayed(vec![start.clone(), r#""id":"another"}"#.to_owned()]).await;
    assert_eq!(failure, invalid("it answered another request"));
    assert!(start.starts_with(&text) && !text.is_empty());
    let (_, failure) = relayed(vec![start, r#""x":1}"#.to_owned()]).await;
    assert_eq!(failure, invalid("it answered another request"));
}

#[tokio::test]
async fn a_long_answer_that_is_not_json_is_cut_off() {
    let start = format!(r#"{{"jsonrpc":"2.0","id":ID,"result":["{}""#, long());
    // The id is longer on the wire than here.
    let position = start.len() - "ID".len() + r#""i0123456789abcdef0123456789abcdef""#.len();
    for rest in ["}}", ""] {
        let (text, failure) = relayed(vec![start.clone(), rest.to_owned()]).await;
        assert!(!text.is_empty());
        assert_eq!(failure, invalid(&format!("not JSON: byte {position} is wrong")), "{rest}");
    }
}
