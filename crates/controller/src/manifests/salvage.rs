//! What can be kept of a route that this version of the Gateway API cannot decode: a rule that
//! cannot be read stays as a closed one, so that its requests do not reach another rule that
//! lacks its guards.

use gateway_api::httproutes::{
    HttpRouteRules, HttpRouteRulesBackendRefsFilters, HttpRouteRulesFilters, HttpRouteRulesMatches,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use config::Diagnostic;

use crate::object::About;

/// The kind of the filter that stands for what cannot be read.
pub(crate) const UNREADABLE: &str = "unreadable";

/// Makes a route decodable as far as its rules go. A filter of an unknown kind becomes a
/// reference to an extension that nobody has, which closes its rule or its reference; a rule that
/// still cannot be read becomes such a filter and those of its matches that can be read.
pub(super) fn salvage(route: &mut Value, about: &About) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let rules = route.pointer_mut("/spec/rules").and_then(Value::as_array_mut);
    let Some(rules) = rules else { return diagnostics };
    let mut kept = Vec::with_capacity(rules.len());
    for (index, mut rule) in std::mem::take(rules).into_iter().enumerate() {
        mark_filters::<HttpRouteRulesFilters>(&mut rule);
        let references = rule.get_mut("backendRefs").and_then(Value::as_array_mut);
        for reference in references.into_iter().flatten() {
            mark_filters::<HttpRouteRulesBackendRefsFilters>(reference);
        }
        if let Err(error) = serde_path_to_error::deserialize::<_, HttpRouteRules>(&rule) {
            let field = format!("spec.rules[{index}].{}", error.path());
            let message = format!("{}; the rule is closed", error.inner());
            diagnostics.push(about.error("route.rule", &field, message));
            rule = closed(&rule);
        }
        kept.push(rule);
    }
    *rules = kept;
    diagnostics
}

fn mark_filters<F: DeserializeOwned>(holder: &mut Value) {
    let filters = holder.get_mut("filters").and_then(Value::as_array_mut);
    for filter in filters.into_iter().flatten() {
        if serde_json::from_value::<F>(filter.clone()).is_err() {
            let kind = filter.get("type").and_then(Value::as_str).unwrap_or(UNREADABLE);
            *filter = extension(kind);
        }
    }
}

/// A closed rule in the place of one that cannot be read. Where none of its matches can be read,
/// it keeps one that `translate` leaves out, lest it close what was never its.
fn closed(rule: &Value) -> Value {
    let written = rule.get("matches").and_then(Value::as_array);
    let is_readable =
        |one: &&Value| serde_json::from_value::<HttpRouteRulesMatches>((*one).clone()).is_ok();
    let mut matches: Vec<Value> =
        written.into_iter().flatten().filter(is_readable).cloned().collect();
    if matches.is_empty() && rule.get("matches").is_some() {
        matches.push(json!({ "path": { "value": "" } }));
    }
    json!({ "matches": matches, "filters": [extension(UNREADABLE)] })
}

fn extension(kind: &str) -> Value {
    let reference = json!({ "group": "", "kind": kind, "name": "unknown" });
    json!({ "type": "ExtensionRef", "extensionRef": reference })
}
