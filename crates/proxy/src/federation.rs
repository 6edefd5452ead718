//! Several MCP servers as one: what a backend offers to which clients, and who gets a call.

mod menu;
mod naming;
mod resolution;
mod template;
mod uri;
mod view;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use config::{Backend, Close, FailureMode};
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use mcp::{ListKind, TargetName};
use parking_lot::Mutex;

use crate::catalog::{Catalog, Listed};
use crate::metrics::TargetMetrics;
use crate::tasks::Tasks;
use crate::upstream::{Declaration, Feed, Upstream};

pub use menu::{Menu, MenuTarget};
pub use naming::{NameKind, Naming};
pub use resolution::{Resolved, Unresolved};
pub use view::{Changes, News, View};

/// A target of a backend, and its live side.
#[derive(Debug, Clone)]
pub struct Member {
    /// The target as this backend names it.
    pub target: Arc<config::Target>,
    /// Its live side, which other backends may share; or why it is shut: what is closed is not
    /// even contacted.
    pub upstream: Result<Arc<Upstream>, Close>,
    /// Its catalog for the clients of this view, where it is not shut.
    pub feed: Option<Arc<Feed>>,
    /// Handles of the metrics of this target, which other backends may share.
    pub metrics: Arc<TargetMetrics>,
    /// When this member came, for the report of a closed one.
    pub since: SystemTime,
}

impl Member {
    /// The same member for clients of another kind.
    fn for_clients(&self, declaration: &Declaration) -> Self {
        let feed = self.upstream.as_ref().ok().map(|upstream| upstream.feed(declaration));
        Self { feed, ..self.clone() }
    }

    fn is_settled(&self) -> bool {
        self.feed.as_ref().is_none_or(|feed| feed.state().borrow().is_settled)
    }

    fn readings(&self) -> u64 {
        self.feed.as_ref().map_or(0, |feed| feed.readings())
    }
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
    /// How they are named.
    naming: Naming,
    /// Which of them had answered or failed once when the menu was built.
    seen: Vec<bool>,
    /// How many readings of each had ended by then.
    read: Vec<u64>,
}

impl Offer {
    /// Waits until every target has answered or failed once; whoever comes after the list
    /// deadline of the slowest waits for nothing.
    async fn settled(&self) {
        let mut waiting: FuturesUnordered<_> = self.feeds().map(|feed| feed.settled()).collect();
        while waiting.next().await.is_some() {}
    }

    /// Whether the menu was built after every target that has settled meanwhile.
    fn shows_what_is_known(&self) -> bool {
        self.members.iter().zip(&self.seen).all(|(member, seen)| *seen || !member.is_settled())
    }

    /// Whether the menu was built after every reading that has ended meanwhile.
    fn shows_every_reading(&self) -> bool {
        self.members.iter().zip(&self.read).all(|(member, read)| *read >= member.readings())
    }

    /// With `failureMode: FailClosed`, the targets that keep lists and `initialize` from being
    /// answered: those without a catalog, fresh or last known good.
    pub fn incomplete(&self) -> Vec<TargetName> {
        if self.backend.failure_mode != Some(FailureMode::FailClosed) {
            return Vec::new();
        }
        let missing = self.members.iter().filter(|member| {
            member.feed.as_ref().is_none_or(|feed| feed.state().borrow().catalog.is_none())
        });
        missing.map(|member| member.target.name.clone()).collect()
    }

    /// The same with lists of a session's own, by the upstreams' serials.
    pub fn overlaid(&self, own: &HashMap<u64, Vec<(ListKind, &Listed)>>) -> Self {
        let mut targets = self.menu.targets().to_vec();
        for (target, member) in targets.iter_mut().zip(&self.members) {
            let serial = member.upstream.as_ref().ok().map(|upstream| upstream.serial());
            let lists = serial.and_then(|serial| own.get(&serial));
            let (Some(lists), Some(catalog)) = (lists, &target.catalog) else { continue };
            let catalog = lists.iter().fold(Catalog::clone(catalog), |catalog, (kind, listed)| {
                catalog.with_list(*kind, listed)
            });
            target.catalog = Some(Arc::new(catalog));
        }
        Self {
            backend: self.backend.clone(),
            menu: Menu::build(targets, &self.naming, Some(&self.menu)),
            members: self.members.clone(),
            naming: self.naming,
            seen: self.seen.clone(),
            read: self.read.clone(),
        }
    }

