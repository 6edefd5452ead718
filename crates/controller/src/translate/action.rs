//! What answers the requests of a rule: a backend, several, or nobody with the reason why.

use config::document::{Action, Backend, Filters, Lead, WeightedBackend};
use config::{Close, Diagnostic, is_condition, is_guard};
use gateway_api::httproutes::{
    HttpRouteRules, HttpRouteRulesBackendRefs, HttpRouteRulesBackendRefsFiltersType,
    HttpRouteRulesFilters, HttpRouteRulesFiltersType,
};

use crate::manifests::UNREADABLE;
use crate::object::About;
use crate::status::reason;
use crate::translate::faults::Faults;
use crate::translate::index::Index;
use crate::translate::reference;

/// The id of what keeps a rule shut whose filters cannot be together.
const INCOMPATIBLE: &str = "route.incompatible-filters";

/// The action of a rule, and the closed backends that stand in for those of its references that
/// lead nowhere.
pub(super) struct Answer {
    pub(super) action: Action,
    pub(super) stand_ins: Vec<Backend>,
}

/// What answers a rule's requests. `name` is the rule's in the document, `rule_index` its place in the
/// route.
pub(super) fn answer(
    world: &Index<'_>,
    route: &About,
    name: &str,
    rule_index: usize,
    rule: &HttpRouteRules,
    faults: &mut Faults,
    diagnostics: &mut Vec<Diagnostic>,
) -> Answer {
    let field = &format!("spec.rules[{rule_index}]");
    if rule.timeouts.is_some() {
        let field = format!("{field}.timeouts");
        let message = "timeouts are not built yet; ignored";
        diagnostics.push(route.warning("route.timeouts", &field, message));
    }
    if let Some((field, close)) = guard(route, field, rule) {
        let reason = if close.id == INCOMPATIBLE {
            reason::INCOMPATIBLE_FILTERS
        } else {
            reason::UNSUPPORTED_VALUE
        };
        faults.rule(rule_index, reason, close.reason.as_str());
        diagnostics.push(route.error("route.closed", &field, closed(&close)));
        return Answer::closed(close);
    }
    let references = rule.backend_refs.as_deref().unwrap_or_default();
    let mut leads = Vec::new();
    for (index, reference) in references.iter().enumerate() {
        let field = format!("{field}.backendRefs[{index}]");
        let lead = lead(world, route, reference);
        if let Err(close) = &lead {
            faults.reference(rule_index, close);
            diagnostics.push(route.error("route.reference", &field, closed(close)));
        }
        let weight = u32::try_from(reference.weight.unwrap_or(1)).unwrap_or(0);
        if weight > 0 {
            leads.push((index, weight, lead));
        }
    }
    match leads.as_slice() {
        [] => {
            let reason = "no backendRef with a weight above 0 says who answers".to_owned();
            let close = Close { id: "route.no-backend".to_owned(), reason };
            diagnostics.push(route.error("route.no-backend", field, closed(&close)));
            Answer::closed(close)
        }
        [(_, _, Ok(backend))] => {
            Answer { action: Action::Backend(backend.clone()), stand_ins: Vec::new() }
        }
        [(_, _, Err(close))] => Answer::closed(close.clone()),
        leads => several(name, leads),
    }
}

impl Answer {
    /// Nobody answers, for this reason.
    pub(super) fn closed(close: Close) -> Self {
        Self { action: Action::Close(close), stand_ins: Vec::new() }
    }
}

/// How a diagnostic says that something is shut.
pub(super) fn closed(close: &Close) -> String {
    format!("closed: {}", close.reason)
}

/// Shares among several. One that leads nowhere keeps its share, which is refused.
fn several(name: &str, leads: &[(usize, u32, Result<String, Close>)]) -> Answer {
    let mut stand_ins = Vec::new();
    let mut shares = Vec::new();
    for (index, weight, lead) in leads {
        let name = match lead {
            Ok(backend) => backend.clone(),
            Err(close) => {
                let name = format!("{name}/backendRefs/{index}");
                let close = Some(close.clone());
                stand_ins.push(Backend { name: name.clone(), close, ..Backend::default() });
                name
            }
        };
        let (lead, filters) = (Lead::Backend(name), Filters::default());
        shares.push(WeightedBackend { lead, weight: *weight, filters });
    }
    Answer { action: Action::Backends(shares), stand_ins }
}

/// What guards the whole rule and is not built, and its field.
fn guard(route: &About, field: &str, rule: &HttpRouteRules) -> Option<(String, Close)> {
    let filters = rule.filters.as_deref().unwrap_or_default();
    if let Some(close) = incompatible(filters) {
        return Some((format!("{field}.filters"), close));
    }
    if let Some(filter) = filters.first() {
        return Some((format!("{field}.filters[0]"), filter_close(filter_name(filter))));
    }
    if let Some(unknown) = unknown_condition(route, field) {
        let reason =
            format!("`{unknown}` is not known; without it this would be for more requests");
        return Some((
            unknown.to_owned(),
            Close { id: "route.unknown-condition".to_owned(), reason },
        ));
    }
    let unknown = unknown_guard(route, "spec.rules[", field)?;
    let reason = format!("`{unknown}` may be meant to guard it and is not known");
    Some((unknown.to_owned(), Close { id: "route.unknown-guard".to_owned(), reason }))
}

