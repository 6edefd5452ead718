//! Several MCP servers as one: what a backend offers, who gets a call, and the one task per
//! backend that keeps its menu.

mod menu;
mod naming;
mod resolution;
mod template;
mod uri;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use config::{Backend, Close, FailureMode};
use futures_util::stream::{FuturesUnordered, StreamExt};
use mcp::{ListKind, TargetName};
use tokio::sync::{mpsc, oneshot, watch};

use crate::catalog::Standing;
use crate::metrics::TargetMetrics;
use crate::tasks::Tasks;
use crate::upstream::Upstream;

pub use menu::{Menu, MenuTarget};
pub use naming::{NameKind, Naming};
pub use resolution::{Resolved, Unresolved};

/// How long building a menu may take before a list is answered without it.
const BUILT: Duration = Duration::from_secs(1);

/// A target of a backend, and its live side.
#[derive(Debug, Clone)]
pub struct Member {
    /// The target as this backend names it.
    pub target: Arc<config::Target>,
    /// Its live side, which other backends may share; or why it is shut: what is closed is not
    /// even contacted.
    pub upstream: Result<Arc<Upstream>, Close>,
    /// Handles of the metrics of this target in this backend.
    pub metrics: Arc<TargetMetrics>,
    /// When this member came, for the report of a closed one.
    pub since: SystemTime,
}

/// A menu, and the upstreams behind its targets in the menu's order. Swapped whole, loaded once
/// per request, so that a name and its owner always belong together.
#[derive(Debug)]
pub struct Offer {
    /// The backend as configured.
    pub backend: Arc<Backend>,
    /// What clients see.
    pub menu: Menu,
    /// The targets, in the menu's order.
    pub members: Vec<Member>,
    /// Which of them had answered or failed once when the menu was built.
    seen: Vec<bool>,
}

impl Offer {
    /// Waits until every target has answered or failed once; whoever comes after the list
    /// deadline of the slowest waits for nothing.
    async fn settled(&self) {
        let mut waiting: FuturesUnordered<_> =
            self.upstreams().map(|upstream| upstream.settled()).collect();
        while waiting.next().await.is_some() {}
    }

    /// Whether the menu was built after every target that has settled meanwhile.
    fn shows_what_is_known(&self) -> bool {
        self.members.iter().zip(&self.seen).all(|(member, seen)| *seen || !is_settled(member))
    }

    /// With `failureMode: FailClosed`, the targets that keep lists and `initialize` from being
    /// answered: those without a catalog, fresh or last known good.
    pub fn incomplete(&self) -> Vec<TargetName> {
        if self.backend.failure_mode != Some(FailureMode::FailClosed) {
            return Vec::new();
        }
        let missing = self.members.iter().filter(|member| {
            let upstream = member.upstream.as_ref();
            upstream.ok().is_none_or(|upstream| upstream.state().borrow().catalog.is_none())
        });
        missing.map(|member| member.target.name.clone()).collect()
    }

    fn upstreams(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        self.members.iter().filter_map(|member| member.upstream.as_ref().ok())
    }
}

/// How often each kind of list has changed since the backend started: what subscribers compare.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Tools.
    pub tools: u64,
    /// Prompts.
    pub prompts: u64,
    /// Resources and their templates.
    pub resources: u64,
}

impl Changes {
    fn count(&mut self, kind: ListKind) {
        match kind {
            ListKind::Tools => self.tools += 1,
            ListKind::Prompts => self.prompts += 1,
            ListKind::Resources | ListKind::ResourceTemplates => self.resources += 1,
        }
    }

    /// The kinds that differ from `seen`.
    pub fn since(&self, seen: &Self) -> Vec<ListKind> {
        let kinds = [
            (ListKind::Tools, self.tools != seen.tools),
            (ListKind::Prompts, self.prompts != seen.prompts),
            (ListKind::Resources, self.resources != seen.resources),
        ];
        kinds.into_iter().filter(|(_, differs)| *differs).map(|(kind, _)| kind).collect()
    }
}

/// The live side of a backend. Kept across reloads by the backend's name.
#[derive(Debug)]
pub struct Federation {
    offer: Arc<ArcSwap<Offer>>,
    built: watch::Receiver<()>,
    changes: watch::Receiver<Changes>,
    reload: mpsc::Sender<Reload>,
    tasks: Tasks,
}

/// A new shape of the backend, and who waits until it is served.
struct Reload {
    backend: Arc<Backend>,
    naming: Naming,
    members: Vec<Member>,
    done: oneshot::Sender<()>,
}

impl Federation {
    /// Starts the task that keeps the menu; the first menu shows what is known already.
    pub fn start(
        tasks: &Tasks,
        backend: Arc<Backend>,
        naming: Naming,
        members: Vec<Member>,
    ) -> Arc<Self> {
        let tasks = tasks.child();
        let offer = Arc::new(ArcSwap::from_pointee(build(&backend, &members, &naming, None)));
        let (changed, changes) = watch::channel(Changes::default());
        let (rebuilt, built) = watch::channel(());
        let (reload, reloads) = mpsc::channel(1);
        let keeper = Keeper { offer: offer.clone(), changed, rebuilt };
        tasks.spawn("menu", keeper.run(naming, reloads));
        Arc::new(Self { offer, built, changes, reload, tasks })
    }

