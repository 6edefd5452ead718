//! The filters of a rule and of its references, as documents write them. One that is not built keeps
//! shut what it is for: it may guard it.

use std::collections::BTreeMap;

use config::Close;
use config::document::{
    Cors, Filters, HeaderChanges, PathRewrite, Redirect, RedirectScheme, Rewrite,
};
use gateway_api::httproutes::{
    HttpRouteRulesBackendRefsFilters, HttpRouteRulesFilters, HttpRouteRulesFiltersCors,
    HttpRouteRulesFiltersRequestHeaderModifier, HttpRouteRulesFiltersRequestRedirect,
    HttpRouteRulesFiltersRequestRedirectPath, HttpRouteRulesFiltersRequestRedirectPathType,
    HttpRouteRulesFiltersRequestRedirectScheme, HttpRouteRulesFiltersResponseHeaderModifier,
    HttpRouteRulesFiltersType, HttpRouteRulesFiltersUrlRewrite,
    HttpRouteRulesFiltersUrlRewritePath, HttpRouteRulesFiltersUrlRewritePathType,
};

use crate::manifests::UNREADABLE;

/// What the filters of a rule, or of a reference, come to.
#[derive(Debug, Default)]
pub(super) struct Filtering {
    pub(super) filters: Filters,
    /// Where clients are sent instead.
    pub(super) redirect: Option<Redirect>,
}

/// The filters of a rule; which of them cannot be had, and why.
pub(super) fn of_rule(written: &[HttpRouteRulesFilters]) -> Result<Filtering, (usize, Close)> {
    let mut filtering = Filtering::default();
    for (index, filter) in written.iter().enumerate() {
        add(&mut filtering, filter).map_err(|reason| (index, close(reason)))?;
    }
    Ok(filtering)
}

/// The filters of a reference to an ordinary HTTP server. Clients are sent elsewhere, and pages let
/// in, by whole rules.
pub(super) fn of_reference(written: &[HttpRouteRulesBackendRefsFilters]) -> Result<Filters, Close> {
    let mut filtering = Filtering::default();
    for filter in written {
        // The same fields under other names of their types.
        let same = serde_json::to_value(filter).and_then(serde_json::from_value);
        let filter: HttpRouteRulesFilters =
            same.map_err(|_| close("it cannot be read".to_owned()))?;
        match filter.r#type {
            HttpRouteRulesFiltersType::RequestRedirect | HttpRouteRulesFiltersType::Cors => {
                let name = name(&filter);
                return Err(close(format!("filter `{name}` of a reference is not built yet")));
            }
            _ => add(&mut filtering, &filter).map_err(close)?,
        }
    }
    Ok(filtering.filters)
}

/// What a filter is called.
pub(super) fn name(filter: &HttpRouteRulesFilters) -> &str {
    match filter.r#type {
        HttpRouteRulesFiltersType::RequestHeaderModifier => "RequestHeaderModifier",
        HttpRouteRulesFiltersType::ResponseHeaderModifier => "ResponseHeaderModifier",
        HttpRouteRulesFiltersType::RequestMirror => "RequestMirror",
        HttpRouteRulesFiltersType::RequestRedirect => "RequestRedirect",
        HttpRouteRulesFiltersType::UrlRewrite => "URLRewrite",
        HttpRouteRulesFiltersType::Cors => "CORS",
        HttpRouteRulesFiltersType::ExtensionRef => {
            let extension = filter.extension_ref.as_ref();
            extension.map_or("ExtensionRef", |extension| extension.kind.as_str())
        }
    }
}

fn close(reason: String) -> Close {
    Close { id: "route.filter".to_owned(), reason }
}

fn add(filtering: &mut Filtering, filter: &HttpRouteRulesFilters) -> Result<(), String> {
    let missing = || format!("filter `{}` says nothing", name(filter));
    let filters = &mut filtering.filters;
    match filter.r#type {
        HttpRouteRulesFiltersType::RequestHeaderModifier => {
            let written = filter.request_header_modifier.as_ref().ok_or_else(missing)?;
            request_headers(&mut filters.request_headers, written);
        }
        HttpRouteRulesFiltersType::ResponseHeaderModifier => {
            let written = filter.response_header_modifier.as_ref().ok_or_else(missing)?;
            response_headers(&mut filters.response_headers, written);
        }
        HttpRouteRulesFiltersType::UrlRewrite => {
            let written = filter.url_rewrite.as_ref().ok_or_else(missing)?;
            filters.rewrite = Some(rewrite(written)?);
        }
        HttpRouteRulesFiltersType::RequestRedirect => {
            let written = filter.request_redirect.as_ref().ok_or_else(missing)?;
            filtering.redirect = Some(redirect(written)?);
        }
        HttpRouteRulesFiltersType::Cors => {
            filters.cors = Some(cors(filter.cors.as_ref().ok_or_else(missing)?));
        }
        HttpRouteRulesFiltersType::RequestMirror | HttpRouteRulesFiltersType::ExtensionRef => {
            return Err(match name(filter) {
                UNREADABLE => "it cannot be read".to_owned(),
                name => format!("filter `{name}` is not built yet"),
            });
        }
    }
    Ok(())
}

