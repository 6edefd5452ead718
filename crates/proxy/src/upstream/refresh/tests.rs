//! What becomes of a catalog when a target does not give all that it says it has.

use std::sync::atomic::{AtomicUsize, Ordering};

use config::Limits;

use super::*;
use crate::catalog::Standing;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::tasks::Tasks;
use crate::upstream::transport::fixtures::{Act, HELLO, LONG, Peer, Seen, target};
use crate::upstream::{Settings, Surroundings};

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
    let tasks = Tasks::new();
    let metrics = Metrics::new(&tasks);
    let target_metrics = metrics.target("b", "t");
    let limits = Arc::new(Limits::default());
    let surroundings = Surroundings { clock: Clock::system(), tasks, metrics, limits };
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
