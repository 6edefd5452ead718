//! What selected targets are called, and who keeps a name that several want.

use std::collections::BTreeSet;

/// A target that wants a name.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// The name it wants.
    pub(super) wanted: String,
    /// The name it has, which it keeps while it could still get it: a name that clients use does
    /// not change because someone else comes or goes.
    pub(super) held: Option<String>,
    /// Whether it was named by hand, or else how near it is.
    pub(super) rank: Rank,
    /// The namespace of its Service, which tells it apart if it loses; empty for one named by hand.
    pub(super) namespace: String,
    /// The port of its Service.
    pub(super) port: i32,
}

/// Who comes first to a name. Claims of one rank come in the order in which they are given, the
/// first comer first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Rank {
    /// Named in the backend.
    Written,
    /// Selected earlier.
    Held,
    /// Selected in the backend's own namespace.
    Own,
    /// Selected elsewhere.
    Other,
}

/// The name that each claim gets: the one it has, or the one it wants; if another comes first to it
/// `<name>-<namespace>`, then with the port, too; `None` where those are taken as well, or where a
/// written name is there twice.
pub(super) fn assign(claims: &[Claim]) -> Vec<Option<String>> {
    let mut order: Vec<usize> = (0..claims.len()).collect();
    order.sort_by_key(|index| claims.get(*index).map(rank));
    let mut names: Vec<Option<String>> = vec![None; claims.len()];
    let mut taken = BTreeSet::new();
    // Twice over all of them, so that nobody's second choice takes what another wants first.
    for choose in [first_choice, second_choice] {
        for index in &order {
            let (Some(claim), Some(name)) = (claims.get(*index), names.get_mut(*index)) else {
                continue;
            };
            if name.is_none() {
                *name = choose(claim).into_iter().find(|name| taken.insert(name.clone()));
            }
        }
    }
    names
}

/// Whether `name` can be a target's: a DNS-1123 subdomain of at most 253 characters. `_` and `+`
/// separate it from what follows.
pub(super) fn is_valid(name: &str) -> bool {
    let ends = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let label = |label: &str| {
        let bytes = label.as_bytes();
        let inner = bytes.iter().all(|byte| ends(*byte) || *byte == b'-');
        inner
            && bytes.first().is_some_and(|byte| ends(*byte))
            && bytes.last().is_some_and(|byte| ends(*byte))
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// A claim that holds a name comes before all others that were selected.
fn rank(claim: &Claim) -> Rank {
    match (claim.rank, held(claim)) {
        (Rank::Written, _) => Rank::Written,
        (_, Some(_)) => Rank::Held,
        (rank, None) => rank,
    }
}

/// The name that a claim holds, if it is one of those it could get.
fn held(claim: &Claim) -> Option<&String> {
    let held = claim.held.as_ref()?;
    (*held == claim.wanted || others(claim).contains(held)).then_some(held)
}

fn first_choice(claim: &Claim) -> Vec<String> {
    vec![held(claim).unwrap_or(&claim.wanted).clone()]
}

fn second_choice(claim: &Claim) -> Vec<String> {
    match claim.rank {
        Rank::Written => Vec::new(),
        Rank::Held | Rank::Own | Rank::Other => {
            let mut names = vec![claim.wanted.clone()];
            names.extend(others(claim));
            names
        }
    }
}

/// The names of a claim that does not get the one it wants.
fn others(claim: &Claim) -> Vec<String> {
    let with_namespace = format!("{}-{}", claim.wanted, claim.namespace);
    let with_port = format!("{with_namespace}-{}", claim.port);
    [with_namespace, with_port].into_iter().filter(|name| is_valid(name)).collect()
}

#[cfg(test)]
mod tests;
