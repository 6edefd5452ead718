//! What policies ask of the requests of a rule.

use config::document::{Filters, HeaderChanges, RouteTimeouts};

use crate::policy::Traffic;
use crate::translate::attached::Attached;

/// What the policies of wider and narrower things say together.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// What counts more than what the rule writes itself.
    forced: Traffic,
    /// What counts where the rule writes nothing.
    usual: Traffic,
}

impl Asked {
    /// What they say, the widest level first: each part by the widest that overrides, else by the narrowest.
    pub(super) fn of(levels: &[Vec<Attached>]) -> Self {
        let mut asked = Self::default();
        for attached in levels.iter().flatten().filter(|attached| attached.rules.overrides) {
            asked.forced.inherit(&attached.rules.traffic);
        }
        for attached in levels.iter().rev().flatten() {
            asked.usual.inherit(&attached.rules.traffic);
        }
        asked
    }

    /// Adds it to what a rule says itself.
    pub(super) fn apply(&self, filters: &mut Filters, timeouts: &mut RouteTimeouts) {
        let of_route = |request| RouteTimeouts {
            request: Some(config::Duration::from(request)),
            backend_request: None,
        };
        match (self.forced.request, self.usual.request) {
            (Some(request), _) => *timeouts = of_route(request),
            (None, Some(request)) if *timeouts == RouteTimeouts::default() => {
                *timeouts = of_route(request);
            }
            (None, _) => {}
        }
        if let Some(headers) = &self.forced.headers {
            filters.request_headers.clone_from(&headers.request);
            filters.response_headers.clone_from(&headers.response);
        } else if let Some(headers) = &self.usual.headers {
            add(&mut filters.request_headers, &headers.request);
            add(&mut filters.response_headers, &headers.response);
        }
        if self.forced.cors.is_some() {
            filters.cors.clone_from(&self.forced.cors);
        } else if filters.cors.is_none() {
            filters.cors.clone_from(&self.usual.cors);
        }
    }
}

fn add(own: &mut HeaderChanges, asked: &HeaderChanges) {
    if *own == HeaderChanges::default() {
        own.clone_from(asked);
    }
}
