//! Whose connection a call uses: everybody's where the server keeps no session, the client
//! session's own where it does, and where the client has none, one from a pool that is leased to
//! one exchange at a time, so that whatever a server asks has exactly one asker.

mod seat;
mod sharers;
mod slot;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use config::Process;
use mcp::Level;
use parking_lot::Mutex;
use tokio::sync::{OnceCell, mpsc};

use crate::auth::Principal;
use crate::random;
use crate::upstream::ask::ask;
use crate::upstream::declaration::Declaration;
use crate::upstream::error::UpstreamError;
use crate::upstream::lease::sharers::Sharers;
use crate::upstream::transport::{ClientSettings, Connection, Dial, Hearer, Inbound, SessionKind};
use crate::upstream::{CATALOG, Upstream, requests};

pub use seat::Seat;
use seat::{Audience, Seats};
pub(super) use slot::CALLS_END;
pub(crate) use slot::Client;
pub use slot::Slot;

/// How many connections wait for the next call of one caller without a session.
const IDLE_PER_PRINCIPAL: usize = 32;

/// On whose behalf a connection is leased.
#[derive(Debug, Clone)]
pub enum Owner {
    /// A client's session: its place for this upstream.
    Session(Arc<Slot>),
    /// A caller without a session.
    Principal(Principal),
}

/// The connections of one upstream that belong to no client session.
#[derive(Debug)]
pub(super) struct Leases {
    /// Whether everybody may use the connection that was opened last. Where to open the next one
    /// first; who may use it, each connection says itself.
    expects_sharing: AtomicBool,
    shared: Arc<Slot>,
    sharers: Sharers,
    idle: Mutex<HashMap<Principal, Vec<Pooled>>>,
    /// Those of client sessions too.
    pub(super) seats: Arc<Seats>,
}

/// A connection that waits for the next call of its principal.
#[derive(Debug)]
struct Pooled {
    seat: Arc<Seat>,
    since: Instant,
}

impl Leases {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            expects_sharing: AtomicBool::new(false),
            shared: Arc::new(Slot::shared(now)),
            sharers: Sharers::default(),
            idle: Mutex::default(),
            seats: Arc::default(),
        }
    }

    /// Nobody gets this connection any more from here.
    pub(super) fn forget(&self, seat: &Arc<Seat>) {
        self.shared.forget(seat);
    }

    /// What everybody shares, if there is something.
    pub(super) fn shared_seat(&self) -> Option<Arc<Seat>> {
        self.shared.seat()
    }

    /// Ends what everybody shares, once the calls on it have ended: those that are being cancelled
    /// tell the target first.
    pub(super) async fn close_shared(&self) {
        self.shared.close().await;
    }

    /// Who uses a shared connection hears what a session's server says on it.
    fn join(&self, owner: &Owner, seat: &Seat) {
        if let Owner::Session(slot) = owner
            && !seat.is_stateless()
            && let Some(listener) = slot.join()
        {
            self.sharers.join(listener);
        }
    }

    /// Takes out what has been idle for `limit`.
    pub(super) fn idle_since(&self, now: Instant, limit: Duration) -> Vec<Arc<Seat>> {
        let mut reaped = Vec::new();
        self.idle.lock().retain(|_, seats| {
            seats.retain(|pooled| {
                let keep = pooled.seat.connection.is_open()
                    && now.saturating_duration_since(pooled.since) < limit;
                if !keep {
                    reaped.push(pooled.seat.clone());
                }
                keep
            });
            !seats.is_empty()
        });
        reaped
    }

    fn take(&self, principal: &Principal) -> Option<Arc<Seat>> {
        let mut idle = self.idle.lock();
        let seats = idle.get_mut(principal)?;
        while let Some(pooled) = seats.pop() {
            if pooled.seat.connection.is_open() {
                return Some(pooled.seat);
            }
        }
        None
    }
}

/// A connection for one call. Dropping it gives the connection back.
#[derive(Debug)]
pub struct Lease {
    upstream: Arc<Upstream>,
    seat: Arc<Seat>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Slot(Arc<Slot>),
    Pool(Principal),
    /// Proved dead: given back to nobody.
    Nowhere,
}