fn request_headers(
    changes: &mut HeaderChanges,
    written: &HttpRouteRulesFiltersRequestHeaderModifier,
) {
    let set = written.set.iter().flatten().map(|header| (&header.name, &header.value));
    let add = written.add.iter().flatten().map(|header| (&header.name, &header.value));
    first_of_each(&mut changes.set, set);
    first_of_each(&mut changes.add, add);
    changes.remove.extend(written.remove.iter().flatten().cloned());
}

fn response_headers(
    changes: &mut HeaderChanges,
    written: &HttpRouteRulesFiltersResponseHeaderModifier,
) {
    let set = written.set.iter().flatten().map(|header| (&header.name, &header.value));
    let add = written.add.iter().flatten().map(|header| (&header.name, &header.value));
    first_of_each(&mut changes.set, set);
    first_of_each(&mut changes.add, add);
    changes.remove.extend(written.remove.iter().flatten().cloned());
}

/// Of headers with one name, whatever its case, the first counts (Gateway API, `HTTPHeader`).
fn first_of_each<'a>(
    headers: &mut BTreeMap<String, String>,
    written: impl Iterator<Item = (&'a String, &'a String)>,
) {
    for (name, value) in written {
        headers.entry(name.to_ascii_lowercase()).or_insert_with(|| value.clone());
    }
}

fn rewrite(written: &HttpRouteRulesFiltersUrlRewrite) -> Result<Rewrite, String> {
    let path = match &written.path {
        None => None,
        Some(HttpRouteRulesFiltersUrlRewritePath {
            r#type,
            replace_full_path,
            replace_prefix_match,
        }) => Some(match r#type {
            HttpRouteRulesFiltersUrlRewritePathType::ReplaceFullPath => {
                full(replace_full_path.as_deref())?
            }
            HttpRouteRulesFiltersUrlRewritePathType::ReplacePrefixMatch => {
                prefix(replace_prefix_match.as_deref())?
            }
        }),
    };
    Ok(Rewrite { host: written.hostname.clone(), path })
}

fn redirect(written: &HttpRouteRulesFiltersRequestRedirect) -> Result<Redirect, String> {
    let path = match &written.path {
        None => None,
        Some(HttpRouteRulesFiltersRequestRedirectPath {
            r#type,
            replace_full_path,
            replace_prefix_match,
        }) => Some(match r#type {
            HttpRouteRulesFiltersRequestRedirectPathType::ReplaceFullPath => {
                full(replace_full_path.as_deref())?
            }
            HttpRouteRulesFiltersRequestRedirectPathType::ReplacePrefixMatch => {
                prefix(replace_prefix_match.as_deref())?
            }
        }),
    };
    let number = |number: i64, what: &str| {
        u16::try_from(number).map_err(|_| format!("`{number}` is not a {what}"))
    };
    Ok(Redirect {
        scheme: written.scheme.as_ref().map(|scheme| match scheme {
            HttpRouteRulesFiltersRequestRedirectScheme::Http => RedirectScheme::Http,
            HttpRouteRulesFiltersRequestRedirectScheme::Https => RedirectScheme::Https,
        }),
        host: written.hostname.clone(),
        port: written.port.map(|port| number(port.into(), "port")).transpose()?,
        path,
        status: written.status_code.map(|code| number(code, "status")).transpose()?,
    })
}

fn full(path: Option<&str>) -> Result<PathRewrite, String> {
    let path = path.ok_or("`replaceFullPath` is not written")?;
    Ok(PathRewrite::Full(path.to_owned()))
}

fn prefix(path: Option<&str>) -> Result<PathRewrite, String> {
    let path = path.ok_or("`replacePrefixMatch` is not written")?;
    Ok(PathRewrite::Prefix(path.to_owned()))
}

fn cors(written: &HttpRouteRulesFiltersCors) -> Cors {
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    Cors {
        origins: list(&written.allow_origins),
        credentials: written.allow_credentials.unwrap_or(false),
        methods: list(&written.allow_methods),
        headers: list(&written.allow_headers),
        expose_headers: list(&written.expose_headers),
        max_age: written.max_age.and_then(|seconds| u32::try_from(seconds).ok()),
    }
}
