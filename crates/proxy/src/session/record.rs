//! What is remembered of a session while it is used: its calls in flight, its streams, its
//! upstream sessions, what it set and what it was asked, and when it was used last.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use mcp::{Id, Level, ListKind, Message, Revision};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, Listed};
use crate::clock::LastUse;
use crate::federation::{Offer, View};
use crate::metrics::{Counted, Metrics};
use crate::reply::Part;
use crate::session::calls::{CallInFlight, Calls};
use crate::session::client_tasks::ClientTasks;
use crate::session::heard::Heard;
use crate::session::outbox::Outbox;
use crate::session::overlays::Overlays;
use crate::session::questions::{Asked, Question, Questions, Withdrawal};
use crate::session::speaker::Speaker;
use crate::session::streams::EventStore;
use crate::session::subscriptions::Subscriptions;
use crate::upstream::{Client, Listener, Replies, Slot, Upstream};

/// The record of a session.
#[derive(Debug)]
pub struct Session {
    revision: Revision,
    view: Arc<View>,
    /// When it ends at the latest, as its id says.
    expires: SystemTime,
    used: LastUse,
    calls: Arc<Calls>,
    /// `None` once the session has ended.
    slots: Mutex<Option<HashMap<u64, Arc<Slot>>>>,
    ended: CancellationToken,
    outbox: Outbox,
    open_streams: AtomicUsize,
    questions: Questions,
    client_tasks: ClientTasks,
    overlays: Overlays,
    level: Mutex<Option<Level>>,
    subscriptions: Subscriptions,
    heard: Heard,
    _counted: Counted,
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
        let heard = Heard::new(view.changes());
        Self {
            revision,
            view,
            expires,
            used: LastUse::new(now),
            calls: Arc::default(),
            slots: Mutex::new(Some(HashMap::new())),
            ended: CancellationToken::new(),
            outbox: Outbox::new(pipe, store),
            open_streams: AtomicUsize::new(0),
            questions: Questions::new(metrics.clone()),
            client_tasks: ClientTasks::default(),
            overlays: Overlays::default(),
            level: Mutex::default(),
            subscriptions: Subscriptions::default(),
            heard,
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

    /// Whether this target lists something else of that kind for its client.
    pub(super) fn has_own(&self, upstream: u64, kind: ListKind) -> bool {
        self.overlays.has(upstream, kind)
    }

    /// What its own connection to an upstream lists, where everybody's lists `shared`; says whether
    /// its client has not seen that yet.
    pub(super) fn found(
        &self,
        upstream: &Upstream,
        shared: &Catalog,
        kind: ListKind,
        listed: Listed,
    ) -> bool {
        let place = || upstream.overlay_place();
        self.overlays.found(upstream.serial(), shared, kind, listed, place)
    }

    /// Resolves when the session has been deleted or has expired.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// The place of this session's connection to the upstream with this serial, the same at every
    /// call; `listener` makes what hears that connection. `None` once the session has ended: nobody
    /// would close what is opened there.
    pub(super) fn slot_heard_by(
        &self,
        upstream: u64,
        now: Instant,
        listener: impl FnOnce() -> Arc<dyn Listener>,
    ) -> Option<Arc<Slot>> {
        let mut slots = self.slots.lock();
        let slots = slots.as_mut()?;
        let slot = slots.entry(upstream).or_insert_with(|| {
            let declaration = self.view.declaration().clone();
            Arc::new(Slot::of_client(Client { declaration, listener: listener() }, now))
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
    pub fn call(&self, id: &Id, parts: Option<&mpsc::Sender<Part>>) -> CallInFlight {
        self.calls.begin(id, parts, self.ended.child_token())
    }

    /// Its calls in flight.
    pub(crate) fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Where what belongs to no call goes.
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Takes one of the `limit` streams that a session may have open.
    pub fn stream(self: &Arc<Self>, limit: usize) -> Option<StreamSeat> {
        let taken = self.open_streams.fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| {
            (open < limit).then_some(open + 1)
        });
        taken.ok().map(|_| StreamSeat(self.clone()))
    }

    /// Says to the client what belongs to no call: on the newest of its own streams, else on the
    /// stream of a call, else when the next stream is opened. Says whether there was room.
    pub fn deliver(&self, message: Bytes) -> bool {
        self.outbox.say(message, |message| self.calls.say(message))
    }

    /// A target says that a list changed: the client will hear of it when the list has been read,
    /// and until then not from the menu.
    pub fn promise_list_changed(&self, kind: ListKind) {
        self.heard.promise(kind);
    }

    /// What was promised: the client hears of it, and not again from the menu.
    pub fn list_changed(&self, kind: ListKind) {
        self.heard.keep_promise(kind);
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
        let now = self.view.changes();
        self.heard.catch_up(&now)
    }

    /// What has to go on the stream of a call that is about to open, because no stream of its own
    /// is being read.
    pub fn overdue(&self) -> Vec<Bytes> {
        if self.outbox.is_read() {
            return Vec::new();
        }
        let changed = self.unheard().into_iter().map(mcp::list_changed);
        self.outbox.take_waiting().into_iter().chain(changed).collect()
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
        let asked = match speaker.upstream() {
            Some(upstream) => {
                Asked::of(request, upstream, speaker.is_single(), &self.client_tasks)?
            }
            None => Asked::Plain,
        };
        let edited = |rewrite| speaker.request(request, rewrite);
        self.questions.ask(request, asked, replies, call, edited)
    }

    /// Where a client's answer goes, and as what; `None` if nobody waits for it.
    pub(crate) fn answered(&self, answer: &Message) -> Option<(Replies, Bytes)> {
        self.questions.answered(answer, &self.client_tasks)
    }

    /// The upstream for which the client keeps the task that a notification is about, where there
    /// are several.
    pub(crate) fn task_owner(&self, notice: &Message) -> Option<u64> {
        self.client_tasks.owner(notice.routed().task_id.as_ref()?.as_str())
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
        let is_told = call.is_some_and(|call| self.calls.say_on(&call, body.clone()));
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

    /// What the client watches; that outlives connections.
    pub(crate) fn subscriptions(&self) -> &Subscriptions {
        &self.subscriptions
    }

    /// Whether its client has set something that it counts on, or sees what no other does.
    pub(super) fn has_settings(&self) -> bool {
        self.level().is_some() || !self.subscriptions.is_empty() || self.has_own_lists()
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
            && self.calls.is_empty()
            && self.used.idle(now) >= limit
    }

    /// The place at an upstream that is gone, and with it what was set there.
    pub(super) fn part_with(&self, upstream: u64) -> Option<Arc<Slot>> {
        self.overlays.forget(upstream, None);
        self.subscriptions.forget(upstream);
        self.client_tasks.forget(upstream);
        self.slots.lock().as_mut()?.remove(&upstream)
    }

    /// Processes that have been idle for `limit` by `now` lose their place, and with it what they
    /// listed for this session alone; those with a subscription are not idle. A connection without
    /// a process costs nearly nothing, and stays as long as the session.
    pub(super) fn idle_slots(&self, now: Instant, limit: Duration) -> Vec<Arc<Slot>> {
        let is_idle = |serial: &u64, slot: &mut Arc<Slot>| {
            slot.is_idle(now, limit) && slot.is_process() && !self.subscriptions.is_any_at(*serial)
        };
        let mut slots = self.slots.lock();
        let idle: Vec<_> = slots.iter_mut().flat_map(|slots| slots.extract_if(is_idle)).collect();
        drop(slots);
        idle.iter().for_each(|(serial, _)| self.abandon(*serial));
        idle.into_iter().map(|(_, slot)| slot).collect()
    }

    /// Ends the session: calls and streams are told, and the connections handed over for closing.
    pub(super) fn end(&self) -> Vec<Arc<Slot>> {
        self.ended.cancel();
        self.outbox.end();
        self.questions.refuse();
        self.slots.lock().take().into_iter().flatten().map(|(_, slot)| slot).collect()
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
