//! What the parts of objects are called where a policy names one as its `sectionName`. A part may
//! have several names, or none.

use gateway_api::gateways::GatewayListeners;
use gateway_api::httproutes::HttpRouteRules;
use k8s_openapi::api::core::v1::ServicePort;

/// A listener goes by its name.
pub(super) fn of_listener(listener: &GatewayListeners) -> Vec<String> {
    written([Some(&listener.name)])
}

/// A rule goes by its name, if it has one.
pub(super) fn of_rule(rule: &HttpRouteRules) -> Vec<String> {
    written([rule.name.as_ref()])
}

/// A port goes by its number, and by its name where the Service is known and gives it one.
pub(super) fn of_port(number: i32, port: Option<&ServicePort>) -> Vec<String> {
    written([Some(&number.to_string()), port.and_then(|port| port.name.as_ref())])
}

fn written<const N: usize>(names: [Option<&String>; N]) -> Vec<String> {
    names.into_iter().flatten().filter(|name| !name.is_empty()).cloned().collect()
}
