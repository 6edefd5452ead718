//! Which name each entry is listed under, from all the names there are.

use std::collections::HashMap;
use std::sync::Arc;

use mcp::{Item, ListKind, NativeName, TargetName, ToolName};

use crate::catalog::Catalog;
use crate::federation::naming::{Entry, Form, Listed, NameKind, Naming, app};
use crate::federation::resolution::{Owners, TargetIndex};

/// What is known while names are chosen.
pub(super) struct Choice<'a> {
    kind: NameKind,
    pub(super) form: Form,
    max_length: usize,
    targets: &'a TargetIndex,
    pub(super) natives: HashMap<Arc<str>, Owners>,
    /// Every prefixed name that is too long, shortened; `None` where two come out alike.
    pub(super) shortened: HashMap<Arc<str>, Option<Entry>>,
}

impl<'a> Choice<'a> {
    pub(super) fn new(
        kind: NameKind,
        naming: &Naming,
        targets: &'a TargetIndex,
        catalogs: &[Option<Arc<Catalog>>],
    ) -> Self {
        let mut choice = Self {
            kind,
            form: naming.form(targets.len()),
            max_length: naming.max_length,
            targets,
            natives: HashMap::new(),
            shortened: HashMap::new(),
        };
        for (target, catalog) in catalogs.iter().enumerate() {
            for item in items(catalog.as_deref(), kind.list()) {
                if let Some(native) = native(item) {
                    choice.add(target, native);
                }
            }
        }
        choice
    }

    fn add(&mut self, target: usize, native: Arc<str>) {
        if let Some(name) = self.targets.name(target)
            && let Some(short) = shortened(name, &native, self.max_length)
        {
            let entry = Entry { target, native: native.clone() };
            self.shortened.entry(short).and_modify(|other| *other = None).or_insert(Some(entry));
        }
        self.natives
            .entry(native)
            .and_modify(|owners| owners.add(target))
            .or_insert(Owners::One(target));
    }

    pub(super) fn listed(&self, target: usize, native: &Arc<str>, item: &Item) -> Listed {
        let native_wanted = match self.form {
            Form::Native => return Listed::Native(native.clone()),
            Form::NativeUnlessShared => true,
            Form::Prefixed => self.kind == NameKind::Tool && app::is_app_only(item),
        };
        let alone = matches!(self.natives.get(native), Some(Owners::One(_)));
        if native_wanted && alone && !self.is_prefixed_name(native) {
            return Listed::Native(native.clone());
        }
        self.prefixed(target, native)
    }

    /// The prefixed name of an entry depends on nothing but the entry, its target and the limit,
    /// unless two digests are alike: then both are listed in full, so that neither gets the
    /// other's calls.
    fn prefixed(&self, target: usize, native: &str) -> Listed {
        let Some(name) = self.targets.name(target) else { return Listed::Native(native.into()) };
        let full: Arc<str> = format!("{}_{native}", name.as_str()).into();
        match shortened(name, native, self.max_length) {
            Some(short) if self.is_free(&short) => Listed::Shortened { name: short, full },
            Some(_) | None => Listed::Prefixed(full),
        }
    }

    fn is_free(&self, short: &str) -> bool {
        matches!(self.shortened.get(short), Some(Some(_))) && !self.is_full_name(short)
    }

    /// Whether a name is the prefixed name of an entry, in full or shortened.
    fn is_prefixed_name(&self, name: &str) -> bool {
        self.shortened.contains_key(name) || self.is_full_name(name)
    }

    pub(super) fn is_full_name(&self, name: &str) -> bool {
        prefixed(self.targets, name).is_some_and(|(target, native)| {
            self.natives.get(native).is_some_and(|owners| owners.contains(target))
        })
    }
}

/// The target a name is prefixed with, and the rest. A target's name holds no `_`, so the first
/// one ends the longest prefix there can be.
pub(super) fn prefixed<'a>(targets: &TargetIndex, name: &'a str) -> Option<(usize, &'a str)> {
    let (prefix, native) = name.split_once('_')?;
    if native.is_empty() {
        return None;
    }
    Some((targets.position(prefix)?, native))
}

/// The shortened form of a prefixed name; `None` if it can stand as it is.
pub(super) fn shortened(target: &TargetName, native: &str, max_length: usize) -> Option<Arc<str>> {
    let full = target.as_str().len() + 1 + native.chars().count();
    let native = NativeName::new(native).ok()?;
    if full <= max_length && native.is_plain() {
        return None;
    }
    Some(ToolName::prefixed(target, &native, max_length).as_str().into())
}

pub(super) fn native(item: &Item) -> Option<Arc<str>> {
    item.key.as_ref().map(|key| key.as_str().into())
}

pub(super) fn items(catalog: Option<&Catalog>, kind: ListKind) -> &[Item] {
    catalog.map_or(&[], |catalog| catalog.items(kind))
}
