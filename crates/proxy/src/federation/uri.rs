//! Resource URIs: what clients see instead of a target's own, and whose a client's is.
//!
//! `<target>+<uri>`, and `ui://<target>+…` because hosts know apps by that scheme. `http(s)` URIs
//! are meant to be fetched by the client itself and those without a scheme are often paths, so
//! both stay as they are and are routed by who offers them (MCP.md 2, resources/list).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use mcp::ListKind;

use crate::catalog::Catalog;
use crate::federation::naming::Naming;
use crate::federation::resolution::{Owners, Resolved, TargetIndex, Unresolved};
use crate::federation::template::UriTemplate;

mod form;

use form::{Scheme, split};
pub(crate) use form::{qualified, qualified_link};

/// How an entry's URI or template is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListedUri {
    Native,
    Qualified,
}

/// The resources and templates of a menu.
#[derive(Debug)]
pub(crate) struct Uris {
    rewrites: bool,
    /// Every native URI, and every template as written, to the targets that have it. A template
    /// belongs to all targets with one that expands to the same URIs.
    natives: HashMap<Arc<str>, Owners>,
    templates: Vec<(usize, UriTemplate)>,
    /// The targets that say they have resources, ascending.
    readers: Vec<usize>,
    /// One per target.
    listed: Vec<ListedUris>,
}

/// How a target's entries are listed, in the order of its catalog.
#[derive(Debug, Default)]
struct ListedUris {
    resources: Vec<ListedUri>,
    templates: Vec<ListedUri>,
}

impl Uris {
    /// Indexes what the targets offer; `catalogs` are in the order of `targets`.
    pub(crate) fn build(
        naming: &Naming,
        targets: &TargetIndex,
        catalogs: &[Option<Arc<Catalog>>],
    ) -> Self {
        let mut uris = Self {
            rewrites: naming.rewrites_uris(targets.len()),
            natives: HashMap::new(),
            templates: Vec::new(),
            readers: Vec::new(),
            listed: Vec::new(),
        };
        let mut texts = Vec::new();
        for (target, catalog) in catalogs.iter().enumerate() {
            let Some(catalog) = catalog else { continue };
            if catalog.hello.capabilities.resources {
                uris.readers.push(target);
            }
            for uri in keys(catalog, ListKind::Resources) {
                add(&mut uris.natives, uri.into(), target);
            }
            for text in keys(catalog, ListKind::ResourceTemplates) {
                add(&mut uris.natives, text.into(), target);
                if let Some(template) = UriTemplate::parse(text) {
                    texts.push(text);
                    uris.templates.push((target, template));
                }
            }
        }
        uris.share_alike(&texts);
        uris.listed = catalogs
            .iter()
            .enumerate()
            .map(|(target, catalog)| uris.forms(targets, target, catalog.as_deref()))
            .collect();
        uris
    }

    fn forms(&self, targets: &TargetIndex, target: usize, catalog: Option<&Catalog>) -> ListedUris {
        let Some(catalog) = catalog else { return ListedUris::default() };
        let form = |uri| self.form(targets, target, uri);
        ListedUris {
            resources: keys(catalog, ListKind::Resources).map(form).collect(),
            templates: keys(catalog, ListKind::ResourceTemplates).map(form).collect(),
        }
    }

    /// Templates that differ in names of variables only are one template to a reader of URIs.
    fn share_alike(&mut self, texts: &[&str]) {
        let mut owners: HashMap<&UriTemplate, Owners> = HashMap::new();
        for (target, template) in &self.templates {
            add(&mut owners, template, *target);
        }
        for (text, (_, template)) in texts.iter().zip(&self.templates) {
            if let (Some(Owners::Many(alike)), Some(mine)) =
                (owners.get(template), self.natives.get_mut(*text))
            {
                for target in alike {
                    mine.add(*target);
                }
            }
        }
    }

    /// Whether clients see other URIs than the targets do.
    pub(crate) fn rewrites(&self) -> bool {
        self.rewrites
    }

    /// How a target's resources or templates are listed, in the order of its catalog.
    pub(crate) fn listed(&self, target: usize, kind: ListKind) -> &[ListedUri] {
        let Some(listed) = self.listed.get(target) else { return &[] };
        match kind {
            ListKind::Resources => &listed.resources,
            ListKind::ResourceTemplates => &listed.templates,
            ListKind::Tools | ListKind::Prompts => &[],
        }
    }

