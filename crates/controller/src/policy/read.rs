//! Reads what a policy asks for. What cannot be read keeps shut, with the field and the reason.

mod connection;

use std::time::Duration;

use config::document::{
    Action, Cors, Document, Filters, HeaderChanges, Route, RouteTimeouts, ServiceProtocol,
};
use config::{Close, Diagnostic, Origins, Variables, compile};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::object::{About, field_path};
use crate::policy::fields::{Fate, Known, known};
use crate::policy::rules::{Connection, Finding, Headers, Http, Rules, Traffic};
use crate::resources::{
    self, BackendAuth, BackendHttp, BackendTcp, BackendTls, HeaderModifiers, HttpVersion,
    PolicyTimeouts,
};

/// What the `spec` of a policy asks for.
pub(super) fn of_policy(about: &About, spec: &Value) -> Rules {
    let mut reading = Reading::new(about, "");
    let is_backend_tls = about.kind == "BackendTLSPolicy";
    for (part, value) in spec.as_object().into_iter().flatten() {
        match part.as_str() {
            "targetRef" | "targetRefs" | "targetSelectors" => {}
            "validation" if !is_backend_tls => reading.close(part, "it is not known"),
            _ => reading.classify(part, part, value),
        }
    }
    reading.strategy(spec);
    reading.traffic(spec.get("traffic"));
    reading.connection(spec.get("backend"), "backend");
    if is_backend_tls {
        reading.validation(spec.get("validation"));
    }
    reading.rules
}

/// What `spec.policies` of a backend asks for.
pub(crate) fn of_backend(about: &About, policies: Option<&Value>) -> Rules {
    inline(about, "spec.policies", policies)
}

/// What `policies` of a target, which is written at `field`, asks for.
pub(crate) fn of_target(about: &About, field: &str, policies: Option<&Value>) -> Rules {
    inline(about, &format!("{field}.policies"), policies)
}

fn inline(about: &About, field: &str, policies: Option<&Value>) -> Rules {
    let mut reading = Reading::new(about, field);
    let Some(policies) = policies else { return reading.rules };
    if !matches!(policies, Value::Object(_) | Value::Null) {
        reading.close(field, "it cannot be read");
        return reading.rules;
    }
    for (part, value) in policies.as_object().into_iter().flatten() {
        reading.classify(&format!("backend.{part}"), &format!("{field}.{part}"), value);
    }
    reading.connection(Some(policies), field);
    reading.rules
}

/// A policy while it is read.
struct Reading<'a> {
    about: &'a About,
    /// Where in the object it is written; empty for a policy of its own.
    place: &'a str,
    rules: Rules,
}

impl<'a> Reading<'a> {
    fn new(about: &'a About, place: &'a str) -> Self {
        Self { about, place, rules: Rules::default() }
    }

