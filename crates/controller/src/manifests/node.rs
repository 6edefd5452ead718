//! One YAML document as plain data that knows where each part was written.

use std::fmt;
use std::sync::Arc;

use config::{Origins, Place};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Location, Spanned};

/// A YAML value and its place.
pub(super) struct Node {
    location: Location,
    content: Content,
}

enum Content {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(Spanned<String>, Node)>),
}

impl Node {
    /// The objects in it: the items of a `List`, or else itself.
    pub(super) fn objects(self) -> Vec<Node> {
        if !self.is_list() {
            return vec![self];
        }
        let Content::Map(entries) = self.content else { return Vec::new() };
        let items = entries.into_iter().filter(|(key, _)| key.value == "items");
        let objects = items.flat_map(|(_, node)| match node.content {
            Content::List(nodes) => nodes,
            Content::Scalar(_) | Content::Map(_) => Vec::new(),
        });
        objects.flat_map(Node::objects).collect()
    }

    /// Whether it is a `List` of any kind, as `kubectl get -o yaml` prints.
    fn is_list(&self) -> bool {
        let Content::Map(entries) = &self.content else { return false };
        let has_items = entries
            .iter()
            .any(|(key, node)| key.value == "items" && matches!(node.content, Content::List(_)));
        has_items
            && entries.iter().any(|(key, node)| match &node.content {
                Content::Scalar(Value::String(kind)) => {
                    key.value == "kind" && kind.ends_with("List")
                }
                Content::Scalar(_) | Content::List(_) | Content::Map(_) => false,
            })
    }

    /// The value, and the places of all its parts in `file`: a field's is that of its key, an
    /// item's that of its first character, and the whole's (path ``) that of its first field.
    pub(super) fn unpack(self, file: &Arc<str>) -> (Value, Origins) {
        let mut origins = Origins::default();
        origins.insert("", place(file, self.location));
        let value = self.value(file, "", &mut origins);
        (value, origins)
    }

    fn value(self, file: &Arc<str>, path: &str, origins: &mut Origins) -> Value {
        match self.content {
            Content::Scalar(value) => value,
            Content::List(nodes) => {
                let mut values = Vec::with_capacity(nodes.len());
                for (index, node) in nodes.into_iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    origins.insert(&path, place(file, node.location));
                    values.push(node.value(file, &path, origins));
                }
                Value::Array(values)
            }
            Content::Map(entries) => {
                let mut map = Map::new();
                for (key, node) in entries {
                    let path = match path {
                        "" => key.value.clone(),
                        parent => format!("{parent}.{}", key.value),
                    };
                    origins.insert(&path, place(file, key.referenced));
                    map.insert(key.value, node.value(file, &path, origins));
                }
                Value::Object(map)
            }
        }
    }
}

fn place(file: &Arc<str>, location: Location) -> Place {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Place {
        file: Arc::clone(file),
        line: number(location.line()),
        column: number(location.column()),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        Ok(Self { location: spanned.referenced, content: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        Content::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Number(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Number(value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Content::Scalar(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::Scalar(Value::String(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Content, E> {
        Ok(Content::Scalar(Value::String(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(Content::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
        let mut nodes = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            nodes.push(entry);
        }
        Ok(Content::Map(nodes))
    }
}
