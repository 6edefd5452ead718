//! A JSON Schema: nulls that mean nothing go, types that are none are flaws, and references are
//! noted for the case that it gets another root.

use bytes::Bytes;

use super::pattern::Patterns;
use super::reference::References;
use crate::editor::{Editor, Fate, Flaw, Object};
use crate::scan::Span;
use crate::text::{Text, quoted};

/// A schema that has been walked as the root of an entry's.
pub(super) struct Schema {
    pub(super) object: Object,
    pub(super) root: Root,
    /// The value of `$schema`, if it is a string.
    pub(super) dialect: Option<Span>,
    /// What to put at its references if the schema moves to `#/properties/result`.
    pub(super) references: Vec<(Span, Bytes)>,
    /// Whether clients that compile it can: the TypeScript SDK's client compiles every `outputSchema` of a list, and
    /// refuses the list for one that ajv refuses.
    pub(super) compiles: bool,
}

/// What the root says of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// `"type":"object"`.
    Object,
    /// No type.
    Untyped {
        /// Whether it has `properties`.
        properties: bool,
        /// Whether it has `anyOf` or `oneOf`.
        union: bool,
    },
    /// Another type, or several.
    Other,
}

/// Walks the schema of an entry, which is an object; `name` is the member's.
///
/// # Errors
/// A type that is none, or at the root `properties` or `required` of another kind.
pub(super) fn root(
    editor: &mut Editor<'_>,
    name: &'static str,
    patterns: Option<&mut Patterns>,
) -> Result<Schema, Flaw> {
    let (references, inside) = (Vec::new(), References::default());
    let mut walker = Walker { name, references, fits: true, inside, patterns };
    let facts = walker.schema(editor, Place::Root)?;
    let Facts { object, kind, properties, union, dialect } = facts;
    let root = match kind {
        None => Root::Untyped { properties, union },
        Some(true) => Root::Object,
        Some(false) => Root::Other,
    };
    let compiles = walker.fits && walker.inside.lead_somewhere(editor.bytes, &object.span);
    Ok(Schema { object, root, dialect, references: walker.references, compiles })
}

/// Keywords whose value maps names to schemas.
const MAPS: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// Keywords whose value is a schema or several.
const SCHEMAS: [&str; 16] = [
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "anyOf",
    "oneOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "contentSchema",
];

/// Keywords whose value is data, whatever it looks like.
const DATA: [&str; 4] = ["const", "enum", "default", "examples"];

/// Other keywords that cannot be null, though servers write it.
const PLAIN: [&str; 21] = [
    "$ref",
    "$id",
    "$schema",
    "$comment",
    "title",
    "description",
    "format",
    "pattern",
    "required",
    "enum",
    "examples",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
];

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "integer", "string"];

/// Where a wrapped schema stands.
const WRAPPED: &str = "#/properties/result";

/// Strict clients look at the root only, but there more closely.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Inside,
}

struct Facts {
    object: Object,
    /// Whether the type is `object`, if there is one.
    kind: Option<bool>,
    properties: bool,
    union: bool,
    dialect: Option<Span>,
}

struct Walker<'p> {
    name: &'static str,
    references: Vec<(Span, Bytes)>,
    /// Whether every keyword has a value of its kind.
    fits: bool,
    inside: References,
    /// Those that clients compile.
    patterns: Option<&'p mut Patterns>,
}

