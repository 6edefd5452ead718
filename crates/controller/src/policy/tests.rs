use kube::CustomResourceExt;
use serde_json::{Value, json};

use super::*;
use crate::policy::fields::{Known, known};
use crate::resources::AgentgatewayPolicy;

#[test]
fn what_becomes_of_every_field_that_the_definition_names_is_decided() {
    let definition = serde_json::to_value(AgentgatewayPolicy::crd()).unwrap();
    let spec =
        &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut undecided = Vec::new();
    for part in ["traffic", "frontend", "backend", "strategy"] {
        undecided_in(part, &spec["properties"][part], &mut undecided);
    }
    assert!(undecided.is_empty(), "{undecided:?}");
}

fn undecided_in(path: &str, schema: &Value, undecided: &mut Vec<String>) {
    match known(path) {
        Known::Field(_) => return,
        Known::Group => {}
        Known::Unknown => undecided.push(path.to_owned()),
    }
    let fields = schema["properties"].as_object().into_iter().flatten();
    for (name, schema) in fields {
        undecided_in(&format!("{path}.{name}"), schema, undecided);
    }
    if schema["items"].is_object() {
        undecided_in(path, &schema["items"], undecided);
    }
}

fn rules(spec: Value) -> Rules {
    let about = About { kind: "AgentgatewayPolicy".to_owned(), ..About::default() };
    read::of_policy(&about, &spec)
}

/// What keeps shut, by field.
fn closing(spec: Value) -> Vec<String> {
    rules(spec).closing.into_iter().map(|finding| finding.field).collect()
}

#[test]
fn what_is_not_in_force_keeps_shut_or_is_ignored_and_is_named() {
    let spec = json!({
        "traffic": { "cors": {}, "csrf": {}, "retry": {}, "unheardOf": 1 },
        "backend": { "auth": { "credentials": [{ "location": { "cookie": { "name": "c" } },
            "secretRef": { "name": "s" } }] }, "tcp": { "keepalive": {} } },
    });
    let rules = rules(spec.clone());
    let ignored: Vec<&str> = rules.ignored.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(ignored, ["backend.tcp.keepalive", "traffic.retry"]);
    let expected = [
        "backend.auth.credentials[0].location.cookie",
        "traffic.csrf",
        "traffic.unheardOf",
        "backend.auth.credentials[0].location",
    ];
    assert_eq!(closing(spec), expected);
}

#[test]
fn what_cannot_be_read_keeps_shut() {
    let times = json!({ "traffic": { "timeouts": { "request": "soon" } } });
    assert_eq!(closing(times), ["traffic.timeouts.request"]);
    let zero = json!({ "backend": { "http": { "requestTimeout": "0s" } } });
    assert_eq!(closing(zero), ["backend.http.requestTimeout"]);
    let list = json!({ "traffic": { "headerModifiers": { "request": { "set": {} } } } });
    assert_eq!(closing(list), ["traffic.headerModifiers.request.set"]);
    let text = json!({ "backend": "all of it" });
    assert_eq!(closing(text), ["backend"]);
    let elsewhere = json!({ "backend": { "auth": { "secretRef": { "name": "s", "kind": "Vault",
        "group": "example.com" } } } });
    assert_eq!(closing(elsewhere), ["backend.auth.secretRef"]);
    let tls = json!({ "backend": { "tls": { "certificateSource": "SPIFFE",
        "alpnProtocols": ["h3"] } } });
    assert_eq!(closing(tls), ["backend.tls.certificateSource", "backend.tls.alpnProtocols"]);
}

#[test]
fn a_field_that_is_not_known_keeps_shut_wherever_it_is() {
    let headers = json!({ "traffic": { "headerModifiers": { "request": { "removes": ["x"] } } } });
    assert_eq!(closing(headers), ["traffic.headerModifiers.request.removes"]);
    let cors = json!({ "traffic": { "cors": { "allowOrigin": ["https://a.example.com"] } } });
    assert_eq!(closing(cors), ["traffic.cors.allowOrigin"]);
    let prefix = json!({ "backend": { "auth": { "key": "k",
        "location": { "header": { "name": "x", "prefx": "Bearer " } } } } });
    assert_eq!(closing(prefix), ["backend.auth.location.header.prefx"]);
    let words = json!({ "strategy": { "inheritance": 5 }, "traffic": { "phase": "Never" } });
    assert_eq!(closing(words), ["strategy.inheritance", "traffic.phase"]);
    let about = About { kind: "BackendTLSPolicy".to_owned(), ..About::default() };
    let without = read::of_policy(&about, &json!({}));
    assert_eq!(without.closing.len(), 1);
    let policies = json!({ "auth": { "key": "k", "wher": 1 } });
    let inline = of_backend(&about, Some(&policies));
    assert_eq!(inline.closing[0].field, "spec.policies.auth.wher");
}

#[test]
fn what_a_document_would_be_closed_for_is_said_of_the_policy() {
    let host = json!({ "traffic": { "headerModifiers": { "request": {
        "set": [{ "name": "Host", "value": "x" }] } } } });
    assert_eq!(closing(host), ["traffic.headerModifiers"]);
    let origin = json!({ "traffic": { "cors": { "allowOrigins": ["https://*example.com"] } } });
    assert_eq!(closing(origin), ["traffic.cors"]);
    let place = json!({ "backend": { "auth": { "key": "k",
        "location": { "header": { "name": "Mcp-Session-Id" } } } } });
    assert_eq!(closing(place), ["backend.auth.location"]);
    let empty = json!({ "backend": { "auth": { "key": " " } } });
    assert_eq!(closing(empty), ["backend.auth.key"]);
    let name = json!({ "backend": { "tls": { "verifySubjectAltNames": ["spiffe://"] } } });
    assert_eq!(closing(name), ["backend.tls.verifySubjectAltNames"]);
}

#[test]
fn each_part_is_taken_as_a_whole_from_the_narrowest() {
    let wide = rules(json!({ "backend": {
        "tls": { "sni": "wide" }, "http": { "version": "HTTP2", "requestTimeout": "1s" } } }));
    let narrow = rules(json!({ "backend": { "http": { "requestTimeout": "2s" } } }));
    let mut both = narrow.connection.clone();
    both.inherit(&wide.connection);
    assert_eq!(both.http, narrow.connection.http);
    assert_eq!(both.tls, wide.connection.tls);
}
