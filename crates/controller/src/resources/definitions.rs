//! The definitions of our resources as an API server takes them, from the Rust types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;

use crate::resources::{
    AgentgatewayBackend, AgentgatewayParameters, AgentgatewayPolicy, KgatewayBackend,
};

/// Every definition in YAML, one document each.
pub fn definitions() -> String {
    let definitions = [
        AgentgatewayBackend::crd(),
        AgentgatewayParameters::crd(),
        AgentgatewayPolicy::crd(),
        KgatewayBackend::crd(),
    ];
    let mut text = String::new();
    for definition in definitions {
        text.push_str("---\n");
        let yaml = serde_saphyr::to_string(&plain(definition));
        // Every key is text and every value plain data: there is nothing that could not be written.
        text.push_str(&yaml.unwrap_or_else(|error| format!("# it cannot be written: {error}\n")));
    }
    text
}

/// The definition with schemas as Kubernetes means them.
fn plain(mut definition: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut definition.spec.versions {
        let schema = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut());
        schema.into_iter().for_each(tidy);
    }
    definition
}

/// Leaves out what the derived schema says beyond the type: that a field may be null (the API server
/// takes that as unset), what it is by default (unset stays unset), titles, and formats that
/// Kubernetes does not know.
fn tidy(schema: &mut JSONSchemaProps) {
    const FORMATS: [&str; 3] = ["int32", "int64", "date-time"];
    schema.nullable = None;
    schema.default = None;
    schema.title = None;
    schema.description = schema.description.take().map(|text| unwrapped(&text));
    schema.format = schema.format.take().filter(|format| FORMATS.contains(&format.as_str()));
    if schema.x_kubernetes_int_or_string == Some(true) {
        // Kubernetes' own text is a grammar of 40 lines.
        schema.description = Some("A number with a unit: `500m`, `2`, `512Mi`, `1Gi`.".to_owned());
    }
    for (name, field) in schema.properties.iter_mut().flatten() {
        tidy(field);
        if name == "conditions" {
            field.x_kubernetes_list_type = Some("map".to_owned());
            field.x_kubernetes_list_map_keys = Some(vec!["type".to_owned()]);
        }
    }
    match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(item)) => tidy(item),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => items.iter_mut().for_each(tidy),
        None => {}
    }
    if let Some(JSONSchemaPropsOrBool::Schema(value)) = &mut schema.additional_properties {
        tidy(value);
    }
}

/// A text whose lines end where its paragraphs do: `kubectl explain` breaks lines itself.
fn unwrapped(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests;
