//! What is in force of `spec.backend` of a policy, of the `policies` of backends and targets, and of a
//! `BackendTLSPolicy`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::schema::{Rule, rules};

const CONNECT: Rule = (
    "!has(self.connectTimeout) || (self.connectTimeout.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && \
     duration(self.connectTimeout) >= duration('100ms'))",
    "write `connectTimeout` as a time of at least 100ms: `500ms`, `2s`",
);

const REQUEST: Rule = (
    "!has(self.requestTimeout) || (self.requestTimeout.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && \
     duration(self.requestTimeout) >= duration('1ms'))",
    "write `requestTimeout` as a time of at least 1ms: `500ms`, `10s`, `1m30s`",
);

const TLS: [Rule; 2] = [
    (
        "!has(self.insecureSkipVerify) || self.insecureSkipVerify != 'All' || !has(self.caCertificateRefs)",
        "with `insecureSkipVerify: All` nothing is checked: leave out `caCertificateRefs`, or the other",
    ),
    (
        "!has(self.insecureSkipVerify) || !has(self.verifySubjectAltNames)",
        "write `verifySubjectAltNames` or `insecureSkipVerify`, not both",
    ),
];

// A rule knows the fields of the schema alone; what else says who asks closes when it is read.
const AUTH: [Rule; 1] =
    [("!has(self.key) || !has(self.secretRef)", "write one of `key` and `secretRef`, not both")];

/// How connections are opened.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
#[schemars(extend("x-kubernetes-validations" = rules(&[CONNECT])))]
pub struct BackendTcp {
    /// How long it may take, TLS included: `500ms`, `2s`. Unset: 5 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub connect_timeout: Option<String>,
}

/// How the server is spoken to.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
#[schemars(extend("x-kubernetes-validations" = rules(&[REQUEST])))]
pub struct BackendHttp {
    /// The version of HTTP. Unset: HTTP/1.1, or what the `appProtocol` of a Service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<HttpVersion>,
    /// From a request to the end of its answer: `500ms`, `10s`. To MCP servers, of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub request_timeout: Option<String>,
}

/// A version of HTTP: `HTTP1`, HTTP/1.1, or `HTTP2`, HTTP/2.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum HttpVersion {
    /// HTTP/1.1.
    #[serde(rename = "HTTP1")]
    Http1,
    /// HTTP/2.
    #[serde(rename = "HTTP2")]
    Http2,
}

/// How the server is connected to by TLS. Empty: the system's authorities, and the name of its host.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
#[schemars(extend("x-kubernetes-validations" = rules(&TLS)))]
pub struct BackendTls {
    /// Where certificates come from: `Inline`, the references below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub certificate_source: Option<String>,
    /// The Secret with what the server is shown: `tls.crt` and `tls.key`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1), extend("x-kubernetes-list-type" = "atomic"))]
    pub mtls_certificate_ref: Vec<SecretReference>,
    /// The ConfigMap, or Secret, whose `ca.crt` is trusted. Unset: the system's authorities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1), extend("x-kubernetes-list-type" = "atomic"))]
    pub ca_certificate_refs: Vec<SecretReference>,
    /// What is not checked: `All`, nothing is; `Hostname`, the name is not. For tests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insecure_skip_verify: Option<InsecureSkipVerify>,
    /// The name that is asked for, and that the certificate has to be for. Unset: the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub sni: Option<String>,
    /// Names one of which the certificate has to be for, instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub verify_subject_alt_names: Vec<String>,
    /// `h2` and `http/1.1`. Which is spoken is said by `http.version`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub alpn_protocols: Vec<String>,
}

/// What of a certificate is not checked: `All`, nothing is checked; `Hostname`, its name is not.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum InsecureSkipVerify {
    /// Nothing is checked.
    All,
    /// The name is not.
    Hostname,
}

/// What is shown to the server.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
#[schemars(extend("x-kubernetes-validations" = rules(&AUTH)))]
pub struct BackendAuth {
    /// A token, written here for everybody who may read this object. Better: `secretRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub key: Option<String>,
    /// A Secret of the same namespace that holds the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretReference>,
    /// Where it is shown. Unset: in `Authorization`, after `Bearer `.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<CredentialLocation>,
    /// More that is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub credentials: Vec<BackendCredential>,
}

/// A Secret's value, and where it is shown.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct BackendCredential {
    /// Where it is shown.
    pub location: CredentialLocation,
    /// A Secret of the same namespace.
    pub secret_ref: SecretReference,
}

/// Where a credential is shown. Exactly one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct CredentialLocation {
    /// In a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<CredentialHeader>,
}

/// A header that a credential is shown in.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct CredentialHeader {
    /// Its name, whatever its case.
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$"))]
    pub name: String,
    /// What stands before the credential, its space included: `Bearer `. Unset: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub prefix: Option<String>,
}

/// An object of the same namespace that holds a credential or certificates.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(default)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct SecretReference {
    /// Its name.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The name of the value in it, where it is a credential. Unset: `Authorization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub key: Option<String>,
    /// Its API group; empty for the core's.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 253))]
    pub group: String,
    /// Its kind. Unset: `ConfigMap` for authorities, else `Secret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub kind: Option<String>,
}

/// `spec.validation` of a `BackendTLSPolicy`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BackendTlsValidation {
    /// Whose `ca.crt` is trusted.
    #[serde(default)]
    pub ca_certificate_refs: Vec<SecretReference>,
    /// `System`.
    #[serde(default, rename = "wellKnownCACertificates")]
    pub well_known_ca_certificates: Option<String>,
    /// The name that is asked for, and that the certificate has to be for.
    pub hostname: String,
    /// Names one of which the certificate has to be for, instead.
    #[serde(default)]
    pub subject_alt_names: Vec<SubjectAltName>,
}

/// A name in a certificate.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct SubjectAltName {
    /// `Hostname` or `URI`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name, where it is a host's.
    #[serde(default)]
    pub hostname: Option<String>,
    /// The name, where it is a URI.
    #[serde(default)]
    pub uri: Option<String>,
}
