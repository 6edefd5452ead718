//! What guards fails closed: what an unknown guard closes, and what is left of an element whose
//! guards could not be read.

use serde::Deserialize;

use super::element::Read;
use super::suggest::closest;
use crate::document::{Action, Close, Filters, Match, PathMatch, Route, RouteTimeouts};
use crate::guard::{is_condition, is_guard};
use crate::node::{Context, Node, NodeDeserializer, Path, Unknown};

/// What makes a listener answer less than everything, or in another way than in the clear.
const NARROWS_LISTENER: [&str; 4] = ["hostname", "protocol", "tls", "close"];

/// Whether an unknown field closes the listener that it stands in: it guards something, says which
/// requests it is for, or is a misspelling of what does.
pub(crate) fn is_guard_of_listener(unknown: &Unknown) -> bool {
    let meant = closest(&unknown.field, unknown.fields.iter().copied());
    is_guard(&unknown.path)
        || is_condition(&unknown.field)
        || meant.is_some_and(|meant| NARROWS_LISTENER.contains(&meant))
}

/// Whether an unknown field guards the target, service or backend that it stands in.
pub(crate) fn is_unknown_guard(unknown: &Unknown) -> bool {
    is_guard(&unknown.path)
}

/// What is said by what an unknown field closed.
pub(crate) fn close_for(unknown: &Unknown) -> Close {
    Close {
        id: "document.unknownField".to_owned(),
        reason: format!("{}: there is no field `{}`", unknown.path, unknown.field),
    }
}

/// The close that is written, or what closes where it could not be read.
pub(crate) fn close_of(read: Read<Option<Close>>) -> Option<Close> {
    read.value.unwrap_or_else(|reason| Some(Close { id: "document.type".to_owned(), reason }))
}

/// What is left of a route that could not be read: closed, for the requests it was for. Where
/// those are not known, it is closed for all that no other route is for.
pub(crate) fn closed_route(node: &Node, reason: String) -> Route {
    let matches = if node.get("path").is_some() {
        let path = field::<Option<PathMatch>>(node, "path").flatten();
        path.map(|path| vec![Match { path: Some(path), ..Match::default() }])
    } else {
        field::<Vec<Match>>(node, "matches")
    };
    Route {
        name: text_of(node, "name"),
        listeners: field(node, "listeners").unwrap_or_default(),
        hostnames: field(node, "hostnames").unwrap_or_default(),
        matches: matches.unwrap_or_default(),
        filters: Filters::default(),
        timeouts: RouteTimeouts::default(),
        action: Action::Close(Close { id: "document.type".to_owned(), reason }),
        requires: Vec::new(),
    }
}

/// A text of a mapping, if it has one.
pub(crate) fn text_of(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_text).unwrap_or_default().to_owned()
}

fn field<T: for<'a> Deserialize<'a>>(node: &Node, key: &str) -> Option<T> {
    let (path, context) = (Path::Root(key), Context::default());
    let value = T::deserialize(NodeDeserializer::new(node.get(key)?, &path, &context)).ok()?;
    context.into_unknown().is_empty().then_some(value)
}
