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
