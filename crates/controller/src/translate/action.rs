//! What answers the requests of a rule: a backend, an ordinary HTTP server, several, or nobody with the
//! reason why.

use config::document::{Action, Backend, Filters, Lead, RouteTimeouts, WeightedBackend};
use config::{Close, Diagnostic, DurationError};
use gateway_api::httproutes::{HttpRouteRules, HttpRouteRulesBackendRefs, HttpRouteRulesFilters};

use crate::object::About;
use crate::policy::Connection;
use crate::status::reason;
use crate::translate::attached::Attached;
use crate::translate::closed::{closed, unknown_condition, unknown_guard};
use crate::translate::connection::merged;
use crate::translate::faults::Faults;
use crate::translate::filter::{self, Filtering};
use crate::translate::guard::Guards;
use crate::translate::index::Index;
use crate::translate::planned::PlannedService;
use crate::translate::reference::{self, Led, Nowhere};
use crate::translate::traffic::Asked;

/// The id of what keeps a rule shut whose filters cannot be together.
const INCOMPATIBLE: &str = "route.incompatible-filters";

/// The action of a rule, and what belongs to it.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) action: Action,
    pub(super) filters: Filters,
    pub(super) timeouts: RouteTimeouts,
    /// The closed backends that stand in for those of its references that lead nowhere.
    pub(super) stand_ins: Vec<Backend>,
    /// The Services that it leads to.
    pub(super) services: Vec<PlannedService>,
    /// What the policies of Gateways and routes say of how it connects; what servers say themselves comes before.
    pub(super) connection: Connection,
    /// Where they say it.
    pub(super) said_at: SaidAt,
}

/// Where policies say how a rule connects.
#[derive(Debug, Clone, Default)]
pub(super) struct SaidAt {
    /// The Gateway, if one of its policies does.
    pub(super) gateway: Option<String>,
    /// The listener, route and rule of which policies do.
    pub(super) narrower: Vec<String>,
}

/// What the translation of rules reads.
pub(super) struct Reading<'a, 'w> {
    pub(super) world: &'a Index<'w>,
    pub(super) guards: &'a Guards,
    pub(super) route: &'a About,
}

/// A reference, and what it comes to.
struct Reference {
    /// Its place among the references of its rule.
    index: usize,
    weight: u32,
    led: Result<(Led, Filters), Nowhere>,
}

/// What answers a rule's requests. `name` is the rule's in the document, `rule_index` its place in the
/// route.
pub(super) fn answer(
    reading: &Reading<'_, '_>,
    name: &str,
    rule_index: usize,
    rule: &HttpRouteRules,
    faults: &mut Faults,
    diagnostics: &mut Vec<Diagnostic>,
) -> Answer {
    let route = reading.route;
    let field = &format!("spec.rules[{rule_index}]");
    let (filtering, timeouts) = match guard(route, field, rule) {
        Ok(guarded) => guarded,
        Err((field, close)) => {
            let reason = if close.id == INCOMPATIBLE {
                reason::INCOMPATIBLE_FILTERS
            } else {
                reason::UNSUPPORTED_VALUE
            };
            faults.rule(rule_index, reason, close.reason.as_str());
            diagnostics.push(route.error("route.closed", &field, closed(&close)));
            return Answer::closed(close);
        }
    };
    let mut references = Vec::new();
    for (index, written) in rule.backend_refs.iter().flatten().enumerate() {
        let led = lead(reading, written);
        if let Err(nowhere) = &led {
            let field = format!("{field}.backendRefs[{index}]");
            faults.reference(rule_index, nowhere.close());
            diagnostics.push(route.error("route.reference", &field, closed(nowhere.close())));
        }
        let weight = u32::try_from(written.weight.unwrap_or(1)).unwrap_or(0);
        if weight > 0 {
            references.push(Reference { index, weight, led });
        }
    }
    let mut answer = match (filtering.redirect, references.as_slice()) {
        (Some(redirect), _) => Answer::of(Action::Redirect(redirect)),
        (None, []) => {
            let reason = "no backendRef with a weight above 0 says who answers".to_owned();
            let close = Close { id: "route.no-backend".to_owned(), reason };
            diagnostics.push(route.error("route.no-backend", field, closed(&close)));
            Answer::of(Action::Fail(close))
        }
        (None, references) => Answer::leading(name, references),
    };
    (answer.filters, answer.timeouts) = (filtering.filters, timeouts);
    answer
}

impl Answer {
    /// Nobody answers, for this reason.
    pub(super) fn closed(close: Close) -> Self {
        Self::of(Action::Close(close))
    }

    /// The same by the policies of a Gateway, its listener, a route and its rule, with their names.
    pub(super) fn by(mut self, levels: &[Vec<Attached>; 4], names: [&str; 4]) -> Self {
        if matches!(self.action, Action::Close(_)) {
            return self;
        }
        Asked::of(levels).apply(&mut self.filters, &mut self.timeouts);
        self.connection = merged(levels);
        let says = |attached: &Attached| attached.rules.connection.parts().next().is_some();
        let mut places = levels
            .iter()
            .zip(names)
            .map(|(level, name)| level.iter().any(says).then(|| name.to_owned()));
        let gateway = places.next().flatten();
        self.said_at = SaidAt { gateway, narrower: places.flatten().collect() };
        self
    }

    fn of(action: Action) -> Self {
        Self {
            action,
            filters: Filters::default(),
            timeouts: RouteTimeouts::default(),
            stand_ins: Vec::new(),
            services: Vec::new(),
            connection: Connection::default(),
            said_at: SaidAt::default(),
        }
    }

