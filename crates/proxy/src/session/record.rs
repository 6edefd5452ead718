//! What is remembered of a session while it is used: its calls in flight, its streams, its
//! upstream sessions, what it set and what it was asked, and when it was used last.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use mcp::{Id, Item, Level, ListKind, Message, Revision};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::clock::LastUse;
use crate::federation::{Changes, Offer, View};
use crate::metrics::{Counted, Metrics};
use crate::reply::Part;
use crate::session::overlays::Overlays;
use crate::session::questions::{Question, Questions, Withdrawal};
use crate::session::speaker::{Ear, Speaker};
use crate::session::streams::{Carries, EventId, EventStore, Reader, Stream, Streams};
use crate::tasks::Tasks;
use crate::upstream::{Client, Replies, Slot, Upstream};

/// How many messages wait for a client that has no stream open.
const WAITING: usize = 64;
/// How many bytes they may have together.
const WAITING_BYTES: usize = 1 << 20;
/// How many resources a client may watch.
const SUBSCRIPTIONS: usize = 256;
/// The longest URI of one, in bytes.
const SUBSCRIPTION_URI: usize = 4 << 10;

/// The record of a session.
#[derive(Debug)]
pub struct Session {
    revision: Revision,
    view: Arc<View>,
    /// When it ends at the latest, as its id says.
    expires: SystemTime,
    used: LastUse,
    calls: Mutex<HashMap<u64, Running>>,
    calls_begun: AtomicU64,
    /// `None` once the session has ended.
    slots: Mutex<Option<HashMap<u64, Arc<Slot>>>>,
    ended: CancellationToken,
    outbox: Mutex<Outbox>,
    open_streams: AtomicUsize,
    store: Arc<EventStore>,
    questions: Questions,
    overlays: Overlays,
    level: Mutex<Option<Level>>,
    /// What it subscribed to: the upstream's serial and the target's own URI.
    subscriptions: Mutex<BTreeSet<(u64, Arc<str>)>>,
    heard: Mutex<Heard>,
    _counted: Counted,
}

/// What the client knows of changed lists.
#[derive(Debug)]
struct Heard {
    /// The changes that it has heard of.
    changes: Changes,
    /// The kinds of which a target's own word is on its way: the client hears that, once.
    promised: Vec<ListKind>,
}

/// Where what belongs to no call goes.
#[derive(Debug, Default)]
struct Outbox {
    /// The one way to a client of HTTP+SSE or stdio.
    pipe: Option<mpsc::Sender<Bytes>>,
    streams: Streams,
    /// The streams that were opened by GET, the newest last.
    own: VecDeque<Arc<Stream>>,
    /// What waits for the next of them.
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
}

/// A call that is in flight.
#[derive(Debug)]
struct Running {
    id: Id,
    cancelled: CancellationToken,
    /// Its answer, where that can be events and has not begun.
    parts: Option<mpsc::WeakSender<Part>>,
}

/// What a session is made of when its record appears.
pub struct Beginning {
    /// The revision that `initialize` agreed on.
    pub revision: Revision,
    /// What its client sees.
    pub view: Arc<View>,
    /// The one way to a client of HTTP+SSE or stdio.
    pub pipe: Option<mpsc::Sender<Bytes>>,
}

impl Session {
    pub(super) fn new(
        beginning: Beginning,
        expires: SystemTime,
        store: Arc<EventStore>,
        now: Instant,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let Beginning { revision, view, pipe } = beginning;
        let heard = Heard { changes: *view.changes().borrow(), promised: Vec::new() };
        Self {
            revision,
            view,
            expires,
            used: LastUse::new(now),
            calls: Mutex::default(),
            calls_begun: AtomicU64::new(0),
            slots: Mutex::new(Some(HashMap::new())),
            ended: CancellationToken::new(),
            outbox: Mutex::new(Outbox { pipe, ..Outbox::default() }),
            open_streams: AtomicUsize::new(0),
            store,
            questions: Questions::new(metrics.clone()),
            overlays: Overlays::default(),
            level: Mutex::default(),
            subscriptions: Mutex::default(),
            heard: Mutex::new(heard),
            _counted: metrics.session(),
        }
    }