    /// What clients see for a URI of a target, so that they can pass it back. An `http(s)` URI
    /// that no target offers stays as it is: a client may fetch it, or read it as
    /// `<target>+<uri>`.
    pub(crate) fn client_uri<'a>(
        &self,
        targets: &TargetIndex,
        target: usize,
        uri: &'a str,
    ) -> Cow<'a, str> {
        match (self.form(targets, target, uri), targets.name(target)) {
            (ListedUri::Qualified, Some(name)) => Cow::Owned(qualified(name, uri)),
            (ListedUri::Qualified, None) | (ListedUri::Native, _) => Cow::Borrowed(uri),
        }
    }

    /// Whose a client's URI is: the target it is qualified with; else the only one that lists it;
    /// else the only one with a template for it; else the only one with resources.
    pub(crate) fn resolve(&self, targets: &TargetIndex, uri: &str) -> Result<Resolved, Unresolved> {
        if !self.rewrites {
            return self.resolve_alone(targets, uri);
        }
        if let Some((target, native)) = split(targets, uri) {
            let listed = self.has(target, &native);
            return Ok(Resolved { target, native: native.into(), listed });
        }
        if let Some((native, owners)) = self.natives.get_key_value(uri) {
            return only(targets, owners.as_slice(), native.clone(), Known::Yes);
        }
        let matching = self.matching(uri);
        if !matching.is_empty() {
            return only(targets, &matching, uri.into(), Known::Yes);
        }
        match targets.only() {
            Some(target) => Ok(Resolved { target, native: uri.into(), listed: false }),
            None => only(targets, &self.readers, uri.into(), Known::No),
        }
    }

    /// With a single target everything is its own, but for what was qualified when there were
    /// more.
    fn resolve_alone(&self, targets: &TargetIndex, uri: &str) -> Result<Resolved, Unresolved> {
        let Some(target) = targets.only() else { return Err(Unresolved::Unknown) };
        let listed = self.has(target, uri);
        if !listed
            && let Some((target, native)) = split(targets, uri)
            && self.has(target, &native)
        {
            return Ok(Resolved { target, native: native.into(), listed: true });
        }
        Ok(Resolved { target, native: uri.into(), listed })
    }

    fn form(&self, targets: &TargetIndex, target: usize, uri: &str) -> ListedUri {
        if !self.rewrites {
            return ListedUri::Native;
        }
        let native = match Scheme::of(uri) {
            Scheme::Ui | Scheme::Other => false,
            Scheme::Web => self.leads_to(targets, target, uri, Unclaimed::Keep),
            Scheme::None => self.leads_to(targets, target, uri, Unclaimed::KeepIfOnlyReader),
        };
        if native { ListedUri::Native } else { ListedUri::Qualified }
    }

    /// Whether a URI as it is leads to a target, not to another one.
    fn leads_to(
        &self,
        targets: &TargetIndex,
        target: usize,
        uri: &str,
        unclaimed: Unclaimed,
    ) -> bool {
        if split(targets, uri).is_some() {
            return false;
        }
        if let Some(owners) = self.natives.get(uri) {
            return *owners == Owners::One(target);
        }
        match (self.matching(uri).as_slice(), unclaimed) {
            ([], Unclaimed::Keep) => true,
            ([], Unclaimed::KeepIfOnlyReader) => {
                targets.only().is_some() || self.readers.as_slice() == [target]
            }
            (matching, _) => matching == [target],
        }
    }

    fn has(&self, target: usize, uri: &str) -> bool {
        self.natives.get(uri).is_some_and(|owners| owners.contains(target))
            || self
                .templates
                .iter()
                .any(|(owner, template)| *owner == target && template.matches(uri))
    }

    /// The targets with a template for a URI, ascending.
    fn matching(&self, uri: &str) -> Vec<usize> {
        let mut matching: Vec<usize> = Vec::new();
        for (target, template) in &self.templates {
            if matching.last() != Some(target) && template.matches(uri) {
                matching.push(*target);
            }
        }
        matching
    }
}

/// What becomes of a URI that no target lists or has a template for.
#[derive(Debug, Clone, Copy)]
enum Unclaimed {
    Keep,
    KeepIfOnlyReader,
}

/// Whether a catalog has what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Yes,
    No,
}

fn only(
    targets: &TargetIndex,
    owners: &[usize],
    native: Arc<str>,
    known: Known,
) -> Result<Resolved, Unresolved> {
    match owners {
        [] => Err(Unresolved::Unknown),
        [target] => Ok(Resolved { target: *target, native, listed: known == Known::Yes }),
        several => Err(targets.ambiguous(several)),
    }
}

fn keys(catalog: &Catalog, kind: ListKind) -> impl Iterator<Item = &str> {
    catalog.items(kind).iter().filter_map(|item| item.key.as_ref().map(mcp::Text::as_str))
}

fn add<K: Eq + std::hash::Hash>(owners: &mut HashMap<K, Owners>, key: K, target: usize) {
    owners.entry(key).and_modify(|owners| owners.add(target)).or_insert(Owners::One(target));
}

#[cfg(test)]
mod tests;
