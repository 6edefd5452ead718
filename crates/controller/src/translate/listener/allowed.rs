//! Which routes a listener takes: of which kinds, and of which namespaces.

use gateway_api::gateways::{
    GatewayListeners, GatewayListenersAllowedRoutes, GatewayListenersAllowedRoutesKinds,
    GatewayListenersAllowedRoutesNamespacesFrom as From,
    GatewayListenersAllowedRoutesNamespacesSelector as NamespaceSelector,
    GatewayListenersAllowedRoutesNamespacesSelectorMatchExpressions as Expression,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use crate::selector;
use crate::status::reason;
use crate::translate::index::Index;
use crate::translate::listener::Problem;

/// The kinds of routes that a listener takes.
pub(super) struct Kinds {
    pub(super) takes_routes: bool,
    pub(super) problem: Option<Problem>,
}

/// Which kinds a listener takes. Only HTTPRoutes can be taken, and only where HTTP is spoken.
pub(super) fn kinds(written: &GatewayListeners) -> Kinds {
    let takes_http = matches!(written.protocol.as_str(), "HTTP" | "HTTPS");
    let kinds = written.allowed_routes.as_ref().and_then(|allowed| allowed.kinds.as_deref());
    let kinds = kinds.unwrap_or_default();
    let is_route = |kind: &GatewayListenersAllowedRoutesKinds| {
        let group = kind.group.as_deref().unwrap_or("gateway.networking.k8s.io");
        takes_http && (group, kind.kind.as_str()) == ("gateway.networking.k8s.io", "HTTPRoute")
    };
    let others = kinds.iter().filter(|kind| !is_route(kind));
    let others: Vec<String> = others.map(|kind| format!("`{}`", kind.kind)).collect();
    let problem = (!others.is_empty()).then(|| Problem {
        reason: reason::INVALID_ROUTE_KINDS,
        message: format!("it cannot take routes of these kinds: {}", others.join(", ")),
        id: "listener.kinds",
        field: ".allowedRoutes.kinds",
    });
    Kinds { takes_routes: takes_http && (kinds.is_empty() || kinds.iter().any(is_route)), problem }
}

/// Whether a listener of a Gateway in the namespace `own` takes routes of `namespace`.
pub(super) fn from(
    allowed: Option<&GatewayListenersAllowedRoutes>,
    world: &Index<'_>,
    own: &str,
    namespace: &str,
) -> bool {
    let namespaces = allowed.and_then(|allowed| allowed.namespaces.as_ref());
    let Some(namespaces) = namespaces else { return namespace == own };
    match (&namespaces.from, &namespaces.selector) {
        (None | Some(From::Same), _) => namespace == own,
        (Some(From::All), _) => true,
        (Some(From::Selector), Some(selector)) => {
            let labels = world.namespace_labels(namespace);
            selector::matches(&label_selector(selector), &labels).unwrap_or(false)
        }
        (Some(From::Selector), None) => false,
    }
}

fn label_selector(selector: &NamespaceSelector) -> LabelSelector {
    let requirement = |expression: &Expression| LabelSelectorRequirement {
        key: expression.key.clone(),
        operator: expression.operator.clone(),
        values: expression.values.clone(),
    };
    LabelSelector {
        match_labels: selector.match_labels.clone(),
        match_expressions: selector
            .match_expressions
            .as_ref()
            .map(|expressions| expressions.iter().map(requirement).collect()),
    }
}
