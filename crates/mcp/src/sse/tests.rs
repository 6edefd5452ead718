//! Events, however they are written and split.

use bytes::Bytes;
use proptest::prelude::*;

use super::{Decoder, Event, SseError, encode_comment, encode_event};

fn decode<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
    limit: usize,
) -> (Vec<Event>, Option<SseError>) {
    let mut decoder = Decoder::new(limit);
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.push(Bytes::copy_from_slice(chunk));
        loop {
            match decoder.next_event() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
    }
    (events, None)
}

/// Each event as `event|id|retry|data`, `-` for what it has not.
#[track_caller]
fn check(stream: &str, expected: &[&str]) {
    let show = |event: &Event| {
        let text = |field: &Option<Bytes>| {
            field.as_ref().map_or("-".to_owned(), |field| String::from_utf8_lossy(field).into())
        };
        let retry = event.retry.map_or("-".to_owned(), |retry| retry.to_string());
        let data = String::from_utf8_lossy(&event.data);
        format!("{}|{}|{retry}|{data}", text(&event.event), text(&event.id))
    };
    let whole = decode([stream.as_bytes()], 1000);
    let shown: Vec<String> = whole.0.iter().map(show).collect();
    assert_eq!(shown, expected);
    assert_eq!(decode(stream.as_bytes().chunks(1), 1000), whole);
}

#[test]
fn every_line_end_ends_a_line() {
    for end in ["\n", "\r", "\r\n"] {
        let stream = "event: message\nid: 1\ndata: {}\n\ndata:a\ndata: b\n\n".replace('\n', end);
        check(&stream, &["message|1|-|{}", "-|-|-|a\nb"]);
    }
    check("data: a\r\ndata: b\rdata: c\n\r\n", &["-|-|-|a\nb\nc"]);
}

#[test]
fn fields_are_read_as_the_standard_says() {
    check("data\n\n", &["-|-|-|"]);
    check("data:  two spaces\n\n", &["-|-|-| two spaces"]);
    check("data\ndata\n\n", &["-|-|-|\n"]);
    check("data: a:b: c\n\n", &["-|-|-|a:b: c"]);
    check("Data: no\nother: no\ndata : no\n\n", &[]);
    check("event: e\n\n", &[]);
    check("event: a\nevent: b\ndata: x\nid: 1\nid: 2\n\n", &["b|2|-|x"]);
    check("id: a\0b\ndata: x\n\n", &["-|-|-|x"]);
    check("retry: 5x\nretry: \ndata: x\n\n", &["-|-|-|x"]);
    check("data: x\n\n\n\n\ndata: y\n\n", &["-|-|-|x", "-|-|-|y"]);
}

#[test]
fn an_event_that_only_sets_an_id_or_retry_is_kept() {
    check("id: 7\ndata:\n\n", &["-|7|-|"]);
    check("id: 7\n\n", &["-|7|-|"]);
    check("id\n\n", &["-||-|"]);
    check("retry: 1500\n\n", &["-|-|1500|"]);
}

#[test]
fn comments_and_a_byte_order_mark_are_passed_over() {
    check(
        "\u{feff}data: a\n\n: hello\n:\ndata: b\n: in between\ndata: c\n\n",
        &["-|-|-|a", "-|-|-|b\nc"],
    );
    check("\u{feff}\u{feff}data: a\n\n", &[]);
    check("\u{feff}", &[]);
}

#[test]
fn an_event_that_has_not_ended_is_none() {
    check("data: a\n", &[]);
    check("data: a", &[]);
    check("", &[]);
}

#[test]
fn an_event_over_the_limit_ends_the_stream() {
    let too_long = Some(SseError::TooLong { limit: 8 });
    assert_eq!(decode([&b"data: ab\n\n"[..]], 8).1, None);
    assert_eq!(decode([&b"data: abc\n\n"[..]], 8).1, too_long);
    assert_eq!(decode([&b"data:a\ndata:b\n\n"[..]], 8).1, too_long);
    assert_eq!(decode([&b"data: abc"[..]], 8).1, too_long);
    assert_eq!(decode(vec![&b": hello\n"[..]; 99], 8).1, None);
    let mut decoder = Decoder::new(8);
    decoder.push(Bytes::from_static(b"data: abcdef"));
    assert!(decoder.next_event().is_err());
    decoder.push(Bytes::from_static(b"\n\ndata: a\n\n"));
    assert!(decoder.next_event().is_err());
}

#[test]
fn what_is_encoded_is_decoded() {
    let stream = [
        encode_event(Some("message"), Some("1"), b"{}"),
        encode_comment("keep\nalive"),
        encode_event(None, None, b"a\nb\r\nc\rd\n"),
        encode_event(None, Some("2"), b""),
        encode_event(Some("a\nb"), None, b"x"),
    ];
    let stream = stream.concat();
    check(
        std::str::from_utf8(&stream).unwrap(),
        &["message|1|-|{}", "-|-|-|a\nb\nc\nd\n", "-|2|-|", "ab|-|-|x"],
    );
}

proptest! {
    #[test]
    fn the_events_are_the_same_however_the_stream_is_split(
        stream in "(\u{feff})?(data|id|event|retry|:|: |[ax7é\0]|\n|\r|\r\n|\n\n){0,40}",
        cuts in prop::collection::vec(0usize..200, 0..10),
        limit in 4usize..60,
    ) {
        let stream = stream.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.sort_unstable();
        let mut start = 0;
        let mut chunks = Vec::new();
        for end in cuts.into_iter().chain([stream.len()]) {
            chunks.push(&stream[start..end]);
            start = end;
        }
        prop_assert_eq!(decode(chunks, limit), decode([stream], limit));
    }
}
