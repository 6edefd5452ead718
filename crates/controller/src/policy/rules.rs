//! What policies ask for, part by part, and how several of them become one: each part as a whole from the
//! narrowest that says it.

use std::time::Duration;

use config::Secret;
use config::document::{Cors, HeaderChanges, ServiceProtocol};

use crate::object::ObjectName;

/// What a policy asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rules {
    /// Of requests.
    pub(crate) traffic: Traffic,
    /// Of connections to servers.
    pub(crate) connection: Connection,
    /// Whether what it says of requests counts more than what narrower policies and routes say.
    pub(crate) overrides: bool,
    /// The fields that keep shut what it is attached to, and why.
    pub(crate) closing: Vec<Finding>,
    /// The fields that nothing follows from, and why that does no harm.
    pub(crate) ignored: Vec<Finding>,
}

/// A field, and what is to be said of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) field: String,
    pub(crate) message: String,
}

/// What is asked of requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Traffic {
    /// How long an answer may take.
    pub(crate) request: Option<Duration>,
    pub(crate) headers: Option<Headers>,
    pub(crate) cors: Option<Cors>,
}

/// What is changed in the headers of requests and answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Headers {
    pub(crate) request: HeaderChanges,
    pub(crate) response: HeaderChanges,
}

/// What is asked of connections to servers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Connection {
    /// The time to connect.
    pub(crate) connect: Option<Duration>,
    pub(crate) tls: Option<Tls>,
    pub(crate) http: Option<Http>,
    pub(crate) auth: Option<Vec<Credential>>,
}

/// How a server is spoken to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Http {
    pub(crate) version: Option<ServiceProtocol>,
    /// How long an answer may take.
    pub(crate) request: Option<Duration>,
}

/// TLS to a server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tls {
    pub(crate) authorities: Authorities,
    /// The Secret with the certificate that the server is shown.
    pub(crate) certificate: Option<ObjectName>,
    /// The name that is asked for.
    pub(crate) server_name: Option<String>,
    pub(crate) trust: Trust,
}

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Authorities {
    #[default]
    System,
    ConfigMap(ObjectName),
    Secret(ObjectName),
}

/// What of a certificate is checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Trust {
    /// That it is for the server's name.
    #[default]
    Name,
    /// That it is for one of these names.
    Names(Vec<String>),
    /// That it is trusted, whatever name it is for.
    AnyName,
    /// Nothing.
    Anyone,
}

/// What a server is shown in a header.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Credential {
    pub(crate) source: CredentialSource,
    pub(crate) header: String,
    /// What stands before the value.
    pub(crate) prefix: String,
}

/// Where a credential is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CredentialSource {
    /// In the object itself, which is called this.
    Inline(String, Secret),
    /// In a value of a Secret.
    Secret(ObjectName, String),
}

impl Traffic {
    /// Takes over each part that only `wider` says.
    pub(crate) fn inherit(&mut self, wider: &Self) {
        inherit(&mut self.request, &wider.request);
        inherit(&mut self.headers, &wider.headers);
        inherit(&mut self.cors, &wider.cors);
    }

    /// The parts that it says.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &'static str> {
        let parts = [
            ("traffic.timeouts", self.request.is_some()),
            ("traffic.headerModifiers", self.headers.is_some()),
            ("traffic.cors", self.cors.is_some()),
        ];
        parts.into_iter().filter(|(_, is_said)| *is_said).map(|(part, _)| part)
    }
}

impl Connection {
    /// Takes over each part that only `wider` says.
    pub(crate) fn inherit(&mut self, wider: &Self) {
        inherit(&mut self.connect, &wider.connect);
        inherit(&mut self.tls, &wider.tls);
        inherit(&mut self.http, &wider.http);
        inherit(&mut self.auth, &wider.auth);
    }

    /// The parts that it says.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &'static str> {
        let parts = [
            ("backend.tcp", self.connect.is_some()),
            ("backend.tls", self.tls.is_some()),
            ("backend.http", self.http.is_some()),
            ("backend.auth", self.auth.is_some()),
        ];
        parts.into_iter().filter(|(_, is_said)| *is_said).map(|(part, _)| part)
    }

    /// The Secrets that it refers to.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &ObjectName> {
        let tls = self.tls.iter().flat_map(|tls| {
            let authorities = match &tls.authorities {
                Authorities::Secret(name) => Some(name),
                Authorities::System | Authorities::ConfigMap(_) => None,
            };
            tls.certificate.iter().chain(authorities)
        });
        let auth = self.auth.iter().flatten().filter_map(|credential| match &credential.source {
            CredentialSource::Secret(name, _) => Some(name),
            CredentialSource::Inline(..) => None,
        });
        tls.chain(auth)
    }

    /// The ConfigMap that it refers to.
    pub(crate) fn config_map(&self) -> Option<&ObjectName> {
        match &self.tls.as_ref()?.authorities {
            Authorities::ConfigMap(name) => Some(name),
            Authorities::System | Authorities::Secret(_) => None,
        }
    }
}

impl Rules {
    /// Those of a policy that keeps shut as a whole.
    pub(crate) fn closing(why: String) -> Self {
        let mut rules = Self::default();
        rules.close("spec", why);
        rules
    }

    /// A field keeps shut.
    pub(crate) fn close(&mut self, field: impl Into<String>, message: impl Into<String>) {
        let finding = Finding { field: field.into(), message: message.into() };
        if !self.closing.contains(&finding) {
            self.closing.push(finding);
        }
    }

    /// The parts that it says, of those that are in force.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.traffic.parts().chain(self.connection.parts())
    }
}

fn inherit<T: Clone>(own: &mut Option<T>, wider: &Option<T>) {
    if own.is_none() {
        own.clone_from(wider);
    }
}
