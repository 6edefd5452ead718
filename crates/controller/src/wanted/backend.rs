//! What is to be said of a Backend and of each of its targets.

use serde_json::{Value, json};

use crate::kind::Kind;
use crate::object::ObjectName;
use crate::resources::{BackendSummary, TargetStatus};
use crate::status::{BackendOutcome, TargetOutcome};
use crate::stores::Stored;
use crate::translate::{backend_name, kgateway_backend_name};
use crate::wanted::Sight;
use crate::written::{self, Moment, found};

/// What proxies report of a target, by the fields of its status.
const REPORTED: [&str; 5] = ["state", "revision", "tools", "lastError", "endpoints"];

/// The `status` of a Backend.
pub(super) fn status(
    sight: &Sight<'_>,
    kind: Kind,
    name: &ObjectName,
    outcome: &BackendOutcome,
    stored: &Stored,
    moment: Moment,
) -> Value {
    let backend = match kind {
        Kind::KgatewayBackend => kgateway_backend_name(name),
        _ => backend_name(name),
    };
    let current = |field: &str| stored.status.get(field).unwrap_or(&Value::Null);
    let before = current("targets");
    let targets: Vec<TargetStatus> =
        outcome.targets.iter().map(|target| of_target(sight, &backend, target, before)).collect();
    let is_up = |target: &&TargetStatus| matches!(target.state.as_deref(), Some("up" | "stale"));
    let summary = BackendSummary {
        targets: format!("{}/{}", targets.iter().filter(is_up).count(), targets.len()),
        tools: targets.iter().filter_map(|target| target.tools).sum(),
    };
    json!({
        "conditions": written::conditions(&outcome.conditions, current("conditions"), moment),
        "summary": summary,
        "targets": targets,
    })
}

/// Whether two statuses differ by nothing but what proxies report.
pub(super) fn differs_by_reports(one: &Value, other: &Value) -> bool {
    let targets = |status: &Value| {
        let mut targets = status.get("targets").cloned().unwrap_or_default();
        for target in targets.as_array_mut().into_iter().flatten() {
            let Some(target) = target.as_object_mut() else { continue };
            for reported in REPORTED {
                target.remove(reported);
            }
        }
        targets
    };
    let is_none = |targets: &Value| targets.as_array().is_none_or(Vec::is_empty);
    let (ours, theirs) = (targets(one), targets(other));
    let same_targets = ours == theirs || (is_none(&ours) && is_none(&theirs));
    same_targets && written::same_conditions(one, other)
}

fn of_target(
    sight: &Sight<'_>,
    backend: &str,
    target: &TargetOutcome,
    before: &Value,
) -> TargetStatus {
    let endpoints = target.service.as_ref().and_then(|key| sight.endpoints.get(key));
    let said = |text: String| Some(text).filter(|text| !text.is_empty());
    let mut status = TargetStatus {
        name: target.name.clone(),
        service: target.service.clone(),
        endpoints: endpoints.map(|addresses| i64::try_from(addresses.len()).unwrap_or(i64::MAX)),
        message: said(target.message.clone()).or_else(|| {
            let has_none = endpoints.is_some_and(Vec::is_empty);
            has_none.then(|| "its Service has no endpoint that is ready; it is down".to_owned())
        }),
        ..TargetStatus::default()
    };
    let gateways = sight.serving.get(backend).map(Vec::as_slice).unwrap_or_default();
    if let Some(report) = sight.proxies.target(gateways, backend, &target.name) {
        // What was overcome is nobody's business any more.
        status.last_error = said(report.error).filter(|_| report.state != "up");
        status.state = said(report.state);
        status.revision = said(report.revision);
        status.tools = Some(i64::from(report.tools));
    } else if sight.is_early
        && let Some(before) = found(before, "name", &target.name)
        && let Ok(before) = serde_json::from_value::<TargetStatus>(before.clone())
    {
        status.state = before.state;
        status.revision = before.revision;
        status.tools = before.tools;
        status.last_error = before.last_error;
    }
    status
}
