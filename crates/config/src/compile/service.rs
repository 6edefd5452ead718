//! Ordinary HTTP servers: addresses parsed, names checked.

use std::sync::Arc;

use http::{HeaderValue, Uri};
use indexmap::IndexMap;

use super::Variables;
use super::credential::credentials;
use super::report::Report;
use super::target::parse_url;
use super::upstream_tls::{Checked, Ids};
use super::variables::resolve;
use crate::document::{self, Action, Close, Document};
use crate::duration::Duration;
use crate::named::services_named;
use crate::snapshot::{Service, UpstreamTls};

pub(super) type Services = IndexMap<String, Arc<Service>>;

pub(super) fn services(
    document: &Document,
    variables: &Variables,
    report: &mut Report<'_>,
) -> Services {
    let mut services = Services::new();
    for (index, written) in document.services.iter().enumerate() {
        let path = format!("services[{index}]");
        if written.name.is_empty() {
            report.error("service.name", &path, "a service has a name");
            continue;
        }
        if services.contains_key(&written.name) {
            let message = format!("`{}` is already defined; this one is left out", written.name);
            report.error("name.repeated", &path, message);
            continue;
        }
        let service = match &written.close {
            Some(close) => Err(close.clone()),
            None => service(document, written, &path, variables, report),
        };
        let service = service.unwrap_or_else(|close| closed(written, close));
        services.insert(written.name.clone(), Arc::new(service));
    }
    unserved(document, report);
    services
}

fn service(
    document: &Document,
    written: &document::Service,
    path: &str,
    variables: &Variables,
    report: &mut Report<'_>,
) -> Result<Service, Close> {
    let url = url(written, path, variables, report)?;
    let is_https = url.scheme_str() == Some("https");
    let tls_path = format!("{path}.tls");
    let ids = Ids { tls: "service.tls", insecure: "service.insecure" };
    let mut checked = Checked { path: &tls_path, ids, secrets: &document.secrets, report };
    let tls = checked.tls(written.tls.as_ref(), is_https)?;
    let mut headers = Vec::new();
    let shown = format!("{path}.credentials");
    credentials(&written.credentials, &document.secrets, &mut headers, &shown, report)?;
    let headers = headers.into_iter().filter_map(|(name, value)| {
        let mut value = HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    });
    let time = |written: Option<Duration>| written.filter(|time| *time != Duration::ZERO);
    let connect = time(written.timeouts.connect).unwrap_or(document.limits.connect);
    Ok(Service {
        name: written.name.as_str().into(),
        url,
        endpoints: written.endpoints.clone(),
        protocol: written.protocol,
        headers: headers.collect(),
        tls,
        connect: connect.get(),
        request: time(written.timeouts.request).map(Duration::get),
        closed: None,
    })
}

/// A server that nothing is sent to.
fn closed(written: &document::Service, close: Close) -> Service {
    Service {
        name: written.name.as_str().into(),
        url: Uri::default(),
        endpoints: written.endpoints.clone(),
        protocol: written.protocol,
        headers: Vec::new(),
        tls: UpstreamTls::default(),
        connect: std::time::Duration::ZERO,
        request: None,
        closed: Some(close),
    }
}

fn url(
    written: &document::Service,
    path: &str,
    variables: &Variables,
    report: &mut Report<'_>,
) -> Result<Uri, Close> {
    let field = format!("{path}.url");
    let url = resolve(&written.url, variables)
        .map_err(|error| report.close(error.id(), &field, error.to_string()))?;
    let url = parse_url(&url).map_err(|reason| report.close("service.url", &field, reason))?;
    if url.path_and_query().is_some_and(|path| path != "/") {
        let message =
            "the url of a service has no path; `filters.rewrite` changes that of requests";
        return Err(report.close("service.url", &field, message));
    }
    Ok(url)
}

/// Reports the services that no route leads to. Where a route is shut, nobody knows where it led.
fn unserved(document: &Document, report: &mut Report<'_>) {
    if document.routes.iter().any(|route| matches!(route.action, Action::Close(_))) {
        return;
    }
    let named = services_named(document);
    for (index, written) in document.services.iter().enumerate() {
        let name = written.name.as_str();
        if !name.is_empty() && !named.contains(&name) {
            let message = format!("no route leads to `{name}`, so it is not served");
            report.warning("service.unserved", &format!("services[{index}]"), message);
        }
    }
}
