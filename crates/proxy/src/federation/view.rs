//! What clients of one kind see of a backend, and the one task that keeps its menu.

mod news;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use futures_util::stream::{FuturesUnordered, StreamExt};
use mcp::ListKind;
use tokio::sync::{mpsc, oneshot, watch};

use crate::catalog::Standing;
use crate::clock::LastUse;
use crate::federation::{Member, Menu, MenuTarget, Offer, Shape};
use crate::tasks::Tasks;
use crate::upstream::Declaration;

pub use news::News;

/// How long building a menu may take before a list is answered without it.
const BUILT: Duration = Duration::from_secs(1);

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

    /// Takes over how often lists of `kind` have changed.
    pub fn hear(&mut self, kind: ListKind, now: &Self) {
        match kind {
            ListKind::Tools => self.tools = now.tools,
            ListKind::Prompts => self.prompts = now.prompts,
            ListKind::Resources | ListKind::ResourceTemplates => self.resources = now.resources,
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

/// What clients of one kind see of a backend. Dropping it ends its task.
#[derive(Debug)]
pub struct View {
    declaration: Declaration,
    used: LastUse,
    offer: Arc<ArcSwap<Offer>>,
    built: watch::Receiver<()>,
    changes: watch::Receiver<Changes>,
    reload: mpsc::Sender<Reload>,
    tasks: Tasks,
}

/// A new shape of the backend, and who waits until it is served.
struct Reload {
    shape: Shape,
    done: oneshot::Sender<()>,
}

impl View {
    /// Starts the task that keeps the menu; the first menu shows what is known already.
    pub(super) fn start(
        tasks: &Tasks,
        declaration: Declaration,
        shape: Shape,
        now: Instant,
    ) -> Arc<Self> {
        let tasks = tasks.child();
        let offer = Arc::new(ArcSwap::from_pointee(build(&shape, None)));
        let (changed, changes) = watch::channel(Changes::default());
        let (rebuilt, built) = watch::channel(());
        let (reload, reloads) = mpsc::channel(1);
        let keeper = Keeper { offer: offer.clone(), changed, rebuilt };
        tasks.spawn("menu", keeper.run(shape, reloads));
        let used = LastUse::new(now);
        Arc::new(Self { declaration, used, offer, built, changes, reload, tasks })
    }

    /// What its clients can do.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
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

    /// Waits until the menu shows what every reading found that has ended.
    pub async fn caught_up(&self) {
        let mut built = self.built.clone();
        loop {
            built.mark_unchanged();
            if self.offer().shows_every_reading() || built.changed().await.is_err() {
                return;
            }
        }
    }

    /// Which lists have changed until now.
    pub fn changes(&self) -> Changes {
        *self.changes.borrow()
    }

    /// What a client has to be told from now on.
    pub fn news(&self) -> News {
        News::new(self.changes.clone(), self.built.clone())
    }

    /// Whether every target has answered or failed once.
    pub fn is_settled(&self) -> bool {
        self.offer.load().seen.iter().all(|seen| *seen)
    }

    /// Whether its backend is gone. One of the same name that comes later has views of its own.
    pub fn is_over(&self) -> bool {
        self.tasks.is_cancelled()
    }

    pub(super) fn touch(&self, now: Instant) {
        self.used.touch(now);
    }

    /// Whether no session has it, and nobody has asked for it for `limit`.
    pub(super) fn is_idle(self: &Arc<Self>, now: Instant, limit: Duration) -> bool {
        Arc::strong_count(self) == 1 && self.unused_for(now) >= limit
    }

    /// For how long nobody has asked for it.
    pub(super) fn unused_for(&self, now: Instant) -> Duration {
        self.used.idle(now)
    }

    /// Takes a new shape; returns when it is what clients see.
    pub(super) async fn reload(&self, shape: Shape) {
        let (done, served) = oneshot::channel();
        if self.reload.send(Reload { shape, done }).await.is_ok() {
            // An error means that the task has ended with the gateway: nobody is served any more.
            let _ = served.await;
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

/// The only writer of a view's offer.
struct Keeper {
    offer: Arc<ArcSwap<Offer>>,
    changed: watch::Sender<Changes>,
    rebuilt: watch::Sender<()>,
}

impl Keeper {
    async fn run(self, shape: Shape, mut reloads: mpsc::Receiver<Reload>) {
        let mut shape = shape;
        let mut waiter: Option<oneshot::Sender<()>> = None;
        loop {
            // Subscribed before the menu is built, so that no change falls between the two.
            let feeds = shape.members.iter().filter_map(|member| member.feed.as_ref());
            let mut states: Vec<_> = feeds.map(|feed| feed.state()).collect();
            self.publish(&shape);
            if let Some(waiter) = waiter.take() {
                // Whoever asked may have gone; the reload holds all the same.
                let _ = waiter.send(());
            }

            let mut changed: FuturesUnordered<_> =
                states.iter_mut().map(watch::Receiver::changed).collect();
            tokio::select! {
                reload = reloads.recv() => {
                    let Some(reload) = reload else { return };
                    shape = reload.shape;
                    waiter = Some(reload.done);
                }
                Some(_) = changed.next() => {}
            }
        }
    }

    /// Builds the menu anew and tells subscribers what differs. What did not change is not
    /// rendered again.
    fn publish(&self, shape: &Shape) {
        let previous = self.offer.load_full();
        let next = build(shape, Some(&previous.menu));
        let differs = next.menu.changed_from(&previous.menu);
        self.offer.store(Arc::new(next));
        if !differs.is_empty() {
            self.changed
                .send_modify(|changes| differs.into_iter().for_each(|kind| changes.count(kind)));
        }
        // Last: whoever has waited for the menu has heard of what changed with it.
        self.rebuilt.send_replace(());
    }
}

fn build(shape: &Shape, previous: Option<&Menu>) -> Offer {
    let Shape { backend, naming, members } = shape;
    // Looked at before the targets are: what settles in between is shown, and built once more.
    let seen = members.iter().map(Member::is_settled).collect();
    let read = members.iter().map(Member::readings).collect();
    let menu = Menu::build(members.iter().map(menu_target).collect(), naming, previous);
    Offer { backend: backend.clone(), menu, members: members.clone(), naming: *naming, seen, read }
}

fn menu_target(member: &Member) -> MenuTarget {
    let name = member.target.name.clone();
    let feed = match (&member.upstream, &member.feed) {
        (Ok(upstream), feed) => feed.as_ref().unwrap_or(upstream.base()),
        (Err(close), _) => {
            // Whoever runs the gateway reads why elsewhere; clients are not told of policies and secrets.
            let reason = format!("closed [{}]", close.id);
            let standing = Standing::Missing { since: member.since, reason };
            return MenuTarget { name, catalog: None, standing };
        }
    };
    let state = feed.state().borrow().clone();
    let Standing::Missing { since, reason } = state.standing else {
        return MenuTarget { name, catalog: state.catalog, standing: state.standing };
    };
    // What everybody sees is better than nothing.
    let base = member.upstream.as_ref().ok().map(|upstream| upstream.base().state());
    let catalog = base.and_then(|base| base.borrow().catalog.clone());
    let standing = match catalog {
        Some(_) => Standing::Stale { since, reason },
        None => Standing::Missing { since, reason },
    };
    MenuTarget { name, catalog, standing }
}