    /// The revision that its client speaks.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// What its client sees.
    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// What its client is offered.
    pub fn offer(&self) -> Arc<Offer> {
        self.overlays.over(self.view.offer())
    }

    /// What its client is offered where others of its kind are offered `shared`.
    pub fn offered(&self, shared: Arc<Offer>) -> Arc<Offer> {
        self.overlays.over(shared)
    }

    /// Whether some target lists something else for its client than for others of its kind.
    pub fn has_own_lists(&self) -> bool {
        !self.overlays.is_none()
    }

    /// What its own connection to an upstream lists, where everybody's lists `shared`; says whether
    /// its client has not seen that yet.
    pub(super) fn found(
        &self,
        upstream: &Upstream,
        shared: &Catalog,
        kind: ListKind,
        items: Vec<Item>,
    ) -> bool {
        let place = || upstream.overlay_place();
        self.overlays.found(upstream.serial(), shared, kind, items, place)
    }

    /// Resolves when the session has been deleted or has expired.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// The place of this session's connection to the upstream with this serial, the same at every
    /// call; `None` once the session has ended: nobody would close what is opened there.
    pub fn slot(self: &Arc<Self>, upstream: u64, tasks: &Tasks, now: Instant) -> Option<Arc<Slot>> {
        let mut slots = self.slots.lock();
        let slots = slots.as_mut()?;
        let slot = slots.entry(upstream).or_insert_with(|| {
            let listener = Ear::new(self, upstream, tasks.clone());
            let declaration = self.view.declaration().clone();
            Arc::new(Slot::of_client(Client { declaration, listener }, now))
        });
        slot.touch(now);
        Some(slot.clone())
    }

    /// The places of all its connections.
    pub fn slots(&self) -> Vec<(u64, Arc<Slot>)> {
        let slots = self.slots.lock();
        slots.iter().flatten().map(|(serial, slot)| (*serial, slot.clone())).collect()
    }

    /// Registers a call until the guard is dropped, so that the client can cancel it by its id.
    /// Where its answer can be events, `parts` are where they are put.
    pub fn call(self: &Arc<Self>, id: &Id, parts: Option<&mpsc::Sender<Part>>) -> CallInFlight {
        let cancelled = self.ended.child_token();
        let number = self.calls_begun.fetch_add(1, Ordering::Relaxed);
        let parts = parts.map(mpsc::Sender::downgrade);
        let running = Running { id: id.clone(), cancelled: cancelled.clone(), parts };
        self.calls.lock().insert(number, running);
        CallInFlight { session: self.clone(), number, cancelled }
    }

    /// The answer to a call begins: it may be one document, in which no other message has a place.
    pub fn answer_begins(&self, parts: &mpsc::Sender<Part>) {
        for running in self.calls.lock().values_mut() {
            if running.is_answered_by(parts) {
                running.parts = None;
            }
        }
    }

    /// Cancels the call with this id; an id of no call is ignored, as the specification asks.
    pub fn cancel(&self, id: &Id) {
        for running in self.calls.lock().values().filter(|running| running.id == *id) {
            running.cancelled.cancel();
        }
    }

