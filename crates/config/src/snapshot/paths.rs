//! The routes of one host, by path.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use regex::Regex;

use super::conditions::{Conditions, PathTest};
use super::route::{Matched, RequestHead, Route};

/// The routes of one host. An exact path comes before an expression, which comes before a prefix,
/// of which the longest comes first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paths {
    exact: HashMap<Box<str>, Vec<Rule>>,
    regexes: Vec<(Regex, Rule)>,
    prefixes: HashMap<Box<str>, Vec<Rule>>,
}

/// What decides between requests of one path.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) conditions: Conditions,
    pub(crate) route: Arc<Route>,
    /// Counts up in the order of the document.
    pub(crate) order: usize,
}

impl Paths {
    pub(crate) fn add(&mut self, path: &PathTest, rule: Rule) {
        let rules = match path {
            PathTest::Exact(path) => self.exact.entry(path.clone()).or_default(),
            PathTest::Prefix(path) => self.prefixes.entry(path.clone()).or_default(),
            PathTest::Regex(regex) => {
                self.regexes.push((regex.clone(), rule));
                let key = |(regex, rule): &(Regex, Rule)| {
                    (Reverse(regex.as_str().len()), rule.precedence())
                };
                self.regexes.sort_by_key(key);
                return;
            }
        };
        rules.push(rule);
        rules.sort_by_key(Rule::precedence);
    }

    pub(crate) fn find(&self, request: &RequestHead<'_>) -> Option<Matched<'_>> {
        let whole = |route| Matched { route, prefix: request.path.len() };
        if let Some(route) = self.exact.get(request.path).and_then(|rules| first(rules, request)) {
            return Some(whole(route));
        }
        for (regex, rule) in &self.regexes {
            if regex.is_match(request.path) && rule.conditions.hold(request) {
                return Some(whole(&rule.route));
            }
        }
        let mut path = request.path;
        while !self.prefixes.is_empty() {
            if let Some(route) = self.prefixes.get(path).and_then(|rules| first(rules, request)) {
                return Some(Matched { route, prefix: path.len() });
            }
            path = path.get(..path.rfind('/')?)?;
        }
        None
    }

    /// Every rule with its path, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PathTest, &Rule)> {
        let exact = self.exact.iter().flat_map(|(path, rules)| {
            rules.iter().map(|rule| (PathTest::Exact(path.clone()), rule))
        });
        let prefixes = self.prefixes.iter().flat_map(|(path, rules)| {
            rules.iter().map(|rule| (PathTest::Prefix(path.clone()), rule))
        });
        let regexes =
            self.regexes.iter().map(|(regex, rule)| (PathTest::Regex(regex.clone()), rule));
        exact.chain(regexes).chain(prefixes)
    }
}

impl Rule {
    /// Less comes first: with a method, with more headers, with more parameters, earlier.
    fn precedence(&self) -> (bool, Reverse<usize>, Reverse<usize>, usize) {
        let Conditions { method, headers, query } = &self.conditions;
        (method.is_none(), Reverse(headers.len()), Reverse(query.len()), self.order)
    }
}

fn first<'a>(rules: &'a [Rule], request: &RequestHead<'_>) -> Option<&'a Arc<Route>> {
    rules.iter().find(|rule| rule.conditions.hold(request)).map(|rule| &rule.route)
}
