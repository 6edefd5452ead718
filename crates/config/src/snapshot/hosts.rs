//! Something per host: exact, below a suffix, or any.

use std::collections::HashMap;

/// Something per host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hosts<T> {
    exact: HashMap<Box<str>, T>,
    /// By what follows the `*`, dot included.
    suffixes: HashMap<Box<str>, T>,
    any: Option<T>,
}

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        Self { exact: HashMap::new(), suffixes: HashMap::new(), any: None }
    }
}

impl<T: Default> Hosts<T> {
    /// What there is for `host`, exact or `*.suffix`, `None` for any; made if there is nothing.
    pub(crate) fn entry(&mut self, host: Option<&str>) -> &mut T {
        match host {
            None => self.any.get_or_insert_default(),
            Some(host) => match host.strip_prefix('*') {
                Some(suffix) => self.suffixes.entry(suffix.into()).or_default(),
                None => self.exact.entry(host.into()).or_default(),
            },
        }
    }
}

impl<T> Hosts<T> {
    /// What there is for the host of a request, the most specific first.
    pub(crate) fn matching<'a>(&'a self, host: &str) -> impl Iterator<Item = &'a T> {
        let exact = self.exact.get(host);
        // A `*` stands for one label or more, so the first dot may not come first.
        let dots = host.match_indices('.').filter(|(index, _)| *index > 0);
        let suffixes = dots
            .filter(|_| !self.suffixes.is_empty())
            .filter_map(move |(index, _)| self.suffixes.get(host.get(index..)?));
        exact.into_iter().chain(suffixes).chain(&self.any)
    }

    /// Everything with its host, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (String, &T)> {
        let exact = self.exact.iter().map(|(host, value)| (host.to_string(), value));
        let suffixes = self.suffixes.iter().map(|(suffix, value)| (format!("*{suffix}"), value));
        exact.chain(suffixes).chain(self.any.iter().map(|value| ("*".to_owned(), value)))
    }
}
