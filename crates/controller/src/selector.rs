//! Label selectors, as Kubernetes reads them.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use thiserror::Error;

/// Why a selector selects nothing.
#[derive(Debug, Error, PartialEq)]
pub(crate) enum SelectorError {
    /// There is no such operator.
    #[error("`{0}` is not one of In, NotIn, Exists and DoesNotExist")]
    Operator(String),
    /// `In` and `NotIn` need values, the others take none.
    #[error("`{0}` with the wrong number of values")]
    Values(String),
}

/// Whether a selector can be read, whatever it is asked of.
pub(crate) fn check(selector: &LabelSelector) -> Result<(), SelectorError> {
    matches(selector, &BTreeMap::new()).map(|_| ())
}

/// Whether `labels` satisfy every part of `selector`; an empty one takes all.
pub(crate) fn matches(
    selector: &LabelSelector,
    labels: &BTreeMap<String, String>,
) -> Result<bool, SelectorError> {
    let mut matched = true;
    for (key, value) in selector.match_labels.iter().flatten() {
        matched &= labels.get(key) == Some(value);
    }
    for requirement in selector.match_expressions.iter().flatten() {
        matched &= requirement_holds(requirement, labels)?;
    }
    Ok(matched)
}

fn requirement_holds(
    requirement: &LabelSelectorRequirement,
    labels: &BTreeMap<String, String>,
) -> Result<bool, SelectorError> {
    let values = requirement.values.as_deref().unwrap_or_default();
    let value = labels.get(&requirement.key);
    let among = || value.is_some_and(|value| values.contains(value));
    match (requirement.operator.as_str(), values.is_empty()) {
        ("In", false) => Ok(among()),
        ("NotIn", false) => Ok(!among()),
        ("Exists", true) => Ok(value.is_some()),
        ("DoesNotExist", true) => Ok(value.is_none()),
        ("In" | "NotIn" | "Exists" | "DoesNotExist", _) => {
            Err(SelectorError::Values(requirement.operator.clone()))
        }
        (operator, _) => Err(SelectorError::Operator(operator.to_owned())),
    }
}

#[cfg(test)]
mod tests;
