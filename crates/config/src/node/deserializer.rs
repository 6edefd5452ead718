//! A tree as a serde deserializer that knows where it is: errors carry their path and place, and
//! fields that nobody asked for are collected instead of lost.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{Entry, Mapping, Node, Position, Scalar, Style, Value};

/// What was found while a value was read.
#[derive(Debug, Default)]
pub(crate) struct Context {
    unknown: RefCell<Vec<Unknown>>,
}

/// A field that nobody asked for.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) path: String,
    pub(crate) field: String,
    pub(crate) position: Position,
    /// The fields that are known there, where that is known.
    pub(crate) fields: &'static [&'static str],
}

/// Where a node is in its document.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path<'a> {
    Root(&'a str),
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

/// Why a value could not be read, and where.
#[derive(Debug)]
pub(crate) struct NodeError {
    pub(crate) message: String,
    pub(crate) at: Option<(String, Position)>,
}

/// Reads one node.
#[derive(Clone, Copy)]
pub(crate) struct NodeDeserializer<'a, 'p> {
    node: &'a Node,
    path: &'p Path<'p>,
    context: &'p Context,
    /// The key of this node and its siblings' known names.
    field: Option<(Position, &'static [&'static str])>,
}

impl Context {
    pub(crate) fn into_unknown(self) -> Vec<Unknown> {
        self.unknown.into_inner()
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(root) => formatter.write_str(root),
            Self::Key(Path::Root(""), key) => formatter.write_str(key),
            Self::Key(parent, key) => write!(formatter, "{parent}.{key}"),
            Self::Index(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for NodeError {}

impl de::Error for NodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), at: None }
    }

    /// Text that was found is not repeated: it may be a secret.
    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match found {
            de::Unexpected::Str(_) => "text".to_owned(),
            de::Unexpected::Seq => "a list".to_owned(),
            de::Unexpected::Map => "a mapping".to_owned(),
            de::Unexpected::Unit => "nothing".to_owned(),
            other => other.to_string(),
        };
        Self::custom(format!("expected {}, found {found}", plain(expected)))
    }
}

/// What serde expects, in the words of someone who writes YAML.
fn plain(expected: &dyn de::Expected) -> String {
    let expected = expected.to_string();
    match expected.as_str() {
        "usize" | "u16" | "u32" | "u64" | "i64" => "a whole number".to_owned(),
        "a string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        other if other.starts_with("struct ") => "a mapping".to_owned(),
        _ => expected,
    }
}

impl<'a, 'p> NodeDeserializer<'a, 'p> {
    pub(crate) fn new(node: &'a Node, path: &'p Path<'p>, context: &'p Context) -> Self {
        Self { node, path, context, field: None }
    }

    /// Puts the place of this node on an error that has none yet.
    fn located<T>(self, result: Result<T, NodeError>) -> Result<T, NodeError> {
        result.map_err(|mut error| {
            error.at.get_or_insert_with(|| (self.path.to_string(), self.node.position));
            error
        })
    }

    fn mapping<V: Visitor<'a>>(
        self,
        visitor: V,
        mapping: &'a Mapping,
        fields: &'static [&'static str],
    ) -> Result<V::Value, NodeError> {
        if let Some(entry) = mapping.repeated.and_then(|index| mapping.entries.get(index)) {
            let message = format!("`{}` is written twice", entry.key);
            let path = Path::Key(self.path, &entry.key).to_string();
            return Err(NodeError { message, at: Some((path, entry.position)) });
        }
        let entries = mapping.entries.iter();
        visitor.visit_map(Entries { of: self, entries, value: None, fields })
    }

    fn expected_mapping<T>(self, found: de::Unexpected<'_>) -> Result<T, NodeError> {
        self.located(Err(de::Error::invalid_type(found, &"a mapping")))
    }

    fn sequence<V: Visitor<'a>>(
        self,
        visitor: V,
        nodes: &'a [Node],
    ) -> Result<V::Value, NodeError> {
        visitor.visit_seq(Items { of: self, nodes: nodes.iter().enumerate() })
    }

    fn any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, NodeError> {
        match &self.node.value {
            Value::Scalar(scalar) => visit_scalar(scalar, visitor),
            Value::Sequence(nodes) => self.sequence(visitor, nodes),
            Value::Mapping(mapping) => self.mapping(visitor, mapping, &[]),
        }
    }

    fn text<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, NodeError> {
        match self.node.as_text() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => self.any(visitor),
        }
    }
}

