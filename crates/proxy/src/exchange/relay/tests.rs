//! Answers: what passes, what is changed on its way, what becomes an error, and what is cut off.

use std::sync::Arc;

use config::{Limits, PrefixMode};
use http::HeaderMap;
use mcp::{ResultKind, Shape};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::auth::Principal;
use crate::catalog::Standing;
use crate::catalog::fixtures::{self, Offer, tool};
use crate::clock::Clock;
use crate::exchange::Rename;
use crate::federation::{self, Menu, MenuTarget, Naming};
use crate::metrics::Metrics;
use crate::session;
use crate::tasks::Tasks;
use crate::upstream::fixtures::{Act, LONG, Peer, Seen, target};
use crate::upstream::{Names, Owner, Settings, Surroundings, Upstream};

const JSON: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
const EVENTS: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What a client gets of the answer in these pieces, in which `ID` stands for the request's id:
/// the text, and the error that ends it.
async fn relayed(pieces: Vec<String>) -> (String, String) {
    let offer = federation::fixtures::empty_view().offer();
    relayed_as(JSON, pieces, Speaker { offer, target: 0 }, None).await
}

/// The same of one target of many, with a result that may not pass as it is.
async fn relayed_as(
    head: &'static str,
    pieces: Vec<String>,
    speaker: Speaker,
    result: Option<ResultView>,
) -> (String, String) {
    let peer = Peer::start(move |seen| {
        let opening = seen.opening();
        opening.unwrap_or_else(|| {
            let chunks = pieces.iter().map(|piece| Act::chunk(&piece.replace("ID", &seen.id())));
            [Act::Write(head.to_owned())].into_iter().chain(chunks).chain([Act::end()]).collect()
        })
    })
    .await;
    let tasks = Tasks::new();
    let exchange = exchange(&tasks, &url(&peer), speaker, result);
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

fn url(peer: &Peer) -> String {
    format!("url: 'http://{}'", peer.address)
}

/// What the request gets, and nobody else: the catalog asks too.
fn of_call(seen: &Seen, acts: impl FnOnce() -> Vec<Act>) -> Vec<Act> {
    let others = || if seen.is("m") { acts() } else { vec![Act::Hang] };
    seen.opening().unwrap_or_else(others)
}

/// A request to the target `members`, on behalf of nobody.
fn exchange(
    tasks: &Tasks,
    members: &str,
    speaker: Speaker,
    result: Option<ResultView>,
) -> Exchange {
    let metrics = Metrics::new(tasks);
    let (of_target, _counted) = (metrics.target("b", "t"), metrics.exchange());
    let limits = Arc::new(Limits::default());
    let (clock, target) = (Clock::system(), target(members));
    let names = Names::new(tasks.clone(), clock.clone());
    let surroundings = Surroundings { clock, tasks: tasks.clone(), metrics, limits, names };
    let settings = Settings { target: target.clone(), endpoints: Arc::new([]) };
    let message = r#"{"jsonrpc":"2.0","id":7,"method":"m"}"#;
    let message = Message::parse(message.into()).unwrap();
    Exchange {
        target: target.name.clone(),
        upstream: Upstream::start(&surroundings, settings, of_target),
        owner: Owner::Principal(Principal::anonymous()),
        id: message.id().unwrap().clone(),
        message,
        rename: Rename::Nothing,
        headers: HeaderMap::new(),
        result,
        speaker,
        session: None,
        within: None,
        takes_events: false,
        effect: None,
        _counted,
    }
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
async fn nothing_else_is_put_into_an_answer_that_has_begun() {
    let rest = Arc::new(Notify::new());
    let told = rest.clone();
    let peer = Peer::start(move |seen| {
        let begun = format!(r#"{{"jsonrpc":"2.0","id":{},"result":"{}"#, seen.id(), long());
        let write = Act::Write(JSON.to_owned());
        let acts = || {
            vec![
                write,
                Act::chunk(&begun),
                Act::Wait(told.clone()),
                Act::chunk(r#""}"#),
                Act::end(),
            ]
        };
        of_call(seen, acts)
    })
    .await;
    let (tasks, session) = (Tasks::new(), session::fixtures::session());
    let speaker = Speaker { offer: federation::fixtures::empty_view().offer(), target: 0 };
    let exchange = Exchange {
        session: Some(session.clone()),
        takes_events: true,
        ..exchange(&tasks, &url(&peer), speaker, None)
    };
    let mut parts = exchange.start(&tasks, LONG, CancellationToken::new());
    assert!(session.deliver("before".into()));
    assert!(matches!(parts.recv().await, Some(Part::Message(_))));
    assert!(matches!(parts.recv().await, Some(Part::Chunk(_))));
    assert!(session.deliver("after".into()));
    rest.notify_one();
    while let Some(part) = parts.recv().await {
        assert!(matches!(part, Part::Chunk(_)), "{part:?}");
    }
    assert_eq!(session.overdue(), ["after"]);
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let peer = Peer::start(|seen| {
        let begun = format!(r#"{{"jsonrpc":"2.0","id":{},"result":"{}"#, seen.id(), long());
        let rest = (0..64).map(|_| Act::chunk(&long()));
        let acts = || [Act::Write(JSON.to_owned()), Act::chunk(&begun)].into_iter().chain(rest);
        of_call(seen, || acts().chain([Act::Hang]).collect())
    })
    .await;
    let tasks = Tasks::new();
    let speaker = Speaker { offer: federation::fixtures::empty_view().offer(), target: 0 };
    let members = format!("{}, timeouts: {{ call: 1s, progress: 1s }}", url(&peer));
    let exchange = exchange(&tasks, &members, speaker, None);
    let _unread = exchange.start(&tasks, LONG, CancellationToken::new());
    peer.until(|seen, _| seen.iter().any(|seen| seen.is("notifications/cancelled"))).await;
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

/// A result of target `a` among two, as its client gets it in JSON and in events.
async fn check(view: Option<ResultView>, answer: &str, expected: &str) {
    let naming = Naming { mode: PrefixMode::Conditional, max_length: 50 };
    let catalog = Offer::uris(&["memo:x", "https://h/x"], &["t{s}:{x}"]).catalog();
    let of = |name: &str| MenuTarget {
        name: fixtures::name(name),
        catalog: Some(catalog.clone()),
        standing: Standing::Fresh,
    };
    let menu = Menu::build(vec![of("a"), of("b")], &naming, None);
    let speaker = Speaker { offer: federation::fixtures::offer_of(menu), target: 0 };
    let whole = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},{answer}}}"#);
    let expected = (format!(r#"{{"jsonrpc":"2.0","id":7,{expected}}}"#), String::new());
    let relayed = relayed_as(JSON, vec![whole("ID")], speaker.clone(), view).await;
    assert_eq!(relayed, expected);
    let event = format!("event: message\ndata: {}\n\n", whole("ID"));
    assert_eq!(relayed_as(EVENTS, vec![event], speaker, view).await, expected);
}

fn view(kind: ResultKind, shape: Shape) -> ResultView {
    ResultView { kind, shape, wraps: false, maps_uris: true, maps_tasks: false }
}

#[tokio::test]
async fn every_uri_of_a_result_is_one_that_the_client_can_pass_back() {
    let usual = |kind| Some(view(kind, Shape::USUAL));
    check(
        usual(ResultKind::ToolCall),
        r#""result":{"content":[{"type":"resource_link","uri":"memo:x","name":"memo:x"},{"type":"resource","resource":{"uri":"t1:1","text":"memo:x"}},{"type":"resource_link","uri":"https://h/x","name":"w"},{"type":"resource_link","uri":"https://h/other","name":"o"}],"_meta":{"ui":{"resourceUri":"ui://v"},"ui/resourceUri":"ui://v"}}"#,
        r#""result":{"content":[{"type":"resource_link","uri":"a+memo:x","name":"memo:x"},{"type":"resource","resource":{"uri":"a+t1:1","text":"memo:x"}},{"type":"resource_link","uri":"a+https://h/x","name":"w"},{"type":"resource_link","uri":"https://h/other","name":"o"}],"_meta":{"ui":{"resourceUri":"ui://a+v"},"ui/resourceUri":"ui://a+v"}}"#,
    )
    .await;
    check(
        usual(ResultKind::Prompt),
        r#""result":{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"memo:x/y","text":""}}}]}"#,
        r#""result":{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"a+memo:x/y","text":""}}}]}"#,
    )
    .await;
    check(
        usual(ResultKind::Read),
        r#""result":{"contents":[{"uri":"ui://v","text":"","_meta":{"ui":{"domain":"d","csp":{},"resourceUri":"ui://w"}}}]}"#,
        r#""result":{"contents":[{"uri":"ui://a+v","text":"","_meta":{"ui":{"csp":{},"resourceUri":"ui://a+w"}}}]}"#,
    )
    .await;
    check(
        usual(ResultKind::Read),
        r#""error":{"code":-32002,"message":"memo:x","data":{"uri":"memo:x","x":1.0}}"#,
        r#""error":{"code":-32002,"message":"memo:x","data":{"uri":"a+memo:x","x":1.0}}"#,
    )
    .await;
}

#[tokio::test]
async fn an_older_client_gets_what_it_can_read() {
    let answer = r#""result":{"content":[{"type":"resource_link","uri":"memo:x","name":"n"},{"type":"audio","data":"","mimeType":"audio/wav"}],"structuredContent":{"x":1.0}}"#;
    let link = r#"{"type":"text","text":"n: a+memo:x"}"#;
    for (shape, audio) in [
        (
            Shape::V2024_11_05,
            r#"{"type":"text","text":"[audio/wav: this client's protocol revision has no audio]"}"#,
        ),
        (Shape::V2025_03_26, r#"{"type":"audio","data":"","mimeType":"audio/wav"}"#),
    ] {
        let expected = format!(r#""result":{{"content":[{link},{audio}]}}"#);
        check(Some(view(ResultKind::ToolCall, shape)), answer, &expected).await;
    }
    check(None, answer, answer).await;
}

#[tokio::test]
async fn a_task_is_one_that_the_client_can_name_again() {
    const RELATED: &str = "io.modelcontextprotocol/related-task";
    let tasks = |kind| Some(ResultView { maps_tasks: true, ..view(kind, Shape::USUAL) });
    check(
        tasks(ResultKind::ToolCall),
        r#""result":{"task":{"taskId":"1+1","status":"working","ttl":1.0}}"#,
        r#""result":{"task":{"taskId":"a+1+1","status":"working","ttl":1.0}}"#,
    )
    .await;
    let result = |id: &str, uri: &str| {
        format!(
            r#""result":{{"_meta":{{"{RELATED}":{{"taskId":"{id}"}}}},"content":[{{"type":"resource_link","name":"n","uri":"{uri}"}}]}}"#
        )
    };
    check(tasks(ResultKind::ToolCall), &result("1", "memo:x"), &result("a+1", "a+memo:x")).await;
    check(
        tasks(ResultKind::Read),
        r#""result":{"taskId":"1","contents":"taskId"}"#,
        r#""result":{"taskId":"a+1","contents":"taskId"}"#,
    )
    .await;
}

#[tokio::test]
async fn a_wrapped_output_comes_wrapped() {
    check(
        Some(ResultView { wraps: true, ..view(ResultKind::ToolCall, Shape::USUAL) }),
        r#""result":{"structuredContent":[1.0],"content":[]}"#,
        r#""result":{"structuredContent":{"result":[1.0]},"content":[{"type":"text","text":"[1.0]"}]}"#,
    )
    .await;
}

#[tokio::test]
async fn an_answer_is_held_back_only_where_it_may_have_to_change() {
    let any = r#"{"name":"any","inputSchema":{},"outputSchema":{"type":"string"}}"#;
    let tools = vec![tool("x"), any.to_owned()];
    let offer = Offer { tools, ..Offer::default() };
    let catalog = offer.catalog_of(fixtures::hello(r#"{"tools":{}}"#, ""));
    let target =
        MenuTarget { name: fixtures::name("a"), catalog: Some(catalog), standing: Standing::Fresh };
    let naming = Naming { mode: PrefixMode::Conditional, max_length: 50 };
    let menu = Menu::build(vec![target], &naming, None);
    let offer = federation::fixtures::offer_of(menu);
    let held = |kind, name: &str| {
        Shape::ALL.map(|shape| ResultView::new(&offer, 0, kind, name, shape).is_some())
    };
    assert_eq!(held(ResultKind::ToolCall, "x"), [true, true, false, false]);
    assert_eq!(held(ResultKind::ToolCall, "any"), [true, true, true, false]);
    assert_eq!(held(ResultKind::ToolCall, "unlisted"), [true, true, false, false]);
    assert_eq!(held(ResultKind::Prompt, "any"), [true, true, false, false]);
    assert_eq!(held(ResultKind::Read, ""), [false; 4]);
}

#[tokio::test]
async fn what_targets_call_elicitations_is_told_apart() {
    let error = |id: &str, text: &str| {
        format!(
            r#""error":{{"code":-32042,"message":"m","data":{{"elicitations":[{{"message":"{text}","elicitationId":"{id}"}}]}}}}"#
        )
    };
    check(None, &error("e", "Log in"), &error("a+e", "[a] Log in")).await;
}