    /// Says what becomes of the field at `path` of the table, which is written at `field`.
    fn classify(&mut self, path: &str, field: &str, value: &Value) {
        match (known(path), value) {
            (_, Value::Null) | (Known::Field(Fate::Works(_)), _) => {}
            (Known::Field(Fate::Closes(why)), _) => self.close(field, why),
            (Known::Field(Fate::Ignored(why)), _) => {
                let message = why.to_owned();
                self.rules.ignored.push(Finding { field: field.to_owned(), message });
            }
            (Known::Group, Value::Object(fields)) => {
                for (name, value) in fields {
                    self.classify(&format!("{path}.{name}"), &format!("{field}.{name}"), value);
                }
            }
            (Known::Group, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.classify(path, &format!("{field}[{index}]"), item);
                }
            }
            (Known::Group, _) => self.close(field, "it cannot be read"),
            (Known::Unknown, _) => self.close(field, "it is not known"),
        }
    }

    fn strategy(&mut self, spec: &Value) {
        let word = |pointer: &str| spec.pointer(pointer).filter(|value| !value.is_null());
        match word("/strategy/inheritance").map(Value::as_str) {
            None | Some(Some("Default")) => {}
            Some(Some("Override")) => self.rules.overrides = true,
            Some(_) => self.close("strategy.inheritance", "write `Default` or `Override`"),
        }
        match word("/traffic/phase").map(Value::as_str) {
            None | Some(Some("PreRouting" | "PostRouting")) => {}
            Some(_) => self.close("traffic.phase", "write `PreRouting` or `PostRouting`"),
        }
    }

    fn traffic(&mut self, written: Option<&Value>) {
        let Some(written) = written else { return };
        let timeouts: Option<PolicyTimeouts> = self.part(written, "timeouts", "traffic.timeouts");
        let request = timeouts.and_then(|timeouts| timeouts.request);
        let headers: Option<HeaderModifiers> =
            self.part(written, "headerModifiers", "traffic.headerModifiers");
        let cors: Option<resources::Cors> = self.part(written, "cors", "traffic.cors");
        self.rules.traffic = Traffic {
            request: self.time(request, "traffic.timeouts.request"),
            headers: headers.map(|written| Headers {
                request: changes(written.request),
                response: changes(written.response),
            }),
            cors: cors.map(of_cors),
        };
        for (field, message) in faults(&self.rules.traffic) {
            self.close(field, &message);
        }
    }

    fn connection(&mut self, written: Option<&Value>, field: &str) {
        let Some(written) = written else { return };
        let at = |name: &str| format!("{field}.{name}");
        let tcp: Option<BackendTcp> = self.part(written, "tcp", &at("tcp"));
        let tls: Option<BackendTls> = self.part(written, "tls", &at("tls"));
        let http: Option<BackendHttp> = self.part(written, "http", &at("http"));
        let auth: Option<BackendAuth> = self.part(written, "auth", &at("auth"));
        let connect = tcp.and_then(|tcp| tcp.connect_timeout);
        self.rules.connection = Connection {
            connect: self.time(connect, &at("tcp.connectTimeout")),
            tls: tls.map(|tls| self.tls(tls, &at("tls"))),
            http: http.map(|http| Http {
                version: http.version.map(|version| match version {
                    HttpVersion::Http1 => ServiceProtocol::Http1,
                    HttpVersion::Http2 => ServiceProtocol::Http2,
                }),
                request: self.time(http.request_timeout, &at("http.requestTimeout")),
            }),
            auth: auth.map(|auth| self.auth(auth, &at("auth"))),
        };
    }

    /// One part of a policy; none where it is not written or cannot be read, which keeps shut.
    fn part<T: DeserializeOwned>(&mut self, of: &Value, name: &str, field: &str) -> Option<T> {
        let written = of.get(name).filter(|value| !value.is_null())?;
        self.read(written, field)
    }

    /// What is written at `field`; none where it cannot be read. That keeps shut, and so does what is not
    /// known in it.
    fn read<T: DeserializeOwned>(&mut self, written: &Value, field: &str) -> Option<T> {
        let mut unknown = Vec::new();
        let read = serde_path_to_error::deserialize::<_, T>(written);
        let part = match read {
            Ok(part) => part,
            Err(error) => {
                let field = match error.path().to_string().as_str() {
                    "." => field.to_owned(),
                    path => format!("{field}.{path}"),
                };
                // The words could quote what is written there.
                let holds_secrets = field.split('.').any(|part| part == "auth");
                let why = error.inner().to_string();
                self.close(&field, if holds_secrets { "it cannot be read" } else { &why });
                return None;
            }
        };
        // It was read once; what is left out of it is all that is new.
        let _ = serde_ignored::deserialize::<_, _, T>(written, |path| {
            unknown.push(field_path(&path));
        });
        for path in unknown {
            // A field that the table names was judged by it.
            let inside = format!("{}.{}", self.path_of(field), without_indices(&path));
            if matches!(known(&inside), Known::Unknown) {
                self.close(&format!("{field}.{path}"), "it is not known");
            }
        }
        Some(part)
    }

    /// The path in the table of what is written at `field`.
    fn path_of(&self, field: &str) -> String {
        let inline = field.strip_prefix(self.place).filter(|_| !self.place.is_empty());
        match inline {
            Some(rest) => format!("backend{rest}"),
            None => field.to_owned(),
        }
    }

    fn time(&mut self, written: Option<String>, field: &str) -> Option<Duration> {
        let written = written?;
        match written.parse::<config::Duration>() {
            Ok(time) if time != config::Duration::ZERO => Some(time.get()),
            Ok(_) => {
                self.close(field, "no time at all: write `1ms` or more");
                None
            }
            Err(error) => {
                self.close(field, &error.to_string());
                None
            }
        }
    }

    fn close(&mut self, field: &str, why: &str) {
        self.rules.close(field, why);
    }
}

/// What keeps a route shut that has these filters: whoever compiles them is asked.
fn faults(traffic: &Traffic) -> Vec<(&'static str, String)> {
    let headers = traffic.headers.clone().unwrap_or_default();
    let filters = Filters {
        request_headers: headers.request,
        response_headers: headers.response,
        cors: traffic.cors.clone(),
        ..Filters::default()
    };
    if filters == Filters::default() {
        return Vec::new();
    }
    let close = Close { id: String::new(), reason: String::new() };
    let route = Route {
        name: String::new(),
        listeners: Vec::new(),
        hostnames: Vec::new(),
        matches: Vec::new(),
        filters,
        timeouts: RouteTimeouts::default(),
        action: Action::Fail(close),
        requires: Vec::new(),
    };
    let document = Document { routes: vec![route], ..Document::default() };
    let compiled = compile(&document, &Origins::default(), &Variables::new());
    let of_filters = compiled.diagnostics.into_iter().filter(|one| one.id == "route.filter");
    let fault = |diagnostic: Diagnostic| match diagnostic.path.contains(".cors.") {
        true => ("traffic.cors", diagnostic.message),
        false => ("traffic.headerModifiers", diagnostic.message),
    };
    of_filters.map(fault).collect()
}

/// A path without the places in lists: `set[0].name` is `set.name`.
fn without_indices(path: &str) -> String {
    let parts = path.split('.').map(|part| part.split('[').next().unwrap_or_default());
    parts.collect::<Vec<_>>().join(".")
}

/// Of headers with one name, whatever its case, the first counts (Gateway API, `HTTPHeader`).
fn changes(written: Option<resources::HeaderFilter>) -> HeaderChanges {
    let Some(written) = written else { return HeaderChanges::default() };
    let mut changes = HeaderChanges { remove: written.remove, ..HeaderChanges::default() };
    for header in written.set {
        changes.set.entry(header.name.to_ascii_lowercase()).or_insert(header.value);
    }
    for header in written.add {
        changes.add.entry(header.name.to_ascii_lowercase()).or_insert(header.value);
    }
    changes
}

fn of_cors(written: resources::Cors) -> Cors {
    Cors {
        origins: written.allow_origins,
        credentials: written.allow_credentials.unwrap_or(false),
        methods: written.allow_methods,
        headers: written.allow_headers,
        expose_headers: written.expose_headers,
        max_age: written.max_age.and_then(|seconds| u32::try_from(seconds).ok()),
    }
}
