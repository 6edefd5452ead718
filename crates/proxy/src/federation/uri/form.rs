//! The form of a URI that says which target it belongs to, and back.

use std::borrow::Cow;

use mcp::TargetName;

use crate::federation::resolution::TargetIndex;

const UI: &str = "ui://";

/// A URI or template of a target in the form that says whose it is.
pub(crate) fn qualified(target: &TargetName, uri: &str) -> String {
    let target = target.as_str();
    match uri.split_at_checked(UI.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(UI) => {
            format!("{scheme}{target}+{rest}")
        }
        Some(_) | None => format!("{target}+{uri}"),
    }
}

/// A link to an app's resource in the form that says whose it is; `None` for one that stays as it
/// is because it leads to the web. Unlike an entry's own URI it depends on no other target.
pub(crate) fn qualified_link(target: &TargetName, uri: &str) -> Option<String> {
    match Scheme::of(uri) {
        Scheme::Web => None,
        Scheme::Ui | Scheme::Other | Scheme::None => Some(qualified(target, uri)),
    }
}

/// The target a URI is qualified with, and its own form. A target's name holds no `+`.
pub(super) fn split<'a>(targets: &TargetIndex, uri: &'a str) -> Option<(usize, Cow<'a, str>)> {
    if let Some((scheme, rest)) = uri.split_at_checked(UI.len())
        && scheme.eq_ignore_ascii_case(UI)
    {
        let (name, native) = rest.split_once('+')?;
        return Some((targets.position(name)?, Cow::Owned(format!("{scheme}{native}"))));
    }
    let (name, native) = uri.split_once('+')?;
    if native.is_empty() {
        return None;
    }
    Some((targets.position(name)?, Cow::Borrowed(native)))
}

/// What a URI or template is, by its scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Ui,
    Web,
    /// Any other, and one that a template leaves open.
    Other,
    None,
}

impl Scheme {
    pub(super) fn of(uri: &str) -> Scheme {
        let end = uri.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')));
        let Some((scheme, rest)) = end.and_then(|end| uri.split_at_checked(end)) else {
            return Scheme::None;
        };
        if rest.starts_with('{') {
            return Scheme::Other;
        }
        if !rest.starts_with(':') || !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Scheme::None;
        }
        if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") {
            Scheme::Web
        } else if scheme.eq_ignore_ascii_case("ui") && rest.starts_with("://") {
            Scheme::Ui
        } else {
            Scheme::Other
        }
    }
}
