//! The listeners of our Gateways, and which routes each of them takes.

use std::collections::BTreeSet;

use config::document::Protocol;
use config::{Close, Diagnostic, Place};
use gateway_api::gateways::{
    Gateway, GatewayListeners, GatewayListenersAllowedRoutes,
    GatewayListenersAllowedRoutesNamespacesFrom as From,
    GatewayListenersAllowedRoutesNamespacesSelector as NamespaceSelector,
    GatewayListenersAllowedRoutesNamespacesSelectorMatchExpressions as Expression,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use crate::object::{About, Object, ObjectName};
use crate::selector;
use crate::translate::action::{closed, unknown_condition_of_listener, unknown_guard};
use crate::translate::guard::{Guarded, Guards};
use crate::translate::port::port;
use crate::translate::section;
use crate::world::World;

/// A listener that is served.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    /// What the document calls it: `namespace/gateway/listener`.
    pub(super) name: String,
    /// Its Gateway.
    pub(super) gateway: ObjectName,
    /// What its Gateway calls it.
    pub(super) section: String,
    /// The only hosts it answers for.
    pub(super) hostname: Option<String>,
    /// Its port.
    pub(super) port: u16,
    /// What is spoken on it.
    pub(super) protocol: Protocol,
    /// What keeps all its routes shut.
    pub(super) close: Option<Close>,
    /// Where it was written.
    pub(super) place: Option<Place>,
    allowed: Option<GatewayListenersAllowedRoutes>,
}

/// The listeners of `gateways` that can be served, in order; the others are reported.
pub(super) fn listeners(
    gateways: &[&Object<Gateway>],
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for gateway in gateways {
        let mut taken = BTreeSet::new();
        for (index, written) in gateway.value.spec.listeners.iter().enumerate() {
            let field = format!("spec.listeners[{index}]");
            match listener(&gateway.about, written, &field, guards, diagnostics) {
                Ok(listener) if taken.insert((listener.port, listener.hostname.clone())) => {
                    listeners.push(listener);
                }
                Ok(_) => diagnostics.push(gateway.about.error(
                    "listener.conflict",
                    &field,
                    "an earlier listener has this port and hostname; it is left out",
                )),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
    }
    listeners
}

fn listener(
    gateway: &About,
    written: &GatewayListeners,
    field: &str,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Listener, Diagnostic> {
    let protocol = match written.protocol.as_str() {
        "HTTP" => Protocol::Http,
        "HTTPS" => Protocol::Https,
        other => {
            let field = format!("{field}.protocol");
            let message = format!("protocol `{other}` is not served; HTTP and HTTPS are");
            return Err(gateway.error("listener.protocol", &field, message));
        }
    };
    let Some(port) = port(written.port) else {
        let message = format!("`{}` is not a port; the listener is left out", written.port);
        return Err(gateway.error("listener.port", &format!("{field}.port"), message));
    };
    let unknown = unknown_guard(gateway, "spec.listeners[", field).map(|unknown| Close {
        id: "listener.unknown-guard".to_owned(),
        reason: format!("`{unknown}` may be meant to guard it and is not known"),
    });
    let unknown = unknown.or_else(|| {
        let unknown = unknown_condition_of_listener(gateway, field)?;
        let reason =
            format!("`{unknown}` is not known; without it this would be for more requests");
        Some(Close { id: "listener.unknown-condition".to_owned(), reason })
    });
    let close = guards.part(Guarded::Gateway, &gateway.name, &section::of_listener(written));
    let close = close.or(unknown.as_ref());
    if let Some(close) = close {
        diagnostics.push(gateway.error("listener.closed", field, closed(close)));
    }
    let hostname = written.hostname.as_deref().filter(|hostname| !hostname.is_empty());
    Ok(Listener {
        name: format!("{}/{}", gateway.name, written.name),
        gateway: gateway.name.clone(),
        section: written.name.clone(),
        hostname: hostname.map(str::to_ascii_lowercase),
        port,
        protocol,
        close: close.cloned(),
        place: gateway.place(field),
        allowed: written.allowed_routes.clone(),
    })
}

impl Listener {
    /// Whether routes of `namespace` may attach to it.
    pub(super) fn allows(&self, world: &World, namespace: &str) -> bool {
        let Some(allowed) = &self.allowed else { return namespace == self.gateway.namespace };
        let of_our_kind = allowed.kinds.as_ref().is_none_or(|kinds| {
            kinds.iter().any(|kind| kind.kind == "HTTPRoute") || kinds.is_empty()
        });
        of_our_kind && self.allows_namespace(world, namespace)
    }

    fn allows_namespace(&self, world: &World, namespace: &str) -> bool {
        let namespaces = self.allowed.as_ref().and_then(|allowed| allowed.namespaces.as_ref());
        let own = namespace == self.gateway.namespace;
        let Some(namespaces) = namespaces else { return own };
        match (&namespaces.from, &namespaces.selector) {
            (None | Some(From::Same), _) => own,
            (Some(From::All), _) => true,
            (Some(From::Selector), Some(selector)) => {
                let labels = world.namespace_labels(namespace);
                selector::matches(&label_selector(selector), &labels).unwrap_or(false)
            }
            (Some(From::Selector), None) => false,
        }
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
