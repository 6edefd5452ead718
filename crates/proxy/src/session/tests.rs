//! What a session id proves, and when a record goes.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use config::Limits;
use mcp::{Id, Message};

use crate::auth::Principal;
use crate::metrics::Limit;
use crate::session::fixtures::{self, beginning, sessions};
use crate::session::key::Purpose;
use crate::session::sealed::SessionId;
use crate::session::{Claims, Declared, EventId, KeyRing, Pipe, Reader, SessionError, Sessions};
use crate::tasks::Tasks;
use crate::upstream::fixtures::LONG;

const NOW: SystemTime = UNIX_EPOCH;

fn claims(serial: u128) -> Claims {
    fixtures::claims(serial, NOW)
}

fn id(raw: &'static str) -> Id {
    let text = format!(r#"{{"jsonrpc":"2.0","id":{raw},"method":"ping"}}"#);
    Message::parse(text.into()).unwrap().id().unwrap().clone()
}

/// Opens `text` as `principal` on `backend` at `now`.
fn check(sessions: &Sessions, text: &str, principal: &str, backend: &str, now: SystemTime) -> bool {
    sessions.open(text, &Principal::new(principal), [backend].into_iter(), now).is_ok()
}

/// Whoever is idle for this long goes; ten may be told so.
fn limits(idle: Duration) -> Limits {
    let idle = config::Duration::from_secs(idle.as_secs());
    Limits { session_idle: idle, process_idle: idle, tombstones: 10, ..Limits::default() }
}

#[test]
fn a_session_id_says_what_was_sealed_and_is_visible_ascii() {
    let keys = KeyRing::random().unwrap();
    let sealed = SessionId::seal(&keys, Purpose::Session, &claims(7)).unwrap();
    assert!(sealed.as_str().bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
    assert!(sealed.as_str().len() <= 1024);
    assert_eq!(SessionId::open(&keys, Purpose::Session, sealed.as_str(), NOW), Some(claims(7)));
}

#[test]
fn what_a_client_says_of_itself_is_sealed_while_the_id_stays_short() {
    let keys = KeyRing::random().unwrap();
    let declared = |length: usize| {
        let capabilities = format!(r#"{{"experimental":{{"x":"{}"}}}}"#, "x".repeat(length));
        let declared = Declared { capabilities, client_info: "{}".to_owned() };
        let claims = Claims { declared: Some(declared), ..claims(7) };
        let sealed = SessionId::seal(&keys, Purpose::Session, &claims).unwrap();
        assert!(sealed.as_str().len() <= 1024);
        SessionId::open(&keys, Purpose::Session, sealed.as_str(), NOW).unwrap().declared
    };
    assert!(declared(100).is_some());
    assert!(declared(1024).is_none());
}

#[test]
fn a_session_is_only_its_principals_on_its_backend_until_it_expires() {
    let sessions = sessions();
    let sealed = sessions.seal(&claims(7)).unwrap();
    let text = sealed.as_str();
    assert!(check(&sessions, text, "alice", "all", NOW));
    assert!(!check(&sessions, text, "mallory", "all", NOW));
    assert!(!check(&sessions, text, "alice", "other", NOW));
    assert!(!check(&sessions, text, "alice", "all", NOW + Duration::from_secs(60)));
}

#[test]
fn a_changed_or_foreign_id_opens_nothing() {
    let sessions = sessions();
    let sealed = sessions.seal(&claims(7)).unwrap();
    for position in 0..sealed.as_str().len() {
        let mut bytes = sealed.as_str().as_bytes().to_vec();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(bytes).unwrap();
        assert!(!check(&sessions, &forged, "alice", "all", NOW), "position {position}");
    }
    let foreign = fixtures::sessions().seal(&claims(7)).unwrap();
    assert!(!check(&sessions, foreign.as_str(), "alice", "all", NOW));
    for text in ["", "A", "not base64!", &"A".repeat(2000)] {
        assert!(!check(&sessions, text, "alice", "all", NOW), "{text}");
    }
}

#[test]
fn a_second_key_opens_what_the_first_of_another_ring_sealed() {
    let sealed =
        SessionId::seal(&KeyRing::new(&[(1, [1; 32])]).unwrap(), Purpose::Session, &claims(7))
            .unwrap();
    let rotated = KeyRing::new(&[(2, [2; 32]), (1, [1; 32])]).unwrap();
    assert_eq!(SessionId::open(&rotated, Purpose::Session, sealed.as_str(), NOW), Some(claims(7)));
}

#[tokio::test]
async fn a_deleted_session_stays_deleted_until_its_id_has_expired() {
    let sessions = sessions();
    let sealed = sessions.seal(&claims(7)).unwrap();
    sessions.record(&claims(7), Instant::now(), 10, beginning).unwrap();
    sessions.delete(&claims(7), 10).unwrap();
    assert!(!check(&sessions, sealed.as_str(), "alice", "all", NOW));
    assert_eq!(
        sessions.record(&claims(7), Instant::now(), 10, beginning).unwrap_err(),
        SessionError::Unknown
    );
    let idle = Duration::from_secs(1);
    sessions.sweep(Instant::now(), NOW + Duration::from_secs(61), &limits(idle));
    assert!(sessions.record(&claims(7), Instant::now(), 10, beginning).is_ok());
}

#[tokio::test]
async fn records_and_tombstones_are_bounded_by_name() {
    let (sessions, now) = (sessions(), Instant::now());
    sessions.record(&claims(1), now, 1, beginning).unwrap();
    assert!(sessions.record(&claims(1), now, 1, beginning).is_ok());
    assert_eq!(
        sessions.record(&claims(2), now, 1, beginning).unwrap_err(),
        SessionError::Limit(Limit::Sessions)
    );
    sessions.delete(&claims(1), 1).unwrap();
    assert_eq!(sessions.delete(&claims(2), 1).unwrap_err(), SessionError::Limit(Limit::Tombstones));
}

#[tokio::test]
async fn an_idle_session_goes_and_one_with_a_stream_or_a_call_stays() {
    let (sessions, now, idle) = (sessions(), Instant::now(), Duration::from_secs(10));
    let later = now + idle;
    let quiet = sessions.record(&claims(1), now, 10, beginning).unwrap();
    let streaming = sessions.record(&claims(2), now, 10, beginning).unwrap();
    let calling = sessions.record(&claims(3), now, 10, beginning).unwrap();
    let seat = streaming.stream(1).unwrap();
    let call = calling.call(&id("1"), None);
    assert!(streaming.stream(1).is_none());

    sessions.sweep(later, NOW, &limits(idle));
    assert!(quiet.ended().is_cancelled());
    assert!(!streaming.ended().is_cancelled());
    assert!(!calling.ended().is_cancelled());
    drop((seat, call));
    sessions.sweep(later, NOW, &limits(idle));
    assert!(streaming.ended().is_cancelled());
    assert!(calling.ended().is_cancelled());
}

#[tokio::test]
async fn an_idle_session_that_has_set_something_does_not_come_back_without_it() {
    let (sessions, now, idle) = (sessions(), Instant::now(), Duration::from_secs(10));
    let set = |serial| {
        let session = sessions.record(&claims(serial), now, 99, beginning).unwrap();
        session.subscriptions().add(1, "a:b".into());
        session
    };
    let (watching, quiet) = (set(1), sessions.record(&claims(2), now, 99, beginning).unwrap());
    sessions.sweep(now + idle, NOW, &limits(idle));
    assert!(watching.ended().is_cancelled());
    assert!(quiet.ended().is_cancelled());
    let again = |serial| sessions.record(&claims(serial), now, 99, beginning).map(drop);
    assert_eq!(again(1), Err(SessionError::Unknown));
    assert_eq!(again(2), Ok(()));

    // Where no more can be told so, they stay.
    let stays = set(3);
    let none = Limits { tombstones: 2, ..limits(idle) };
    sessions.sweep(now + idle, NOW, &none);
    assert!(!stays.ended().is_cancelled());
}

#[tokio::test]
async fn a_session_ends_when_its_id_expires_whatever_it_does() {
    let (sessions, now, idle) = (sessions(), Instant::now(), Duration::from_secs(3600));
    let session = sessions.record(&claims(1), now, 10, beginning).unwrap();
    let _busy = (session.stream(1).unwrap(), session.call(&id("1"), None));
    session.slot(1, &Tasks::new(), now).unwrap();
    let expires = claims(1).expires;
    assert!(sessions.sweep(now, expires - Duration::from_secs(1), &limits(idle)).is_empty());
    assert!(!session.ended().is_cancelled());
    assert_eq!(sessions.sweep(now, expires, &limits(idle)).len(), 1);
    assert!(session.ended().is_cancelled());
}

fn place(text: &str) -> EventId {
    EventId::parse(text).unwrap()
}

/// The next event, which is there.
async fn heard(reader: &mut Reader) -> String {
    let next = tokio::time::timeout(LONG, reader.next()).await.unwrap();
    String::from_utf8(next.unwrap().unwrap().1.to_vec()).unwrap()
}

#[tokio::test]
async fn streams_that_are_opened_and_left_are_forgotten() {
    let sessions = sessions();
    let session = sessions.record(&claims(1), Instant::now(), 10, beginning).unwrap();
    for _ in 0..32 {
        drop(session.outbox().open_own_stream());
        assert!(session.deliver("kept".into()));
    }
    session.outbox().open_call_stream();
    assert!(session.outbox().resume(place("1-0")).is_none());
    assert!(session.outbox().resume(place("20-0")).is_some());
}

#[tokio::test]
async fn who_reads_on_where_it_was_hears_what_is_new_there() {
    let sessions = sessions();
    let session = sessions.record(&claims(1), Instant::now(), 10, beginning).unwrap();
    drop(session.outbox().open_own_stream());
    let other = session.outbox().open_own_stream();
    let mut resumed = session.outbox().resume(place("1-0")).unwrap().unwrap();
    assert!(session.deliver("new".into()));
    assert_eq!(heard(&mut resumed).await, "new");
    drop((resumed, other));
}

fn cancelled(id: &str) -> Message {
    let params = format!(r#"{{"requestId":{id},"reason":"late"}}"#);
    let text =
        format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#);
    Message::parse(text.into()).unwrap()
}

#[tokio::test]
async fn a_cancellation_reaches_the_one_call_that_it_names() {
    let sessions = sessions();
    let session = sessions.record(&claims(1), Instant::now(), 10, beginning).unwrap();
    let (number, text) = (session.call(&id("1"), None), session.call(&id(r#""1""#), None));
    session.calls().cancel(&cancelled("2"));
    assert!(!number.cancelled().is_cancelled());
    session.calls().cancel(&cancelled("1"));
    assert!(number.cancelled().is_cancelled());
    assert!(!text.cancelled().is_cancelled());
}

#[tokio::test]
async fn a_call_that_ends_leaves_another_of_the_same_id_cancellable() {
    let sessions = sessions();
    let session = sessions.record(&claims(1), Instant::now(), 10, beginning).unwrap();
    let (first, second) = (session.call(&id("1"), None), session.call(&id("1"), None));
    drop(first);
    session.calls().cancel(&cancelled("1"));
    assert!(second.cancelled().is_cancelled());

    let (first, second) = (session.call(&id("2"), None), session.call(&id("2"), None));
    drop(second);
    session.calls().cancel(&cancelled("2"));
    assert!(first.cancelled().is_cancelled());
}

#[tokio::test]
async fn an_ended_session_has_no_place_at_any_upstream() {
    let (sessions, now) = (sessions(), Instant::now());
    let session = sessions.record(&claims(1), now, 10, beginning).unwrap();
    assert!(session.slot(1, &Tasks::new(), now).is_some());
    assert_eq!(sessions.delete(&claims(1), 10).unwrap().len(), 1);
    assert!(session.slot(1, &Tasks::new(), now).is_none());
    assert!(session.slot(2, &Tasks::new(), now).is_none());
}

#[tokio::test]
async fn what_a_client_watches_is_bounded_and_goes_with_its_upstream() {
    let (sessions, now) = (sessions(), Instant::now());
    let session = sessions.record(&claims(1), now, 10, beginning).unwrap();
    let long: Arc<str> = "x".repeat(1 << 20).into();
    assert!(!session.subscriptions().has_room(1, &long));
    session.subscriptions().add(1, long);
    assert!(!session.subscriptions().is_any_at(1));

    for number in 0..300 {
        session.subscriptions().add(number % 2, format!("memo:{number}").into());
    }
    let first: Arc<str> = "memo:1".into();
    assert_eq!(session.subscriptions().at(0).len() + session.subscriptions().at(1).len(), 256);
    assert!(!session.subscriptions().has_room(1, &"memo:more".into()));
    assert!(session.subscriptions().has_room(1, &first), "it is watched already");

    sessions.part_with(1);
    assert!(!session.subscriptions().is_any_at(1));
    assert!(session.subscriptions().has_room(1, &"memo:more".into()));
}

#[tokio::test]
async fn the_session_of_a_pipe_ends_with_its_time_or_when_its_client_has_stopped_reading() {
    let (sessions, now, idle) = (sessions(), Instant::now(), Duration::from_secs(3600));
    let begin = |serial| {
        let (pipe, unread) = Pipe::new(claims(serial));
        sessions.open_pipe(pipe.clone(), 2).unwrap();
        let session = sessions.begin(&pipe, now, 2, beginning).unwrap();
        session.slot(1, &Tasks::new(), now).unwrap();
        (pipe, unread, session)
    };
    let (stalled, unread, session) = begin(1);
    let (old, _read, other) = begin(2);
    while unread.len() < unread.max_capacity() {
        stalled.say("some".into()).await;
    }
    stalled.say_within("more".into(), Duration::from_millis(20)).await;
    assert_eq!(sessions.sweep(now, NOW, &limits(idle)).len(), 1);
    assert!(session.ended().is_cancelled());
    assert!(!other.ended().is_cancelled());
    tokio::time::timeout(LONG, stalled.say("more".into())).await.unwrap();

    assert_eq!(sessions.sweep(now, claims(2).expires, &limits(idle)).len(), 1);
    assert!(old.over().is_cancelled());
    assert!(other.ended().is_cancelled());
    begin(3);
}