    /// The place of an upstream's target in the menu.
    pub fn target_of(&self, upstream: u64) -> Option<usize> {
        self.members
            .iter()
            .position(|member| member.upstream.as_ref().is_ok_and(|own| own.serial() == upstream))
    }

    fn feeds(&self) -> impl Iterator<Item = &Arc<Feed>> {
        self.members.iter().filter_map(|member| member.feed.as_ref())
    }
}

/// The most kinds of clients that a backend has views for. Then the view that was asked for
/// longest ago and that no session has makes room; while there is none, whoever comes sees what
/// clients that can do nothing see.
const MOST_VIEWS: usize = 256;

/// The live side of a backend. Kept across reloads by the backend's name.
#[derive(Debug)]
pub struct Federation {
    base: Arc<View>,
    /// The views for clients that can do something. Swapped whole, so that finding one takes no
    /// lock.
    others: ArcSwap<HashMap<Declaration, Arc<View>>>,
    /// What a new view is made of; locked when one is made and when the backend is reloaded.
    shape: Mutex<Shape>,
    tasks: Tasks,
}

/// A backend as it is configured, its targets and their names.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) backend: Arc<Backend>,
    pub(crate) naming: Naming,
    pub(crate) members: Vec<Member>,
}

impl Shape {
    fn for_clients(&self, declaration: &Declaration) -> Self {
        let members = self.members.iter().map(|member| member.for_clients(declaration)).collect();
        Self { members, ..self.clone() }
    }
}

impl Federation {
    /// Starts with a view for clients that can do nothing; it shows what is known already.
    pub fn start(tasks: &Tasks, shape: Shape, now: Instant) -> Arc<Self> {
        let tasks = tasks.child();
        let base = View::start(&tasks, Declaration::default(), shape.clone(), now);
        let (others, shape) = (ArcSwap::default(), Mutex::new(shape));
        Arc::new(Self { base, others, shape, tasks })
    }

    /// What clients see that can do nothing.
    pub fn base(&self) -> &Arc<View> {
        &self.base
    }

    /// What clients of this kind see.
    pub fn view(&self, declaration: &Declaration, now: Instant) -> Arc<View> {
        let view = self.find(declaration).unwrap_or_else(|| self.add(declaration, now));
        view.touch(now);
        view
    }

    /// Takes a new shape; returns when it is what clients see.
    pub async fn reload(&self, shape: Shape) {
        *self.shape.lock() = shape.clone();
        let others = self.others.load_full();
        let views = others.values().chain([&self.base]);
        let reloads = views.map(|view| view.reload(shape.for_clients(view.declaration())));
        join_all(reloads).await;
    }

    /// Drops the views that no client has used for `limit`.
    pub fn sweep(&self, now: Instant, limit: Duration) {
        let _shape = self.shape.lock();
        let others = self.others.load_full();
        if others.values().any(|view| view.is_idle(now, limit)) {
            let kept = others.iter().filter(|(_, view)| !view.is_idle(now, limit));
            let kept = kept.map(|(declaration, view)| (declaration.clone(), view.clone()));
            self.others.store(Arc::new(kept.collect()));
        }
    }

    /// Ends the backend: streams that wait for its changes end too.
    pub fn retire(&self) {
        self.tasks.cancel();
    }

    fn find(&self, declaration: &Declaration) -> Option<Arc<View>> {
        if declaration == self.base.declaration() {
            return Some(self.base.clone());
        }
        self.others.load().get(declaration).cloned()
    }

    fn add(&self, declaration: &Declaration, now: Instant) -> Arc<View> {
        let shape = self.shape.lock();
        let others = self.others.load_full();
        if let Some(known) = others.get(declaration) {
            return known.clone();
        }
        let mut more = HashMap::clone(&others);
        if more.len() + 1 >= MOST_VIEWS {
            // Both maps hold it, and nobody else does.
            let unused = more.iter().filter(|(_, view)| Arc::strong_count(view) <= 2);
            let oldest = unused.max_by_key(|(_, view)| view.unused_for(now));
            let Some(oldest) = oldest.map(|(declaration, _)| declaration.clone()) else {
                return self.base.clone();
            };
            more.remove(&oldest);
        }
        let shape = shape.for_clients(declaration);
        let view = View::start(&self.tasks, declaration.clone(), shape, now);
        more.insert(declaration.clone(), view.clone());
        self.others.store(Arc::new(more));
        view
    }
}

#[cfg(test)]
pub(crate) mod fixtures;