/// What a scalar means where any type will do: YAML 1.2's core schema.
fn visit_scalar<'a, V: Visitor<'a>>(scalar: &'a Scalar, visitor: V) -> Result<V::Value, NodeError> {
    let text = scalar.text.as_str();
    if scalar.style == Style::Quoted {
        return visitor.visit_borrowed_str(text);
    }
    if scalar.is_null() {
        return visitor.visit_unit();
    }
    if let "true" | "True" | "TRUE" = text {
        return visitor.visit_bool(true);
    }
    if let "false" | "False" | "FALSE" = text {
        return visitor.visit_bool(false);
    }
    if let Ok(number) = text.parse() {
        return visitor.visit_u64(number);
    }
    if let Ok(number) = text.parse() {
        return visitor.visit_i64(number);
    }
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    match text.parse() {
        Ok(number) if is_number => visitor.visit_f64(number),
        _ => visitor.visit_borrowed_str(text),
    }
}

impl<'a> Deserializer<'a> for NodeDeserializer<'a, '_> {
    type Error = NodeError;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, NodeError> {
        self.located(self.any(visitor))
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, NodeError> {
        self.located(self.text(visitor))
    }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, NodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, NodeError> {
        if self.node.is_null() {
            return self.located(visitor.visit_none());
        }
        self.located(visitor.visit_some(self))
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, NodeError> {
        self.located(visitor.visit_newtype_struct(self))
    }

    /// A list that was left empty is an empty list.
    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, NodeError> {
        if self.node.is_null() {
            return self.located(self.sequence(visitor, &[]));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, NodeError> {
        self.deserialize_struct("", &[], visitor)
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NodeError> {
        match &self.node.value {
            Value::Mapping(mapping) => self.located(self.mapping(visitor, mapping, fields)),
            Value::Scalar(scalar) if scalar.is_null() => {
                let empty = Entries { of: self, entries: [].iter(), value: None, fields };
                self.located(visitor.visit_map(empty))
            }
            Value::Sequence(_) => self.expected_mapping(de::Unexpected::Seq),
            Value::Scalar(scalar) => self.expected_mapping(de::Unexpected::Str(&scalar.text)),
        }
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NodeError> {
        let Some(text) = self.node.as_text() else { return self.deserialize_any(visitor) };
        self.located(visitor.visit_enum(BorrowedStrDeserializer::new(text)))
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, NodeError> {
        if let Path::Key(_, field) = self.path {
            let (position, fields) = self.field.unwrap_or((self.node.position, &[]));
            self.context.unknown.borrow_mut().push(Unknown {
                path: self.path.to_string(),
                field: (*field).to_owned(),
                position,
                fields,
            });
        }
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        tuple tuple_struct identifier
    }
}

struct Entries<'a, 'p> {
    of: NodeDeserializer<'a, 'p>,
    entries: std::slice::Iter<'a, Entry>,
    value: Option<&'a Entry>,
    fields: &'static [&'static str],
}

impl<'a> MapAccess<'a> for Entries<'a, '_> {
    type Error = NodeError;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, NodeError> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.value = Some(entry);
        seed.deserialize(BorrowedStrDeserializer::new(&entry.key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, NodeError> {
        let Some(entry) = self.value.take() else {
            return Err(de::Error::custom("a value without a key"));
        };
        let path = Path::Key(self.of.path, &entry.key);
        let value = NodeDeserializer {
            node: &entry.value,
            path: &path,
            context: self.of.context,
            field: Some((entry.position, self.fields)),
        };
        value.located(seed.deserialize(value))
    }
}

struct Items<'a, 'p> {
    of: NodeDeserializer<'a, 'p>,
    nodes: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'a> SeqAccess<'a> for Items<'a, '_> {
    type Error = NodeError;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, NodeError> {
        let Some((index, node)) = self.nodes.next() else { return Ok(None) };
        let path = Path::Index(self.of.path, index);
        let item = NodeDeserializer { node, path: &path, context: self.of.context, field: None };
        item.located(seed.deserialize(item)).map(Some)
    }
}
