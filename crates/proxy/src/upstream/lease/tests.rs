//! Which connection a call gets, and what is never opened.

use config::Limits;

use super::*;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::tasks::Tasks;
use crate::upstream::transport::fixtures::{Act, LONG, Peer, Seen, target};
use crate::upstream::{Settings, Surroundings};

/// The live side of the target `members`, with its catalog's session.
async fn upstream(members: &str) -> Arc<Upstream> {
    let tasks = Tasks::new();
    let metrics = Metrics::new(&tasks);
    let target_metrics = metrics.target("b", "t");
    let limits = Arc::new(Limits::default());
    let surroundings = Surroundings { clock: Clock::system(), tasks, metrics, limits };
    let settings = Settings { target: target(members), endpoints: Arc::new([]) };
    let upstream = Upstream::start(&surroundings, settings, target_metrics);
    tokio::time::timeout(LONG, upstream.settled()).await.unwrap();
    upstream
}

async fn upstream_of(peer: &Peer) -> Arc<Upstream> {
    upstream(&format!("url: 'http://{}/mcp'", peer.address)).await
}

fn slot() -> Arc<Slot> {
    Arc::new(Slot::new(Instant::now()))
}

/// An answer to the catalog's own requests.
fn list(seen: &Seen) -> Vec<Act> {
    let body = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{"tools":[]}}}}"#, seen.id());
    vec![Act::json(&body)]
}

/// A server that gives everybody a session.
async fn with_sessions() -> Peer {
    Peer::start(|seen| match seen.header("mcp-session-id") {
        Some(_) if seen.head.starts_with("DELETE") => vec![Act::status("200 OK")],
        _ => seen.opening_with_session().unwrap_or_else(|| list(seen)),
    })
    .await
}

fn opened(peer: &Peer) -> usize {
    peer.seen().iter().filter(|seen| seen.is("initialize")).count()
}

#[tokio::test]
async fn nothing_is_opened_for_a_session_that_has_ended() {
    let peer = with_sessions().await;
    let upstream = upstream_of(&peer).await;
    let slot = slot();
    slot.close().await;
    let error = upstream.lease(&Owner::Session(slot)).await.unwrap_err();
    assert_eq!(error.to_string(), "the client's session has ended");
    assert_eq!(opened(&peer), 1, "the catalog's alone");
}