    /// What references lead to. One that leads nowhere keeps its share, which is refused.
    fn leading(name: &str, references: &[Reference]) -> Self {
        let mut answer = Self::of(Action::Backends(Vec::new()));
        if let [Reference { led, .. }] = references
            && let Some(action) = single(led)
        {
            answer.action = action;
            answer.services.extend(service(led));
            return answer;
        }
        let mut shares = Vec::new();
        for Reference { index, weight, led } in references {
            let filters = match led {
                Ok((_, filters)) => filters.clone(),
                Err(_) => Filters::default(),
            };
            let lead = match led {
                Ok((Led::Backend(backend), _)) => Lead::Backend(backend.clone()),
                Ok((Led::Static(service), _)) => Lead::Service(service.clone()),
                Ok((Led::Service(service), _)) => Lead::Service(service.service.name.clone()),
                Err(Nowhere::Failed(close)) => Lead::Fail(close.clone()),
                Err(Nowhere::Closed(close)) => {
                    let name = format!("{name}/backendRefs/{index}");
                    let close = Some(close.clone());
                    answer.stand_ins.push(Backend {
                        name: name.clone(),
                        close,
                        ..Backend::default()
                    });
                    Lead::Backend(name)
                }
            };
            answer.services.extend(service(led));
            shares.push(WeightedBackend { lead, weight: *weight, filters });
        }
        answer.action = Action::Backends(shares);
        answer
    }
}

/// The short form of a single reference, if it has one.
fn single(led: &Result<(Led, Filters), Nowhere>) -> Option<Action> {
    match led {
        Ok((_, filters)) if *filters != Filters::default() => None,
        Ok((Led::Backend(backend), _)) => Some(Action::Backend(backend.clone())),
        Ok((Led::Static(service), _)) => Some(Action::Service(service.clone())),
        Ok((Led::Service(service), _)) => Some(Action::Service(service.service.name.clone())),
        Err(Nowhere::Closed(close)) => Some(Action::Close(close.clone())),
        Err(Nowhere::Failed(close)) => Some(Action::Fail(close.clone())),
    }
}

fn service(led: &Result<(Led, Filters), Nowhere>) -> Option<PlannedService> {
    match led {
        Ok((Led::Service(service), _)) => Some((**service).clone()),
        Ok((Led::Backend(_) | Led::Static(_), _)) | Err(_) => None,
    }
}

/// What is changed in a rule's requests and how long they may take; or the field that keeps the whole
/// rule shut, and why.
fn guard(
    route: &About,
    field: &str,
    rule: &HttpRouteRules,
) -> Result<(Filtering, RouteTimeouts), (String, Close)> {
    let filters = rule.filters.as_deref().unwrap_or_default();
    if let Some(close) = incompatible(filters) {
        return Err((format!("{field}.filters"), close));
    }
    let filtering = filter::of_rule(filters)
        .map_err(|(index, close)| (format!("{field}.filters[{index}]"), close))?;
    let timeouts = timeouts(rule).map_err(|close| (format!("{field}.timeouts"), close))?;
    if let Some(unknown) = unknown_condition(route, field) {
        let reason =
            format!("`{unknown}` is not known; without it this would be for more requests");
        let close = Close { id: "route.unknown-condition".to_owned(), reason };
        return Err((unknown.to_owned(), close));
    }
    if let Some(unknown) = unknown_guard(route, "spec.rules[", field) {
        let reason = format!("`{unknown}` may be meant to guard it and is not known");
        return Err((unknown.to_owned(), Close { id: "route.unknown-guard".to_owned(), reason }));
    }
    Ok((filtering, timeouts))
}

fn timeouts(rule: &HttpRouteRules) -> Result<RouteTimeouts, Close> {
    let Some(written) = &rule.timeouts else { return Ok(RouteTimeouts::default()) };
    let time = |written: &Option<String>| {
        let time = written.as_ref().map(|text| text.parse()).transpose();
        time.map_err(|error: DurationError| Close {
            id: "route.timeouts".to_owned(),
            reason: error.to_string(),
        })
    };
    Ok(RouteTimeouts {
        request: time(&written.request)?,
        backend_request: time(&written.backend_request)?,
    })
}

/// Filters that cannot be together: a request is rewritten or redirected, and either once.
fn incompatible(filters: &[HttpRouteRulesFilters]) -> Option<Close> {
    let count = |name: &str| filters.iter().filter(|filter| filter::name(filter) == name).count();
    let (rewrites, redirects) = (count("URLRewrite"), count("RequestRedirect"));
    let reason = match (rewrites, redirects) {
        (2.., _) => "`URLRewrite` is there more than once",
        (_, 2..) => "`RequestRedirect` is there more than once",
        (1, 1) => "`URLRewrite` and `RequestRedirect` cannot be together",
        _ => return None,
    };
    Some(Close { id: INCOMPATIBLE.to_owned(), reason: reason.to_owned() })
}

fn lead(
    reading: &Reading<'_, '_>,
    written: &HttpRouteRulesBackendRefs,
) -> Result<(Led, Filters), Nowhere> {
    let led = reference::resolve(reading.world, reading.guards, reading.route, written)?;
    let filters = written.filters.as_deref().unwrap_or_default();
    if matches!(led, Led::Backend(_)) && !filters.is_empty() {
        let reason = "filters of a reference to MCP servers are not built yet".to_owned();
        return Err(Nowhere::Closed(Close { id: "route.filter".to_owned(), reason }));
    }
    let filters = filter::of_reference(filters).map_err(Nowhere::Failed)?;
    Ok((led, filters))
}
