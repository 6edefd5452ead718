//! What becomes of a catalog when a target does not give all that it says it has.

use std::sync::atomic::{AtomicUsize, Ordering};

use config::Limits;

use super::*;
use crate::catalog::Standing;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::tasks::Tasks;
use crate::upstream::transport::fixtures::{Act, HELLO, LONG, Peer, Seen, target};
use crate::upstream::{Names, Settings, Surroundings};

const ALL: &str = r#"{"tools":{},"prompts":{},"resources":{}}"#;

/// What a server with every list answers; `error` to those that are not about tools.
fn answer(seen: &Seen, error: &str) -> Vec<Act> {
    if seen.is("initialize") {
        let hello = HELLO.replace(r#"{"tools":{"listChanged":true}}"#, ALL);
        return vec![Act::json(&hello.replace("ID", &seen.id()))];
    }
    if let Some(acts) = seen.opening() {
        return acts;
    }
    let body = if seen.is("tools/list") {
        r#""result":{"tools":[{"name":"t","inputSchema":{"type":"object"}}]}"#
    } else {
        error
    };
    vec![Act::json(&format!(r#"{{"jsonrpc":"2.0","id":{},{body}}}"#, seen.id()))]
}

async fn upstream_of(peer: &Peer) -> Arc<Upstream> {
    upstream_within(peer, Limits::default()).await
}

async fn upstream_within(peer: &Peer, limits: Limits) -> Arc<Upstream> {
    let tasks = Tasks::new();
    let metrics = Metrics::new(&tasks);
    let target_metrics = metrics.target("b", "t");
    let limits = Arc::new(limits);
    let clock = Clock::system();
    let names = Names::new(tasks.clone(), clock.clone());
    let surroundings = Surroundings { clock, tasks, metrics, limits, names };
    let target = target(&format!("url: 'http://{}/mcp'", peer.address));
    let settings = Settings { target, endpoints: Arc::new([]) };
    let upstream = Upstream::start(&surroundings, settings, target_metrics);
    tokio::time::timeout(LONG, upstream.base().settled()).await.unwrap();
    upstream
}

#[tokio::test]
async fn a_list_that_fails_costs_the_others_nothing_and_says_why() {
    let refused = r#""error":{"code":-32603,"message":"not logged in"}"#;
    for (error, reason) in [(refused, "not logged in"), (r#""result":{}"#, "prompts")] {
        let peer = Peer::start(move |seen| answer(seen, error)).await;
        let upstream = upstream_of(&peer).await;
        let state = upstream.base().state().borrow().clone();
        assert_eq!(state.standing, Standing::Fresh);
        let catalog = state.catalog.unwrap();
        assert_eq!(catalog.items(ListKind::Tools).len(), 1);
        assert_eq!(catalog.unread(ListKind::Tools), None);
        let unread = catalog.unread(ListKind::Prompts).unwrap();
        assert!(unread.reason.contains(reason), "{}", unread.reason);
        let opened = peer.seen().iter().filter(|seen| seen.is("initialize")).count();
        assert_eq!(opened, 1, "the session is good");
    }
}

#[tokio::test]
async fn a_list_that_fails_later_stays_as_it_was() {
    const GIVEN: &str =
        r#""result":{"resources":[{"uri":"a:b","name":"r"}],"prompts":[],"resourceTemplates":[]}"#;
    let given = AtomicUsize::new(0);
    let peer = Peer::start(move |seen| {
        let before = given.fetch_add(usize::from(seen.is("resources/list")), Ordering::Relaxed);
        answer(seen, if before == 0 { GIVEN } else { r#""error":{"code":1,"message":"m"}"# })
    })
    .await;
    let upstream = upstream_of(&peer).await;
    let first = upstream.base().catalog().unwrap();
    assert_eq!(first.unread(ListKind::Resources), None);
    tokio::time::timeout(LONG, upstream.base().reread()).await.unwrap();
    let second = upstream.base().catalog().unwrap();
    assert!(second.unread(ListKind::Resources).is_some());
    assert_eq!(second.items(ListKind::Resources).len(), 1);
    tokio::time::timeout(LONG, upstream.base().reread()).await.unwrap();
    let third = upstream.base().catalog().unwrap();
    assert!(Arc::ptr_eq(&second, &third), "nothing has changed");
}

/// A target with two tools on each page and always another page: where its list is cut, by which
/// words, and which limit counts that.
async fn check_cut(limits: Limits, tools: usize, words: &str, counted: Option<&str>) {
    let page = AtomicUsize::new(0);
    let peer = Peer::start(move |seen| {
        let number = page.fetch_add(usize::from(seen.is("tools/list")), Ordering::Relaxed);
        let tools = format!(r#"{{"name":"a{number}"}},{{"name":"b{number}"}}"#);
        let next = if number < 3 { number } else { 3 };
        let list = format!(r#""result":{{"tools":[{tools}],"nextCursor":"{next}"}}"#);
        if seen.is("tools/list") {
            let id = seen.id();
            return vec![Act::json(&format!(r#"{{"jsonrpc":"2.0","id":{id},{list}}}"#))];
        }
        answer(seen, r#""error":{"code":-32601,"message":"no"}"#)
    })
    .await;
    let upstream = upstream_within(&peer, limits).await;
    let catalog = upstream.base().catalog().unwrap();
    assert_eq!(catalog.items(ListKind::Tools).len(), tools);
    let cut = catalog.cut(ListKind::Tools).unwrap();
    assert!(cut.reason.contains(words), "{}", cut.reason);
    let metrics = upstream.gateway_metrics.encode();
    let rejections = metrics
        .lines()
        .filter(|line| line.starts_with("portico_limit_rejections_total") && !line.ends_with(" 0"));
    let rejections: Vec<_> = rejections.collect();
    let expected =
        counted.map(|limit| format!("portico_limit_rejections_total{{limit=\"{limit}\"}} 1"));
    assert_eq!(rejections, expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_list_that_does_not_end_is_cut_and_says_where_and_why() {
    let limits = Limits { tools_per_target: 3, ..Limits::default() };
    check_cut(limits, 3, "after 3 entries by `limits.toolsPerTarget`", Some("tools_per_target"))
        .await;
    let limits = Limits { pages_per_drain: 2, ..Limits::default() };
    check_cut(limits, 4, "after 4 entries by `limits.pagesPerDrain`", Some("pages_per_drain"))
        .await;
    check_cut(Limits::default(), 10, "a cursor came back after 10 entries", None).await;
}
