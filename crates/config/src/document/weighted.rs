//! One of several that a route leads to, as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::filter::Filters;
use super::is_default;
use super::route::Close;

/// One of several that a route leads to, and its share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WeightedForm", into = "WeightedForm")]
pub struct WeightedBackend {
    /// What answers its share.
    pub lead: Lead,
    /// Its share of the sum of all weights; 0 gets none.
    pub weight: u32,
    /// What is changed in its requests and answers, after the route's own filters.
    pub filters: Filters,
}

/// What answers a share of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// The backend of this name.
    Backend(String),
    /// The ordinary HTTP server of this name.
    Service(String),
    /// Nobody, because what is meant is not there: 500.
    Fail(Close),
}

/// One of several as it is written.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WeightedForm {
    /// The name of a backend. Exactly one of `name`, `service` and `fail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The name of an ordinary HTTP server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// Says that what is meant is not there: its share gets 500 with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fail: Option<Close>,
    /// Its share of the sum of all weights; 0 gets none.
    #[serde(default = "one")]
    weight: u32,
    /// What is changed in the requests and answers of an ordinary HTTP server, after the route's
    /// own filters.
    #[serde(default, skip_serializing_if = "is_default")]
    filters: Filters,
}

impl TryFrom<WeightedForm> for WeightedBackend {
    type Error = &'static str;

    fn try_from(form: WeightedForm) -> Result<Self, Self::Error> {
        let lead = match (form.name, form.service, form.fail) {
            (Some(name), None, None) => Lead::Backend(name),
            (None, Some(service), None) => Lead::Service(service),
            (None, None, Some(close)) => Lead::Fail(close),
            _ => return Err("this has exactly one of `name`, `service` and `fail`"),
        };
        Ok(Self { lead, weight: form.weight, filters: form.filters })
    }
}

impl From<WeightedBackend> for WeightedForm {
    fn from(weighted: WeightedBackend) -> Self {
        let WeightedBackend { lead, weight, filters } = weighted;
        let form = Self { name: None, service: None, fail: None, weight, filters };
        match lead {
            Lead::Backend(name) => Self { name: Some(name), ..form },
            Lead::Service(service) => Self { service: Some(service), ..form },
            Lead::Fail(close) => Self { fail: Some(close), ..form },
        }
    }
}

impl JsonSchema for WeightedBackend {
    fn schema_name() -> Cow<'static, str> {
        "WeightedBackend".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        WeightedForm::json_schema(generator)
    }
}

fn one() -> u32 {
    1
}
