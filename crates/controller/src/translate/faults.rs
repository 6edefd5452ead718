//! What is wrong with a route as a whole, as its conditions say it.

use config::Close;

use crate::status::reason::{self, kind};
use crate::status::{Condition, ConditionStatus};
use crate::translate::reference;

/// What is wrong with the rules of one route.
#[derive(Default)]
pub(super) struct Faults {
    rules: usize,
    invalid: Vec<Fault>,
    unresolved: Vec<(&'static str, String)>,
}

/// What keeps a rule, or a part of it, from being served as it is written.
struct Fault {
    rule: usize,
    reason: &'static str,
    message: String,
    is_whole: bool,
}

impl Faults {
    /// Nothing is wrong yet with so many rules.
    pub(super) fn of(rules: usize) -> Self {
        Self { rules, ..Self::default() }
    }

    /// A rule is not served as it is written.
    pub(super) fn rule(&mut self, rule: usize, reason: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.invalid.push(Fault { rule, reason, message, is_whole: true });
    }

    /// A part of a rule is left out.
    pub(super) fn part(&mut self, rule: usize, reason: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.invalid.push(Fault { rule, reason, message, is_whole: false });
    }

    /// A reference of a rule leads nowhere.
    pub(super) fn reference(&mut self, rule: usize, close: &Close) {
        let reason = match close.id.as_str() {
            reference::KIND => reason::INVALID_KIND,
            reference::NOT_PERMITTED => reason::REF_NOT_PERMITTED,
            reference::UNKNOWN => reason::BACKEND_NOT_FOUND,
            reference::PROTOCOL => reason::UNSUPPORTED_PROTOCOL,
            _ => return self.part(rule, reason::UNSUPPORTED_VALUE, close.reason.as_str()),
        };
        let said = (reason, close.reason.clone());
        if !self.unresolved.contains(&said) {
            self.unresolved.push(said);
        }
    }

    /// Why none of the route is served, if that is so.
    pub(super) fn refusal(&self) -> Option<(&'static str, String)> {
        let whole: Vec<&Fault> = self.invalid.iter().filter(|fault| fault.is_whole).collect();
        let first = whole.first()?;
        let is_all = (0..self.rules).all(|rule| whole.iter().any(|fault| fault.rule == rule));
        is_all.then(|| (first.reason, list(&whole)))
    }

    /// Says that some of the route is served and some is not, if that is so.
    pub(super) fn partially_invalid(&self) -> Option<Condition> {
        if self.invalid.is_empty() || self.refusal().is_some() {
            return None;
        }
        let is_whole = |rule| self.invalid.iter().any(|fault| fault.is_whole && fault.rule == rule);
        let faults = self.invalid.iter().filter(|fault| fault.is_whole || !is_whole(fault.rule));
        let faults: Vec<&Fault> = faults.collect();
        Some(Condition {
            kind: kind::PARTIALLY_INVALID,
            status: ConditionStatus::True,
            reason: reason::UNSUPPORTED_VALUE,
            // The API asks for these first two words.
            message: format!("Dropped Rule {}", list(&faults)),
        })
    }

    /// Whether everything that the route refers to is there and may be referred to. The reason is
    /// the first one's; the message names all.
    pub(super) fn resolved_refs(&self) -> Condition {
        let Some((reason, _)) = self.unresolved.first() else {
            return Condition::holds(kind::RESOLVED_REFS, reason::RESOLVED_REFS);
        };
        let messages: Vec<&str> =
            self.unresolved.iter().map(|(_, message)| message.as_str()).collect();
        Condition::fails(kind::RESOLVED_REFS, reason, messages.join("; "))
    }
}

fn list(faults: &[&Fault]) -> String {
    let lines: Vec<String> =
        faults.iter().map(|fault| format!("{}: {}", fault.rule, fault.message)).collect();
    lines.join("; ")
}
