//! Entries of lists: the members that strict clients check.

use bytes::Bytes;

use super::annotation::{annotations, icons};
use super::output::output_schema;
use super::pattern::Patterns;
use super::schema::{self, Root};
use super::{Shape, ShapedItem};
use crate::editor::{Editor, Fate, Flaw, Object};
use crate::method::ListKind;
use crate::scan::Span;

/// What became of the entry.
pub(super) fn shaped(
    kind: ListKind,
    item: &Bytes,
    shape: Shape,
    patterns: &mut Patterns,
) -> ShapedItem {
    let mut editor = Editor::new(item, &(0..item.len()));
    let wraps = match kind {
        ListKind::Tools => tool(&mut editor, shape, patterns),
        ListKind::Prompts => prompt(&mut editor).map(|()| false),
        ListKind::Resources => resource(&mut editor, "uri").map(|()| false),
        ListKind::ResourceTemplates => resource(&mut editor, "uriTemplate").map(|()| false),
    };
    match wraps {
        Ok(wraps) => match editor.finish() {
            Some(item) => ShapedItem::Changed { item, wraps },
            None => ShapedItem::Same,
        },
        Err(Flaw(reason)) => ShapedItem::Withheld(reason),
    }
}

/// Says whether the `outputSchema` was wrapped.
fn tool(editor: &mut Editor<'_>, shape: Shape, patterns: &mut Patterns) -> Result<bool, Flaw> {
    let (mut named, mut takes, mut wraps) = (false, false, false);
    let object = entry(editor, |editor, key| match key {
        "name" => {
            named = true;
            required_text(editor, key)
        }
        "title" | "description" => editor.text(),
        "inputSchema" => {
            let fate = input_schema(editor)?;
            takes |= fate == Fate::Stays;
            Ok(fate)
        }
        "outputSchema" => {
            let output = output_schema(editor, shape, patterns)?;
            wraps = output.wrapped;
            Ok(output.fate)
        }
        "annotations" => tool_annotations(editor),
        "execution" => execution(editor),
        "icons" => icons(editor),
        "_meta" => editor.map(),
        _ => editor.any(),
    })?;
    if !named {
        return Err(missing("name"));
    }
    if !takes {
        editor.add(&object, "inputSchema", b"{\"type\":\"object\"}");
    }
    Ok(wraps)
}

/// Arguments always are an object, so a schema without a type means one.
fn input_schema(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    match editor.peek() {
        Some(b'n') => return editor.not_null(),
        Some(b'{') => {}
        // PHP writes an empty object so.
        Some(b'[') => return empty_array(editor, "inputSchema"),
        _ => return Err(Flaw("`inputSchema` is not an object".to_owned())),
    }
    let schema = schema::root(editor, "inputSchema", None)?;
    match schema.root {
        Root::Object => {}
        Root::Untyped { union: true, .. } => {
            return Err(Flaw("`inputSchema` is a union without the type `object`".to_owned()));
        }
        Root::Untyped { union: false, .. } => editor.add(&schema.object, "type", b"\"object\""),
        Root::Other => return Err(Flaw("the type of `inputSchema` is not `object`".to_owned())),
    }
    Ok(Fate::Stays)
}

fn empty_array(editor: &mut Editor<'_>, name: &str) -> Result<Fate, Flaw> {
    let mut empty = true;
    editor.array(|editor| {
        empty = false;
        editor.any().map(drop)
    })?;
    // Without the member, what stands for it is added.
    if empty { Ok(Fate::Goes) } else { Err(Flaw(format!("`{name}` is not an object"))) }
}

fn tool_annotations(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    if editor.peek() != Some(b'{') {
        return editor.map();
    }
    editor.object(|editor, key| match key {
        "title" => editor.text(),
        "readOnlyHint" | "destructiveHint" | "idempotentHint" | "openWorldHint" => editor.flag(),
        _ => editor.any(),
    })?;
    Ok(Fate::Stays)
}

fn execution(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    if editor.peek() != Some(b'{') {
        return editor.map();
    }
    editor.object(|editor, key| match key {
        "taskSupport" => {
            let support = editor.string()?;
            let known = ["required", "optional", "forbidden"];
            Ok(Fate::stays_if(support.is_some_and(|support| known.contains(&support.as_str()))))
        }
        _ => editor.any(),
    })?;
    Ok(Fate::Stays)
}

fn prompt(editor: &mut Editor<'_>) -> Result<(), Flaw> {
    let mut named = false;
    entry(editor, |editor, key| match key {
        "name" => {
            named = true;
            required_text(editor, key)
        }
        "title" | "description" => editor.text(),
        "arguments" => arguments(editor),
        "icons" => icons(editor),
        "_meta" => editor.map(),
        _ => editor.any(),
    })?;
    if named { Ok(()) } else { Err(missing("name")) }
}

fn arguments(editor: &mut Editor<'_>) -> Result<Fate, Flaw> {
    if editor.peek() == Some(b'n') {
        return editor.not_null();
    }
    if editor.peek() != Some(b'[') {
        return Err(Flaw("`arguments` is not an array".to_owned()));
    }
    editor.array(|editor| {
        let mut named = false;
        let nameless = || Flaw("one of `arguments` has no `name`".to_owned());
        if editor.peek() != Some(b'{') {
            return Err(nameless());
        }
        editor.object(|editor, key| match key {
            "name" => {
                named = true;
                let fate = editor.text()?;
                if fate == Fate::Stays { Ok(fate) } else { Err(nameless()) }
            }
            "title" | "description" => editor.text(),
            "required" => editor.flag(),
            _ => editor.any(),
        })?;
        if named { Ok(()) } else { Err(nameless()) }
    })?;
    Ok(Fate::Stays)
}

/// A resource or a template. Where it has no `name`, which older servers took to be optional, its
/// URI is one.
fn resource(editor: &mut Editor<'_>, key_name: &str) -> Result<(), Flaw> {
    let mut place: Option<Span> = None;
    let mut named = false;
    let object = entry(editor, |editor, key| match key {
        "name" if editor.peek() == Some(b'n') => editor.not_null(),
        "name" => {
            named = true;
            required_text(editor, key)
        }
        "title" | "description" | "mimeType" => editor.text(),
        "size" => editor.number(),
        "annotations" => annotations(editor),
        "icons" => icons(editor),
        "_meta" => editor.map(),
        key if key == key_name => {
            editor.peek();
            let start = editor.cursor.position();
            let fate = required_text(editor, key)?;
            place = Some(start..editor.cursor.position());
            Ok(fate)
        }
        _ => editor.any(),
    })?;
    let place = place.ok_or_else(|| missing(key_name))?;
    if !named {
        let uri = editor.bytes.slice(place);
        editor.add(&object, "name", &uri);
    }
    Ok(())
}

fn entry(
    editor: &mut Editor<'_>,
    member: impl FnMut(&mut Editor<'_>, &str) -> Result<Fate, Flaw>,
) -> Result<Object, Flaw> {
    if editor.peek() != Some(b'{') {
        return Err(Flaw("it is not an object".to_owned()));
    }
    editor.object(member)
}

fn required_text(editor: &mut Editor<'_>, name: &str) -> Result<Fate, Flaw> {
    match editor.text()? {
        Fate::Stays => Ok(Fate::Stays),
        Fate::Goes => Err(Flaw(format!("`{name}` is not a string"))),
    }
}

fn missing(name: &str) -> Flaw {
    Flaw(format!("it has no `{name}`"))
}
