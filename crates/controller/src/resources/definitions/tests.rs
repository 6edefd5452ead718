use serde_json::Value;

use super::{definitions, plain};
use crate::resources::{
    AgentgatewayBackend, AgentgatewayParameters, AgentgatewayPolicy, KgatewayBackend,
};
use kube::CustomResourceExt;

/// The schemas of all our kinds.
fn schemas() -> Vec<Value> {
    let definitions = [
        AgentgatewayBackend::crd(),
        AgentgatewayParameters::crd(),
        AgentgatewayPolicy::crd(),
        KgatewayBackend::crd(),
    ];
    let versions = definitions.into_iter().map(plain).flat_map(|one| one.spec.versions);
    versions.map(|version| serde_json::to_value(version.schema).unwrap()).collect()
}

/// Calls `see` with the path and the schema of every field of `schema`.
fn each_field(path: &str, schema: &Value, see: &mut impl FnMut(&str, &Value)) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        see(&path, field);
        each_field(&path, field, see);
    }
    for inside in ["items", "additionalProperties"] {
        if schema[inside].is_object() {
            each_field(&format!("{path}[]"), &schema[inside], see);
        }
    }
}

#[test]
fn every_field_says_what_it_is_for() {
    let mut silent = Vec::new();
    for schema in schemas() {
        each_field("", &schema["openAPIV3Schema"], &mut |path, field| {
            let described = field["description"].as_str().is_some_and(|text| !text.is_empty());
            if !described && ![".spec", ".status"].contains(&path) {
                silent.push(path.to_owned());
            }
        });
    }
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn what_is_not_written_stays_unwritten() {
    for schema in schemas() {
        each_field("", &schema["openAPIV3Schema"], &mut |path, field| {
            assert!(field["default"].is_null() && field["nullable"].is_null(), "{path}");
        });
    }
}

#[test]
fn each_definition_is_a_document_of_its_own() {
    let text = definitions();
    let names = text.lines().filter_map(|line| line.strip_prefix("  name: "));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "agentgatewaybackends.agentgateway.dev",
            "agentgatewayparameters.agentgateway.dev",
            "agentgatewaypolicies.agentgateway.dev",
            "backends.gateway.kgateway.dev",
        ]
    );
}