impl Lease {
    /// The connection, for as long as a request on it takes.
    pub fn seat(&self) -> Arc<Seat> {
        self.seat.clone()
    }

    /// Gives the connection up: it proved dead, and nobody is to get it again.
    pub fn discard(mut self) {
        if let Place::Slot(slot) = &self.place {
            slot.forget(&self.seat);
            self.upstream.leases.shared.forget(&self.seat);
        } else {
            self.place = Place::Nowhere;
        }
    }

    /// Gives up a call that the target may still be busy with: what it says of it must not reach
    /// whoever would get the connection next, who would wait behind it besides. A client's own
    /// connection stays its own.
    pub fn abandon(mut self) {
        if let Place::Pool(_) = self.place {
            self.place = Place::Nowhere;
            self.upstream.close(self.seat.clone());
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let now = self.upstream.clock.now();
        match &self.place {
            Place::Slot(slot) => {
                slot.used.touch(now);
                slot.release();
            }
            Place::Pool(principal) if self.seat.connection.is_open() => {
                let pooled = Pooled { seat: self.seat.clone(), since: now };
                let mut pool = self.upstream.leases.idle.lock();
                let seats = pool.entry(principal.clone()).or_default();
                if seats.len() < IDLE_PER_PRINCIPAL {
                    seats.push(pooled);
                } else {
                    self.upstream.close(pooled.seat);
                }
            }
            Place::Pool(_) | Place::Nowhere => {}
        }
    }
}

pub(super) async fn lease(upstream: &Arc<Upstream>, owner: &Owner) -> Result<Lease, UpstreamError> {
    let leases = &upstream.leases;
    leases.seats.check()?;
    if leases.expects_sharing.load(Ordering::Relaxed) {
        let lease = lease_slot(upstream, leases.shared.clone()).await?;
        match lease.seat.audience {
            Audience::Everybody => {
                leases.join(owner, &lease.seat);
                return Ok(lease);
            }
            // The server began to give session ids: what was opened for all belongs to one.
            Audience::Owner if leases.shared.forget(&lease.seat) => {
                if let Owner::Principal(principal) = owner {
                    return Ok(lease_pooled(upstream, principal, lease.seat.clone()));
                }
                // It was opened for nobody in particular, and a session's client is somebody.
                upstream.close(lease.seat.clone());
            }
            Audience::Owner => {}
        }
    }
    match owner {
        Owner::Session(slot) => lease_slot(upstream, slot.clone()).await,
        Owner::Principal(principal) => {
            let seat = match leases.take(principal) {
                Some(seat) => seat,
                None => upstream.connect(None).await?,
            };
            Ok(lease_pooled(upstream, principal, seat))
        }
    }
}

async fn lease_slot(upstream: &Arc<Upstream>, slot: Arc<Slot>) -> Result<Lease, UpstreamError> {
    // Counted before it is opened, so that nothing reaps the slot meanwhile.
    slot.count();
    let release = Release(Some(&slot));
    let seat = slot.open(upstream).await?;
    release.keep();
    Ok(Lease { upstream: upstream.clone(), seat, place: Place::Slot(slot) })
}

fn lease_pooled(upstream: &Arc<Upstream>, principal: &Principal, seat: Arc<Seat>) -> Lease {
    Lease { upstream: upstream.clone(), seat, place: Place::Pool(principal.clone()) }
}

/// Takes back the count of a lease that was never given.
struct Release<'a>(Option<&'a Slot>);

impl Release<'_> {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.0 {
            slot.release();
        }
    }
}

impl Leases {
    /// Gives everybody a connection that is open already, where its server keeps no session.
    pub(super) fn share(&self, seat: &Arc<Seat>) {
        if seat.audience == Audience::Everybody {
            let cell = OnceCell::new_with(Some(seat.clone()));
            self.shared.cell.store(Arc::new(cell));
        }
    }
}

impl Upstream {
    /// The connection that clients share though its server keeps a session, if there is one.
    pub fn shared_session(&self) -> Option<Arc<Seat>> {
        self.leases.shared.seat().filter(|seat| !seat.is_stateless())
    }