    /// Takes one of the `limit` streams that a session may have open.
    pub fn stream(self: &Arc<Self>, limit: usize) -> Option<StreamSeat> {
        let taken = self.open_streams.fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| {
            (open < limit).then_some(open + 1)
        });
        taken.ok().map(|_| StreamSeat(self.clone()))
    }

    /// Opens a stream for what belongs to no call; what waited for one is on it.
    pub fn open_own_stream(&self) -> Reader {
        let mut outbox = self.outbox.lock();
        let stream = outbox.streams.open(&self.store, Carries::Own);
        outbox.own.push_back(stream.clone());
        let reader = stream.read(stream.start());
        outbox.flush(&stream);
        reader
    }

    /// Opens a stream for the answer to a call.
    pub fn open_call_stream(&self) -> Arc<Stream> {
        self.outbox.lock().streams.open(&self.store, Carries::Answer)
    }

    /// Reads on after an event that the client names; `None` if there is no such stream. Where
    /// it is a stream of the session's own, it is the newest again, and what waited for one is on it.
    pub fn resume(&self, place: EventId) -> Option<Reader> {
        let mut outbox = self.outbox.lock();
        let stream = outbox.streams.find(place)?;
        let reader = stream.read(place);
        if stream.carries() == Carries::Own {
            stream.reopen();
            outbox.own.retain(|own| !Arc::ptr_eq(own, &stream));
            outbox.own.push_back(stream.clone());
            outbox.flush(&stream);
        }
        Some(reader)
    }

    /// Says to the client what belongs to no call: on the newest of its own streams, else on the
    /// stream of a call, else when the next stream is opened. Says whether there was room.
    pub fn deliver(&self, message: Bytes) -> bool {
        let mut outbox = self.outbox.lock();
        if let Some(pipe) = &outbox.pipe {
            return pipe.try_send(message).is_ok();
        }
        if let Some(stream) = outbox.own.iter().rev().find(|stream| stream.is_read()) {
            stream.push(message);
            return true;
        }
        if self.on_a_call(message.clone()) {
            return true;
        }
        outbox.wait(message)
    }

    /// A target says that a list changed: the client will hear of it when the list has been read,
    /// and until then not from the menu.
    pub fn promise_list_changed(&self, kind: ListKind) {
        self.heard.lock().promised.push(kind);
    }

    /// What was promised: the client hears of it, and not again from the menu.
    pub fn list_changed(&self, kind: ListKind) {
        self.heard.lock().promised.retain(|promised| *promised != kind);
        let mut kinds = self.unheard();
        let is_told = |known: &ListKind| known.changed() == kind.changed();
        if !kinds.iter().any(is_told) {
            kinds.push(kind);
        }
        for kind in kinds {
            self.deliver(mcp::list_changed(kind));
        }
    }

    /// The lists that changed since the client was told last; it is told now.
    pub fn unheard(&self) -> Vec<ListKind> {
        let now = *self.view.changes().borrow();
        let mut heard = self.heard.lock();
        let mut differs = now.since(&heard.changes);
        differs.retain(|kind| {
            let is_it = |promised: &ListKind| promised.changed() == kind.changed();
            !heard.promised.iter().any(is_it)
        });
        differs.iter().for_each(|kind| heard.changes.hear(*kind, &now));
        differs
    }

    /// What has to go on the stream of a call that is about to open, because no stream of its own
    /// is being read.
    pub fn overdue(&self) -> Vec<Bytes> {
        if self.hears() {
            return Vec::new();
        }
        let changed = self.unheard().into_iter().map(mcp::list_changed);
        let mut outbox = self.outbox.lock();
        outbox.waiting_bytes = 0;
        outbox.waiting.drain(..).chain(changed).collect()
    }

    /// Whether a stream of its own is being read.
    pub fn hears(&self) -> bool {
        let outbox = self.outbox.lock();
        outbox.pipe.is_some() || outbox.own.iter().any(|stream| stream.is_read())
    }

    /// A target's request as its client is to see it; `call` is the answer in which it is asked.
    ///
    /// # Errors
    /// What the target is to be told instead.
    pub(crate) fn ask(
        &self,
        speaker: &Speaker,
        request: &Message,
        replies: &Replies,
        call: Option<&mpsc::Sender<Part>>,
    ) -> Result<Question, Bytes> {
        self.questions.ask(request, replies, call, |rewrite| speaker.request(request, rewrite))
    }

    /// Where a client's answer goes, and as what; `None` if nobody waits for it.
    pub(crate) fn answered(&self, answer: &Message) -> Option<(Replies, Bytes)> {
        self.questions.answered(answer)
    }

    /// Where a client's progress on a question goes, and as what.
    pub(crate) fn progressed(&self, progress: &Message) -> Option<(Replies, Bytes)> {
        self.questions.progressed(progress)
    }

    /// A target does not wait for an answer any more: its client is told where it was asked.
    pub(crate) fn withdraw(&self, notice: &Message, replies: &Replies) {
        if let Some(withdrawal) = self.questions.withdrawn(notice, replies) {
            self.tell_withdrawn(withdrawal);
        }
    }

    /// A question could not be delivered.
    pub(crate) fn forget(&self, question: &Question) {
        self.questions.forget(question.nonce);
    }

    /// A connection ended: the client is told which questions nobody waits for any more, and that
    /// what the target listed for it alone is gone.
    pub(crate) fn abandon(&self, upstream: u64) {
        for kind in ListKind::ALL {
            if self.overlays.forget(upstream, Some(kind)) {
                self.deliver(mcp::list_changed(kind));
            }
        }
        self.questions
            .abandoned()
            .into_iter()
            .for_each(|withdrawal| self.tell_withdrawn(withdrawal));
    }

    /// A call was given up: what was asked in it needs no answer any more.
    pub(crate) fn give_up(&self, call: &mpsc::Sender<Part>) {
        for withdrawal in self.questions.given_up(call) {
            self.tell_withdrawn(withdrawal);
        }
    }

    fn tell_withdrawn(&self, withdrawal: Withdrawal) {
        let Withdrawal { body, call } = withdrawal;
        let is_told = call.is_some_and(|call| self.on_the_call(&call, body.clone()));
        if !is_told {
            self.deliver(body);
        }
    }

    /// Sets what log lines the client wants.
    pub fn set_level(&self, level: Level) {
        *self.level.lock() = Some(level);
    }

    /// The least level that the client wants, if it said so.
    pub fn level(&self) -> Option<Level> {
        *self.level.lock()
    }

    /// Whether the client wants a log line; one whose level nobody knows is wanted.
    pub fn wants(&self, line: &Message) -> bool {
        let said = line.routed().level.as_ref().and_then(|text| Level::parse(text.as_str()));
        match (self.level(), said) {
            (Some(least), Some(said)) => said >= least,
            (None, _) | (_, None) => true,
        }
    }

    /// Whether one more resource can be watched: what is watched has to be remembered.
    pub fn can_subscribe(&self, upstream: u64, uri: &Arc<str>) -> bool {
        has_room(&self.subscriptions.lock(), &(upstream, uri.clone()))
    }

    /// Notes a subscription, so that it outlives the connection.
    pub fn subscribe(&self, upstream: u64, uri: Arc<str>) {
        let mut all = self.subscriptions.lock();
        let subscription = (upstream, uri);
        // Whoever asked first when there was one place left has it.
        if has_room(&all, &subscription) {
            all.insert(subscription);
        }
    }

    /// Forgets a subscription.
    pub fn unsubscribe(&self, upstream: u64, uri: &str) {
        self.subscriptions.lock().retain(|(serial, known)| *serial != upstream || **known != *uri);
    }

    /// What it subscribed to at an upstream.
    pub fn subscriptions(&self, upstream: u64) -> Vec<Arc<str>> {
        let all = self.subscriptions.lock();
        all.iter().filter(|(serial, _)| *serial == upstream).map(|(_, uri)| uri.clone()).collect()
    }

    /// Whether it subscribed to anything at an upstream.
    pub fn is_subscribed(&self, upstream: u64) -> bool {
        self.subscriptions.lock().iter().any(|(serial, _)| *serial == upstream)
    }

    /// Whether its client has set something that it counts on.
    pub(super) fn has_settings(&self) -> bool {
        self.level().is_some() || !self.subscriptions.lock().is_empty()
    }

    /// When it ends at the latest.
    pub(super) fn expires(&self) -> SystemTime {
        self.expires
    }

    pub(super) fn touch(&self, now: Instant) {
        self.used.touch(now);
    }

    /// Whether its time is over, whatever uses it.
    pub(super) fn has_expired(&self, unix: SystemTime) -> bool {
        self.expires <= unix
    }

    /// Whether nothing has used the session for `limit`, and nothing does now.
    pub(super) fn is_idle(&self, now: Instant, limit: Duration) -> bool {
        self.open_streams.load(Ordering::Acquire) == 0
            && self.calls.lock().is_empty()
            && self.used.idle(now) >= limit
    }

    /// The place at an upstream that is gone, and with it what was set there.
    pub(super) fn part_with(&self, upstream: u64) -> Option<Arc<Slot>> {
        self.overlays.forget(upstream, None);
        self.subscriptions.lock().retain(|(serial, _)| *serial != upstream);
        self.slots.lock().as_mut()?.remove(&upstream)
    }

    /// Connections that have been idle for `limit` by `now` lose their place; those with a
    /// subscription are not idle.
    pub(super) fn idle_slots(&self, now: Instant, limit: Duration) -> Vec<Arc<Slot>> {
        let mut idle = Vec::new();
        if let Some(slots) = self.slots.lock().as_mut() {
            slots.retain(|serial, slot| {
                let keep = !slot.is_idle(now, limit) || self.is_subscribed(*serial);
                if !keep {
                    idle.push(slot.clone());
                }
                keep
            });
        }
        idle
    }

    /// Ends the session: calls and streams are told, and the connections handed over for closing.
    pub(super) fn end(&self) -> Vec<Arc<Slot>> {
        self.ended.cancel();
        let mut outbox = self.outbox.lock();
        outbox.streams.clear();
        outbox.own.clear();
        outbox.pipe = None;
        drop(outbox);
        self.questions.refuse();
        self.slots.lock().take().into_iter().flatten().map(|(_, slot)| slot).collect()
    }

    /// Puts a message on the stream of the call that began last and can have events.
    fn on_a_call(&self, message: Bytes) -> bool {
        // Locked until it is there: an answer that begins meanwhile begins after it.
        let calls = self.calls.lock();
        let mut streams: Vec<_> = calls
            .iter()
            .filter_map(|(number, running)| Some((*number, running.parts.as_ref()?.upgrade()?)))
            .collect();
        streams.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        let mut part = Part::Message(message);
        for (_, parts) in streams {
            part = match parts.try_send(part) {
                Ok(()) => return true,
                Err(error) => error.into_inner(),
            };
        }
        false
    }

    /// Puts a message on the stream of this call, if it can have events still.
    fn on_the_call(&self, call: &mpsc::WeakSender<Part>, message: Bytes) -> bool {
        let Some(parts) = call.upgrade() else { return false };
        let calls = self.calls.lock();
        calls.values().any(|running| running.is_answered_by(&parts))
            && parts.try_send(Part::Message(message)).is_ok()
    }
}

