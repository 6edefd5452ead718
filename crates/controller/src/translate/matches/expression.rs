//! Regular expressions in conditions: only whoever compiles them knows whether they are any, so it
//! is asked.

use config::document::{
    self, Action, Document, Filters, Match, MatchValue, PathMatch, RouteTimeouts,
};
use config::{Close, Origins, Variables, compile};

/// What is wrong with the expressions of some matches.
pub(super) fn faults(matches: &[Match]) -> Vec<String> {
    if !matches.iter().any(has_expression) {
        return Vec::new();
    }
    let close = Close { id: String::new(), reason: String::new() };
    let route = document::Route {
        name: String::new(),
        listeners: Vec::new(),
        hostnames: Vec::new(),
        matches: matches.to_vec(),
        filters: Filters::default(),
        timeouts: RouteTimeouts::default(),
        action: Action::Close(close),
        requires: Vec::new(),
    };
    let document = Document { routes: vec![route], ..Document::default() };
    let compiled = compile(&document, &Origins::default(), &Variables::new());
    let of_expressions = compiled.diagnostics.into_iter().filter(|one| one.id == "route.regex");
    of_expressions.map(|diagnostic| diagnostic.message).collect()
}

fn has_expression(written: &Match) -> bool {
    let is_expression = |value: &MatchValue| matches!(value, MatchValue::Regex(_));
    matches!(written.path, Some(PathMatch::Regex(_)))
        || written.headers.iter().any(|header| is_expression(&header.value))
        || written.query.iter().any(|parameter| is_expression(&parameter.value))
}
