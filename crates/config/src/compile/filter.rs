//! Filters and redirects, checked. One that cannot be applied closes its route: it may guard
//! something, and nobody asked for what the route would be without it.

use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::hostname;
use super::report::Report;
use crate::document::{self, Close};
use crate::snapshot::{Cors, Filters, HeaderChanges, Listed, Origin, PathRewrite, Redirect};

/// Headers of one connection, and those that the gateway writes itself.
const OWN: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// How long a browser need not ask again where nobody says so, in seconds (Gateway API).
const MAX_AGE: u32 = 5;

pub(super) fn filters(
    written: &document::Filters,
    path: &str,
    report: &mut Report<'_>,
) -> Result<Filters, Close> {
    let mut checker = Checker { path, report };
    let rewrite = written.rewrite.as_ref();
    Ok(Filters {
        request_headers: checker.headers(&written.request_headers, "requestHeaders")?,
        response_headers: checker.headers(&written.response_headers, "responseHeaders")?,
        host: match rewrite.and_then(|rewrite| rewrite.host.as_deref()) {
            Some(host) => Some(checker.host(host, "rewrite.host")?),
            None => None,
        },
        path: match rewrite.and_then(|rewrite| rewrite.path.as_ref()) {
            Some(path) => Some(checker.path(path, "rewrite.path")?),
            None => None,
        },
        cors: match &written.cors {
            Some(cors) => Some(checker.cors(cors)?.into()),
            None => None,
        },
    })
}

pub(super) fn redirect(
    written: &document::Redirect,
    path: &str,
    report: &mut Report<'_>,
) -> Result<Redirect, Close> {
    let mut checker = Checker { path, report };
    let status = match written.status {
        None => StatusCode::FOUND,
        Some(code @ (301 | 302 | 303 | 307 | 308)) => {
            StatusCode::from_u16(code).unwrap_or(StatusCode::FOUND)
        }
        Some(code) => {
            let message = format!("`{code}` sends nobody elsewhere; 301, 302, 303, 307 and 308 do");
            return Err(checker.fail("status", message));
        }
    };
    if written.port == Some(0) {
        return Err(checker.fail("port", "a port is from 1 to 65535".to_owned()));
    }
    if let Some(host) = &written.host {
        checker.host(host, "host")?;
    }
    Ok(Redirect {
        scheme: written.scheme,
        host: written.host.as_deref().map(Into::into),
        port: written.port,
        path: match &written.path {
            Some(path) => Some(checker.path(path, "path")?),
            None => None,
        },
        status,
    })
}

struct Checker<'a, 'o> {
    path: &'a str,
    report: &'a mut Report<'o>,
}

impl Checker<'_, '_> {
    fn headers(
        &mut self,
        written: &document::HeaderChanges,
        field: &str,
    ) -> Result<HeaderChanges, Close> {
        let mut changes = HeaderChanges::default();
        for (name, value) in &written.set {
            changes.set.push(self.header(name, value, &format!("{field}.set.{name}"))?);
        }
        for (name, value) in &written.add {
            changes.add.push(self.header(name, value, &format!("{field}.add.{name}"))?);
        }
        for (index, name) in written.remove.iter().enumerate() {
            changes.remove.push(self.header_name(name, &format!("{field}.remove[{index}]"))?);
        }
        Ok(changes)
    }

    fn header(
        &mut self,
        name: &str,
        value: &str,
        field: &str,
    ) -> Result<(HeaderName, HeaderValue), Close> {
        let name = self.header_name(name, field)?;
        let Ok(mut value) = HeaderValue::from_str(value) else {
            let message = "the value has characters that a header cannot carry";
            return Err(self.fail(field, message.to_owned()));
        };
        // It may be a credential, and must not be printed.
        value.set_sensitive(true);
        Ok((name, value))
    }

    fn header_name(&mut self, name: &str, field: &str) -> Result<HeaderName, Close> {
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) if OWN.contains(&name.as_str()) => {
                Err(self.fail(field, format!("`{name}` is the gateway's own")))
            }
            Ok(name) => Ok(name),
            Err(_) => Err(self.fail(field, format!("`{name}` is not the name of a header"))),
        }
    }

    fn host(&mut self, written: &str, field: &str) -> Result<HeaderValue, Close> {
        let name = written.rsplit_once(':').map_or(written, |(name, port)| {
            if port.parse::<u16>().is_ok() { name } else { written }
        });
        let is_one = hostname::parse(name).is_some_and(|host| !host.starts_with('*'));
        match HeaderValue::from_str(written) {
            Ok(host) if is_one => Ok(host),
            _ => Err(self.fail(field, format!("`{written}` is not a host"))),
        }
    }

    fn path(&mut self, written: &document::PathRewrite, field: &str) -> Result<PathRewrite, Close> {
        let (document::PathRewrite::Full(text) | document::PathRewrite::Prefix(text)) = written;
        let is_path = text.is_empty() || text.starts_with('/');
        let is_clean = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
        if !is_path || !is_clean {
            let message = format!("`{text}` is not a path: it begins with `/` and has no query");
            return Err(self.fail(field, message));
        }
        Ok(match written {
            document::PathRewrite::Full(text) => PathRewrite::Full(text.as_str().into()),
            document::PathRewrite::Prefix(text) => {
                PathRewrite::Prefix(text.trim_end_matches('/').into())
            }
        })
    }

    fn cors(&mut self, written: &document::Cors) -> Result<Cors, Close> {
        let mut origins = Vec::new();
        for (index, text) in written.origins.iter().enumerate() {
            let Some(origin) = Origin::parse(text) else {
                let message =
                    format!("`{text}` is not an origin, such as `https://app.example.com`");
                return Err(self.fail(&format!("cors.origins[{index}]"), message));
            };
            origins.push(origin);
        }
        Ok(Cors {
            origins,
            credentials: written.credentials,
            methods: self.listed(&written.methods, "cors.methods", |name| {
                Method::from_bytes(name.as_bytes()).ok().map(|_| name.to_owned())
            })?,
            headers: self.listed(&written.headers, "cors.headers", header_name)?,
            expose: self.listed(&written.expose_headers, "cors.exposeHeaders", header_name)?,
            max_age: written.max_age.unwrap_or(MAX_AGE),
        })
    }

    fn listed<T>(
        &mut self,
        written: &[String],
        field: &str,
        parse: fn(&str) -> Option<T>,
    ) -> Result<Listed<T>, Close> {
        if written.iter().any(|name| name == "*") {
            return Ok(Listed::Any);
        }
        let mut listed = Vec::new();
        for (index, name) in written.iter().enumerate() {
            let Some(one) = parse(name) else {
                let message = format!("`{name}` is not a name");
                return Err(self.fail(&format!("{field}[{index}]"), message));
            };
            listed.push(one);
        }
        Ok(Listed::Only(listed))
    }

    fn fail(&mut self, field: &str, message: String) -> Close {
        self.report.close("route.filter", &format!("{}.{field}", self.path), message)
    }
}

fn header_name(name: &str) -> Option<HeaderName> {
    HeaderName::from_bytes(name.as_bytes()).ok()
}
