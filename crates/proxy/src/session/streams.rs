//! The event streams of a session and their last events, so that a client that lost a stream reads
//! on where it was (2025-03-26 and later, transports, "Resumability and Redelivery").

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use config::Limits;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The streams of a session that have ended and can still be read.
const ENDED_STREAMS: usize = 16;
/// How long they stay where the store is half full and a client was given all of them.
const GIVEN_TIME: Duration = Duration::from_secs(60);
/// How long they stay where it is nearly full and no client was.
const UNHEARD_TIME: Duration = Duration::from_secs(300);

/// The bounds of what is kept, shared by all sessions.
#[derive(Debug)]
pub struct EventStore {
    events: usize,
    bytes: usize,
    total: usize,
    used: AtomicUsize,
}

/// Streams that ended before these times: those of which a client was given all, and the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forgettable {
    given: Option<Instant>,
    unheard: Option<Instant>,
}

/// The place of an event: which stream of its session, and which event of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventId {
    stream: u64,
    event: u64,
}

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    /// What belongs to no call.
    Own,
    /// The answer to a call.
    Answer,
}

/// One stream of events, read by one client at a time.
#[derive(Debug)]
pub struct Stream {
    number: u64,
    carries: Carries,
    kept: Mutex<Kept>,
    /// Told of every event and every end, so that whoever waits looks again.
    news: Notify,
    store: Arc<EventStore>,
}

#[derive(Debug)]
struct Kept {
    /// How many events there have been; the last of them are in `events`.
    count: u64,
    events: VecDeque<Bytes>,
    bytes: usize,
    /// How many of them a client has been given.
    given: u64,
    /// Since when no more events come.
    over: Option<Instant>,
    /// How often somebody has begun to read; the last of them is the reader.
    begun: u64,
    attention: Attention,
}

/// Whether a client reads a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attention {
    Read,
    /// Nobody has since then.
    Unread(Instant),
}

/// The streams of one session.
#[derive(Debug, Default)]
pub(super) struct Streams {
    opened: u64,
    all: VecDeque<Arc<Stream>>,
}

/// A client reading a stream; when it is dropped, the client has left.
#[derive(Debug)]
pub struct Reader {
    stream: Arc<Stream>,
    /// The last event that was read.
    after: u64,
    /// Which of the stream's readers it is.
    number: u64,
}

/// The events that a client asks for are not kept any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("events of this stream are not kept any more")]
pub struct Evicted;

impl EventStore {
    /// Nothing is kept yet.
    pub fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            events: limits.event_store_events,
            bytes: limits.event_store_stream,
            total: limits.event_store_total,
            used: AtomicUsize::new(0),
        })
    }

    /// The bytes that are kept of all streams.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Which streams are to be forgotten so that there is room for others; `None` while there is.
    pub(super) fn forgettable(&self, now: Instant) -> Option<Forgettable> {
        let ago = |time| now.checked_sub(time);
        match self.used() {
            used if used > self.total / 4 * 3 => {
                Some(Forgettable { given: Some(now), unheard: ago(UNHEARD_TIME) })
            }
            used if used > self.total / 2 => {
                Some(Forgettable { given: ago(GIVEN_TIME), unheard: None })
            }
            _ => None,
        }
    }
}

impl EventId {
    /// The place that a client names in `Last-Event-ID`, if it is of our form.
    pub fn parse(text: &str) -> Option<Self> {
        let (stream, event) = text.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        Some(Self { stream: number(stream)?, event: number(event)? })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:x}-{:x}", self.stream, self.event)
    }
}

impl Kept {
    fn new() -> Self {
        Self {
            count: 0,
            events: VecDeque::new(),
            bytes: 0,
            given: 0,
            over: None,
            begun: 0,
            attention: Attention::Unread(Instant::now()),
        }
    }

    /// How many events have gone.
    fn oldest(&self) -> u64 {
        self.count - u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }
}

impl Stream {
    /// The place before the first event.
    pub fn start(&self) -> EventId {
        EventId { stream: self.number, event: 0 }
    }

    /// Adds an event. What was added longest ago goes when there is too much. When there is too
    /// much in all, what goes has been given to a client, or nobody reads it: one session's full
    /// streams do not take from another what it has not heard yet.
    pub fn push(&self, message: Bytes) -> EventId {
        let mut kept = self.kept.lock();
        kept.count += 1;
        kept.bytes += message.len();
        self.store.used.fetch_add(message.len(), Ordering::Relaxed);
        kept.events.push_back(message);
        let is_too_much = |kept: &Kept| {
            let is_heard = kept.oldest() < kept.given || kept.attention != Attention::Read;
            kept.events.len() > self.store.events
                || kept.bytes > self.store.bytes
                || (is_heard && self.store.used() > self.store.total)
        };
        while kept.events.len() > 1 && is_too_much(&kept) {
            let oldest = kept.events.pop_front().map_or(0, |event| event.len());
            kept.bytes -= oldest;
            self.store.used.fetch_sub(oldest, Ordering::Relaxed);
        }
        let event = kept.count;
        drop(kept);
        self.news.notify_waiters();
        EventId { stream: self.number, event }
    }

    /// No more events come.
    pub fn end(&self) {
        self.kept.lock().over.get_or_insert_with(Instant::now);
        self.news.notify_waiters();
    }

