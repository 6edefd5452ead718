//! Which connection a call gets, and what is never opened.

use config::Limits;

use super::*;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::tasks::Tasks;
use crate::upstream::transport::fixtures::{Act, LONG, Peer, Seen, target};
use crate::upstream::{Names, Settings, Surroundings};

/// The live side of the target `members`, with its catalog's session.
async fn upstream(members: &str) -> Arc<Upstream> {
    let tasks = Tasks::new();
    let metrics = Metrics::new(&tasks);
    let target_metrics = metrics.target("b", "t");
    let limits = Arc::new(Limits::default());
    let clock = Clock::system();
    let names = Names::new(tasks.clone(), clock.clone());
    let surroundings = Surroundings { clock, tasks, metrics, limits, names };
    let settings = Settings { target: target(members), endpoints: Arc::new([]) };
    let upstream = Upstream::start(&surroundings, settings, target_metrics);
    tokio::time::timeout(LONG, upstream.base().settled()).await.unwrap();
    upstream
}

async fn upstream_of(peer: &Peer) -> Arc<Upstream> {
    upstream(&format!("url: 'http://{}/mcp'", peer.address)).await
}

fn slot() -> Arc<Slot> {
    Arc::new(Slot::shared(Instant::now()))
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

fn deleted(seen: &[Seen]) -> usize {
    seen.iter().filter(|seen| seen.head.starts_with("DELETE")).count()
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

fn principal() -> Owner {
    Owner::Principal(Principal::new("alice"))
}

async fn refused_as_removed(upstream: &Arc<Upstream>) {
    for owner in [Owner::Session(slot()), principal()] {
        let error = upstream.lease(&owner).await.unwrap_err();
        assert_eq!(error.to_string(), "it was removed from the configuration");
    }
}

#[tokio::test]
async fn nothing_is_opened_at_a_target_that_was_removed() {
    let peer = with_sessions().await;
    let upstream = upstream_of(&peer).await;
    upstream.withdraw();
    refused_as_removed(&upstream).await;
    upstream.retire().await;
    refused_as_removed(&upstream).await;
    assert_eq!(opened(&peer), 1, "the catalog's alone");
}

#[tokio::test]
async fn what_is_being_opened_at_a_target_that_is_removed_is_closed() {
    let hold = Arc::new(tokio::sync::Notify::new());
    let held = hold.clone();
    let first = AtomicBool::new(true);
    let peer = Peer::start(move |seen| {
        if seen.head.starts_with("DELETE") {
            return vec![Act::status("200 OK")];
        }
        let mut acts = seen.opening_with_session().unwrap_or_else(|| list(seen));
        if seen.is("initialize") && !first.swap(false, Ordering::Relaxed) {
            acts.insert(0, Act::Wait(held.clone()));
        }
        acts
    })
    .await;
    let upstream = upstream_of(&peer).await;
    let owner = principal();
    let removing = async {
        peer.until(|seen, _| seen.iter().filter(|seen| seen.is("initialize")).count() == 2).await;
        upstream.retire().await;
        hold.notify_one();
    };
    let (lease, ()) = tokio::join!(upstream.lease(&owner), removing);
    assert_eq!(lease.unwrap_err().to_string(), "it was removed from the configuration");
    peer.until(|seen, _| deleted(seen) == 2).await;
}

#[tokio::test]
async fn a_connection_that_carries_a_call_is_closed_with_its_target() {
    let peer = with_sessions().await;
    let upstream = upstream_of(&peer).await;
    let lease = upstream.lease(&principal()).await.unwrap();
    upstream.retire().await;
    assert!(!lease.seat().connection().is_open());
    assert_eq!(deleted(&peer.seen()), 2);
}

/// A server without sessions that gives them from `restarted` on.
async fn restarts(restarted: Arc<AtomicBool>) -> Peer {
    Peer::start(move |seen| {
        let opening = match restarted.load(Ordering::Relaxed) {
            true => seen.opening_with_session(),
            false => seen.opening(),
        };
        opening.unwrap_or_else(|| list(seen))
    })
    .await
}

/// After a restart that brought sessions, `owners` lease at the same time: each has a connection
/// of its own, and no more than `wasted` were opened for nothing.
async fn check_restart(owners: [Owner; 3], wasted: usize) -> (Peer, Arc<Upstream>) {
    let restarted = Arc::new(AtomicBool::new(false));
    let peer = restarts(restarted.clone()).await;
    let upstream = upstream_of(&peer).await;
    let shared = upstream.lease(&owners[0]).await.unwrap();
    assert!(Arc::ptr_eq(&shared.seat(), &upstream.lease(&owners[1]).await.unwrap().seat()));
    restarted.store(true, Ordering::Relaxed);
    shared.discard();

    let leases = futures_util::future::join_all(owners.iter().map(|owner| upstream.lease(owner)));
    let leases: Vec<_> = leases.await.into_iter().map(Result::unwrap).collect();
    for (index, lease) in leases.iter().enumerate() {
        for other in &leases[..index] {
            assert!(!Arc::ptr_eq(&lease.seat, &other.seat));
        }
    }
    assert_eq!(opened(&peer), 1 + owners.len() + wasted);
    (peer, upstream)
}

#[tokio::test]
async fn sessions_part_when_a_restarted_server_gives_session_ids() {
    let owners = [slot(), slot(), slot()].map(Owner::Session);
    let (peer, upstream) = check_restart(owners.clone(), 1).await;
    for owner in &owners {
        upstream.lease(owner).await.unwrap();
    }
    // The one that was opened for all is no client's.
    assert_eq!(opened(&peer), 1 + owners.len() + 1, "each keeps its own");
}

#[tokio::test]
async fn callers_without_a_session_part_when_a_restarted_server_gives_session_ids() {
    check_restart([principal(), principal(), principal()], 0).await;
}
