//! Tool and prompt names: which name each entry is listed under, and which entry a name means.

use std::collections::HashMap;
use std::sync::Arc;

use config::PrefixMode;
use mcp::ListKind;

use crate::catalog::Catalog;
use crate::federation::resolution::{Owners, Resolved, TargetIndex, Unresolved};

mod app;
mod choice;

use choice::{Choice, items, native, prefixed};

/// How a backend names what its targets offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// When names carry their target's name.
    pub mode: PrefixMode,
    /// The longest name listed, in characters, as far as it is ours to choose (`names.maxLength`).
    pub max_length: usize,
}

impl Naming {
    /// Whether URIs carry their target's name. Unlike names they do in mode `Never` too
    /// (COMPATIBILITY 1.6).
    pub(crate) fn rewrites_uris(&self, targets: usize) -> bool {
        targets != 1 || self.mode == PrefixMode::Always
    }

    fn form(&self, targets: usize) -> Form {
        match self.mode {
            PrefixMode::Always => Form::Prefixed,
            PrefixMode::Conditional | PrefixMode::Never if targets == 1 => Form::Native,
            PrefixMode::Conditional => Form::Prefixed,
            PrefixMode::Never => Form::NativeUnlessShared,
        }
    }
}

/// The two kinds of entries that are called by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// `tools/call`.
    Tool,
    /// `prompts/get`, and `completion/complete` with a prompt.
    Prompt,
}

impl NameKind {
    /// The list that entries of this kind stand in.
    pub fn list(self) -> ListKind {
        match self {
            NameKind::Tool => ListKind::Tools,
            NameKind::Prompt => ListKind::Prompts,
        }
    }
}

/// How names are listed, as the mode comes out for a number of targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Native,
    NativeUnlessShared,
    Prefixed,
}

/// The name an entry is listed under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listed {
    /// As its target knows it.
    Native(Arc<str>),
    /// `<target>_<native>`.
    Prefixed(Arc<str>),
    /// A prefixed name that was too long, or had what a name may not have.
    Shortened { name: Arc<str>, full: Arc<str> },
}

impl Listed {
    pub(crate) fn name(&self) -> &Arc<str> {
        match self {
            Listed::Native(name) | Listed::Prefixed(name) | Listed::Shortened { name, .. } => name,
        }
    }
}

/// The names of one kind in a menu.
#[derive(Debug)]
pub(crate) struct Names {
    form: Form,
    /// What each target's entries are listed under, in the order of its catalog.
    listed: Vec<Vec<Listed>>,
    /// Every name that is listed, and every shortened name that could be, to its entry.
    entries: HashMap<Arc<str>, Entry>,
    /// Every native name to the targets that have it.
    natives: HashMap<Arc<str>, Owners>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    target: usize,
    native: Arc<str>,
}

impl Names {
    /// Names what the targets offer; `catalogs` are in the order of `targets`.
    pub(crate) fn build(
        kind: NameKind,
        naming: &Naming,
        targets: &TargetIndex,
        catalogs: &[Option<Arc<Catalog>>],
    ) -> Self {
        let choice = Choice::new(kind, naming, targets, catalogs);
        let mut entries = HashMap::new();
        let mut listed = Vec::with_capacity(catalogs.len());
        for (target, catalog) in catalogs.iter().enumerate() {
            let mut names = Vec::new();
            for item in items(catalog.as_deref(), kind.list()) {
                let Some(native) = native(item) else { continue };
                let name = choice.listed(target, &native, item);
                entries.insert(name.name().clone(), Entry { target, native });
                names.push(name);
            }
            listed.push(names);
        }
        // A shortened name can be called whether or not it is the one listed now.
        for (name, entry) in &choice.shortened {
            if let Some(entry) = entry
                && !choice.is_full_name(name)
            {
                entries.entry(name.clone()).or_insert_with(|| entry.clone());
            }
        }
        Self { form: choice.form, listed, entries, natives: choice.natives }
    }

    /// What a target's entries are listed under, in the order of its catalog.
    pub(crate) fn listed(&self, target: usize) -> &[Listed] {
        self.listed.get(target).map_or(&[], Vec::as_slice)
    }

    /// The entry a client's name means: an exact name of the menu; else the target it is prefixed
    /// with, listed or not; else the only target that knows it as it is.
    pub(crate) fn resolve(
        &self,
        targets: &TargetIndex,
        name: &str,
    ) -> Result<Resolved, Unresolved> {
        if let Some(entry) = self.entries.get(name) {
            let native = entry.native.clone();
            return Ok(Resolved { target: entry.target, native, listed: true });
        }
        if let Some((target, native)) = prefixed(targets, name) {
            let listed = self.has(target, native);
            if listed || self.form != Form::Native {
                return Ok(Resolved { target, native: native.into(), listed });
            }
        }
        match self.natives.get_key_value(name) {
            Some((native, Owners::One(target))) => {
                Ok(Resolved { target: *target, native: native.clone(), listed: true })
            }
            Some((_, Owners::Many(owners))) => Err(targets.ambiguous(owners)),
            None => match targets.only() {
                Some(target) => Ok(Resolved { target, native: name.into(), listed: false }),
                None => Err(Unresolved::Unknown),
            },
        }
    }

    fn has(&self, target: usize, native: &str) -> bool {
        self.natives.get(native).is_some_and(|owners| owners.contains(target))
    }
}

#[cfg(test)]
mod tests;
