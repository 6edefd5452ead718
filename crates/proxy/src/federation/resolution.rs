//! What a name or URI of a client turns out to mean.

use std::sync::Arc;

use mcp::TargetName;

/// A name or URI of a client, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The position of the target in its menu.
    pub target: usize,
    /// The name or URI as the target knows it.
    pub native: Arc<str>,
    /// Whether the target's catalog has it. A call may go through without: lists lag, and apps
    /// call tools that are not listed.
    pub listed: bool,
}

/// Why a name or URI belongs to no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// No target has it, and it names none.
    #[error("no target has it")]
    Unknown,
    /// Several targets may have it; with a prefix it is plain which one is meant.
    #[error("it may belong to {}", Names(.candidates))]
    Ambiguous {
        /// The targets it may belong to, in configuration order.
        candidates: Vec<TargetName>,
    },
}

struct Names<'a>(&'a [TargetName]);

impl std::fmt::Display for Names<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, name) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(formatter, "{separator}`{}`", name.as_str())?;
        }
        Ok(())
    }
}

/// Which targets of a menu have the same native name or URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owners {
    One(usize),
    /// At least two, ascending.
    Many(Vec<usize>),
}

impl Owners {
    pub(crate) fn add(&mut self, target: usize) {
        match self {
            Owners::One(owner) if *owner == target => {}
            Owners::One(owner) => {
                *self = Owners::Many(vec![target.min(*owner), target.max(*owner)]);
            }
            Owners::Many(owners) => {
                if let Err(place) = owners.binary_search(&target) {
                    owners.insert(place, target);
                }
            }
        }
    }

    pub(crate) fn as_slice(&self) -> &[usize] {
        match self {
            Owners::One(owner) => std::slice::from_ref(owner),
            Owners::Many(owners) => owners,
        }
    }

    /// Whether a target is among them.
    pub(crate) fn contains(&self, target: usize) -> bool {
        self.as_slice().contains(&target)
    }
}

/// The names of a menu's targets, by position and the other way round.
#[derive(Debug, Default)]
pub(crate) struct TargetIndex {
    names: Vec<TargetName>,
    positions: std::collections::HashMap<Arc<str>, usize>,
}

impl TargetIndex {
    pub(crate) fn new(names: Vec<TargetName>) -> Self {
        let mut positions = std::collections::HashMap::new();
        for (position, name) in names.iter().enumerate() {
            positions.entry(Arc::from(name.as_str())).or_insert(position);
        }
        Self { names, positions }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn name(&self, target: usize) -> Option<&TargetName> {
        self.names.get(target)
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// The only target, if there is exactly one.
    pub(crate) fn only(&self) -> Option<usize> {
        (self.names.len() == 1).then_some(0)
    }

    pub(crate) fn ambiguous(&self, targets: &[usize]) -> Unresolved {
        let candidates = targets.iter().filter_map(|target| self.name(*target).cloned()).collect();
        Unresolved::Ambiguous { candidates }
    }
}
