//! What policies ask of the requests of a rule.

use config::document::{Filters, HeaderChanges, RouteTimeouts};

use crate::policy::Traffic;
use crate::translate::guard::Attached;

/// What the policies of wider and narrower things say together.
#[derive(Debug, Default)]
pub(super) struct Asked {
    traffic: Traffic,
    /// Whether it counts more than what the rule writes itself.
    overrides: bool,
}

impl Asked {
    /// What they say, the widest level first. One that overrides leaves out the narrower ones.
    pub(super) fn of(levels: &[Vec<Attached>]) -> Self {
        let overrides = |level: &Vec<Attached>| level.iter().any(|one| one.rules.overrides);
        let last = levels.iter().position(overrides);
        let counting = last.and_then(|last| levels.get(..=last)).unwrap_or(levels);
        let mut traffic = Traffic::default();
        for attached in counting.iter().rev().flatten() {
            traffic.inherit(&attached.rules.traffic);
        }
        Self { traffic, overrides: last.is_some() }
    }

    /// Adds it to what a rule says itself.
    pub(super) fn apply(&self, filters: &mut Filters, timeouts: &mut RouteTimeouts) {
        let Traffic { request, headers, cors } = &self.traffic;
        if request.is_some() && (self.overrides || *timeouts == RouteTimeouts::default()) {
            let request = request.map(config::Duration::from);
            *timeouts = RouteTimeouts { request, backend_request: None };
        }
        if let Some(headers) = headers {
            self.add(&mut filters.request_headers, &headers.request);
            self.add(&mut filters.response_headers, &headers.response);
        }
        if cors.is_some() && (self.overrides || filters.cors.is_none()) {
            filters.cors.clone_from(cors);
        }
    }

    fn add(&self, own: &mut HeaderChanges, asked: &HeaderChanges) {
        if self.overrides || *own == HeaderChanges::default() {
            own.clone_from(asked);
        }
    }
}
