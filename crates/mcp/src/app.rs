//! Where apps (the `ui` extension) say what holds only for a server that its host knows directly.

use bytes::Bytes;

use crate::editor::{Editor, Fate, Flaw};
use crate::message::{Kind, Message};
use crate::scan::Span;
use crate::uri::ResultKind;

/// What to cut out of an entry of a list (see `Item::raw`) so that its `_meta.ui` has no `domain`:
/// a host derives that from the server's address.
pub fn item_domains(item: &Bytes) -> Vec<Span> {
    cuts(item, &(0..item.len()), with_meta)
}

/// The same of a result and of the items and blocks in which `uri_spans` looks for apps, with spans
/// relative to `response.bytes()`. None in an error response.
pub fn result_domains(response: &Message, kind: ResultKind) -> Vec<Span> {
    let (Kind::Response, Some(span)) = (response.kind(), response.result_span()) else {
        return Vec::new();
    };
    cuts(response.bytes(), &span, |editor| result(editor, kind))
}

fn cuts(
    bytes: &Bytes,
    span: &Span,
    walk: impl FnOnce(&mut Editor<'_>) -> Result<Fate, Flaw>,
) -> Vec<Span> {
    let mut editor = Editor::new(bytes, span);
    // It has been checked, so a flaw cannot happen; what was found before one would stand.
    let _checked = walk(&mut editor);
    editor.edits().into_iter().map(|(span, _)| span).collect()
}

fn result(editor: &mut Editor<'_>, kind: ResultKind) -> Result<Fate, Flaw> {
    members(editor, |editor, key| match (kind, key) {
        (ResultKind::ToolCall, "content") => each(editor, block),
        (ResultKind::Prompt, "messages") => each(editor, message),
        (ResultKind::Read, "contents") => each(editor, with_meta),
        (_, "_meta") => meta(editor),
        _ => editor.any(),
    })
}

fn message(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    members(editor, |editor, key| match key {
        "content" if editor.peek() == Some(b'[') => each(editor, block),
        "content" => block(editor),
        "_meta" => meta(editor),
        _ => editor.any(),
    })
}

fn block(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    members(editor, |editor, key| match key {
        "resource" => with_meta(editor),
        "_meta" => meta(editor),
        _ => editor.any(),
    })
}

fn with_meta(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    members(editor, |editor, key| if key == "_meta" { meta(editor) } else { editor.any() })
}

fn meta(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    members(editor, |editor, key| if key == "ui" { ui(editor) } else { editor.any() })
}

fn ui(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    members(editor, |editor, key| {
        editor.any()?;
        Ok(Fate::stays_if(key != "domain"))
    })
}

/// Walks the members of an object; passes over anything else.
fn members(
    editor: &mut Editor<'_>,
    member: impl FnMut(&mut Editor<'_>, &str) -> Result<Fate, Flaw>,
) -> Result<Fate, Flaw> {
    if editor.peek() != Some(b'{') {
        return editor.any();
    }
    editor.object(member)?;
    Ok(Fate::Stays)
}

/// Walks the elements of an array; passes over anything else.
fn each(
    editor: &mut Editor<'_>,
    element: fn(&mut Editor<'_>) -> Result<Fate, Flaw>,
) -> Result<Fate, Flaw> {
    if editor.peek() != Some(b'[') {
        return editor.any();
    }
    editor.array(|editor| element(editor).map(drop))?;
    Ok(Fate::Stays)
}

#[cfg(test)]
mod tests;
