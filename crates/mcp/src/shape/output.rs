//! A tool's `outputSchema`: what older clients cannot take is wrapped or left out.

use bytes::Bytes;

use super::Shape;
use super::pattern::Patterns;
use super::schema::{self, Root, Schema};
use crate::editor::{Editor, Fate, Flaw};
use crate::scan::Cursor;

/// What becomes of an `outputSchema`.
pub(super) struct Output {
    pub(super) fate: Fate,
    /// Whether it is `{"result": …}` of what the server said.
    pub(super) wrapped: bool,
}

const DROPPED: Output = Output { fate: Fate::Goes, wrapped: false };
const KEPT: Output = Output { fate: Fate::Stays, wrapped: false };

/// Passes an `outputSchema`. It is optional, so one that cannot be repaired is left out and the
/// tool stays.
pub(super) fn output_schema(
    editor: &mut Editor<'_>,
    shape: Shape,
    patterns: &mut Patterns,
) -> Result<Output, Flaw> {
    let span = editor.value()?;
    if !shape.has_structured_content() {
        return Ok(DROPPED);
    }
    // A flaw may leave the cursor anywhere inside.
    let inside = Cursor::within(editor.bytes, &span);
    let after = std::mem::replace(&mut editor.cursor, inside);
    let output = checked(editor, shape, patterns);
    editor.cursor = after;
    Ok(output)
}

fn checked(editor: &mut Editor<'_>, shape: Shape, patterns: &mut Patterns) -> Output {
    let any = shape.has_any_structured_content();
    match editor.peek() {
        Some(b'{') => {}
        Some(b't' | b'f') if any => return KEPT,
        Some(b't') => return anything(editor),
        _ => return DROPPED,
    }
    // A flaw costs the schema, not the tool.
    let Ok(schema) = schema::root(editor, "outputSchema", Some(patterns)) else { return DROPPED };
    match schema.root {
        _ if any => KEPT,
        _ if !schema.compiles => DROPPED,
        Root::Object => KEPT,
        Root::Untyped { properties: true, .. } => {
            editor.add(&schema.object, "type", b"\"object\"");
            KEPT
        }
        Root::Untyped { properties: false, .. } | Root::Other => wrap(editor, schema),
    }
}

/// Instead of `true`: strict clients want objects at the root and in `properties`.
fn anything(editor: &mut Editor<'_>) -> Output {
    let wrapper = br#"{"type":"object","properties":{"result":{}},"required":["result"]}"#;
    let Ok(span) = editor.value() else { return DROPPED };
    editor.replace(span, Bytes::from_static(wrapper));
    Output { fate: Fate::Stays, wrapped: true }
}

/// The schema as that of `result`, as the TypeScript SDK wraps it for 2025-11-25 (SEP-2106). The
/// dialect is that of the whole document, so it is said at the root too.
fn wrap(editor: &mut Editor<'_>, schema: Schema) -> Output {
    let dialect = schema.dialect.and_then(|span| editor.bytes.get(span)).unwrap_or_default();
    let mut front = Vec::from(&b"{"[..]);
    if !dialect.is_empty() {
        front.extend([b"\"$schema\":", dialect, b","].concat());
    }
    front.extend(br#""type":"object","properties":{"result":"#);
    editor.insert(schema.object.span.start, front.into());
    editor.insert(schema.object.span.end, Bytes::from_static(br#"},"required":["result"]}"#));
    for (span, reference) in schema.references {
        editor.replace(span, reference);
    }
    Output { fate: Fate::Stays, wrapped: true }
}
