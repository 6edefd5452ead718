//! What must hold for any input. Shared by the fuzz targets and by `crates/mcp/tests/fuzz.rs`.
#![allow(dead_code, reason = "each fuzz target calls one of the bodies")]

use bytes::Bytes;
use mcp::{
    Decoder, Event, Id, InitializeResult, Kind, ListKind, Message, MessageError, Nonce, Page,
    ResponseCheck, ResponseError, ResultKind, SseError, Substitute, Text,
};

/// A message is JSON to serde_json too, comes out as it went in, and stays a message when it is
/// rewritten.
pub(crate) fn message(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let is_json = std::str::from_utf8(data)
        .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
    if let Ok(elements) = mcp::split_batch(&bytes, 64) {
        assert!(is_json && mcp::is_batch(data));
        elements.into_iter().for_each(|element| message(&element));
    }
    let message = match Message::parse(bytes.clone()) {
        Ok(message) => message,
        Err(MessageError::Syntax { .. }) => return assert!(!is_json),
        // Deeper than we look, anything may come.
        Err(_) => return,
    };
    assert!(is_json);
    assert_eq!(message.rewrite().bytes(), bytes);
    rewritten(&message);
    for kind in ListKind::ALL {
        let Ok(page) = Page::parse(&message, kind) else { continue };
        for item in page.items {
            assert_eq!(item.edited(&[]), item.raw);
            quoted(&item.raw, item.key.iter().chain(&item.title).chain(&item.ui_uris));
        }
    }
    for kind in [ResultKind::ToolCall, ResultKind::Prompt, ResultKind::Read] {
        let uris = mcp::uri_spans(&message, kind);
        assert!(uris.is_sorted_by_key(|uri| uri.span().start));
        quoted(&bytes, &uris);
    }
    if let Ok(hello) = InitializeResult::parse(&message) {
        let shown = hello.for_client(mcp::Revision::LATEST_LEGACY);
        let response = mcp::result_response(&Id::from(1), &shown);
        let response = Message::parse(response).expect("a shown result is JSON");
        InitializeResult::parse(&response).expect("a shown result is an initialize result");
    }
}

/// The same events come however the stream is split, and ids come back however it is cut. The
/// first byte of `data` says where.
pub(crate) fn sse(data: &[u8]) {
    let Some((seed, stream)) = data.split_first() else { return };
    let step = usize::from(seed % 16) + 1;
    let limit = usize::from(seed / 16) * 16 + 8;
    let whole = events([stream], limit);
    assert_eq!(events(stream.chunks(step), limit), whole);
    for event in whole.0 {
        if !event.data.is_empty() && survives(&event.data) {
            let again = mcp::encode_event(None, None, &event.data);
            let (events, _) = events([&again[..]], usize::MAX);
            assert_eq!(events.first().map(|event| event.data.clone()), Some(event.data));
        }
    }
    let substitute = || Substitute::new(Nonce::new([0xab; 16]), Id::from(7), Some("8".into()));
    let mut out = Vec::new();
    let mut streaming = substitute();
    for chunk in stream.chunks(step) {
        streaming.push(Bytes::copy_from_slice(chunk), &mut out);
    }
    streaming.finish(&mut out);
    assert_eq!(out.concat(), substitute().whole(Bytes::copy_from_slice(stream)));
}

/// A response is one however it is split, and what is taken for one is JSON; what a parsed message says
/// of itself is seen in passing too. The first byte of `data` says where it is split.
pub(crate) fn response(data: &[u8]) {
    let Some((seed, response)) = data.split_first() else { return };
    let step = usize::from(seed % 16) + 1;
    let whole = checked([response]);
    assert_eq!(checked(response.chunks(step)).is_ok(), whole.is_ok());
    let Ok(text) = std::str::from_utf8(response) else { return };
    if whole.is_ok() {
        serde_json::from_str::<serde::de::IgnoredAny>(text).expect("a response is JSON");
    }
    // Names that are written with escapes are not recognized in passing.
    let Ok(message) = Message::parse(Bytes::copy_from_slice(response)) else { return };
    let is_response = matches!(message.kind(), Kind::Response | Kind::ErrorResponse);
    if is_response && message.id() == Some(&Id::from(1)) && !text.contains('\\') {
        assert_eq!(whole, Ok(()), "{text}");
    }
}

fn checked<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<(), ResponseError> {
    let mut check = ResponseCheck::new(Id::from(1));
    for chunk in chunks {
        check.push(chunk)?;
    }
    check.finish()
}

fn rewritten(message: &Message) {
    let nonce = Nonce::new([0xab; 16]);
    let rewrite = message.rewrite().id(&nonce.id()).name("n\"\n").uri("u:é");
    let bytes = rewrite.progress_token(&nonce.progress_token()).bytes();
    let again = Message::parse(bytes).expect("a rewritten message is a message");
    assert_eq!(again.kind(), message.kind());
    assert_eq!(again.id().is_some(), message.id().is_some());
    if let Some(id) = again.id() {
        assert_eq!(Nonce::of_id(id.as_bytes()), Some(nonce));
    }
    if message.routed().name.is_some() {
        assert_eq!(again.routed().name.as_ref().map(Text::as_str), Some("n\"\n"));
    }
    if message.routed().uri.is_some() {
        assert_eq!(again.routed().uri.as_ref().map(Text::as_str), Some("u:é"));
    }
    let token = again.routed().progress_token.as_ref();
    assert!(token.is_none_or(|(_, raw)| Nonce::of_progress_token(raw) == Some(nonce)));
}

/// Each text stands where it says, and serde_json reads the same there.
fn quoted<'a>(bytes: &Bytes, texts: impl IntoIterator<Item = &'a Text>) {
    for text in texts {
        let read: String = serde_json::from_slice(&bytes[text.span()]).expect("a JSON string");
        assert_eq!(read, text.as_str());
    }
}

fn events<'a>(
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

/// Whether data survives encoding: a carriage return would become a line feed.
fn survives(data: &[u8]) -> bool {
    !data.contains(&b'\r')
}
