//! A Kubernetes object with its identity and, where it came from a file, the places of its fields.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use config::{Diagnostic, Origins, Place, Severity};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde::{Serialize, Serializer};

/// The namespace of objects that name none, in files.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// The namespace and name of an object. A cluster-wide one has an empty namespace.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// An object as read.
#[derive(Clone, Debug)]
pub struct Object<T> {
    /// Which one it is.
    pub about: About,
    /// What it says.
    pub value: T,
}

/// What is true of an object whatever it says.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Its kind, as diagnostics name it: `HTTPRoute`.
    pub kind: String,
    /// Which one it is.
    pub name: ObjectName,
    /// Its labels, annotations and age.
    pub metadata: ObjectMeta,
    /// Where its fields were written; empty for an object of a cluster.
    pub origins: Arc<Origins>,
    /// The fields that it has and that its kind does not know: `spec.mcp.targets[0].policies`.
    pub unknown: Vec<String>,
}

impl ObjectName {
    /// The object `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => formatter.write_str(&self.name),
            namespace => write!(formatter, "{namespace}/{}", self.name),
        }
    }
}

/// Written as it is shown.
impl Serialize for ObjectName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl About {
    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.name.namespace
    }

    /// Where `field` was written, or else the nearest thing around it that was.
    pub fn place(&self, field: &str) -> Option<Place> {
        self.origins.place(field).cloned()
    }

    /// What keeps something of this object's `field` from running.
    pub fn error(&self, id: &'static str, field: &str, message: impl Into<String>) -> Diagnostic {
        self.diagnostic(Severity::Error, id, field, message.into())
    }

    /// What is probably not meant as it is written in this object's `field`.
    pub fn warning(&self, id: &'static str, field: &str, message: impl Into<String>) -> Diagnostic {
        self.diagnostic(Severity::Warning, id, field, message.into())
    }

    fn diagnostic(
        &self,
        severity: Severity,
        id: &'static str,
        field: &str,
        message: String,
    ) -> Diagnostic {
        let object = match self.name.name.as_str() {
            "" => self.kind.clone(),
            _ => format!("{} {}", self.kind, self.name),
        };
        let path = match field {
            "" => object,
            field => format!("{object}: {field}"),
        };
        Diagnostic { severity, id, path, message, place: self.place(field) }
    }

    /// Its labels.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.metadata.labels.as_ref().unwrap_or(&NONE)
    }

    /// The label `key`.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata.labels.as_ref()?.get(key).map(String::as_str)
    }

    /// The annotation `key`.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// The order in which objects came to be: the oldest first. Objects without an age, as in files,
    /// come after those that have one, and stay in the order in which they were written: whoever is
    /// added behind them takes nothing from them.
    pub fn by_arrival(&self, other: &Self) -> Ordering {
        match (&self.metadata.creation_timestamp, &other.metadata.creation_timestamp) {
            (None, None) => Ordering::Equal,
            (Some(_), _) | (_, Some(_)) => self.by_age(other),
        }
    }

    /// The order in which the Gateway API breaks ties: the oldest first, then by namespace and
    /// name. What has no age, as in files, counts as newer than what has one.
    pub fn by_age(&self, other: &Self) -> Ordering {
        let age = |time: &Option<Time>| (time.is_none(), time.as_ref().map(|time| time.0));
        age(&self.metadata.creation_timestamp)
            .cmp(&age(&other.metadata.creation_timestamp))
            .then_with(|| self.name.cmp(&other.name))
    }
}

/// `spec.rules[0].retry`, where serde_ignored would write `spec.?.rules.0.retry`.
pub(crate) fn field_path(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", field_path(parent)),
        Path::Map { parent, key } => match field_path(parent).as_str() {
            "" => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => field_path(parent),
    }
}
