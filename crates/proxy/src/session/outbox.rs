//! Where what belongs to no call goes: the streams that a client opened for it, or the one way to a
//! client of HTTP+SSE or stdio; and what waits for a client that has none open.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::session::streams::{
    Carries, EventId, EventStore, Evicted, Forgettable, Reader, Stream, Streams,
};

/// How many messages wait for a client that has no stream open.
const WAITING: usize = 64;
/// How many bytes they may have together.
const WAITING_BYTES: usize = 1 << 20;

/// The outbox of one session.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    store: Arc<EventStore>,
}

#[derive(Debug, Default)]
struct State {
    /// The one way to a client of HTTP+SSE or stdio.
    pipe: Option<mpsc::Sender<Bytes>>,
    streams: Streams,
    /// The streams that were opened by GET, the newest last.
    own: VecDeque<Arc<Stream>>,
    /// What waits for the next of them.
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
}

impl Outbox {
    /// No stream is open, and nothing waits.
    pub(super) fn new(pipe: Option<mpsc::Sender<Bytes>>, store: Arc<EventStore>) -> Self {
        Self { state: Mutex::new(State { pipe, ..State::default() }), store }
    }

    /// Opens a stream for what belongs to no call; what waited for one is on it.
    pub(crate) fn open_own_stream(&self) -> Reader {
        let mut state = self.state.lock();
        let stream = state.streams.open(&self.store, Carries::Own);
        state.own.push_back(stream.clone());
        let reader = stream.begin();
        state.flush(&stream);
        reader
    }

    /// Opens a stream for the answer to a call.
    pub(crate) fn open_call_stream(&self) -> Arc<Stream> {
        self.state.lock().streams.open(&self.store, Carries::Answer)
    }

    /// Reads on after an event that the client names; `None` if there is no such stream. Where
    /// it is a stream of the session's own, it is the newest again, and what waited for one is on it.
    ///
    /// # Errors
    /// What follows that event is not kept any more; nothing has changed.
    pub(crate) fn resume(&self, place: EventId) -> Option<Result<Reader, Evicted>> {
        let mut state = self.state.lock();
        let stream = state.streams.find(place)?;
        let reader = match stream.read(place) {
            Ok(reader) => reader,
            Err(evicted) => return Some(Err(evicted)),
        };
        if stream.carries() == Carries::Own {
            stream.reopen();
            state.own.retain(|own| !Arc::ptr_eq(own, &stream));
            state.own.push_back(stream.clone());
            state.flush(&stream);
        }
        Some(Ok(reader))
    }

    /// Says something on the newest of its streams that is read, else `elsewhere`, else when the
    /// next stream is opened. Says whether there was room.
    pub(super) fn say(
        &self,
        message: Bytes,
        elsewhere: impl FnOnce(Bytes) -> Result<(), Bytes>,
    ) -> bool {
        let mut state = self.state.lock();
        if let Some(pipe) = &state.pipe {
            return pipe.try_send(message).is_ok();
        }
        if let Some(stream) = state.own.iter().rev().find(|stream| stream.is_read()) {
            stream.push(message);
            return true;
        }
        elsewhere(message).map_or_else(|message| state.wait(message), |()| true)
    }

    /// Whether a stream of its own is being read.
    pub(super) fn is_read(&self) -> bool {
        let state = self.state.lock();
        state.pipe.is_some() || state.own.iter().any(|stream| stream.is_read())
    }

    /// Takes out what waits for a stream.
    pub(super) fn take_waiting(&self) -> Vec<Bytes> {
        let mut state = self.state.lock();
        state.waiting_bytes = 0;
        state.waiting.drain(..).collect()
    }

    /// Makes room: streams that ended before that cannot be read any more.
    pub(super) fn forget(&self, before: Forgettable) {
        self.state.lock().streams.forget(before);
    }

    /// Ends every stream.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.streams.clear();
        state.own.clear();
        state.pipe = None;
    }
}

impl State {
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
