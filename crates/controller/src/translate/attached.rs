//! A policy that is in force where it is attached.

use std::sync::Arc;

use crate::object::ObjectName;
use crate::policy::Rules;

/// A policy that is in force.
#[derive(Clone, Debug)]
pub(super) struct Attached {
    /// Which one it is.
    pub(super) policy: ObjectName,
    pub(super) rules: Arc<Rules>,
}

impl PartialEq for Attached {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rules, &other.rules)
    }
}

/// The policies that are attached to a thing and to a part of it, in this order, the older first.
pub(super) type Levels = [Vec<Attached>; 2];
