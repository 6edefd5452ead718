//! Which Gateways are ours to serve, and how they fare.

mod status;

use config::Diagnostic;
use gateway_api::gateways::{Gateway, GatewayAddresses};

use crate::object::{Object, ObjectName};
use crate::translate::class::{self, Parameters, is_ours};
use crate::translate::guard::Guards;
use crate::translate::index::Index;
use crate::translate::listener::{self, Listener};
pub(super) use status::status;

/// A Gateway that is ours, and all its listeners in order.
pub(super) struct Served<'a> {
    pub(super) object: &'a Object<Gateway>,
    pub(super) listeners: Vec<Listener>,
}

impl Served<'_> {
    pub(super) fn name(&self) -> &ObjectName {
        &self.object.about.name
    }

    /// Whether any of it can be served.
    pub(super) fn is_in_force(&self) -> bool {
        self.in_force().next().is_some()
    }

    /// The listeners that can be served.
    pub(super) fn in_force(&self) -> impl Iterator<Item = &Listener> {
        self.listeners.iter().filter(|listener| listener.is_served())
    }
}

/// The Gateways of our classes, the oldest first. The others are reported and left to whoever
/// serves them.
pub(super) fn served<'a>(
    world: &Index<'a>,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Served<'a>> {
    let mut gateways = Vec::new();
    for gateway in &world.world.gateways {
        let class = gateway.value.spec.gateway_class_name.as_str();
        if is_ours(world, gateway) {
            diagnostics.extend(unused(world, gateway));
            gateways.push(gateway);
        } else {
            let message = format!(
                "class `{class}` is not served here; `{}` is, and every GatewayClass with \
                 controllerName `{}`",
                world.settings.class, world.settings.controller
            );
            diagnostics.push(gateway.about.warning(
                "gateway.class",
                "spec.gatewayClassName",
                message,
            ));
        }
    }
    gateways.sort_by(|left, right| left.about.by_age(&right.about));
    let with_listeners = |object: &'a Object<Gateway>| Served {
        object,
        listeners: listener::listeners(world, object, guards, diagnostics),
    };
    gateways.into_iter().map(with_listeners).collect()
}

/// What a Gateway asks of its parameters that cannot be given.
fn invalid_parameters(world: &Index<'_>, gateway: &Object<Gateway>) -> Option<String> {
    let infrastructure = gateway.value.spec.infrastructure.as_ref()?;
    let reference = infrastructure.parameters_ref.as_ref()?;
    let parameters = Parameters {
        group: &reference.group,
        kind: &reference.kind,
        namespace: Some(gateway.about.namespace()),
        name: &reference.name,
    };
    class::invalid(world, parameters)
}

/// The first address that is asked for: none can be chosen.
fn chosen_address(gateway: &Object<Gateway>) -> Option<String> {
    let is_chosen = |address: &&GatewayAddresses| {
        let is_known = matches!(address.r#type.as_deref(), None | Some("IPAddress" | "Hostname"));
        let value = address.value.as_deref().unwrap_or_default();
        !is_known || !value.is_empty()
    };
    let address = gateway.value.spec.addresses.iter().flatten().find(is_chosen)?;
    let kind = address.r#type.as_deref().unwrap_or("IPAddress");
    let value = address.value.as_deref().unwrap_or_default();
    Some(format!("{kind} `{value}`: addresses cannot be chosen; leave `addresses` out"))
}

/// What a Gateway says that means nothing here.
fn unused(world: &Index<'_>, gateway: &Object<Gateway>) -> Vec<Diagnostic> {
    let unused = [
        ("gateway.address", "spec.addresses", chosen_address(gateway)),
        (
            "gateway.parameters",
            "spec.infrastructure.parametersRef",
            invalid_parameters(world, gateway),
        ),
    ];
    let unused = unused.into_iter().filter_map(|(id, field, message)| {
        message.map(|message| gateway.about.warning(id, field, format!("{message}; ignored")))
    });
    unused.collect()
}
