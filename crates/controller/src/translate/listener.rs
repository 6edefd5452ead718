//! The listeners of our Gateways, and which routes each of them takes.

mod allowed;
mod certificate;
mod conflict;

use config::document::Protocol;
use config::{Close, Diagnostic, Place};
use gateway_api::gateways::{
    Gateway, GatewayListeners, GatewayListenersAllowedRoutes, GatewayListenersTlsMode,
};

use crate::object::{About, Object, ObjectName};
use crate::status::reason;
use crate::translate::attached::Levels;
use crate::translate::closed::{closed, unknown_condition_of_listener, unknown_guard};
use crate::translate::guard::{Guarded, Guards};
use crate::translate::index::Index;
use crate::translate::port::port;
use crate::translate::section;
use certificate::Certificates;
pub(super) use certificate::{referenced, values};

/// What a listener asks of TLS that is not built.
const UNSUPPORTED_TLS: &str = "listener.tls";

/// A listener, whether it is served or not.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    /// What the document calls it: `namespace/gateway/listener`.
    pub(super) name: String,
    /// Its Gateway.
    pub(super) gateway: ObjectName,
    /// What its Gateway calls it.
    pub(super) section: String,
    /// The only hosts it answers for.
    pub(super) hostname: Option<String>,
    /// Its port, as written.
    pub(super) port: i32,
    /// What is spoken on it, and where. `None` where it is refused.
    pub(super) served_as: Option<(Protocol, u16)>,
    /// The Secrets of its certificates, those that may be used.
    pub(super) certificates: Vec<ObjectName>,
    /// What keeps all its routes shut.
    pub(super) close: Option<Close>,
    /// The policies of its Gateway and of itself.
    pub(super) policies: Levels,
    /// Where it was written.
    pub(super) place: Option<Place>,
    /// Whether it takes HTTPRoutes.
    pub(super) takes_routes: bool,
    /// Why it is not accepted.
    pub(super) refusal: Option<Problem>,
    /// Why it cannot be told apart from others.
    pub(super) conflict: Option<Problem>,
    /// What it refers to and cannot have.
    pub(super) unresolved: Option<Problem>,
    /// The listeners whose certificates may answer for its hosts.
    pub(super) overlap: Option<String>,
    allowed: Option<GatewayListenersAllowedRoutes>,
}

/// What is wrong with a listener.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// Why, as its condition says.
    pub(super) reason: &'static str,
    /// The same in a sentence.
    pub(super) message: String,
    id: &'static str,
    field: &'static str,
}

/// The listeners of a Gateway, in order.
pub(super) fn listeners(
    world: &Index<'_>,
    gateway: &Object<Gateway>,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for (index, written) in gateway.value.spec.listeners.iter().enumerate() {
        listeners.push(listener(world, gateway, index, written, guards));
    }
    conflict::find(&mut listeners);
    for (index, listener) in listeners.iter().enumerate() {
        listener.report(&gateway.about, &format!("spec.listeners[{index}]"), diagnostics);
    }
    listeners
}

fn listener(
    world: &Index<'_>,
    gateway: &Object<Gateway>,
    index: usize,
    written: &GatewayListeners,
    guards: &Guards,
) -> Listener {
    let about = &gateway.about;
    let field = format!("spec.listeners[{index}]");
    let kinds = allowed::kinds(written);
    let served_as = served_as(world, gateway, written);
    let certificates = match served_as {
        Ok((Protocol::Https, _)) => certificate::certificates(world, about, written),
        Ok((Protocol::Http, _)) | Err(_) => Certificates::default(),
    };
    let hostname = written.hostname.as_deref().filter(|hostname| !hostname.is_empty());
    // What is to be guarded and cannot be is shut, not left as it was.
    let (served_as, refusal, shut) = match served_as {
        Ok(served_as) => (Some(served_as), None, None),
        Err(problem) => match (problem.id, port(written.port)) {
            (UNSUPPORTED_TLS, Some(port)) => {
                let (id, reason) = (UNSUPPORTED_TLS.to_owned(), problem.message.clone());
                (Some((Protocol::Https, port)), Some(problem), Some(Close { id, reason }))
            }
            _ => (None, Some(problem), None),
        },
    };
    let sections = section::of_listener(written);
    let guard = guards.part(Guarded::Gateway, &about.name, &sections);
    let close = guard.cloned().or_else(|| unknown(about, &field));
    let close = close.or(shut).or(certificates.close);
    Listener {
        name: format!("{}/{}", about.name, written.name),
        gateway: about.name.clone(),
        section: written.name.clone(),
        hostname: hostname.map(str::to_ascii_lowercase),
        port: written.port,
        served_as,
        certificates: certificates.usable,
        close,
        policies: guards.levels(Guarded::Gateway, &about.name, &sections),
        place: about.place(&field),
        takes_routes: kinds.takes_routes,
        refusal,
        conflict: None,
        unresolved: certificates.problem.or(kinds.problem),
        overlap: None,
        allowed: written.allowed_routes.clone(),
    }
}

