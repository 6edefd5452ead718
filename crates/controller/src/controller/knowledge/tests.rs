use kube::Client;

use crate::clients::Clients;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::deploy::ProxySettings;
use crate::settings::{CrossNamespace, Settings};

/// A Gateway whose only route leads to the Service `echo`.
fn objects() -> Vec<(Kind, Value)> {
    let gateway_api = "gateway.networking.k8s.io/v1";
    vec![
        (
            Kind::GatewayClass,
            json!({
                "apiVersion": gateway_api, "kind": "GatewayClass", "metadata": { "name": "c" },
                "spec": { "controllerName": "example.com/c" },
            }),
        ),
        (
            Kind::Gateway,
            json!({
                "apiVersion": gateway_api, "kind": "Gateway", "metadata": { "name": "g", "namespace": "n" },
                "spec": {
                    "gatewayClassName": "c",
                    "listeners": [{ "name": "http", "port": 80, "protocol": "HTTP" }],
                },
            }),
        ),
        (
            Kind::HttpRoute,
            json!({
                "apiVersion": gateway_api, "kind": "HTTPRoute", "metadata": { "name": "r", "namespace": "n" },
                "spec": {
                    "parentRefs": [{ "name": "g" }],
                    "rules": [{ "backendRefs": [{ "name": "echo", "port": 80 }] }],
                },
            }),
        ),
        (
            Kind::Service,
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": { "name": "echo", "namespace": "n" },
                "spec": { "ports": [{ "port": 80 }] },
            }),
        ),
        (Kind::EndpointSlice, slice(&["10.0.0.1"])),
    ]
}

fn slice(addresses: &[&str]) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": "echo-1", "namespace": "n", "labels": { "kubernetes.io/service-name": "echo" },
        },
        "ports": [{ "port": 3000 }],
        "endpoints": addresses.iter().map(|address| json!({ "addresses": [address] })).collect::<Vec<_>>(),
    })
}

/// A controller that knows all there is to know of these objects.
fn knowledge() -> (Knowledge, watch::Sender<String>) {
    let (authorities, known) = watch::channel("pem".to_owned());
    let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
    let client = Client::try_from(config).unwrap();
    let mut knowledge = Knowledge::new(Options {
        clients: Clients { questions: client.clone(), watches: client },
        settings: Settings {
            class: "c".into(),
            controller: "example.com/c".into(),
            cluster_domain: "cluster.local".into(),
            cross_namespace: CrossNamespace::Granted,
            reserved_ports: Vec::new(),
        },
        proxies: ProxySettings {
            image: "image".into(),
            pull_policy: None,
            controller_url: "https://controller:9978".into(),
        },
        namespace: "system".into(),
        identity: "pod".into(),
        authorities: known,
        metrics: Arc::default(),
        version: |document| String::from_utf8_lossy(document).into_owned(),
    });
    for kind in Kind::ALL {
        knowledge.changed(kind, Change::Absent);
    }
    for (kind, object) in objects() {
        knowledge.changed(kind, Change::Applied(object));
    }
    for kind in [Kept::Secret, Kept::ConfigMap] {
        knowledge.content(ContentChange::All(kind, BTreeMap::new()));
    }
    knowledge.owned(OwnedChange::DeploymentsKnown);
    (knowledge, authorities)
}

/// The addresses that the Gateway's proxies are told, one after the other.
fn told(knowledge: &mut Knowledge) -> String {
    assert!(knowledge.missing().is_empty());
    assert!(knowledge.is_complete());
    let made = knowledge.make(true);
    let told = made.publication.get(&ObjectName::new("n", "g")).unwrap();
    format!("{:?}", told.endpoints)
}

#[tokio::test]
async fn a_pod_that_comes_or_goes_is_told_and_changes_no_document() {
    let (mut knowledge, _authorities) = knowledge();
    assert_eq!(told(&mut knowledge), r#"{"n/echo:80": [10.0.0.1:3000]}"#);
    let document = |knowledge: &Knowledge| {
        let meaning = knowledge.meaning.as_ref().unwrap();
        meaning.documents.values().next().unwrap().clone()
    };
    let before = document(&knowledge);
    let both = Change::Applied(slice(&["10.0.0.1", "10.0.0.2"]));
    knowledge.changed(Kind::EndpointSlice, both);
    assert_eq!(told(&mut knowledge), r#"{"n/echo:80": [10.0.0.1:3000, 10.0.0.2:3000]}"#);
    knowledge.changed(Kind::EndpointSlice, Change::Applied(slice(&[])));
    assert_eq!(told(&mut knowledge), r#"{"n/echo:80": []}"#);
    knowledge.changed(Kind::EndpointSlice, Change::Applied(slice(&["10.0.0.3"])));
    assert_eq!(told(&mut knowledge), r#"{"n/echo:80": [10.0.0.3:3000]}"#);
    assert!(Arc::ptr_eq(&before, &document(&knowledge)), "the document was made again");
}

#[tokio::test]
async fn proxies_of_a_gateway_that_can_serve_nothing_any_more_are_told_so() {
    let (mut knowledge, _authorities) = knowledge();
    assert!(knowledge.missing().is_empty());
    let name = ObjectName::new("n", "g");
    let made = knowledge.make(true);
    let before = made.publication.get(&name).unwrap().document.clone();
    assert!(made.needs.contains_key(&name));

    let (kind, mut gateway) =
        objects().into_iter().find(|(kind, _)| *kind == Kind::Gateway).unwrap();
    gateway["spec"]["listeners"][0]["protocol"] = json!("TLS");
    knowledge.changed(kind, Change::Applied(gateway));
    assert!(knowledge.missing().is_empty());
    let made = knowledge.make(true);
    let after = made.publication.get(&name).unwrap().document.clone();
    assert_ne!(before.version, after.version);
    let document: Value = serde_json::from_slice(&after.json).unwrap();
    assert_eq!(document.get("listeners"), None);
    assert_eq!(document["routes"][0]["close"]["id"], "gateway.none");
    assert!(made.gateways.iter().any(|gateway| gateway.about.name == name), "its proxies may ask");
}
