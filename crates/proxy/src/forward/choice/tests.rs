use config::{Filters, Lead};

use super::*;

fn shares(weights: &[(&str, u64)]) -> Vec<Share> {
    let share = |(name, weight): &(&str, u64)| Share {
        weight: *weight,
        filters: Filters::default(),
        lead: Lead::Service((*name).into()),
    };
    weights.iter().map(share).collect()
}

#[test]
fn every_point_has_its_share() {
    let shares = shares(&[("a", 2), ("none", 0), ("b", 1)]);
    let chosen = [0, 1, 2, 3, u64::MAX].map(|point| match &at(&shares, point).unwrap().lead {
        Lead::Service(name) => name.to_string(),
        other => panic!("{other:?}"),
    });
    assert_eq!(chosen, ["a", "a", "b", "a", "a"]);
}

#[test]
fn nothing_is_chosen_where_nothing_has_a_weight() {
    assert_eq!(at(&shares(&[("none", 0)]), 7), None);
    assert_eq!(at(&[], 7), None);
}