impl Walker<'_> {
    /// Walks the object at the cursor.
    fn schema(&mut self, editor: &mut Editor<'_>, place: Place) -> Result<Facts, Flaw> {
        let mark = self.references.len();
        let (mut kind, mut dialect) = (None, None);
        let (mut properties, mut union, mut based, mut nullable) = (false, false, false, false);
        let object = editor.object(|editor, key| {
            if editor.peek() == Some(b'n') && is_never_null(key) {
                return editor.not_null();
            }
            properties |= key == "properties";
            union |= matches!(key, "anyOf" | "oneOf");
            nullable |= key == "nullable";
            self.fits &= editor.peek().is_some_and(|first| fits(key, first));
            match key {
                "type" => kind = Some(self.kind(editor)? && kind != Some(false)),
                "$schema" => dialect = editor.string()?.map(|dialect| dialect.span()),
                "$id" => {
                    self.inside.has_ids = true;
                    based |= is_base(editor)?;
                }
                "$anchor" | "$dynamicAnchor" => {
                    let anchor = editor.string()?.map(|anchor| anchor.as_str().to_owned());
                    self.inside.anchors.extend(anchor);
                }
                "$ref" => {
                    let target = self.reference(editor)?.map(|target| target.as_str().to_owned());
                    self.inside.targets.extend(target);
                }
                "$dynamicRef" => drop(self.reference(editor)?),
                "pattern" => {
                    let pattern = editor.string()?;
                    self.fits &= pattern.is_none_or(|pattern| self.compiles(pattern.as_str()));
                }
                "patternProperties" => self.patterns(editor)?,
                "required" if place == Place::Root => self.required(editor)?,
                "properties" => self.map(editor, place)?,
                key if MAPS.contains(&key) => self.map(editor, Place::Inside)?,
                key if SCHEMAS.contains(&key) => self.schemas(editor)?,
                key if DATA.contains(&key) => return editor.any(),
                _ => self.unknown(editor)?,
            }
            Ok(Fate::Stays)
        })?;
        // OpenAPI's: for ajv it says something of the type only.
        self.fits &= !nullable || kind.is_some();
        if based {
            // Its references are relative to itself, wherever it stands.
            self.references.truncate(mark);
        }
        Ok(Facts { object, kind, properties, union, dialect })
    }

    /// The value of `type`: whether it is `object`.
    fn kind(&self, editor: &mut Editor<'_>) -> Result<bool, Flaw> {
        let span = match editor.peek() {
            Some(b'"') => {
                let text = editor.string()?;
                let kind = text.as_ref().map_or("", |text| text.as_str());
                if TYPES.contains(&kind) {
                    return Ok(kind == "object");
                }
                text.map(|text| text.span()).unwrap_or_default()
            }
            Some(b'[') => {
                editor.peek();
                let start = editor.cursor.position();
                if editor.texts(|kind| TYPES.contains(&kind))? == Fate::Stays {
                    return Ok(false);
                }
                start..editor.cursor.position()
            }
            _ => editor.value()?,
        };
        let raw = String::from_utf8_lossy(editor.bytes.get(span).unwrap_or_default()).into_owned();
        Err(Flaw(format!("`{}` has the type {}, which is none", self.name, shortened(&raw))))
    }

    /// The value of the root's `required`.
    fn required(&self, editor: &mut Editor<'_>) -> Result<(), Flaw> {
        match editor.texts(|_| true)? {
            Fate::Stays => Ok(()),
            Fate::Goes => Err(Flaw(format!("`{}.required` is not an array of strings", self.name))),
        }
    }

    /// The value of a keyword that maps names to schemas.
    fn map(&mut self, editor: &mut Editor<'_>, place: Place) -> Result<(), Flaw> {
        match editor.peek() {
            Some(b'{') => {}
            Some(b'[') => return self.empty(editor, place),
            _ if place == Place::Inside => return editor.any().map(drop),
            _ => return Err(self.no_map()),
        }
        editor.object(|editor, _| {
            self.mapped(editor, place)?;
            Ok(Fate::Stays)
        })?;
        Ok(())
    }

    /// The value of `patternProperties`.
    fn patterns(&mut self, editor: &mut Editor<'_>) -> Result<(), Flaw> {
        if editor.peek() != Some(b'{') {
            return self.map(editor, Place::Inside);
        }
        editor.object(|editor, pattern| {
            self.fits &= self.compiles(pattern);
            self.mapped(editor, Place::Inside)?;
            Ok(Fate::Stays)
        })?;
        Ok(())
    }

    /// Whether clients can compile a pattern, where they do: in the schema of an output.
    fn compiles(&mut self, pattern: &str) -> bool {
        self.patterns.as_mut().is_none_or(|patterns| patterns.compile(pattern))
    }

    /// One schema of a map. Strict clients want an object, so `true`, `false` and null become one.
    fn mapped(&mut self, editor: &mut Editor<'_>, place: Place) -> Result<(), Flaw> {
        let replacement: &'static [u8] = match (editor.peek(), place) {
            (Some(b'{'), _) => return self.schema(editor, Place::Inside).map(drop),
            (Some(b'['), _) => return self.empty(editor, place),
            (Some(b'n'), _) | (Some(b't'), Place::Root) => b"{}",
            (Some(b'f'), Place::Root) => b"{\"not\":{}}",
            (_, Place::Inside) => return editor.any().map(drop),
            (_, Place::Root) => return Err(self.no_map()),
        };
        let span = editor.value()?;
        editor.replace(span, Bytes::from_static(replacement));
        Ok(())
    }

    /// An array in the place of an object: PHP writes an empty object so.
    fn empty(&mut self, editor: &mut Editor<'_>, place: Place) -> Result<(), Flaw> {
        let mut empty = true;
        let span = editor.array(|editor| {
            empty = false;
            editor.any().map(drop)
        })?;
        if empty {
            editor.replace(span, Bytes::from_static(b"{}"));
        } else if place == Place::Root {
            return Err(self.no_map());
        }
        Ok(())
    }

    fn no_map(&self) -> Flaw {
        Flaw(format!("`{}.properties` is not an object of schemas", self.name))
    }

    /// The value of a keyword that is a schema or several.
    fn schemas(&mut self, editor: &mut Editor<'_>) -> Result<(), Flaw> {
        match editor.peek() {
            Some(b'{') => self.schema(editor, Place::Inside).map(drop),
            Some(b'[') => editor.array(|editor| self.schemas(editor)).map(drop),
            _ => editor.any().map(drop),
        }
    }

    /// The value of a keyword that we do not know: it may hold schemas that others refer to.
    fn unknown(&mut self, editor: &mut Editor<'_>) -> Result<(), Flaw> {
        match editor.peek() {
            Some(b'{') => {
                editor.object(|editor, key| {
                    match key {
                        "$ref" | "$dynamicRef" => drop(self.reference(editor)?),
                        key if DATA.contains(&key) => return editor.any(),
                        _ => self.unknown(editor)?,
                    }
                    Ok(Fate::Stays)
                })?;
                Ok(())
            }
            Some(b'[') => editor.array(|editor| self.unknown(editor)).map(drop),
            _ => editor.any().map(drop),
        }
    }

    /// A reference to the root or to a path from there moves with it; anchors and other documents
    /// stay what they are.
    fn reference(&mut self, editor: &mut Editor<'_>) -> Result<Option<Text>, Flaw> {
        let Some(text) = editor.string()? else { return Ok(None) };
        if let Some(path) = text.as_str().strip_prefix('#')
            && (path.is_empty() || path.starts_with('/'))
        {
            self.references.push((text.span(), quoted(&format!("{WRAPPED}{path}"))));
        }
        Ok(Some(text))
    }
}

/// Whether a value that begins so is of the kind that a keyword has; draft-04's `"exclusiveMinimum":true` is not.
fn fits(key: &str, first: u8) -> bool {
    match key {
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf"
        | "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
        | "maxProperties" => {
            matches!(first, b'-' | b'0'..=b'9')
        }
        "required" | "enum" | "anyOf" | "oneOf" | "allOf" => first == b'[',
        "$id" | "$ref" | "pattern" => first == b'"',
        "uniqueItems" => matches!(first, b't' | b'f'),
        _ => true,
    }
}

/// Whether a `$id` is a new base for references; `#name` is what draft-07 calls an anchor.
fn is_base(editor: &mut Editor<'_>) -> Result<bool, Flaw> {
    let id = editor.string()?;
    Ok(id.is_none_or(|id| !id.as_str().starts_with('#')))
}

fn is_never_null(key: &str) -> bool {
    key == "type" || MAPS.contains(&key) || SCHEMAS.contains(&key) || PLAIN.contains(&key)
}

/// A value for a reason that is shown in status.
fn shortened(raw: &str) -> String {
    const LIMIT: usize = 40;
    let mut text: String = raw.chars().take(LIMIT).collect();
    if text.len() < raw.len() {
        text.push('…');
    }
    text
}