    /// What is offered at this moment.
    pub fn offer(&self) -> Arc<Offer> {
        self.offer.load_full()
    }

    /// What is offered once every target has answered or failed once, or the list deadline has
    /// passed. Waits for nothing where all of them are known already.
    pub async fn known(&self) -> Arc<Offer> {
        let offer = self.offer();
        if offer.seen.iter().all(|seen| *seen) {
            return offer;
        }
        offer.settled().await;
        let mut built = self.built.clone();
        let shown = async {
            loop {
                built.mark_unchanged();
                let offer = self.offer();
                if offer.shows_what_is_known() || built.changed().await.is_err() {
                    return offer;
                }
            }
        };
        tokio::time::timeout(BUILT, shown).await.unwrap_or_else(|_| self.offer())
    }

    /// Changes from now on; closed when the backend is removed.
    pub fn changes(&self) -> watch::Receiver<Changes> {
        self.changes.clone()
    }

    /// Takes a new shape; returns when it is what clients see.
    pub async fn reload(&self, backend: Arc<Backend>, naming: Naming, members: Vec<Member>) {
        let (done, served) = oneshot::channel();
        let reload = Reload { backend, naming, members, done };
        if self.reload.send(reload).await.is_ok() {
            // An error means that the task has ended with the gateway: nobody is served any more.
            let _ = served.await;
        }
    }

    /// Ends the backend: streams that wait for its changes end too.
    pub fn retire(&self) {
        self.tasks.cancel();
    }
}

/// The only writer of a backend's offer.
struct Keeper {
    offer: Arc<ArcSwap<Offer>>,
    changed: watch::Sender<Changes>,
    rebuilt: watch::Sender<()>,
}

impl Keeper {
    async fn run(self, mut naming: Naming, mut reloads: mpsc::Receiver<Reload>) {
        let current = self.offer.load_full();
        let (mut backend, mut members) = (current.backend.clone(), current.members.clone());
        let mut waiter: Option<oneshot::Sender<()>> = None;
        loop {
            // Subscribed before the menu is built, so that no change falls between the two.
            let upstreams = members.iter().filter_map(|member| member.upstream.as_ref().ok());
            let mut states: Vec<_> = upstreams.map(|upstream| upstream.state()).collect();
            self.publish(&backend, &members, &naming);
            if let Some(waiter) = waiter.take() {
                // Whoever asked may have gone; the reload holds all the same.
                let _ = waiter.send(());
            }

            let mut changed: FuturesUnordered<_> =
                states.iter_mut().map(watch::Receiver::changed).collect();
            tokio::select! {
                reload = reloads.recv() => {
                    let Some(reload) = reload else { return };
                    (backend, naming, members) = (reload.backend, reload.naming, reload.members);
                    waiter = Some(reload.done);
                }
                Some(_) = changed.next() => {}
            }
        }
    }

    /// Builds the menu anew and tells subscribers what differs. What did not change is not
    /// rendered again.
    fn publish(&self, backend: &Arc<Backend>, members: &[Member], naming: &Naming) {
        let previous = self.offer.load_full();
        let next = build(backend, members, naming, Some(&previous.menu));
        let differs = next.menu.changed_from(&previous.menu);
        self.offer.store(Arc::new(next));
        self.rebuilt.send_replace(());
        if !differs.is_empty() {
            self.changed
                .send_modify(|changes| differs.into_iter().for_each(|kind| changes.count(kind)));
        }
    }
}

fn build(
    backend: &Arc<Backend>,
    members: &[Member],
    naming: &Naming,
    previous: Option<&Menu>,
) -> Offer {
    // Looked at before the targets are: what settles in between is shown, and built once more.
    let seen = members.iter().map(is_settled).collect();
    let menu = Menu::build(members.iter().map(menu_target).collect(), naming, previous);
    Offer { backend: backend.clone(), menu, members: members.to_vec(), seen }
}

fn is_settled(member: &Member) -> bool {
    let upstream = member.upstream.as_ref().ok();
    upstream.is_none_or(|upstream| upstream.state().borrow().is_settled)
}

fn menu_target(member: &Member) -> MenuTarget {
    let name = member.target.name.clone();
    match &member.upstream {
        Ok(upstream) => {
            let state = upstream.state().borrow().clone();
            MenuTarget { name, catalog: state.catalog, standing: state.standing }
        }
        Err(close) => {
            let reason = format!("closed: {} [{}]", close.reason, close.id);
            let standing = Standing::Missing { since: member.since, reason };
            MenuTarget { name, catalog: None, standing }
        }
    }
}
