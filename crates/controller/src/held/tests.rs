use serde_json::json;

use super::*;
use crate::manifests::object;
use crate::settings::Settings;
use crate::translate::translate;

/// A backend that selects all Services with a label, and these Services, the first of another namespace.
fn world(services: &[(&str, &str)]) -> World {
    let mut world = object(json!({
        "apiVersion": "agentgateway.dev/v1alpha1", "kind": "AgentgatewayBackend",
        "metadata": { "name": "b", "namespace": "own", "uid": "1" },
        "spec": { "mcp": { "targets": [{ "name": "all", "selector": {
            "namespaces": {}, "services": { "matchLabels": { "mcp": "yes" } },
        } }] } },
    }))
    .world;
    for (namespace, name) in services {
        let service = object(json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": name, "namespace": namespace, "labels": { "mcp": "yes" },
                "annotations": { "agentgateway.dev/mcp-allow-from": "*" },
            },
            "spec": { "ports": [{ "port": 80, "appProtocol": "agentgateway.dev/mcp" }] },
        }));
        world.append(&service.world);
    }
    world
}

/// The names of the targets by their Services, in a world that is seen after those that `held` has kept.
fn named(held: &mut Held, services: &[(&str, &str)]) -> Vec<String> {
    let mut world = world(services);
    held.enter(&mut world);
    let statuses = translate(&world, &Settings::default()).statuses;
    held.keep(&world, &statuses);
    let targets = statuses.backends.values().flat_map(|outcome| &outcome.targets);
    let named = targets
        .map(|target| format!("{}={}", target.service.as_deref().unwrap_or_default(), target.name));
    named.collect()
}

#[test]
fn whoever_has_a_name_keeps_it_before_any_status_says_so() {
    let mut held = Held::default();
    assert_eq!(named(&mut held, &[("other", "x")]), ["other/x:80=x-80"]);
    // The backend's own namespace comes first where nobody has the name yet.
    let both = [("other", "x"), ("own", "x")];
    assert_eq!(named(&mut Held::default(), &both), ["own/x:80=x-80", "other/x:80=x-80-other"]);
    assert_eq!(named(&mut held, &both), ["own/x:80=x-80-own", "other/x:80=x-80"]);
}
