//! Reads what a policy asks for. What cannot be read keeps shut, with the field and the reason.

use std::time::Duration;

use config::document::{Cors, HeaderChanges, ServiceProtocol};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::object::{About, ObjectName};
use crate::policy::fields::{Fate, Known, known};
use crate::policy::rules::{
    Authorities, Connection, Credential, CredentialSource, Finding, Headers, Http, Rules, Tls,
    Traffic, Trust,
};
use crate::resources::{
    self, BackendAuth, BackendHttp, BackendTcp, BackendTls, BackendTlsValidation,
    CredentialLocation, HeaderModifiers, HttpVersion, InsecureSkipVerify, PolicyTimeouts,
    SecretReference,
};

/// What stands before tokens.
const BEARER: &str = "Bearer ";
const AUTHORIZATION: &str = "Authorization";

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
        match spec.pointer("/strategy/inheritance").and_then(Value::as_str) {
            None | Some("Default") => {}
            Some("Override") => self.rules.overrides = true,
            Some(_) => self.close("strategy.inheritance", "write `Default` or `Override`"),
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
        match serde_path_to_error::deserialize(written) {
            Ok(part) => Some(part),
            Err(error) => {
                let field = match error.path().to_string().as_str() {
                    "." => field.to_owned(),
                    path => format!("{field}.{path}"),
                };
                self.close(&field, &error.inner().to_string());
                None
            }
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

    fn tls(&mut self, written: BackendTls, field: &str) -> Tls {
        if written.certificate_source.is_some_and(|source| source != "Inline") {
            self.close(&format!("{field}.certificateSource"), "not built yet: write `Inline`");
        }
        let protocols = written.alpn_protocols.iter().map(String::as_str);
        let mut others = protocols.filter(|name| !matches!(*name, "h2" | "http/1.1"));
        if let Some(other) = others.next() {
            let message = format!("`{other}` is not spoken: write `h2` or `http/1.1`");
            self.close(&format!("{field}.alpnProtocols"), &message);
        }
        let certificate = written.mtls_certificate_ref.first().and_then(|reference| {
            self.secret(reference, &format!("{field}.mtlsCertificateRef[0]"))
        });
        let authorities = match (written.ca_certificate_refs.as_slice(), &certificate) {
            ([], _) => Authorities::System,
            ([reference], _) => {
                let name = ObjectName::new(self.about.namespace(), &reference.name);
                match (reference.group.as_str(), reference.kind.as_deref()) {
                    ("", None | Some("ConfigMap")) => Authorities::ConfigMap(name),
                    ("", Some("Secret")) => Authorities::Secret(name),
                    _ => {
                        let message = "write the name of a ConfigMap, or `kind: Secret`";
                        self.close(&format!("{field}.caCertificateRefs[0]"), message);
                        Authorities::System
                    }
                }
            }
            (_, _) => {
                self.close(&format!("{field}.caCertificateRefs"), "write one");
                Authorities::System
            }
        };
        let names = written.verify_subject_alt_names;
        let trust = match (written.insecure_skip_verify, names.is_empty()) {
            (Some(InsecureSkipVerify::All), true) => Trust::Anyone,
            (Some(InsecureSkipVerify::Hostname), true) => Trust::AnyName,
            (None, true) => Trust::Name,
            (None, false) => Trust::Names(names),
            (Some(_), false) => {
                let message = "not together with `insecureSkipVerify`";
                self.close(&format!("{field}.verifySubjectAltNames"), message);
                Trust::Names(names)
            }
        };
        Tls { authorities, certificate, server_name: written.sni, trust }
    }

    /// What a `BackendTLSPolicy` asks for.
    fn validation(&mut self, written: Option<&Value>) {
        let Some(written) = written else { return };
        let read = serde_json::from_value::<BackendTlsValidation>(written.clone());
        let validation = match read {
            Ok(validation) => validation,
            Err(error) => return self.close("validation", &error.to_string()),
        };
        let authorities = match validation.ca_certificate_refs.as_slice() {
            [] if validation.well_known_ca_certificates.as_deref() == Some("System") => {
                Authorities::System
            }
            [] => {
                let message = "write `caCertificateRefs`, or `wellKnownCACertificates: System`";
                self.close("validation", message);
                Authorities::System
            }
            [reference]
                if reference.group.is_empty() && reference.kind.as_deref() == Some("ConfigMap") =>
            {
                Authorities::ConfigMap(ObjectName::new(self.about.namespace(), &reference.name))
            }
            [_] => {
                let message =
                    "authorities come from a ConfigMap: write `group: \"\"`, `kind: ConfigMap`";
                self.close("validation.caCertificateRefs[0]", message);
                Authorities::System
            }
            [_, ..] => {
                self.close("validation.caCertificateRefs", "write one: more are not built yet");
                Authorities::System
            }
        };
        let mut names = Vec::new();
        for (index, name) in validation.subject_alt_names.into_iter().enumerate() {
            match name.hostname.filter(|_| name.kind == "Hostname") {
                Some(hostname) => names.push(hostname),
                None => {
                    let field = format!("validation.subjectAltNames[{index}]");
                    self.close(
                        &field,
                        "names that are not of the type `Hostname` are not built yet",
                    );
                }
            }
        }
        let trust = if names.is_empty() { Trust::Name } else { Trust::Names(names) };
        let server_name = Some(validation.hostname);
        let tls = Tls { authorities, certificate: None, server_name, trust };
        self.rules.connection.tls = Some(tls);
    }

    fn auth(&mut self, written: BackendAuth, field: &str) -> Vec<Credential> {
        let mut credentials = Vec::new();
        let location = written.location.unwrap_or_default();
        match (written.key, written.secret_ref) {
            (Some(_), Some(_)) => self.close(field, "write `key` or `secretRef`, not both"),
            (Some(key), None) => {
                let owner = format!("{} {}", self.about.kind, self.about.name);
                let owner = match self.place {
                    "" => owner,
                    place => format!("{owner}: {place}"),
                };
                let key = key.strip_prefix(BEARER).unwrap_or(&key);
                let source = CredentialSource::Inline(owner, config::Secret::new(key));
                credentials.push(credential(source, location));
            }
            (None, Some(reference)) => {
                let source = self.credential_of(&reference, &format!("{field}.secretRef"));
                credentials.extend(source.map(|source| credential(source, location)));
            }
            (None, None) => {}
        }
        for (index, written) in written.credentials.into_iter().enumerate() {
            let field = format!("{field}.credentials[{index}]");
            if written.location.header.is_none() {
                self.close(&format!("{field}.location"), "write `header`");
            }
            let source = self.credential_of(&written.secret_ref, &format!("{field}.secretRef"));
            credentials.extend(source.map(|source| credential(source, written.location)));
        }
        if credentials.is_empty() && self.rules.closing.is_empty() {
            self.close(field, "it says nothing: write `key` or `secretRef`");
        }
        credentials
    }

    fn credential_of(
        &mut self,
        reference: &SecretReference,
        field: &str,
    ) -> Option<CredentialSource> {
        let name = self.secret(reference, field)?;
        let key = reference.key.as_deref().unwrap_or(AUTHORIZATION);
        Some(CredentialSource::Secret(name, key.to_owned()))
    }

    /// The Secret of the same namespace that is referred to.
    fn secret(&mut self, reference: &SecretReference, field: &str) -> Option<ObjectName> {
        if reference.group.is_empty()
            && matches!(reference.kind.as_deref(), None | Some("Secret"))
            && !reference.name.is_empty()
        {
            return Some(ObjectName::new(self.about.namespace(), &reference.name));
        }
        self.close(field, "write the `name` of a Secret of the same namespace");
        None
    }

    fn close(&mut self, field: &str, why: &str) {
        self.rules.close(field, why);
    }
}

/// A credential at a place, or in `Authorization` as a bearer token.
fn credential(source: CredentialSource, location: CredentialLocation) -> Credential {
    match location.header {
        Some(header) => {
            let prefix = header.prefix.unwrap_or_default();
            Credential { source, header: header.name, prefix }
        }
        None => {
            let (header, prefix) = (AUTHORIZATION.to_owned(), BEARER.to_owned());
            Credential { source, header, prefix }
        }
    }
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
