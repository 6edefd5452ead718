//! Whether an object may refer to one of another namespace.

use crate::object::ObjectName;
use crate::translate::index::Index;

/// The kinds of objects whose references are looked at, as ReferenceGrants name them.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
}

impl Kind {
    pub(super) const GATEWAY: Self = Self { group: GATEWAY_API, kind: "Gateway" };
    pub(super) const ROUTE: Self = Self { group: GATEWAY_API, kind: "HTTPRoute" };
    pub(super) const BACKEND: Self =
        Self { group: "agentgateway.dev", kind: "AgentgatewayBackend" };
    pub(super) const KGATEWAY_BACKEND: Self =
        Self { group: "gateway.kgateway.dev", kind: "Backend" };
}

/// What is referred to.
#[derive(Clone, Copy)]
pub(super) struct Referent<'a> {
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    pub(super) name: &'a ObjectName,
}

const GATEWAY_API: &str = "gateway.networking.k8s.io";

/// Whether an object of the kind `from` in `namespace` may refer to something: in its own namespace
/// it may, elsewhere a ReferenceGrant beside the other object has to say so.
pub(super) fn is_permitted(
    world: &Index<'_>,
    from: Kind,
    namespace: &str,
    referent: Referent<'_>,
) -> bool {
    if namespace == referent.name.namespace {
        return true;
    }
    world.grants(&referent.name.namespace).iter().any(|grant| {
        let let_in = grant.spec.from.iter().any(|one| {
            one.group == from.group && one.kind == from.kind && one.namespace == namespace
        });
        let leads_there = grant.spec.to.iter().any(|to| {
            let named = to.name.as_deref().filter(|named| !named.is_empty());
            core(&to.group) == core(referent.group)
                && to.kind == referent.kind
                && named.is_none_or(|named| named == referent.name.name)
        });
        let_in && leads_there
    })
}

/// The core group has an empty name, and some write it out.
fn core(group: &str) -> &str {
    match group {
        "core" => "",
        group => group,
    }
}
