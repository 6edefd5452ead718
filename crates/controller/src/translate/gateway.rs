//! Which Gateways are ours to serve.

use config::Diagnostic;
use gateway_api::gateways::Gateway;

use crate::object::Object;
use crate::settings::Settings;
use crate::world::World;

/// The Gateways of our classes, the oldest first. The others are reported and left to whoever
/// serves them.
pub(super) fn served<'a>(
    world: &'a World,
    settings: &Settings,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<&'a Object<Gateway>> {
    let mut gateways = Vec::new();
    for gateway in &world.gateways {
        let class = gateway.value.spec.gateway_class_name.as_str();
        if is_ours(world, settings, class) {
            diagnostics.extend(unused(gateway));
            gateways.push(gateway);
        } else {
            let message = format!(
                "class `{class}` is not served here; `{}` is, and every GatewayClass with \
                 controllerName `{}`",
                settings.class, settings.controller
            );
            diagnostics.push(gateway.about.warning(
                "gateway.class",
                "spec.gatewayClassName",
                message,
            ));
        }
    }
    gateways.sort_by(|left, right| left.about.by_age(&right.about));
    gateways
}

/// What a Gateway says that means nothing here.
fn unused(gateway: &Object<Gateway>) -> Vec<Diagnostic> {
    let spec = &gateway.value.spec;
    let parameters = spec.infrastructure.as_ref().and_then(|one| one.parameters_ref.as_ref());
    let unused = [
        ("spec.addresses", spec.addresses.as_ref().is_some_and(|addresses| !addresses.is_empty())),
        ("spec.infrastructure.parametersRef", parameters.is_some()),
    ];
    let unused = unused.into_iter().filter(|(_, is_written)| *is_written);
    unused
        .map(|(field, _)| gateway.about.warning("gateway.unused", field, "not used; ignored"))
        .collect()
}

fn is_ours(world: &World, settings: &Settings, class: &str) -> bool {
    match world.classes.iter().find(|object| object.about.name.name == class) {
        Some(object) => object.value.spec.controller_name == settings.controller,
        None => class == settings.class,
    }
}
