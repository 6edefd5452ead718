use serde_json::json;

use super::*;

fn service(name: &str, port: i32) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name, "namespace": "n" },
        "spec": { "ports": [{ "port": port }] },
    })
}

fn known() -> Stores {
    let mut stores = Stores::default();
    for kind in Kind::ALL {
        assert!(!stores.is_known(), "{kind:?}");
        assert!(stores.take(kind, Change::Absent));
    }
    assert!(stores.is_known());
    stores
}

fn names(stores: &Stores) -> Vec<String> {
    let services = stores.manifests().world.services;
    services.iter().map(|service| service.about.name.to_string()).collect()
}

#[test]
fn a_list_counts_when_it_is_whole_and_takes_away_what_it_does_not_bring() {
    let mut stores = known();
    assert!(stores.take(Kind::Service, Change::Applied(service("old", 1))));
    assert!(!stores.take(Kind::Service, Change::Begins));
    assert!(!stores.take(Kind::Service, Change::Listed(service("new", 1))));
    assert_eq!(names(&stores), ["n/old"]);
    assert!(stores.take(Kind::Service, Change::Ends));
    assert_eq!(names(&stores), ["n/new"]);
}

#[test]
fn objects_change_and_go() {
    let mut stores = known();
    stores.take(Kind::Service, Change::Applied(service("a", 1)));
    stores.take(Kind::Service, Change::Applied(service("a", 2)));
    let world = stores.manifests().world;
    let ports = world.services[0].value.spec.as_ref().and_then(|spec| spec.ports.as_ref());
    assert_eq!(ports.map(|ports| ports[0].port), Some(2));
    let gone = Change::Deleted(ObjectName::new("n", "a"));
    assert!(stores.take(Kind::Service, gone.clone()));
    assert!(!stores.take(Kind::Service, gone), "it was gone already");
    assert!(names(&stores).is_empty());
}

#[test]
fn an_object_that_cannot_be_read_is_reported_and_costs_nothing_else() {
    let mut stores = known();
    let mut broken = service("broken", 1);
    broken["spec"]["ports"] = json!("none");
    stores.take(Kind::Service, Change::Applied(broken));
    stores.take(Kind::Service, Change::Applied(service("whole", 1)));
    assert_eq!(names(&stores), ["n/whole"]);
    let diagnostics = stores.manifests().diagnostics;
    assert_eq!(diagnostics.len(), 1);
    assert!(diagnostics[0].to_string().contains("Service n/broken"), "{}", diagnostics[0]);
}

#[test]
fn a_status_alone_changes_nothing_of_the_world() {
    let mut stores = known();
    let backend = |generation: i64, labels: Value, status: &str| {
        Change::Applied(json!({
            "apiVersion": "agentgateway.dev/v1alpha1", "kind": "AgentgatewayBackend",
            "metadata": {
                "name": "b", "namespace": "n", "uid": "1", "generation": generation, "labels": labels,
            },
            "spec": { "static": { "host": "a.example", "port": generation } },
            "status": { "summary": { "targets": status } },
        }))
    };
    let kind = Kind::AgentgatewayBackend;
    assert!(stores.take(kind, backend(1, json!({}), "0/1")));
    assert!(!stores.take(kind, backend(1, json!({}), "1/1")));
    let stored = stores.get(kind, &ObjectName::new("n", "b")).unwrap();
    assert_eq!(stored.status["summary"]["targets"], "1/1");
    let named = json!({
        "apiVersion": "agentgateway.dev/v1alpha1", "kind": "AgentgatewayBackend",
        "metadata": { "name": "b", "namespace": "n", "uid": "1", "generation": 1, "labels": {} },
        "spec": { "static": { "host": "a.example", "port": 1 } },
        "status": { "targets": [{ "name": "x-80", "service": "n/x:80" }] },
    });
    assert!(stores.take(kind, Change::Applied(named)), "a name that another replica gave");
    assert!(stores.take(kind, backend(1, json!({ "a": "b" }), "1/1")), "another label");
    assert!(stores.take(kind, backend(2, json!({ "a": "b" }), "1/1")), "another generation");
}

#[test]
fn an_object_of_which_nothing_can_be_used_says_why() {
    let mut stores = known();
    let broken = json!({
        "apiVersion": "gateway.kgateway.dev/v1alpha1", "kind": "Backend",
        "metadata": { "name": "b", "namespace": "n" }, "spec": { "type": 5 },
    });
    stores.take(Kind::KgatewayBackend, Change::Applied(broken));
    let broken: Vec<_> = stores.undecodable(Kind::KgatewayBackend).collect();
    let [(name, stored)] = broken.as_slice() else { panic!("{}", broken.len()) };
    assert_eq!(name.to_string(), "n/b");
    let fault = stored.fault().unwrap();
    assert!(fault.starts_with("`spec.type`: invalid type: integer `5`"), "{fault}");
}
