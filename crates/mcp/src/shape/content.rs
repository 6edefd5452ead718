//! Results: blocks of content and structured content.

use bytes::Bytes;

use super::Shape;
use super::annotation::{annotations, contents};
use crate::editor::{Editor, Fate, Flaw, Object};
use crate::scan::{Span, Token};
use crate::text::quoted;
use crate::uri::ResultKind;

/// The message with the result at `span` changed; `None` if nothing is to be changed.
pub(super) fn shaped(
    kind: ResultKind,
    bytes: &Bytes,
    span: &Span,
    shape: Shape,
    wraps: bool,
) -> Option<Bytes> {
    let mut editor = Editor::new(bytes, span);
    if editor.peek() != Some(b'{') {
        return None;
    }
    let done = match kind {
        ResultKind::ToolCall => tool_call(&mut editor, shape, wraps),
        ResultKind::Prompt => prompt(&mut editor, shape),
        ResultKind::Read => read(&mut editor),
    };
    // A `Message` has been checked, and nothing else is a flaw in a result.
    done.ok()?;
    editor.finish()
}

/// The blocks of a tool's result.
enum Content {
    Missing,
    Null(Span),
    /// Where the first block would stand.
    Empty(usize),
    Full,
}

/// A tool's `structuredContent`.
struct Structured {
    span: Span,
    /// Whether it is left out or wrapped.
    changed: bool,
}

fn tool_call(editor: &mut Editor<'_>, shape: Shape, wraps: bool) -> Result<(), Flaw> {
    let mut content = Content::Missing;
    let mut structured = None;
    let object = editor.object(|editor, key| match key {
        "content" => {
            content = blocks(editor, shape)?;
            Ok(Fate::Stays)
        }
        "structuredContent" => structured_content(editor, shape, wraps, &mut structured),
        "isError" => editor.flag(),
        "_meta" => editor.map(),
        _ => editor.any(),
    })?;
    complete(editor, &object, content, structured);
    Ok(())
}

fn blocks(editor: &mut Editor<'_>, shape: Shape) -> Result<Content, Flaw> {
    if editor.peek() != Some(b'[') {
        let null = editor.peek() == Some(b'n');
        let span = editor.value()?;
        return Ok(if null { Content::Null(span) } else { Content::Full });
    }
    let mut full = false;
    let span = editor.array(|editor| {
        full = true;
        block(editor, shape)
    })?;
    Ok(if full { Content::Full } else { Content::Empty(span.start + 1) })
}

fn structured_content(
    editor: &mut Editor<'_>,
    shape: Shape,
    wraps: bool,
    structured: &mut Option<Structured>,
) -> Result<Fate, Flaw> {
    let first = editor.peek();
    let span = editor.value()?;
    if shape.has_any_structured_content() {
        *structured = Some(Structured { span, changed: false });
        return Ok(Fate::Stays);
    }
    if first == Some(b'n') && !wraps {
        // It may be the whole result of a newer server.
        *structured = Some(Structured { span, changed: false });
        return Ok(Fate::Goes);
    }
    if !shape.has_structured_content() {
        *structured = Some(Structured { span, changed: true });
        return Ok(Fate::Goes);
    }
    let changed = wraps || first != Some(b'{');
    if changed {
        editor.insert(span.start, Bytes::from_static(b"{\"result\":"));
        editor.insert(span.end, Bytes::from_static(b"}"));
    }
    *structured = Some(Structured { span, changed });
    Ok(Fate::Stays)
}

/// Says as text what a client would otherwise not see, and gives it the `content` that it needs.
fn complete(
    editor: &mut Editor<'_>,
    object: &Object,
    content: Content,
    structured: Option<Structured>,
) {
    let raw = |structured: &Structured| {
        let raw = editor.bytes.get(structured.span.clone()).unwrap_or_default();
        text_block(&String::from_utf8_lossy(raw))
    };
    let text = structured.as_ref().map(raw);
    match (content, text) {
        (Content::Missing, Some(text)) => editor.add(object, "content", &listed(&text)),
        (Content::Null(span), text) => {
            editor.replace(span, listed(&text.unwrap_or_default()));
        }
        (Content::Empty(at), Some(text)) if structured.is_some_and(|known| known.changed) => {
            editor.insert(at, text);
        }
        (Content::Missing | Content::Empty(_) | Content::Full, _) => {}
    }
}

fn listed(block: &[u8]) -> Bytes {
    [b"[", block, b"]"].concat().into()
}

