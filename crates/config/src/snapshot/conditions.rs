//! The conditions of a route as they are tested, without allocating.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderName, Method};
use regex::Regex;

use super::route::RequestHead;

/// A condition on the path.
#[derive(Debug, Clone)]
pub(crate) enum PathTest {
    Exact(Box<str>),
    /// Without a `/` at its end; empty: any path.
    Prefix(Box<str>),
    Regex(Regex),
}

/// Conditions besides the path; all of them have to hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    pub(crate) method: Option<Method>,
    pub(crate) headers: Vec<(HeaderName, Test)>,
    pub(crate) query: Vec<(Box<str>, Test)>,
}

/// A condition on a value.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Exact(Box<str>),
    Regex(Regex),
}

impl PathTest {
    pub(crate) fn any() -> Self {
        Self::Prefix("".into())
    }

    pub(crate) fn prefix(path: &str) -> Self {
        Self::Prefix(path.trim_end_matches('/').into())
    }
}

impl Conditions {
    pub(crate) fn hold(&self, request: &RequestHead<'_>) -> bool {
        self.method.as_ref().is_none_or(|method| method.as_str() == request.method)
            && self.headers.iter().all(|(name, test)| {
                let mut values = request.headers.get_all(name).iter();
                values.any(|value| value.to_str().is_ok_and(|value| test.holds(value)))
            })
            && self.query.iter().all(|(name, test)| {
                let query = request.query.unwrap_or_default();
                parameter(query, name).is_some_and(|value| test.holds_encoded(value))
            })
    }
}

impl Test {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *value,
            Self::Regex(regex) => regex.is_match(value),
        }
    }

    fn holds_encoded(&self, value: &str) -> bool {
        match self {
            Self::Exact(exact) => Decoded(value.as_bytes()).eq(exact.bytes()),
            Self::Regex(regex) => decode(value).is_some_and(|value| regex.is_match(&value)),
        }
    }
}

/// The first value of a query parameter, still encoded (Gateway API: the first counts).
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Decoded(key.as_bytes()).eq(name.bytes()).then_some(value)
    })
}

/// The bytes that a part of a query stands for.
struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        match (first, rest) {
            (b'+', _) => Some(b' '),
            (b'%', [high, low, tail @ ..]) => {
                let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
                    return Some(b'%');
                };
                self.0 = tail;
                Some(high << 4 | low)
            }
            _ => Some(*first),
        }
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn decode(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains(['%', '+']) {
        return Some(Cow::Borrowed(value));
    }
    String::from_utf8(Decoded(value.as_bytes()).collect()).ok().map(Cow::Owned)
}

impl fmt::Display for PathTest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(path) => write!(formatter, "exact {path}"),
            Self::Prefix(path) => write!(formatter, "prefix {path}/"),
            Self::Regex(regex) => write!(formatter, "regex {regex}"),
        }
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = &self.method {
            write!(formatter, " {method}")?;
        }
        for (name, test) in &self.headers {
            write!(formatter, " header {name} {test}")?;
        }
        for (name, test) in &self.query {
            write!(formatter, " query {name} {test}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => write!(formatter, "= {text}"),
            Self::Regex(regex) => write!(formatter, "~ {regex}"),
        }
    }
}
