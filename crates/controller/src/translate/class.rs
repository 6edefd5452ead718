//! The GatewayClasses that name our controller, and the Gateways that are ours by them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use gateway_api::gateways::Gateway;

use crate::object::{About, Object, ObjectName};
use crate::status::Condition;
use crate::status::reason::{self, kind};
use crate::translate::index::Index;

/// The minor versions 1.x of the Gateway API that are understood.
const MINORS: RangeInclusive<u32> = 4..=7;
/// Where a definition says of which version it is.
const VERSION: &str = "gateway.networking.k8s.io/bundle-version";

/// A reference to parameters.
pub(super) struct Parameters<'a> {
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    pub(super) namespace: Option<&'a str>,
    pub(super) name: &'a str,
}

/// Whether a Gateway is of a class of ours.
pub(super) fn is_ours(world: &Index<'_>, gateway: &Object<Gateway>) -> bool {
    let class = gateway.value.spec.gateway_class_name.as_str();
    match world.class(class) {
        Some(object) => object.value.spec.controller_name == world.settings.controller,
        None => class == world.settings.class,
    }
}

/// What is to be said of each class of ours.
pub(super) fn statuses(world: &Index<'_>) -> BTreeMap<ObjectName, Vec<Condition>> {
    let ours = world.world.classes.iter();
    let ours = ours.filter(|class| class.value.spec.controller_name == world.settings.controller);
    let mut statuses = BTreeMap::new();
    for class in ours {
        let reference = class.value.spec.parameters_ref.as_ref();
        let parameters = reference.map(|reference| Parameters {
            group: &reference.group,
            kind: &reference.kind,
            namespace: reference.namespace.as_deref(),
            name: &reference.name,
        });
        let accepted = match parameters.and_then(|parameters| invalid(world, parameters)) {
            None => Condition::holds(kind::ACCEPTED, reason::ACCEPTED),
            Some(message) => Condition::fails(kind::ACCEPTED, reason::INVALID_PARAMETERS, message),
        };
        let mut conditions = vec![accepted];
        conditions.extend(supported_version(&world.world.definitions));
        statuses.insert(class.about.name.clone(), conditions);
    }
    statuses
}

/// Why parameters cannot be used, if they cannot.
pub(super) fn invalid(world: &Index<'_>, parameters: Parameters<'_>) -> Option<String> {
    let Parameters { group, kind, namespace, name } = parameters;
    if (group, kind) != ("agentgateway.dev", "AgentgatewayParameters") {
        return Some(format!(
            "parametersRef: {kind} of group `{group}` is not known; \
             AgentgatewayParameters of group `agentgateway.dev` are"
        ));
    }
    let Some(namespace) = namespace else {
        return Some(format!("parametersRef: write the namespace of `{name}`"));
    };
    let name = ObjectName::new(namespace, name);
    let missing = format!("parametersRef: there are no AgentgatewayParameters {name}");
    (!world.has_parameters(&name)).then_some(missing)
}

/// Whether all definitions of the Gateway API are of versions that are understood. Nothing is said
/// where none is known.
fn supported_version(definitions: &[About]) -> Option<Condition> {
    if definitions.is_empty() {
        return None;
    }
    let mut unsupported = BTreeSet::new();
    for definition in definitions {
        match definition.annotation(VERSION) {
            Some(version) if is_understood(version) => {}
            Some(version) => unsupported.extend([format!("`{version}`")]),
            None => unsupported.extend([format!("{}, which says none", definition.name)]),
        }
    }
    if unsupported.is_empty() {
        return Some(Condition::holds(kind::SUPPORTED_VERSION, reason::SUPPORTED_VERSION));
    }
    let found = unsupported.into_iter().collect::<Vec<String>>().join(", ");
    let message = format!(
        "the Gateway API in this cluster has versions that are not known: {found}; known are 1.{} \
         to 1.{}",
        MINORS.start(),
        MINORS.end()
    );
    Some(Condition::fails(kind::SUPPORTED_VERSION, reason::UNSUPPORTED_VERSION, message))
}

/// Whether a version reads `v1.<minor>.<patch>`, with a minor version that is understood.
fn is_understood(version: &str) -> bool {
    let minor = version.strip_prefix("v1.").and_then(|rest| rest.split('.').next());
    minor.and_then(|minor| minor.parse().ok()).is_some_and(|minor| MINORS.contains(&minor))
}
