//! Tools that are meant for MCP Apps alone.

use std::borrow::Cow;

use mcp::Item;
use serde::Deserialize;

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow)]
    ui: Ui<'a>,
}

#[derive(Deserialize)]
struct Ui<'a> {
    #[serde(borrow)]
    visibility: Vec<Cow<'a, str>>,
}

/// Whether a tool's `_meta.ui.visibility` is `["app"]`. The HTML of an app calls such tools by
/// their native names, and hosts look those up in the list (MCP.md 2, MCP Apps).
pub(super) fn is_app_only(item: &Item) -> bool {
    let Some(meta) = item.meta.clone().and_then(|span| item.raw.get(span)) else { return false };
    if memchr::memmem::find(meta, b"visibility").is_none() {
        return false;
    }
    serde_json::from_slice::<Meta<'_>>(meta)
        .is_ok_and(|meta| matches!(meta.ui.visibility.as_slice(), [only] if only == "app"))
}