fn prompt(editor: &mut Editor<'_>, shape: Shape) -> Result<(), Flaw> {
    editor.object(|editor, key| match (key, editor.peek()) {
        ("description", _) => editor.text(),
        ("_meta", _) => editor.map(),
        ("messages", Some(b'[')) => {
            editor.array(|editor| message(editor, shape))?;
            Ok(Fate::Stays)
        }
        ("messages", Some(b'n')) => {
            let span = editor.value()?;
            editor.replace(span, Bytes::from_static(b"[]"));
            Ok(Fate::Stays)
        }
        _ => editor.any(),
    })?;
    Ok(())
}

fn message(editor: &mut Editor<'_>, shape: Shape) -> Result<(), Flaw> {
    if editor.peek() != Some(b'{') {
        return editor.any().map(drop);
    }
    editor.object(|editor, key| {
        match (key, editor.peek()) {
            ("content", Some(b'[')) => {
                editor.array(|editor| block(editor, shape))?;
            }
            ("content", _) => block(editor, shape)?,
            _ => return editor.any(),
        }
        Ok(Fate::Stays)
    })?;
    Ok(())
}

fn read(editor: &mut Editor<'_>) -> Result<(), Flaw> {
    editor.object(|editor, key| match (key, editor.peek()) {
        ("_meta", _) => editor.map(),
        ("contents", Some(b'[')) => {
            editor.array(contents)?;
            Ok(Fate::Stays)
        }
        ("contents", Some(b'n')) => {
            let span = editor.value()?;
            editor.replace(span, Bytes::from_static(b"[]"));
            Ok(Fate::Stays)
        }
        _ => editor.any(),
    })?;
    Ok(())
}

/// What is read of a block before it is known what it is.
#[derive(Default)]
struct Block {
    kind: Option<Token>,
    uri: Option<Token>,
    name: Option<Token>,
    mime_type: Option<Token>,
}

/// One block of content: kept, repaired, or said as text.
fn block(editor: &mut Editor<'_>, shape: Shape) -> Result<(), Flaw> {
    let mark = editor.mark();
    if editor.peek() != Some(b'{') {
        let span = editor.value()?;
        editor.replace(span, text_block("[content of an unknown kind]"));
        return Ok(());
    }
    let mut block = Block::default();
    let object = editor.object(|editor, key| members(editor, key, &mut block))?;
    let bytes = editor.bytes;
    let kind = block.kind.as_ref().map(|kind| kind.lossy(bytes));
    let instead = match kind.as_deref().unwrap_or_default() {
        "text" | "image" | "resource" => return Ok(()),
        "audio" if shape.has_audio() => return Ok(()),
        "audio" => {
            let mime_type = block.mime_type.as_ref().map(|mime_type| mime_type.lossy(bytes));
            let mime_type = mime_type.as_deref().unwrap_or("audio");
            format!("[{mime_type}: this client's protocol revision has no audio]")
        }
        "resource_link" => match (block.uri, block.name) {
            (Some(_), Some(_)) if shape.has_resource_links() => return Ok(()),
            (Some(uri), None) if shape.has_resource_links() => {
                let name = bytes.slice(uri.span);
                editor.add(&object, "name", &name);
                return Ok(());
            }
            (Some(uri), Some(name)) => format!("{}: {}", name.lossy(bytes), uri.lossy(bytes)),
            (Some(uri), None) => uri.lossy(bytes).into_owned(),
            (None, _) => "[a link to a resource, without a URI]".to_owned(),
        },
        "" => "[content of an unknown kind]".to_owned(),
        other => format!("[content of the unknown kind `{other}`]"),
    };
    editor.forget(mark);
    editor.replace(object.span, text_block(&instead));
    Ok(())
}

fn members(editor: &mut Editor<'_>, key: &str, block: &mut Block) -> Result<Fate, Flaw> {
    let place = match key {
        "annotations" => return annotations(editor),
        "_meta" => return editor.map(),
        "resource" => {
            contents(editor)?;
            return Ok(Fate::Stays);
        }
        "title" | "description" | "size" | "icons" => return editor.not_null(),
        "type" => &mut block.kind,
        "uri" => &mut block.uri,
        "name" => &mut block.name,
        "mimeType" => &mut block.mime_type,
        _ => return editor.any(),
    };
    if editor.peek() != Some(b'"') {
        let optional = matches!(key, "name" | "mimeType");
        return if optional { editor.text() } else { editor.any() };
    }
    *place = Some(editor.cursor.string()?);
    Ok(Fate::Stays)
}

fn text_block(text: &str) -> Bytes {
    [b"{\"type\":\"text\",\"text\":", &quoted(text)[..], b"}"].concat().into()
}