/// Filters that cannot be together: a request is rewritten or redirected, and either once.
fn incompatible(filters: &[HttpRouteRulesFilters]) -> Option<Close> {
    let count = |name: &str| filters.iter().filter(|filter| filter_name(filter) == name).count();
    let (rewrites, redirects) = (count("URLRewrite"), count("RequestRedirect"));
    let reason = match (rewrites, redirects) {
        (2.., _) => "`URLRewrite` is there more than once",
        (_, 2..) => "`RequestRedirect` is there more than once",
        (1, 1) => "`URLRewrite` and `RequestRedirect` cannot be together",
        _ => return None,
    };
    Some(Close { id: INCOMPATIBLE.to_owned(), reason: reason.to_owned() })
}

/// The first unknown field that says which requests the rule at `field` is for: in its matches, beside
/// them, beside the route's `hostnames`, or where the route is attached.
fn unknown_condition<'a>(route: &'a About, field: &str) -> Option<&'a str> {
    let (inside, matches) = (format!("{field}."), format!("{field}.matches["));
    let narrows = |unknown: &&String| {
        let beside = unknown.strip_prefix(&inside).or_else(|| unknown.strip_prefix("spec."));
        unknown.starts_with(&matches)
            || unknown.starts_with("spec.parentRefs[")
            || beside.is_some_and(is_condition)
    };
    route.unknown.iter().find(narrows).map(String::as_str)
}

/// The first unknown field of the listener at `field` that says which requests it is for.
pub(super) fn unknown_condition_of_listener<'a>(
    gateway: &'a About,
    field: &str,
) -> Option<&'a str> {
    let inside = format!("{field}.");
    let narrows = |unknown: &&String| unknown.strip_prefix(&inside).is_some_and(is_condition);
    gateway.unknown.iter().find(narrows).map(String::as_str)
}

/// The first unknown field that may guard one element of an object's list: it stands in the
/// element, at `field`, or outside of the list, whose fields begin with `list`.
pub(super) fn unknown_guard<'a>(about: &'a About, list: &str, field: &str) -> Option<&'a str> {
    let guards_it = |unknown: &&String| {
        let inside = unknown.strip_prefix(field).is_some_and(|rest| rest.starts_with('.'));
        is_guard(unknown) && (inside || !unknown.starts_with(list))
    };
    about.unknown.iter().find(guards_it).map(String::as_str)
}

fn lead(
    world: &Index<'_>,
    route: &About,
    reference: &HttpRouteRulesBackendRefs,
) -> Result<String, Close> {
    let filters = reference.filters.as_deref().unwrap_or_default();
    if let Some(filter) = filters.first() {
        let name = match filter.r#type {
            HttpRouteRulesBackendRefsFiltersType::RequestHeaderModifier => "RequestHeaderModifier",
            HttpRouteRulesBackendRefsFiltersType::ResponseHeaderModifier => {
                "ResponseHeaderModifier"
            }
            HttpRouteRulesBackendRefsFiltersType::RequestMirror => "RequestMirror",
            HttpRouteRulesBackendRefsFiltersType::RequestRedirect => "RequestRedirect",
            HttpRouteRulesBackendRefsFiltersType::UrlRewrite => "URLRewrite",
            HttpRouteRulesBackendRefsFiltersType::Cors => "CORS",
            HttpRouteRulesBackendRefsFiltersType::ExtensionRef => {
                extension(filter.extension_ref.as_ref().map(|extension| extension.kind.as_str()))
            }
        };
        return Err(filter_close(name));
    }
    reference::resolve(world, route, reference)
}

fn filter_name(filter: &HttpRouteRulesFilters) -> &str {
    match filter.r#type {
        HttpRouteRulesFiltersType::RequestHeaderModifier => "RequestHeaderModifier",
        HttpRouteRulesFiltersType::ResponseHeaderModifier => "ResponseHeaderModifier",
        HttpRouteRulesFiltersType::RequestMirror => "RequestMirror",
        HttpRouteRulesFiltersType::RequestRedirect => "RequestRedirect",
        HttpRouteRulesFiltersType::UrlRewrite => "URLRewrite",
        HttpRouteRulesFiltersType::Cors => "CORS",
        HttpRouteRulesFiltersType::ExtensionRef => {
            extension(filter.extension_ref.as_ref().map(|extension| extension.kind.as_str()))
        }
    }
}

fn extension(kind: Option<&str>) -> &str {
    kind.unwrap_or("ExtensionRef")
}

fn filter_close(name: &str) -> Close {
    let reason = match name {
        UNREADABLE => "it cannot be read".to_owned(),
        name => format!("filter `{name}` is not built yet"),
    };
    Close { id: "route.filter".to_owned(), reason }
}
