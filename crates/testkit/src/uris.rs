//! A server that says URIs wherever a server can, and where they stand in what it says.

mod places;
mod server;

use anyhow::Context;
use serde_json::Value;

pub use crate::uris::places::{FAILED, PLACES, SHOWN, UriPlace};
pub use crate::uris::server::{SHARED_PAGE, TEMPLATES, of, shown, structured_content};

/// The URI at a place; that of a link, in the text that an older client gets instead.
pub fn uri_at(answer: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    if let Some(uri) = found {
        return Ok(uri.to_owned());
    }
    let text = pointer.strip_suffix("/uri").map(|block| format!("{block}/text"));
    let text = text.and_then(|text| answer.pointer(&text)).and_then(Value::as_str);
    let uri = text.and_then(|text| text.strip_prefix("a link: ")).map(str::to_owned);
    uri.with_context(|| format!("no URI at {pointer}"))
}

/// The text of what was read.
pub fn text_of(answer: &Value) -> Option<&str> {
    answer.pointer("/result/contents/0/text").and_then(Value::as_str)
}

/// An app stays one for its host.
pub fn scheme_of_app(uri: &str) -> Option<&str> {
    uri.split_once("://").map(|(scheme, _)| scheme).filter(|scheme| *scheme == "ui")
}
