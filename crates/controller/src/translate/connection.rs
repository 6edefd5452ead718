//! How servers are connected to, as policies say it: the rules that count, what they refer to, and what
//! they make of a target or an ordinary HTTP server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use config::document::{self, Service, ServiceProtocol, Target, TargetTls};
use config::{Close, Secrets};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::object::ObjectName;
use crate::policy::{Authorities, Connection, CredentialSource, Finding, Tls, Trust, of_backend};
use crate::translate::attached::{Attached, Levels};
use crate::translate::grant::{self, Kind, Referent};
use crate::translate::index::Index;
use crate::translate::key_pair;
use crate::world::{World, secret_text};

/// The names of values, as Kubernetes calls them.
const AUTHORITIES: &str = "ca.crt";
const CERTIFICATE: [&str; 2] = ["tls.crt", "tls.key"];

/// What the rules of a connection come to, with what they refer to.
#[derive(Default)]
pub(super) struct Materials {
    tls: Option<TargetTls>,
    credentials: Vec<document::Credential>,
    secrets: Secrets,
}

/// What a server or backend is called that is connected to as policies at `place` say.
pub(super) fn by_place(name: &str, place: &str) -> String {
    format!("{name}@{place}")
}

/// What a server or backend is called, however it is connected to.
pub(crate) fn without_place(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// What policies say together: of each part, the narrowest and then the oldest.
pub(super) fn merged(levels: &[Vec<Attached>]) -> Connection {
    let mut connection = Connection::default();
    for attached in levels.iter().rev().flatten() {
        connection.inherit(&attached.rules.connection);
    }
    connection
}

/// The rules of a server: its own, then those of the policies that are attached to it, the widest first.
pub(super) fn of_server(own: &[&Connection], levels: [Levels; 2]) -> Connection {
    let mut connection = Connection::default();
    for own in own {
        connection.inherit(own);
    }
    connection.inherit(&merged(&levels.concat()));
    connection
}

/// Why policies of another namespace may not be used by an object of the kind `from` in `namespace`: they show
/// what its Secrets hold, and no ReferenceGrant lets it refer to these.
pub(super) fn foreign_fault(
    world: &Index<'_>,
    from: Kind,
    namespace: &str,
    levels: &Levels,
) -> Option<Close> {
    let foreign = levels.iter().flatten().filter(|one| one.policy.namespace != namespace);
    for attached in foreign {
        let connection = &attached.rules.connection;
        let mut shown = connection.auth.iter().flatten();
        let is_inline =
            shown.any(|credential| matches!(credential.source, CredentialSource::Inline(..)));
        let is_granted = |name: &ObjectName| {
            let referent = Referent { group: "", kind: "Secret", name };
            grant::is_permitted(world, from, namespace, referent)
        };
        if is_inline || !connection.secrets().all(is_granted) {
            let reason = format!(
                "policy {} of its Service shows a Secret, and no ReferenceGrant there lets {} of \
                 `{namespace}` refer to that",
                attached.policy, from.kind
            );
            return Some(Close { id: "policy.not-permitted".to_owned(), reason });
        }
    }
    None
}

/// What the rules of a connection refer to, if all of it is there.
pub(super) fn materials(world: &Index<'_>, connection: &Connection) -> Result<Materials, Finding> {
    let mut materials = Materials::default();
    let finding = |field: &str| {
        let field = field.to_owned();
        move |message: String| Finding { field, message }
    };
    if let Some(tls) = &connection.tls {
        materials.tls = Some(materials.tls(world, tls).map_err(finding("tls"))?);
    }
    for credential in connection.auth.iter().flatten() {
        let (key, value, text) = shown(world, &credential.source).map_err(finding("auth"))?;
        let prefix = credential.prefix.clone();
        let values = BTreeMap::from([(value.clone(), text)]);
        materials.secrets.insert(key.clone(), values);
        let header = credential.header.clone();
        materials.credentials.push(document::Credential { secret: key, value, header, prefix });
    }
    Ok(materials)
}

/// The Secrets and ConfigMaps that policies and backends refer to. No others have to be read.
pub(super) fn referenced(world: &World) -> (BTreeSet<ObjectName>, BTreeSet<ObjectName>) {
    let (mut secrets, mut config_maps) = (BTreeSet::new(), BTreeSet::new());
    let mut add = |connection: &Connection| {
        secrets.extend(connection.secrets().cloned());
        config_maps.extend(connection.config_map().cloned());
    };
    for policy in &world.policies {
        add(&policy.value.rules.connection);
    }
    for (about, policies, targets) in world.inline_policies() {
        add(&of_backend(about, policies).connection);
        for (field, policies) in targets {
            add(&crate::policy::of_target(about, &field, Some(policies)).connection);
        }
    }
    (secrets, config_maps)
}

impl Materials {
    fn tls(&mut self, world: &Index<'_>, tls: &Tls) -> Result<TargetTls, String> {
        let (names, any_name, anyone) = match &tls.trust {
            Trust::Name => (Vec::new(), false, false),
            Trust::Names(names) => (names.clone(), false, false),
            Trust::AnyName => (Vec::new(), true, false),
            Trust::Anyone => (Vec::new(), false, true),
        };
        let certificate = match &tls.certificate {
            Some(name) => Some(self.certificate(world, name)?),
            None => None,
        };
        let ca_secret = match (&tls.authorities, &tls.certificate) {
            (Authorities::ConfigMap(name), _) => Some(self.config_map(world, name)?),
            (Authorities::Secret(name), _) => Some(self.authorities(world, name)?),
            (Authorities::System, Some(name)) if of_secret(world, name, AUTHORITIES).is_ok() => {
                Some(self.authorities(world, name)?)
            }
            (Authorities::System, _) => None,
        };
        Ok(TargetTls {
            ca: None,
            ca_secret,
            server_name: tls.server_name.clone(),
            subject_alt_names: names,
            certificate,
            insecure_skip_name: any_name,
            insecure_skip_verify: anyone,
        })
    }

    fn certificate(&mut self, world: &Index<'_>, name: &ObjectName) -> Result<String, String> {
        let [chain, key] = CERTIFICATE.map(|value| of_secret(world, name, value));
        let (chain, key) = (chain?, key?);
        if let Some(fault) = key_pair::fault(chain.expose(), key.expose()) {
            return Err(format!("Secret {name} {fault}"));
        }
        let values = CERTIFICATE.map(str::to_owned).into_iter().zip([chain, key]).collect();
        self.secrets.insert(name.to_string(), values);
        Ok(name.to_string())
    }

    fn authorities(&mut self, world: &Index<'_>, name: &ObjectName) -> Result<String, String> {
        let text = of_secret(world, name, AUTHORITIES)?;
        self.trust(name.to_string(), text, &format!("Secret {name}"))
    }

    fn config_map(&mut self, world: &Index<'_>, name: &ObjectName) -> Result<String, String> {
        let object = world.config_map(name);
        let object = object.ok_or_else(|| format!("there is no ConfigMap {name}"))?;
        let text = object.value.data.as_ref().and_then(|data| data.get(AUTHORITIES));
        let text = text.ok_or_else(|| format!("ConfigMap {name} has no `{AUTHORITIES}`"))?;
        let (text, key) = (config::Secret::new(text.as_str()), format!("ConfigMap {name}"));
        self.trust(key.clone(), text, &key)
    }

    fn trust(&mut self, key: String, text: config::Secret, from: &str) -> Result<String, String> {
        let pem = text.expose().as_bytes();
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        if certificates.map_or(true, |certificates| certificates.is_empty()) {
            return Err(format!("`{AUTHORITIES}` of {from} is no certificate in PEM"));
        }
        self.secrets.insert(key.clone(), BTreeMap::from([(AUTHORITIES.to_owned(), text)]));
        Ok(key)
    }
}

/// The key, the name and the text of a credential.
fn shown(
    world: &Index<'_>,
    source: &CredentialSource,
) -> Result<(String, String, config::Secret), String> {
    match source {
        CredentialSource::Inline(owner, text) => {
            Ok((owner.clone(), "key".to_owned(), text.clone()))
        }
        CredentialSource::Secret(name, value) => {
            let text = of_secret(world, name, value)?;
            let bare = text.expose().trim_end_matches(['\r', '\n']);
            if bare.trim().is_empty() {
                return Err(format!("`{value}` of Secret {name} is empty"));
            }
            if bare.chars().any(|letter| letter.is_control() && letter != '\t') {
                return Err(format!(
                    "`{value}` of Secret {name} has characters that a header cannot carry"
                ));
            }
            Ok((name.to_string(), value.clone(), text))
        }
    }
}

fn of_secret(world: &Index<'_>, name: &ObjectName, value: &str) -> Result<config::Secret, String> {
    let object = world.secret(name).ok_or_else(|| format!("there is no Secret {name}"))?;
    let text = secret_text(&object.value, value);
    let text = text.ok_or_else(|| format!("Secret {name} has no `{value}`"))?;
    Ok(config::Secret::new(text))
}

/// Why a target cannot be connected to as these rules say.
pub(super) fn target_fault(world: &Index<'_>, connection: &Connection) -> Option<Close> {
    let version = connection.http.as_ref().and_then(|http| http.version);
    if version == Some(ServiceProtocol::Http2) {
        let reason = "`http.version`: MCP servers are spoken to in HTTP/1.1".to_owned();
        return Some(Close { id: "target.policies".to_owned(), reason });
    }
    materials(world, connection).err().map(closing)
}

/// Why an ordinary HTTP server cannot be connected to as these rules say.
pub(super) fn service_fault(world: &Index<'_>, connection: &Connection) -> Option<Close> {
    materials(world, connection).err().map(closing)
}

fn closing(finding: Finding) -> Close {
    // What policies of their own refer to was looked at where they are attached.
    let reason = format!("`policies.{}`: {}", finding.field, finding.message);
    Close { id: "policy.reference".to_owned(), reason }
}

/// Makes of a target what the rules say; its secrets go beside the document.
pub(super) fn apply_to_target(
    world: &Index<'_>,
    connection: &Connection,
    target: &mut Target,
    secrets: &mut Secrets,
) {
    if target.close.is_some() {
        return;
    }
    target.close = target_fault(world, connection);
    let Ok(materials) = materials(world, connection) else { return };
    if target.close.is_some() {
        return;
    }
    if materials.tls.is_some() {
        target.url = target.url.take().map(secure);
    }
    target.tls = materials.tls;
    target.credentials = materials.credentials;
    target.timeouts.connect = connection.connect.map(time);
    let request = connection.http.as_ref().and_then(|http| http.request).map(time);
    (target.timeouts.call, target.timeouts.progress) = (request, request);
    secrets.extend(materials.secrets);
}

/// Makes of an ordinary HTTP server what the rules say; its secrets go beside the document.
pub(super) fn apply_to_service(
    world: &Index<'_>,
    connection: &Connection,
    service: &mut Service,
    secrets: &mut Secrets,
) {
    if service.close.is_some() {
        return;
    }
    service.close = service_fault(world, connection);
    let Ok(materials) = materials(world, connection) else { return };
    if materials.tls.is_some() {
        service.url = secure(std::mem::take(&mut service.url));
    }
    service.tls = materials.tls;
    service.credentials = materials.credentials;
    service.timeouts.connect = connection.connect.map(time);
    let http = connection.http.as_ref();
    service.timeouts.request = http.and_then(|http| http.request).map(time);
    service.protocol = http.and_then(|http| http.version).unwrap_or(service.protocol);
    secrets.extend(materials.secrets);
}

fn secure(url: String) -> String {
    match url.strip_prefix("http://") {
        Some(rest) => format!("https://{rest}"),
        None => url,
    }
}

fn time(time: Duration) -> config::Duration {
    config::Duration::from(time)
}
