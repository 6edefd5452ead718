//! The sessions of a server, each with its revision, its stream and its subscriptions.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use mcp::Revision;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// How many sessions there are at a time; the oldest goes when one more is opened.
const MAX_SESSIONS: usize = 1000;
/// How many subscriptions a session has at a time.
const MAX_SUBSCRIPTIONS: usize = 100;
/// How many events wait for a slow client; further ones are lost to it.
const MAX_WAITING: usize = 64;

/// All sessions of a server.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    all: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    sessions: HashMap<String, Session>,
    opened: u64,
}

#[derive(Debug)]
struct Session {
    number: u64,
    revision: Revision,
    stream: Option<Sender<Bytes>>,
    subscriptions: BTreeSet<String>,
}

/// Why a session's stream is not opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StreamRefused {
    /// There is no such session.
    Unknown,
    /// It has a stream already.
    Open,
}

impl Sessions {
    /// A new session's id.
    pub(crate) fn open(&self, revision: Revision) -> String {
        let mut all = self.lock();
        if all.sessions.len() >= MAX_SESSIONS {
            let oldest = all.sessions.iter().min_by_key(|(_, session)| session.number);
            if let Some(id) = oldest.map(|(id, _)| id.clone()) {
                all.sessions.remove(&id);
            }
        }
        all.opened += 1;
        let number = all.opened;
        // The standard library's hashers are keyed by the system's randomness, each anew: enough
        // for a demo on loopback, without a dependency.
        let half = || RandomState::new().hash_one(number);
        let id = format!("{:016x}{:016x}", half(), half());
        let subscriptions = BTreeSet::new();
        let session = Session { number, revision, stream: None, subscriptions };
        all.sessions.insert(id.clone(), session);
        id
    }

    /// The revision that was agreed on; `None` if there is no such session.
    pub(crate) fn revision(&self, id: &str) -> Option<Revision> {
        self.lock().sessions.get(id).map(|session| session.revision)
    }

    /// Ends a session and its stream; false if there is none.
    pub(crate) fn close(&self, id: &str) -> bool {
        self.lock().sessions.remove(id).is_some()
    }

    /// Opens the session's stream of events.
    pub(crate) fn stream(&self, id: &str) -> Result<Receiver<Bytes>, StreamRefused> {
        let mut all = self.lock();
        let session = all.sessions.get_mut(id).ok_or(StreamRefused::Unknown)?;
        if session.stream.as_ref().is_some_and(|stream| !stream.is_closed()) {
            return Err(StreamRefused::Open);
        }
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        session.stream = Some(sender);
        Ok(receiver)
    }

    /// Tells the session of changes to `uri`; false if it has too many subscriptions.
    pub(crate) fn subscribe(&self, id: &str, uri: &str) -> bool {
        let mut all = self.lock();
        let Some(session) = all.sessions.get_mut(id) else { return true };
        if session.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return session.subscriptions.contains(uri);
        }
        session.subscriptions.insert(uri.to_owned());
        true
    }

    /// Tells the session of changes to `uri` no longer.
    pub(crate) fn unsubscribe(&self, id: &str, uri: &str) {
        if let Some(session) = self.lock().sessions.get_mut(id) {
            session.subscriptions.remove(uri);
        }
    }

    /// Sends a notification to every session that has a stream.
    pub(crate) fn announce(&self, notification: &[u8]) {
        self.send(notification, |_| true);
    }

    /// Sends a notification to every session that has subscribed to `uri`.
    pub(crate) fn announce_to_subscribers(&self, uri: &str, notification: &[u8]) {
        self.send(notification, |session| session.subscriptions.contains(uri));
    }

    fn send(&self, notification: &[u8], to: impl Fn(&Session) -> bool) {
        let event = mcp::encode_event(Some("message"), None, notification);
        for session in self.lock().sessions.values().filter(|session| to(session)) {
            if let Some(stream) = &session.stream {
                // A full or closed stream loses the event, never holds up the others.
                let _lost = stream.try_send(event.clone());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
