//! All sessions that have a record, and the tombstones of those that are not to come back. Bounded, in
//! shards, so that no lock is shared by all requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use config::Limits;
use parking_lot::Mutex;

use crate::auth::Principal;
use crate::metrics::{Limit, Metrics};
use crate::session::key::{KeyRing, Purpose};
use crate::session::pipe::Pipe;
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
    /// A bound of the configuration.
    #[error("`limits.{}` is reached", .0.field())]
    Limit(Limit),
}

/// The sessions of this process.
#[derive(Debug)]
pub struct Sessions {
    keys: KeyRing,
    store: Arc<EventStore>,
    metrics: Arc<Metrics>,
    shards: [Mutex<Shard>; SHARDS],
    records: AtomicUsize,
    pipes: AtomicUsize,
    tombstones: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shard {
    records: HashMap<u128, Arc<Session>>,
    /// The ways to clients of HTTP+SSE and stdio, which are there before a record is.
    pipes: HashMap<u128, Arc<Pipe>>,
    /// Sessions that are not to come back, until their id would have expired by itself.
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
            pipes: AtomicUsize::new(0),
            tombstones: AtomicUsize::new(0),
        }
    }

    /// Seals a session id. Stores nothing.
    pub fn seal(&self, claims: &Claims) -> Option<SessionId> {
        SessionId::seal(&self.keys, Purpose::Session, claims).ok()
    }

    /// What a session id says, if it is `principal`'s, was opened on one of `backends`, and has
    /// neither expired nor been deleted.
    pub fn open<'a>(
        &self,
        text: &str,
        principal: &Principal,
        backends: impl Iterator<Item = &'a str>,
        now: SystemTime,
    ) -> Result<Claims, SessionError> {
        let claims = SessionId::open(&self.keys, Purpose::Session, text, now);
        let claims = claims.filter(|claims| is_callers(claims, principal, backends));
        let claims = claims.ok_or(SessionError::Unknown)?;
        let is_deleted = self.shard(claims.serial).lock().tombstones.contains_key(&claims.serial);
        if is_deleted { Err(SessionError::Unknown) } else { Ok(claims) }
    }

    /// Opens the way to a client whose session begins with `initialize`; at most `limit` in all.
    /// What comes back is what its messages name it by.
    pub fn open_pipe(&self, pipe: Arc<Pipe>, limit: usize) -> Result<SessionId, SessionError> {
        if self.pipes.load(Ordering::Relaxed) >= limit {
            return Err(SessionError::Limit(Limit::Sessions));
        }
        let sealed = SessionId::seal(&self.keys, Purpose::Pipe, pipe.claims());
        let sealed = sealed.map_err(|_| SessionError::Unknown)?;
        let serial = pipe.claims().serial;
        if self.shard(serial).lock().pipes.insert(serial, pipe).is_none() {
            self.pipes.fetch_add(1, Ordering::Relaxed);
        }
        Ok(sealed)
    }

    /// The way to the client that a message comes from, if it is `principal`'s, was opened on one
    /// of `backends`, and is open still.
    pub fn pipe<'a>(
        &self,
        text: &str,
        principal: &Principal,
        backends: impl Iterator<Item = &'a str>,
        now: SystemTime,
    ) -> Result<Arc<Pipe>, SessionError> {
        let claims = SessionId::open(&self.keys, Purpose::Pipe, text, now);
        let claims = claims.filter(|claims| is_callers(claims, principal, backends));
        let claims = claims.ok_or(SessionError::Unknown)?;
        let pipe = self.shard(claims.serial).lock().pipes.get(&claims.serial).cloned();
        pipe.ok_or(SessionError::Unknown)
    }

    /// The session of a client that has a pipe begins; unless that has been closed meanwhile,
    /// because nobody would end the session.
    pub fn begin(
        &self,
        pipe: &Pipe,
        now: Instant,
        limit: usize,
        beginning: impl FnOnce() -> Beginning,
    ) -> Result<Arc<Session>, SessionError> {
        let serial = pipe.claims().serial;
        let mut shard = self.shard(serial).lock();
        if !shard.pipes.contains_key(&serial) {
            return Err(SessionError::Unknown);
        }
        let session = self.find_or_add(&mut shard, pipe.claims(), now, limit, beginning)?;
        pipe.begin(&session);
        Ok(session)
    }

    /// Closes a pipe, and with it the session, whose connections are the caller's to close. Its id
    /// needs no tombstone: it is worth nothing without the pipe.
    pub fn close_pipe(&self, pipe: &Pipe) -> Vec<Arc<Slot>> {
        let serial = pipe.claims().serial;
        let mut shard = self.shard(serial).lock();
        if shard.pipes.remove(&serial).is_some() {
            self.pipes.fetch_sub(1, Ordering::Relaxed);
        }
        let record = shard.records.remove(&serial);
        drop(shard);
        record.map(|session| self.ended(&session)).unwrap_or_default()
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
        if shard.tombstones.contains_key(&claims.serial) {
            return Err(SessionError::Unknown);
        }
        self.find_or_add(&mut shard, claims, now, limit, beginning)
    }

    fn find_or_add(
        &self,
        shard: &mut Shard,
        claims: &Claims,
        now: Instant,
        limit: usize,
        beginning: impl FnOnce() -> Beginning,
    ) -> Result<Arc<Session>, SessionError> {
        if let Some(session) = shard.records.get(&claims.serial) {
            session.touch(now);
            return Ok(session.clone());
        }
        if self.records.load(Ordering::Relaxed) >= limit {
            return Err(SessionError::Limit(Limit::Sessions));
        }
        let (expires, store) = (claims.expires, self.store.clone());
        let session = Arc::new(Session::new(beginning(), expires, store, now, &self.metrics));
        shard.records.insert(claims.serial, session.clone());
        self.records.fetch_add(1, Ordering::Relaxed);
        Ok(session)
    }

    /// Deletes a session for good; the connections that it held are the caller's to close.
    pub fn delete(&self, claims: &Claims, limit: usize) -> Result<Vec<Arc<Slot>>, SessionError> {
        let mut shard = self.shard(claims.serial).lock();
        if !self.bury(&mut shard.tombstones, claims.serial, claims.expires, limit) {
            return Err(SessionError::Limit(Limit::Tombstones));
        }
        let record = shard.records.remove(&claims.serial);
        drop(shard);
        Ok(record.map(|session| self.ended(&session)).unwrap_or_default())
    }

    /// Takes out what has expired or been idle too long: whole sessions, and single connections of
    /// others. The id of an idle session stays good, unless its client has set something there:
    /// then it is told to begin anew.
    pub fn sweep(&self, now: Instant, unix: SystemTime, limits: &Limits) -> Vec<Arc<Slot>> {
        let (session_idle, connection_idle) =
            (limits.session_idle.get(), limits.process_idle.get());
        let mut slots = Vec::new();
        // The other half is for sessions that are deleted.
        let most = (limits.tombstones / 2).max(1);
        let mut is_full = false;
        let forgettable = self.store.forgettable(tokio::time::Instant::now());
        for shard in &self.shards {
            let mut shard = shard.lock();
            let before = shard.tombstones.len();
            shard.tombstones.retain(|_, expires| *expires > unix);
            self.tombstones.fetch_sub(before - shard.tombstones.len(), Ordering::Relaxed);
            slots.extend(self.end_pipes(&mut shard, unix));
            let Shard { records, tombstones, .. } = &mut *shard;
            records.retain(|serial, session| {
                let is_over = session.has_expired(unix);
                let is_idle = session.is_idle(now, session_idle);
                let is_missed = is_idle && !is_over && session.has_settings();
                if is_missed && !self.bury(tombstones, *serial, session.expires(), most) {
                    is_full = true;
                } else if is_over || is_idle {
                    slots.extend(self.ended(session));
                    return false;
                }
                slots.extend(session.idle_slots(now, connection_idle));
                if let Some(before) = forgettable {
                    session.outbox().forget(before);
                }
                true
            });
            // What a burst of clients needed is given back.
            let Shard { records, pipes, tombstones } = &mut *shard;
            records.shrink_to(records.len() * 2);
            pipes.shrink_to(pipes.len() * 2);
            tombstones.shrink_to(tombstones.len() * 2);
        }
        if is_full {
            self.metrics.rejected(Limit::Tombstones);
        }
        slots
    }

    /// Remembers that an id is worth nothing any more, where there is room for that.
    fn bury(
        &self,
        tombstones: &mut HashMap<u128, SystemTime>,
        serial: u128,
        expires: SystemTime,
        limit: usize,
    ) -> bool {
        if self.tombstones.load(Ordering::Relaxed) >= limit {
            return false;
        }
        if tombstones.insert(serial, expires).is_none() {
            self.tombstones.fetch_add(1, Ordering::Relaxed);
        }
        true
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

    /// Ends the sessions whose backend is gone; the connections that they held are the caller's to
    /// close. Their ids are good again where a backend of the same name comes back.
    pub fn end_orphans(&self) -> Vec<Arc<Slot>> {
        let mut slots = Vec::new();
        for shard in &self.shards {
            shard.lock().records.retain(|_, session| {
                let stays = !session.view().is_over();
                if !stays {
                    slots.extend(self.ended(session));
                }
                stays
            });
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

    /// Ends the sessions of pipes that are over, also where nothing polls the stream any more that
    /// would say so by being dropped.
    fn end_pipes(&self, shard: &mut Shard, unix: SystemTime) -> Vec<Arc<Slot>> {
        let Shard { pipes, records, .. } = shard;
        let over = pipes.extract_if(|_, pipe| pipe.has_ended(unix));
        let slots = over.flat_map(|(serial, pipe)| {
            self.pipes.fetch_sub(1, Ordering::Relaxed);
            pipe.over().cancel();
            records.remove(&serial).map(|session| self.ended(&session)).unwrap_or_default()
        });
        slots.collect()
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

fn is_callers<'a>(
    claims: &Claims,
    principal: &Principal,
    mut backends: impl Iterator<Item = &'a str>,
) -> bool {
    claims.principal == *principal && backends.any(|backend| *backend == *claims.backend)
}
