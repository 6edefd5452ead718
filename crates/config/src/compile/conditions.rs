//! The conditions of a route, checked. What cannot be checked is left out of the conditions, and
//! closes the route: it is then closed for more than it was for, never open for more.

use http::{HeaderName, Method};
use regex::{Regex, RegexBuilder};

use super::report::Report;
use crate::document::{Close, HeaderMatch, Match, MatchValue, PathMatch, QueryMatch};
use crate::snapshot::{Conditions, PathTest, Test};

/// How large a compiled expression may be, in bytes.
const MAX_REGEX: usize = 1 << 20;

/// The conditions of one match, and what closes its route.
pub(super) struct Checked {
    pub(super) path: PathTest,
    pub(super) conditions: Conditions,
    pub(super) close: Option<Close>,
}

pub(super) fn check(written: &Match, path: &str, report: &mut Report<'_>) -> Checked {
    let mut checker = Checker { path, report, close: None };
    let path = match &written.path {
        None => PathTest::any(),
        Some(written) => checker.path(written),
    };
    let method = written.method.as_ref().and_then(|method| checker.method(method));
    let mut conditions = Conditions { method, headers: Vec::new(), query: Vec::new() };
    for (index, header) in written.headers.iter().enumerate() {
        conditions.headers.extend(checker.header(header, index));
    }
    for (index, parameter) in written.query.iter().enumerate() {
        conditions.query.extend(checker.parameter(parameter, index));
    }
    Checked { path, conditions, close: checker.close }
}

struct Checker<'a, 'o> {
    path: &'a str,
    report: &'a mut Report<'o>,
    close: Option<Close>,
}

impl Checker<'_, '_> {
    fn path(&mut self, written: &PathMatch) -> PathTest {
        let (kind, text) = match written {
            PathMatch::Exact(text) => ("exact", text),
            PathMatch::Prefix(text) => ("prefix", text),
            PathMatch::Regex(text) => {
                let regex = self.regex(text, "path.regex");
                return regex.map_or_else(PathTest::any, PathTest::Regex);
            }
        };
        if !text.starts_with('/') {
            let message = format!("a path begins with `/`, unlike `{text}`");
            self.fail("route.path", &format!("path.{kind}"), message);
            return PathTest::any();
        }
        match written {
            PathMatch::Exact(text) => PathTest::Exact(text.as_str().into()),
            PathMatch::Prefix(text) | PathMatch::Regex(text) => PathTest::prefix(text),
        }
    }

    fn method(&mut self, written: &str) -> Option<Method> {
        match Method::from_bytes(written.as_bytes()) {
            Ok(method) => Some(method),
            Err(_) => {
                self.fail("route.method", "method", format!("`{written}` is not a method"));
                None
            }
        }
    }

    fn header(&mut self, written: &HeaderMatch, index: usize) -> Option<(HeaderName, Test)> {
        let field = format!("headers[{index}]");
        let Ok(name) = HeaderName::from_bytes(written.name.as_bytes()) else {
            let message = format!("`{}` is not the name of a header", written.name);
            self.fail("route.header", &field, message);
            return None;
        };
        Some((name, self.test(&written.value, &field)?))
    }

    fn parameter(&mut self, written: &QueryMatch, index: usize) -> Option<(Box<str>, Test)> {
        let field = format!("query[{index}]");
        if written.name.is_empty() {
            self.fail("route.query", &field, "a query parameter has a name".to_owned());
            return None;
        }
        Some((written.name.as_str().into(), self.test(&written.value, &field)?))
    }

    fn test(&mut self, written: &MatchValue, field: &str) -> Option<Test> {
        match written {
            MatchValue::Exact(text) => Some(Test::Exact(text.as_str().into())),
            MatchValue::Regex(text) => self.regex(text, &format!("{field}.regex")).map(Test::Regex),
        }
    }

    fn regex(&mut self, text: &str, field: &str) -> Option<Regex> {
        // Whole: in the Gateway API's implementations an expression matches all of the value.
        let built = RegexBuilder::new(&format!("^(?:{text})$"))
            .size_limit(MAX_REGEX)
            .dfa_size_limit(MAX_REGEX)
            .build();
        match built {
            Ok(regex) => Some(regex),
            Err(regex::Error::CompiledTooBig(limit)) => {
                let message = format!("this expression takes more than {limit} bytes");
                self.fail("route.regex", field, message);
                None
            }
            Err(_) => {
                self.fail("route.regex", field, format!("`{text}` is not a regular expression"));
                None
            }
        }
    }

    fn fail(&mut self, id: &'static str, field: &str, message: String) {
        let close = self.report.close(id, &format!("{}.{field}", self.path), message);
        self.close.get_or_insert(close);
    }
}
