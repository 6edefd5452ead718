//! What translation says of objects, for whoever writes it into their `status`. It knows neither
//! times nor generations: the writer adds them.

pub mod reason;

use std::collections::BTreeMap;
use std::fmt;

use gateway_api::gateways::GatewayStatusListenersSupportedKinds;
use gateway_api::httproutes::HttpRouteParentRefs;
use serde::Serialize;

use crate::object::ObjectName;

/// What is to be said of the objects of a world. An object that is not ours is not in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statuses {
    /// GatewayClasses that name our controller: `Accepted`, and `SupportedVersion` where the version
    /// of the Gateway API is known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<ObjectName, Vec<Condition>>,
    /// Gateways of our classes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub gateways: BTreeMap<ObjectName, GatewayStatus>,
    /// HTTPRoutes, for each of their parents that is ours. A route that has none of ours any more is
    /// there without parents.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<ObjectName, Vec<ParentStatus>>,
    /// AgentgatewayBackends.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub backends: BTreeMap<ObjectName, BackendOutcome>,
    /// Backends of kgateway.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kgateway_backends: BTreeMap<ObjectName, BackendOutcome>,
    /// AgentgatewayPolicies, for each of the objects of ours that they are attached to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub policies: BTreeMap<ObjectName, Vec<AncestorStatus>>,
    /// BackendTLSPolicies, the same.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub backend_tls_policies: BTreeMap<ObjectName, Vec<AncestorStatus>>,
}

/// One condition of an object.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Condition {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, as one word: one of `reason`.
    pub reason: &'static str,
    /// What someone has to know or to mend; empty where all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum ConditionStatus {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody knows yet.
    Unknown,
}

/// How a Gateway fares, as far as the objects say.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GatewayStatus {
    /// `Accepted`, and `ResolvedRefs`. `Programmed` only where it is `False`, because nothing of the
    /// Gateway can be served; otherwise the writer says it.
    pub conditions: Vec<Condition>,
    /// Every listener, as written.
    pub listeners: Vec<ListenerStatus>,
}

/// How a listener fares, as far as the objects say.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerStatus {
    /// What its Gateway calls it.
    pub name: String,
    /// How many routes have it as a parent that accepts them.
    pub attached_routes: i32,
    /// The kinds of routes that it takes.
    pub supported_kinds: Vec<GatewayStatusListenersSupportedKinds>,
    /// `Accepted`, `Conflicted` and `ResolvedRefs`. `Programmed` only where it is `False`, because
    /// the listener cannot be served as it is written; otherwise the writer says it.
    pub conditions: Vec<Condition>,
}

/// How a route fares with one of its parents.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentStatus {
    /// The parent, as the route writes it.
    pub parent_ref: HttpRouteParentRefs,
    /// `Accepted` and `ResolvedRefs`; `PartiallyInvalid` where it is `True`.
    pub conditions: Vec<Condition>,
}

/// What a backend means.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendOutcome {
    /// `Accepted` and `ResolvedRefs`.
    pub conditions: Vec<Condition>,
    /// Its targets, in the order in which clients see them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetOutcome>,
    /// What was selected and may not be used, or could not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A target of a backend.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct TargetOutcome {
    /// What clients call it.
    pub name: String,
    /// The Service's port that it is, `namespace/name:port`, which is also the key of its endpoints;
    /// `None` for a host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What someone has to know of it: why it is shut or down, or why it is not called as it was to
    /// be.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// A Service that a backend's selector finds and that is no target of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LeftOut {
    /// The Service.
    pub service: ObjectName,
    /// Why, as one word.
    pub reason: &'static str,
    /// Why, and what to do about it.
    pub message: String,
}

/// How a policy fares where it is attached.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AncestorStatus {
    /// What it is attached to.
    pub ancestor_ref: Ancestor,
    /// `Accepted` and `Attached`.
    pub conditions: Vec<Condition>,
}

/// An object that a policy is attached to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ancestor {
    /// Its API group; empty for a Service.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The part of it that is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

impl Condition {
    /// It holds, and there is nothing to say about it.
    pub fn holds(kind: &'static str, reason: &'static str) -> Self {
        Self { kind, status: ConditionStatus::True, reason, message: String::new() }
    }

    /// It does not hold.
    pub fn fails(kind: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, status: ConditionStatus::False, reason, message: message.into() }
    }
}

impl fmt::Display for ConditionStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        })
    }
}
