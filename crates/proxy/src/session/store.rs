//! All sessions that have a record, and the tombstones of those that were deleted. Bounded, in
//! shards, so that no lock is shared by all requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use config::Limits;
use parking_lot::Mutex;

use crate::auth::Principal;
use crate::metrics::Metrics;
use crate::session::key::KeyRing;
use crate::session::record::{Beginning, Session};
use crate::session::sealed::{Claims, SessionId};
use crate::session::streams::EventStore;
use crate::upstream::Slot;

const SHARDS: usize = 16;

/// Why a session could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Not ours, expired, deleted, another principal's or another backend's: one answer for all,
    /// so that nobody learns which.
    #[error("session not found")]
    Unknown,
    /// A bound of the configuration, by its name.
    #[error("`limits.{0}` is reached")]
    Limit(&'static str),
}

/// The sessions of this process.
#[derive(Debug)]
pub struct Sessions {
    keys: KeyRing,
    store: Arc<EventStore>,
    metrics: Arc<Metrics>,
    shards: [Mutex<Shard>; SHARDS],
    records: AtomicUsize,
    tombstones: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shard {
    records: HashMap<u128, Arc<Session>>,
    /// Deleted sessions until their id would have expired by itself.
    tombstones: HashMap<u128, SystemTime>,
}

impl Sessions {
    /// No sessions yet; ids are sealed with `keys`.
    pub fn new(keys: KeyRing, limits: &Limits, metrics: Arc<Metrics>) -> Self {
        Self {
            keys,
            store: EventStore::new(limits),
            metrics,
            shards: Default::default(),
            records: AtomicUsize::new(0),
            tombstones: AtomicUsize::new(0),
        }
    }

    /// Seals a session id. Stores nothing.
    pub fn seal(&self, claims: &Claims) -> Option<SessionId> {
        SessionId::seal(&self.keys, claims).ok()
    }

    /// What a session id says, if it is `principal`'s, was opened on one of `backends`, and has
    /// neither expired nor been deleted.
    pub fn open<'a>(
        &self,
        text: &str,
        principal: &Principal,
        mut backends: impl Iterator<Item = &'a str>,
        now: SystemTime,
    ) -> Result<Claims, SessionError> {
        let claims = SessionId::open(&self.keys, text, now).ok_or(SessionError::Unknown)?;
        let is_callers = claims.principal == *principal;
        let is_here = backends.any(|backend| *backend == *claims.backend);
        let is_deleted = self.shard(claims.serial).lock().tombstones.contains_key(&claims.serial);
        if is_callers && is_here && !is_deleted { Ok(claims) } else { Err(SessionError::Unknown) }
    }

    /// The record of a session, if it has one; using it keeps it alive.
    pub fn find(&self, claims: &Claims, now: Instant) -> Option<Arc<Session>> {
        let session = self.shard(claims.serial).lock().records.get(&claims.serial).cloned()?;
        session.touch(now);
        Some(session)
    }

    /// The record of a session, made of `beginning` if there is none; at most `limit` in all.
    pub fn record(
        &self,
        claims: &Claims,
        now: Instant,
        limit: usize,
        beginning: impl FnOnce() -> Beginning,
    ) -> Result<Arc<Session>, SessionError> {
        let mut shard = self.shard(claims.serial).lock();
        if let Some(session) = shard.records.get(&claims.serial) {
            session.touch(now);
            return Ok(session.clone());
        }
        if shard.tombstones.contains_key(&claims.serial) {
            return Err(SessionError::Unknown);
        }
        if self.records.load(Ordering::Relaxed) >= limit {
            return Err(SessionError::Limit("sessions"));
        }
        let session = Session::new(beginning(), self.store.clone(), now, &self.metrics);
        let session = Arc::new(session);
        shard.records.insert(claims.serial, session.clone());
        self.records.fetch_add(1, Ordering::Relaxed);
        Ok(session)
    }

    /// Deletes a session for good; the connections that it held are the caller's to close.
    pub fn delete(&self, claims: &Claims, limit: usize) -> Result<Vec<Arc<Slot>>, SessionError> {
        let mut shard = self.shard(claims.serial).lock();
        if self.tombstones.load(Ordering::Relaxed) >= limit {
            return Err(SessionError::Limit("tombstones"));
        }
        if shard.tombstones.insert(claims.serial, claims.expires).is_none() {
            self.tombstones.fetch_add(1, Ordering::Relaxed);
        }
        let record = shard.records.remove(&claims.serial);
        drop(shard);
        Ok(record.map(|session| self.ended(&session)).unwrap_or_default())
    }

    /// Takes out what has been idle too long: whole sessions, and single connections of others.
    pub fn sweep(
        &self,
        now: Instant,
        unix: SystemTime,
        session_idle: Duration,
        connection_idle: Duration,
    ) -> Vec<Arc<Slot>> {
        let mut slots = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.lock();
            let before = shard.tombstones.len();
            shard.tombstones.retain(|_, expires| *expires > unix);
            self.tombstones.fetch_sub(before - shard.tombstones.len(), Ordering::Relaxed);
            shard.records.retain(|_, session| {
                if session.is_idle(now, session_idle) {
                    slots.extend(self.ended(session));
                    return false;
                }
                slots.extend(session.idle_slots(now, connection_idle));
                true
            });
        }
        slots
    }

    /// The places of every session at an upstream that is gone.
    pub fn part_with(&self, upstream: u64) -> Vec<Arc<Slot>> {
        let mut slots = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock();
            slots.extend(shard.records.values().filter_map(|session| session.part_with(upstream)));
        }
        slots
    }

    /// Ends every session, when the gateway stops.
    pub fn end_all(&self) -> Vec<Arc<Slot>> {
        let mut slots = Vec::new();
        for shard in &self.shards {
            let records: Vec<_> = shard.lock().records.drain().collect();
            for (_, session) in records {
                slots.extend(self.ended(&session));
            }
        }
        slots
    }

    fn ended(&self, session: &Session) -> Vec<Arc<Slot>> {
        self.records.fetch_sub(1, Ordering::Relaxed);
        session.end()
    }

    fn shard(&self, serial: u128) -> &Mutex<Shard> {
        let index = usize::try_from(serial % SHARDS as u128).unwrap_or_default();
        #[expect(clippy::indexing_slicing, reason = "a remainder of the array's length")]
        &self.shards[index]
    }
}
