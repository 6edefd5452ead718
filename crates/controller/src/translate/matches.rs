//! The conditions of a route's rule, as the document writes them.

mod expression;

use config::Diagnostic;
use config::document::{HeaderMatch, Match, MatchValue, PathMatch, QueryMatch};
use gateway_api::httproutes::{
    HttpRouteRules, HttpRouteRulesMatches, HttpRouteRulesMatchesHeaders,
    HttpRouteRulesMatchesHeadersType, HttpRouteRulesMatchesMethod, HttpRouteRulesMatchesPath,
    HttpRouteRulesMatchesPathType, HttpRouteRulesMatchesQueryParams,
    HttpRouteRulesMatchesQueryParamsType,
};

use crate::object::About;
use crate::status::reason;
use crate::translate::faults::Faults;

/// The matches of a rule, of which one has to hold; a rule without any takes every path. `None`
/// where a rule has matches and none of them can be used: such a rule takes nothing, never
/// everything.
pub(super) fn matches(
    route: &About,
    rule_index: usize,
    rule: &HttpRouteRules,
    faults: &mut Faults,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Vec<Match>> {
    let written = rule.matches.as_deref().unwrap_or_default();
    let mut matches = Vec::new();
    for (index, written) in written.iter().enumerate() {
        match one(written) {
            Ok(written) => matches.push(written),
            Err(message) => {
                faults.part(rule_index, reason::UNSUPPORTED_VALUE, message.as_str());
                let field = format!("spec.rules[{rule_index}].matches[{index}]");
                diagnostics.push(route.error("route.match", &field, message));
            }
        }
    }
    for fault in expression::faults(&matches) {
        faults.rule(rule_index, reason::UNSUPPORTED_VALUE, fault);
    }
    if written.is_empty() || !matches.is_empty() {
        return Some(matches);
    }
    faults.rule(rule_index, reason::UNSUPPORTED_VALUE, "none of its matches can be used");
    None
}

fn one(written: &HttpRouteRulesMatches) -> Result<Match, String> {
    Ok(Match {
        path: written.path.as_ref().map(path).transpose()?,
        method: written.method.as_ref().map(|method| self::method(method).to_owned()),
        headers: written.headers.iter().flatten().map(header).collect(),
        query: written.query_params.iter().flatten().map(query).collect(),
    })
}

fn path(written: &HttpRouteRulesMatchesPath) -> Result<PathMatch, String> {
    let value = written.value.clone().unwrap_or_else(|| "/".to_owned());
    let absolute = |value: String| {
        let message = format!("path `{value}` does not begin with `/`; the match is left out");
        value.starts_with('/').then_some(value).ok_or(message)
    };
    Ok(match written.r#type {
        None | Some(HttpRouteRulesMatchesPathType::PathPrefix) => {
            PathMatch::Prefix(absolute(value)?)
        }
        Some(HttpRouteRulesMatchesPathType::Exact) => PathMatch::Exact(absolute(value)?),
        Some(HttpRouteRulesMatchesPathType::RegularExpression) => PathMatch::Regex(value),
    })
}

fn header(written: &HttpRouteRulesMatchesHeaders) -> HeaderMatch {
    let value = match written.r#type {
        None | Some(HttpRouteRulesMatchesHeadersType::Exact) => {
            MatchValue::Exact(written.value.clone())
        }
        Some(HttpRouteRulesMatchesHeadersType::RegularExpression) => {
            MatchValue::Regex(written.value.clone())
        }
    };
    HeaderMatch { name: written.name.clone(), value }
}

fn query(written: &HttpRouteRulesMatchesQueryParams) -> QueryMatch {
    let value = match written.r#type {
        None | Some(HttpRouteRulesMatchesQueryParamsType::Exact) => {
            MatchValue::Exact(written.value.clone())
        }
        Some(HttpRouteRulesMatchesQueryParamsType::RegularExpression) => {
            MatchValue::Regex(written.value.clone())
        }
    };
    QueryMatch { name: written.name.clone(), value }
}

fn method(written: &HttpRouteRulesMatchesMethod) -> &'static str {
    match written {
        HttpRouteRulesMatchesMethod::Get => "GET",
        HttpRouteRulesMatchesMethod::Head => "HEAD",
        HttpRouteRulesMatchesMethod::Post => "POST",
        HttpRouteRulesMatchesMethod::Put => "PUT",
        HttpRouteRulesMatchesMethod::Delete => "DELETE",
        HttpRouteRulesMatchesMethod::Connect => "CONNECT",
        HttpRouteRulesMatchesMethod::Options => "OPTIONS",
        HttpRouteRulesMatchesMethod::Trace => "TRACE",
        HttpRouteRulesMatchesMethod::Patch => "PATCH",
    }
}
