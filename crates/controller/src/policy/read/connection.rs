//! How servers are connected to, and what they are shown.

use std::collections::BTreeMap;

use config::document::{self, Document, Service};
use config::{Origins, Variables, compile, is_certificate_name};
use serde_json::Value;

use crate::object::ObjectName;
use crate::policy::read::Reading;
use crate::policy::rules::{Authorities, Credential, CredentialSource, Tls, Trust};
use crate::resources::{
    BackendAuth, BackendTls, BackendTlsValidation, CredentialLocation, InsecureSkipVerify,
    SecretReference,
};

/// What stands before tokens.
const BEARER: &str = "Bearer ";
const AUTHORIZATION: &str = "Authorization";

impl Reading<'_> {
    pub(super) fn tls(&mut self, written: BackendTls, field: &str) -> Tls {
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
        if !names.iter().all(|name| is_certificate_name(name)) {
            let message = "write DNS names, IP addresses and URIs";
            self.close(&format!("{field}.verifySubjectAltNames"), message);
        }
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
    pub(super) fn validation(&mut self, written: Option<&Value>) {
        if written.is_none_or(Value::is_null) {
            return self.close("validation", "it is missing");
        }
        let read = written.and_then(|written| self.read(written, "validation"));
        let Some(validation): Option<BackendTlsValidation> = read else { return };
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
            let written = match name.kind.as_str() {
                "Hostname" => name.hostname.filter(|host| !host.contains("://")),
                "URI" => name.uri.filter(|uri| uri.contains("://")),
                _ => None,
            };
            match written.filter(|written| is_certificate_name(written)) {
                Some(written) => names.push(written),
                None => {
                    let field = format!("validation.subjectAltNames[{index}]");
                    let message =
                        "write `type: Hostname` with `hostname`, or `type: URI` with `uri`";
                    self.close(&field, message);
                }
            }
        }
        let trust = if names.is_empty() { Trust::Name } else { Trust::Names(names) };
        let server_name = Some(validation.hostname);
        let tls = Tls { authorities, certificate: None, server_name, trust };
        self.rules.connection.tls = Some(tls);
    }

    pub(super) fn auth(&mut self, written: BackendAuth, field: &str) -> Vec<Credential> {
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
                if key.trim().is_empty() {
                    self.close(&format!("{field}.key"), "it is empty");
                }
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
        for credential in &credentials {
            if let Some(why) = credential_fault(credential) {
                self.close(&format!("{field}.location"), &why);
            }
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

/// Why a credential cannot be shown where it is to be, whatever it is: what a document would be closed for.
fn credential_fault(credential: &Credential) -> Option<String> {
    let name = "credential".to_owned();
    let written = document::Credential {
        secret: name.clone(),
        value: name.clone(),
        header: credential.header.clone(),
        prefix: credential.prefix.clone(),
    };
    let url = "http://localhost".to_owned();
    let service =
        Service { name: name.clone(), url, credentials: vec![written], ..Service::default() };
    let mut document = Document { services: vec![service], ..Document::default() };
    let values = BTreeMap::from([(name.clone(), config::Secret::new("x"))]);
    document.secrets.insert(name.clone(), values);
    let compiled = compile(&document, &Origins::default(), &Variables::new());
    let close = compiled.snapshot.services.get(&name)?.closed.clone()?;
    Some(close.reason.rsplit_once(": ").map_or(close.reason.clone(), |(_, why)| why.to_owned()))
}
