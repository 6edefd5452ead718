//! Ordinary HTTP servers: addresses parsed, names checked.

use std::sync::Arc;

use http::Uri;
use indexmap::IndexMap;

use super::Variables;
use super::report::Report;
use super::target::parse_url;
use super::variables::resolve;
use crate::document::{self, Action, Close, Document};
use crate::named::services_named;
use crate::snapshot::Service;

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
        let url = match &written.close {
            Some(close) => Err(close.clone()),
            None => url(written, &path, variables, report),
        };
        let (url, closed) = match url {
            Ok(url) => (url, None),
            Err(close) => (Uri::default(), Some(close)),
        };
        let service = Service {
            name: written.name.as_str().into(),
            url,
            endpoints: written.endpoints.clone(),
            protocol: written.protocol,
            tls: written.tls.clone().unwrap_or_default(),
            connect: document.limits.connect.get(),
            closed,
        };
        services.insert(written.name.clone(), Arc::new(service));
    }
    unserved(document, report);
    services
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
    let Some(tls) = &written.tls else { return Ok(url) };
    if url.scheme_str() != Some("https") {
        let message = "there is no TLS to a service without an `https` url";
        return Err(report.close("service.tls", &format!("{path}.tls"), message));
    }
    if tls.insecure_skip_verify {
        let message = "any certificate is taken: whoever is on the way can read and answer";
        report.warning("service.insecure", &format!("{path}.tls.insecureSkipVerify"), message);
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
