//! What a client reads, where it left and when it comes back.

use super::*;
use crate::upstream::fixtures::LONG;

fn store(events: usize, bytes: usize, total: usize) -> Arc<EventStore> {
    let limits = Limits {
        event_store_events: events,
        event_store_stream: bytes,
        event_store_total: total,
        ..Limits::default()
    };
    EventStore::new(&limits)
}

fn event(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// What is there to read at this moment, and how it ends.
async fn read(reader: &mut Reader) -> String {
    let mut said = String::new();
    loop {
        let Some(next) = reader.ready() else { return said };
        match next {
            Some(Ok((_, event))) => said.push_str(std::str::from_utf8(&event).unwrap()),
            Some(Err(Evicted)) => return said + "!",
            None => return said + ".",
        }
    }
}

#[tokio::test]
async fn a_client_reads_on_after_the_event_that_it_names() {
    let mut streams = Streams::default();
    let stream = streams.open(&store(9, 9, 9), Carries::Answer);
    let first = stream.push(event("a"));
    stream.push(event("b"));
    assert_eq!(EventId::parse(&first.to_string()), Some(first));
    let mut reader = streams.find(first).unwrap().read(first).unwrap();
    assert_eq!(read(&mut reader).await, "b");
    stream.push(event("c"));
    stream.end();
    assert_eq!(read(&mut reader).await, "c.");
    assert_eq!(read(&mut stream.read(stream.start()).unwrap()).await, "abc.");
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_an_error_and_never_a_gap() {
    let mut streams = Streams::default();
    let stream = streams.open(&store(2, 9, 9), Carries::Answer);
    let mut slow = stream.begin();
    let places: Vec<EventId> = ["a", "b", "c"].map(|text| stream.push(event(text))).into();
    assert!(stream.read(stream.start()).is_err());
    assert_eq!(read(&mut slow).await, "!", "who is refused ends nobody's reading");
    assert!(stream.read(places[0]).is_ok());
    assert_eq!(read(&mut stream.read(places[0]).unwrap()).await, "bc");
    let future = EventId { event: 4, ..places[0] };
    assert!(stream.read(future).is_err());
    assert!(streams.find(EventId { stream: 9, ..future }).is_none());
}

#[tokio::test]
async fn a_full_store_takes_from_nobody_what_it_has_not_heard() {
    let store = store(9, 9, 3);
    let (mut one, mut other) = (Streams::default(), Streams::default());
    let full = one.open(&store, Carries::Answer);
    for text in ["a", "b", "c"] {
        full.push(event(text));
    }
    let stream = other.open(&store, Carries::Answer);
    let mut reader = stream.read(stream.start()).unwrap();
    for text in ["d", "e"] {
        stream.push(event(text));
    }
    assert_eq!(read(&mut reader).await, "de");
    stream.push(event("f"));
    assert_eq!(read(&mut reader).await, "f");
    assert!(stream.read(stream.start()).is_err(), "what was heard went first");
    drop((full, one));
    assert_eq!(store.used(), 1);
}

#[tokio::test]
async fn whoever_reads_on_ends_who_read_before() {
    let mut streams = Streams::default();
    let stream = streams.open(&store(9, 9, 9), Carries::Own);
    let mut lost = stream.read(stream.start()).unwrap();
    // It waits already, and would be the first to be woken.
    let mut waiting = Box::pin(lost.next());
    let is_done = futures_util::future::poll_immediate(waiting.as_mut()).await.is_some();
    assert!(!is_done);
    let mut reader = stream.read(stream.start()).unwrap();
    stream.push(event("a"));
    let woken = tokio::time::timeout(LONG, waiting).await.unwrap();
    assert!(woken.is_none(), "the reader before goes on");
    assert_eq!(read(&mut reader).await, "a");
    drop(lost);
    assert!(stream.is_read());
    drop(reader);
    assert!(!stream.is_read());
}

#[tokio::test]
async fn a_reader_that_waits_hears_the_next_event() {
    let mut streams = Streams::default();
    let stream = streams.open(&store(9, 9, 9), Carries::Own);
    let lost = stream.read(stream.start()).unwrap();
    let mut reader = stream.read(stream.start()).unwrap();
    let (heard, _) = tokio::join!(reader.next(), async {
        tokio::task::yield_now().await;
        stream.push(event("a"))
    });
    assert_eq!(heard.unwrap().unwrap().1, event("a"));
    drop(lost);
}

#[tokio::test]
async fn streams_that_have_ended_are_bounded() {
    let (store, mut streams) = (store(9, 9, 99), Streams::default());
    let first = streams.open(&store, Carries::Answer);
    first.end();
    for _ in 0..=ENDED_STREAMS {
        streams.open(&store, Carries::Answer).end();
    }
    streams.open(&store, Carries::Answer);
    assert!(streams.find(first.start()).is_none());
    assert_eq!(streams.all.len(), ENDED_STREAMS + 1);
}

#[tokio::test]
async fn streams_that_have_ended_go_when_the_store_is_full() {
    let (store, mut streams) = (store(9, 9, 1), Streams::default());
    let first = streams.open(&store, Carries::Answer);
    first.push(event("ab"));
    first.end();
    let place = first.start();
    drop(first);
    streams.open(&store, Carries::Answer);
    assert!(streams.find(place).is_none());
    assert_eq!(store.used(), 0);
}

#[test]
fn only_places_of_our_form_are_places() {
    for text in ["", "-", "1", "1-", "-1", "x-1", "1-1-1", "1-99999999999999999"] {
        assert_eq!(EventId::parse(text), None, "{text}");
    }
}

#[test]
fn a_store_that_fills_up_makes_room_of_what_was_given_first() {
    let store = store(9, 9, 8);
    let mut streams = Streams::default();
    let open = |streams: &mut Streams, text| {
        let stream = streams.open(&store, Carries::Answer);
        (stream.push(event(text)), stream)
    };
    let (given, of_given) = open(&mut streams, "ab");
    let (unheard, of_unheard) = open(&mut streams, "c");
    let (running, of_running) = open(&mut streams, "de");
    of_given.end_given();
    of_unheard.end();
    let now = Instant::now();
    let after = |time: Duration| now + time;
    let left = |streams: &mut Streams, now| {
        if let Some(before) = store.forgettable(now) {
            streams.forget(before);
        }
        [given, unheard, running].map(|place| streams.find(place).is_some())
    };
    assert_eq!(left(&mut streams, now), [true; 3], "all of it has ended a moment ago");
    of_running.push(event("fg"));
    assert_eq!(left(&mut streams, now), [false, true, true], "hardly any room is left");
    drop(of_given);
    of_running.push(event("hi"));
    assert_eq!(left(&mut streams, now), [false, true, true], "nobody has heard it");
    assert_eq!(left(&mut streams, after(UNHEARD_TIME)), [false, false, true]);
}