impl Running {
    /// Whether these are its parts, and messages may be among them.
    fn is_answered_by(&self, parts: &mpsc::Sender<Part>) -> bool {
        let own = self.parts.as_ref().and_then(mpsc::WeakSender::upgrade);
        own.is_some_and(|own| own.same_channel(parts))
    }
}

fn has_room(all: &BTreeSet<(u64, Arc<str>)>, subscription: &(u64, Arc<str>)) -> bool {
    let is_new = !all.contains(subscription);
    subscription.1.len() <= SUBSCRIPTION_URI && !(is_new && all.len() >= SUBSCRIPTIONS)
}

impl Outbox {
    /// Puts what waits on a stream that has just been opened.
    fn flush(&mut self, stream: &Stream) {
        self.waiting_bytes = 0;
        for message in self.waiting.drain(..) {
            stream.push(message);
        }
        // A stream that nobody reads and that is not the newest gets nothing any more, and is
        // forgotten in time like others that have ended.
        let newest = self.own.back().cloned();
        self.own.retain(|own| {
            let keep =
                own.is_read() || newest.as_ref().is_some_and(|newest| Arc::ptr_eq(newest, own));
            if !keep {
                own.end();
            }
            keep
        });
    }

    fn wait(&mut self, message: Bytes) -> bool {
        let has_room =
            self.waiting.len() < WAITING && self.waiting_bytes + message.len() <= WAITING_BYTES;
        if has_room {
            self.waiting_bytes += message.len();
            self.waiting.push_back(message);
        }
        has_room
    }
}

/// A call that its client can cancel; forgotten when dropped.
#[derive(Debug)]
pub struct CallInFlight {
    session: Arc<Session>,
    number: u64,
    cancelled: CancellationToken,
}

impl CallInFlight {
    /// Resolves when the client has cancelled the call.
    pub fn cancelled(&self) -> CancellationToken {
        self.cancelled.clone()
    }
}

impl Drop for CallInFlight {
    fn drop(&mut self) {
        self.session.calls.lock().remove(&self.number);
    }
}

/// One open stream of a session.
#[derive(Debug)]
pub struct StreamSeat(Arc<Session>);

impl Drop for StreamSeat {
    fn drop(&mut self) {
        self.0.open_streams.fetch_sub(1, Ordering::AcqRel);
    }
}