    /// There are more events after all: its client has come back.
    pub(super) fn reopen(&self) {
        self.kept.lock().over = None;
    }

    pub(super) fn carries(&self) -> Carries {
        self.carries
    }

    /// Whether a client reads it.
    pub fn is_read(&self) -> bool {
        self.kept.lock().attention == Attention::Read
    }

    /// Whether a client has come back for it: it is told on another connection than the first.
    pub fn is_resumed(&self) -> bool {
        self.kept.lock().begun > 0
    }

    /// Since when nobody reads it; `None` while somebody does.
    pub fn unread_since(&self) -> Option<Instant> {
        match self.kept.lock().attention {
            Attention::Read => None,
            Attention::Unread(since) => Some(since),
        }
    }

    /// Reads on after an event. For whoever read it before it is over: a client that comes back has
    /// lost that connection, even where this side does not know yet.
    ///
    /// # Errors
    /// The next event has gone, or there never was this one; whoever reads it goes on.
    pub fn read(self: &Arc<Self>, after: EventId) -> Result<Reader, Evicted> {
        let kept = self.kept.lock();
        if !(kept.oldest()..=kept.count).contains(&after.event) {
            return Err(Evicted);
        }
        Ok(self.reader(kept, after.event))
    }

    /// Reads what comes.
    pub(super) fn begin(self: &Arc<Self>) -> Reader {
        let kept = self.kept.lock();
        let last = kept.count;
        self.reader(kept, last)
    }

    fn reader(self: &Arc<Self>, mut kept: MutexGuard<'_, Kept>, after: u64) -> Reader {
        kept.begun += 1;
        kept.attention = Attention::Read;
        let number = kept.begun;
        drop(kept);
        self.news.notify_waiters();
        Reader { stream: self.clone(), after, number }
    }

    fn is_over(&self) -> bool {
        self.kept.lock().over.is_some()
    }

    /// No more events come, and its client was given all of them as they came.
    pub fn end_given(&self) {
        let mut kept = self.kept.lock();
        kept.given = kept.count;
        drop(kept);
        self.end();
    }

    /// Whether it has ended before that, and nobody reads it.
    fn was_over(&self, before: Forgettable) -> bool {
        let kept = self.kept.lock();
        let is_given = kept.given >= kept.count;
        let before = if is_given { before.given } else { before.unheard };
        kept.attention != Attention::Read
            && kept.over.zip(before).is_some_and(|(over, before)| over <= before)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.store.used.fetch_sub(self.kept.get_mut().bytes, Ordering::Relaxed);
    }
}

impl Reader {
    /// The next event; `None` after the last, or when another reads on. Safe to drop and to call again.
    ///
    /// # Errors
    /// The next event has gone already.
    pub async fn next(&mut self) -> Option<Result<(EventId, Bytes), Evicted>> {
        let stream = self.stream.clone();
        loop {
            let news = stream.news.notified();
            if let Some(next) = self.ready() {
                return next;
            }
            news.await;
        }
    }

    /// What is there at this moment; `None` if nothing is.
    fn ready(&mut self) -> Option<Option<Result<(EventId, Bytes), Evicted>>> {
        let mut kept = self.stream.kept.lock();
        if self.number != kept.begun {
            return Some(None);
        }
        if self.after > kept.count {
            return Some(Some(Err(Evicted)));
        }
        let Some(index) = self.after.checked_sub(kept.oldest()) else {
            return Some(Some(Err(Evicted)));
        };
        match kept.events.get(usize::try_from(index).unwrap_or(usize::MAX)).cloned() {
            Some(event) => {
                self.after += 1;
                kept.given = kept.given.max(self.after);
                let place = EventId { stream: self.stream.number, event: self.after };
                Some(Some(Ok((place, event))))
            }
            None if kept.over.is_some() => Some(None),
            None => None,
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut kept = self.stream.kept.lock();
        if self.number == kept.begun {
            kept.attention = Attention::Unread(Instant::now());
        }
    }
}

impl Streams {
    /// A new stream. Of those that have ended, the oldest goes when there are too many, or when the
    /// store is full.
    pub(super) fn open(&mut self, store: &Arc<EventStore>, carries: Carries) -> Arc<Stream> {
        self.opened += 1;
        let stream = Arc::new(Stream {
            number: self.opened,
            carries,
            kept: Mutex::new(Kept::new()),
            news: Notify::new(),
            store: store.clone(),
        });
        self.all.push_back(stream.clone());
        let ended = |stream: &Arc<Stream>| stream.is_over() && !stream.is_read();
        while self.all.iter().filter(|stream| ended(stream)).count() > ENDED_STREAMS
            || store.used() > store.total
        {
            let Some(oldest) = self.all.iter().position(ended) else { break };
            self.all.remove(oldest);
        }
        stream
    }

    /// The stream that an event is of.
    pub(super) fn find(&self, place: EventId) -> Option<Arc<Stream>> {
        self.all.iter().find(|stream| stream.number == place.stream).cloned()
    }

    /// Forgets those that ended before that.
    pub(super) fn forget(&mut self, before: Forgettable) {
        self.all.retain(|stream| !stream.was_over(before));
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.all.clear();
    }
}

#[cfg(test)]
mod tests;