/// What is spoken on a listener and where, or why it cannot be.
fn served_as(
    world: &Index<'_>,
    gateway: &Object<Gateway>,
    written: &GatewayListeners,
) -> Result<(Protocol, u16), Problem> {
    let protocol = match written.protocol.as_str() {
        "HTTP" => Protocol::Http,
        "HTTPS" => Protocol::Https,
        other => {
            let message = format!("protocol `{other}` is not served; HTTP and HTTPS are");
            let (reason, id) = (reason::UNSUPPORTED_PROTOCOL, "listener.protocol");
            return Err(Problem { reason, message, id, field: ".protocol" });
        }
    };
    let unavailable = |message: String| Problem {
        reason: reason::PORT_UNAVAILABLE,
        message,
        id: "listener.port",
        field: ".port",
    };
    let Some(port) = port(written.port) else {
        return Err(unavailable(format!("`{}` is not a port", written.port)));
    };
    if world.settings.reserved_ports.contains(&port) {
        return Err(unavailable(format!("the proxy needs port {port} for itself")));
    }
    match (protocol, unsupported_tls(gateway, written)) {
        (Protocol::Https, Some((field, message))) => {
            let (reason, id) = (reason::UNSUPPORTED_VALUE, UNSUPPORTED_TLS);
            Err(Problem { reason, message, id, field })
        }
        (Protocol::Http, _) | (Protocol::Https, None) => Ok((protocol, port)),
    }
}

/// What an HTTPS listener asks for that is not built. The certificates of clients guard, so that
/// it is not served without.
fn unsupported_tls(
    gateway: &Object<Gateway>,
    written: &GatewayListeners,
) -> Option<(&'static str, String)> {
    let mode = written.tls.as_ref().and_then(|tls| tls.mode.as_ref());
    if let Some(GatewayListenersTlsMode::Passthrough) = mode {
        return Some((".tls.mode", "TLS is always ended here: write `Terminate`".to_owned()));
    }
    let frontend = gateway.value.spec.tls.as_ref()?.frontend.as_ref()?;
    let mut ports = frontend.per_port.iter().flatten();
    let validation = match ports.find(|one| one.port == written.port) {
        Some(one) => one.tls.validation.is_some(),
        None => frontend.default.validation.is_some(),
    };
    let message = "the certificates of clients are not checked yet, so it is not served";
    validation.then(|| ("", message.to_owned()))
}

/// What may be meant to guard a listener, or to say which requests it is for, and is not known.
fn unknown(gateway: &About, field: &str) -> Option<Close> {
    if let Some(unknown) = unknown_guard(gateway, "spec.listeners[", field) {
        let reason = format!("`{unknown}` may be meant to guard it and is not known");
        return Some(Close { id: "listener.unknown-guard".to_owned(), reason });
    }
    let allowed = format!("{field}.allowedRoutes.");
    let narrows = |unknown: &&String| unknown.starts_with(&allowed);
    let unknown = unknown_condition_of_listener(gateway, field);
    let unknown = unknown.or_else(|| gateway.unknown.iter().find(narrows).map(String::as_str))?;
    let reason = format!("`{unknown}` is not known; without it this would be for more requests");
    Some(Close { id: "listener.unknown-condition".to_owned(), reason })
}

impl Listener {
    /// Whether it is part of a document.
    pub(super) fn is_served(&self) -> bool {
        self.served_as.is_some() && self.conflict.is_none()
    }

    /// Whether it is served as it is written.
    pub(super) fn is_well(&self) -> bool {
        self.is_served() && self.refusal.is_none()
    }

    /// Whether it is to be served over TLS and has no certificate for that.
    pub(super) fn lacks_certificates(&self) -> bool {
        let is_https = matches!(self.served_as, Some((Protocol::Https, _)));
        is_https && self.certificates.is_empty()
    }

    /// Whether routes of `namespace` may attach to it.
    pub(super) fn allows(&self, world: &Index<'_>, namespace: &str) -> bool {
        let own = &self.gateway.namespace;
        self.takes_routes && allowed::from(self.allowed.as_ref(), world, own, namespace)
    }

    fn report(&self, gateway: &About, field: &str, diagnostics: &mut Vec<Diagnostic>) {
        if self.is_served()
            && let Some(close) = &self.close
        {
            diagnostics.push(gateway.error("listener.closed", field, closed(close)));
        }
        for problem in [&self.refusal, &self.conflict].into_iter().flatten() {
            let message = format!("{}; the listener is left out", problem.message);
            let field = format!("{field}{}", problem.field);
            diagnostics.push(gateway.error(problem.id, &field, message));
        }
        if let Some(problem) = &self.unresolved {
            let field = format!("{field}{}", problem.field);
            diagnostics.push(gateway.error(problem.id, &field, problem.message.as_str()));
        }
    }
}
