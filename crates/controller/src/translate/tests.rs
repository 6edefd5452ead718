use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use config::{Variables, compile, to_yaml};

use crate::manifests::read;
use crate::object::ObjectName;
use crate::settings::{CrossNamespace, Settings};
use crate::translate::{document, document_by, referenced, translate};

/// Each folder of `fixtures` holds objects and what they mean. `UPDATE_FIXTURES=1` writes down what
/// they mean now.
#[test]
fn every_fixture_means_what_is_written_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 20, "the fixtures are there");
    let different: Vec<String> = cases.iter().filter_map(|case| check(case)).collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The settings of a fixture that needs others than the usual ones.
fn settings(case: &Path) -> Settings {
    let text = fs::read_to_string(case.join("settings.yaml")).unwrap_or_default();
    let written: BTreeMap<String, String> = serde_saphyr::from_str(&text).unwrap_or_default();
    let mut settings = Settings::default();
    for (field, value) in written {
        match field.as_str() {
            "class" => settings.class = value,
            "controller" => settings.controller = value,
            "clusterDomain" => settings.cluster_domain = value,
            "crossNamespace" if value == "Any" => settings.cross_namespace = CrossNamespace::Any,
            "reservedPort" => settings.reserved_ports.push(value.parse().unwrap()),
            field => panic!("{field} is no setting"),
        }
    }
    settings
}

/// What a fixture means, where it differs from what is written. Its document is compiled, too: what
/// that finds is a diagnostic at a place of the manifest.
fn check(case: &Path) -> Option<String> {
    let objects = fs::read_to_string(case.join("objects.yaml")).unwrap();
    let manifests = read("objects.yaml", &objects).unwrap();
    let settings = settings(case);
    let statuses = translate(&manifests.world, &settings).statuses;
    let statuses = serde_saphyr::to_string(&statuses).unwrap();
    let reading = document_by(vec![manifests], &settings);
    let compiled = compile(&reading.document, &reading.origins, &Variables::new());
    let diagnostics = reading.diagnostics.iter().chain(&compiled.diagnostics);
    let lines: Vec<String> = diagnostics.map(|diagnostic| format!("{diagnostic}\n")).collect();
    let meaning = to_yaml(&reading.document);
    let mut different = String::new();
    let said = [
        ("document.yaml", meaning),
        ("statuses.yaml", statuses),
        ("diagnostics.txt", lines.concat()),
    ];
    for (name, now) in said {
        let file = case.join(name);
        let before = fs::read_to_string(&file).unwrap_or_default();
        if before == now {
            continue;
        }
        if env::var_os("UPDATE_FIXTURES").is_some() && now.is_empty() {
            fs::remove_file(&file).unwrap();
        } else if env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&file, now).unwrap();
        } else {
            different.push_str(&format!("{} is now:\n{now}", file.display()));
        }
    }
    (!different.is_empty()).then_some(different)
}

/// Every word that a condition may give as its reason is given in a fixture.
#[test]
fn every_reason_has_a_fixture() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let cases = fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path());
    let said: String =
        cases.filter_map(|case| fs::read_to_string(case.join("statuses.yaml")).ok()).collect();
    let said: BTreeSet<&str> =
        said.lines().filter_map(|line| line.trim().strip_prefix("reason: ")).collect();
    let (_, reasons) = include_str!("../status/reason.rs").rsplit_once("}\n").unwrap();
    let constants = reasons.lines().filter_map(|line| line.split('"').nth(1));
    let missing: Vec<&str> = constants.filter(|reason| !said.contains(reason)).collect();
    assert!(said.len() > 20 && missing.is_empty(), "no fixture gives {missing:?}");
}

#[test]
fn each_gateway_gets_a_document_of_its_own_without_endpoints() {
    let objects = fixture("two-gateways");
    let translated =
        translate(&read("objects.yaml", &objects).unwrap().world, &Settings::default());
    let names: Vec<String> = translated.documents.keys().map(ObjectName::to_string).collect();
    assert_eq!(names, ["default/east", "default/west"]);
    for (gateway, reading) in &translated.documents {
        let document = &reading.document;
        assert_eq!(document.listeners.len(), 1);
        assert!(document.listeners[0].address.ip().is_unspecified());
        assert!(document.listeners[0].name.starts_with(&gateway.to_string()));
        assert!(document.endpoints.is_empty());
        let listeners = document.routes.iter().flat_map(|route| &route.listeners);
        assert!(listeners.into_iter().all(|name| name.starts_with(&gateway.to_string())));
    }
}

#[test]
fn only_secrets_that_may_be_referred_to_are_read_and_none_is_written_in_a_document() {
    let objects = fixture("listener-certificates-granted");
    let manifests = read("objects.yaml", &objects).unwrap();
    let names = referenced(&manifests.world, &Settings::default()).secrets;
    let names: Vec<String> = names.iter().map(ObjectName::to_string).collect();
    assert_eq!(names, ["all/pair", "named/pair"]);
    let document = document(vec![manifests]).document;
    let chain = document.secrets.get("named/pair").and_then(|values| values.get("tls.crt"));
    assert!(chain.is_some_and(|chain| chain.expose().contains("BEGIN CERTIFICATE")));
    assert!(document.secrets.get("ungranted/pair").is_none());
    assert!(!to_yaml(&document).contains("BEGIN"));
}

#[test]
fn what_is_wrong_with_a_route_of_the_document_is_found_in_the_manifest() {
    let objects = fixture("two-gateways");
    let reading = document(vec![read("objects.yaml", &objects).unwrap()]);
    let place = reading.origins.place("routes[0].matches[0]").unwrap();
    let line = objects.lines().nth(usize::try_from(place.line).unwrap() - 1).unwrap();
    assert!(line.contains("backendRefs"), "{line}");
}

fn fixture(case: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(case);
    fs::read_to_string(folder.join("objects.yaml")).unwrap()
}
