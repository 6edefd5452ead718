use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::selector::{SelectorError, matches};

#[test]
fn an_empty_selector_takes_all() {
    check("{}", &[("app", "x")], Ok(true));
    check("{}", &[], Ok(true));
}

#[test]
fn every_label_and_every_expression_has_to_hold() {
    check("matchLabels: {app: x, team: a}", &[("app", "x"), ("team", "a")], Ok(true));
    check("matchLabels: {app: x, team: a}", &[("app", "x")], Ok(false));
    let both = "{matchLabels: {app: x}, matchExpressions: [{key: team, operator: Exists}]}";
    check(both, &[("app", "x"), ("team", "")], Ok(true));
    check(both, &[("app", "x")], Ok(false));
}

#[test]
fn the_four_operators_mean_what_kubernetes_says() {
    let within = "matchExpressions: [{key: app, operator: In, values: [x, y]}]";
    check(within, &[("app", "y")], Ok(true));
    check(within, &[], Ok(false));
    let without = "matchExpressions: [{key: app, operator: NotIn, values: [x]}]";
    check(without, &[("app", "x")], Ok(false));
    check(without, &[], Ok(true));
    let absent = "matchExpressions: [{key: app, operator: DoesNotExist}]";
    check(absent, &[], Ok(true));
    check(absent, &[("app", "x")], Ok(false));
}

#[test]
fn a_selector_that_cannot_be_read_is_an_error() {
    let operator = SelectorError::Operator("Near".to_owned());
    check("matchExpressions: [{key: app, operator: Near}]", &[], Err(operator));
    let values = SelectorError::Values("In".to_owned());
    check("matchExpressions: [{key: app, operator: In}]", &[], Err(values));
}

fn check(selector: &str, labels: &[(&str, &str)], expected: Result<bool, SelectorError>) {
    let selector: LabelSelector = serde_saphyr::from_str(selector).unwrap();
    let label = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let labels: BTreeMap<String, String> = labels.iter().map(label).collect();
    assert_eq!(matches(&selector, &labels), expected);
}