    /// Whether clients that share a connection watch a resource, besides one who does.
    pub fn is_watched_by_others(&self, uri: &str) -> bool {
        self.shared_session().is_some() && self.leases.sharers.watching(uri) > 1
    }

    /// The most verbose level that clients that share a connection want.
    pub fn shared_level(&self) -> Option<Level> {
        self.leases.sharers.level()
    }

    /// What was said on the catalog's connection, to whoever shares it.
    pub(super) fn heard(&self, said: &Inbound) {
        self.leases.sharers.hear(said);
    }

    /// Opens a connection for a client, or for everybody; what everybody's says outside of calls
    /// is nobody's.
    async fn connect(&self, client: Option<&Client>) -> Result<Arc<Seat>, UpstreamError> {
        let Some(client) = client else {
            let (nobody, _) = mpsc::channel(1);
            return self.open("call", Declaration::default(), nobody.into()).await;
        };
        let hearer = Hearer::Client(client.listener.clone());
        let seat = self.open("session", client.declaration.clone(), hearer).await?;
        self.restore(&seat, client.listener.settings()).await;
        Ok(seat)
    }

    /// Tells a new session what its client has set in those before it. A target that refuses has
    /// said so to the client already, or is another one than it was.
    async fn restore(&self, seat: &Seat, settings: ClientSettings) {
        let level = settings.level.filter(|_| seat.connection.hello().capabilities.logging);
        let levels = level.map(|level| {
            let nonce = random::nonce();
            (nonce, requests::set_level(nonce, level))
        });
        let subscriptions = settings.subscriptions.iter().map(|uri| {
            let nonce = random::nonce();
            (nonce, requests::subscribe(nonce, uri))
        });
        let deadline = self.target().settings.timeouts.list;
        for (nonce, body) in levels.into_iter().chain(subscriptions) {
            let limit = self.limits.rewritten_answer;
            if let Err(error) = ask(&seat.connection, nonce, body, limit, deadline).await {
                tracing::debug!(%error, "A new session does not know what its client had set.");
                return;
            }
        }
    }

    /// Opens a connection, within the deadline for it and the bound on processes, and not once the
    /// upstream has been removed.
    pub(super) async fn open(
        &self,
        purpose: &'static str,
        declaration: Declaration,
        hearer: Hearer,
    ) -> Result<Arc<Seat>, UpstreamError> {
        self.leases.seats.check()?;
        let target = self.target();
        let timeouts = &target.settings.timeouts;
        let is_process = self.is_process();
        let deadline = if is_process { timeouts.start } else { timeouts.call };
        let connection =
            Connection::open(&self.dial(purpose, declaration), hearer, deadline).await?;

        let is_one_for_all = is_process && matches!(target.settings.process, Process::Shared);
        let audience = match connection.kind() {
            SessionKind::Stateful if !is_one_for_all => Audience::Owner,
            SessionKind::Stateful | SessionKind::Stateless => Audience::Everybody,
        };
        let is_shared = audience == Audience::Everybody;
        self.leases.expects_sharing.store(is_shared, Ordering::Relaxed);
        let seat = self.leases.seats.seat(connection, audience);
        self.leases.seats.check().inspect_err(|_| self.close(seat.clone()))?;
        Ok(seat)
    }

    /// Ends a connection in the background.
    pub(super) fn close(&self, seat: Arc<Seat>) {
        // Within the deadlines of its own, even if the upstream ends meanwhile.
        self.tasks.spawn_to_end("close upstream session", async move { seat.close().await });
    }

    fn dial(&self, purpose: &'static str, declaration: Declaration) -> Dial {
        let is_catalog = purpose == CATALOG;
        let processes = if is_catalog { &self.catalog_processes } else { &self.processes };
        Dial {
            settings: self.settings.clone(),
            http: self.http.clone(),
            processes: processes.clone(),
            limits: self.limits.clone(),
            tasks: self.tasks.clone(),
            random: random::fill,
            speaks_sse: self.speaks_sse.clone(),
            declaration,
            purpose,
        }
    }
}

#[cfg(test)]
mod tests;
