//! Which of several backends answers, by weight. Whoever opens a session gets any of them, and the
//! session stays there; who has none gets the same every time.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::net::IpAddr;

use config::Weighted;

use crate::random;

/// For a session that begins.
pub(crate) fn at_random(backends: &[Weighted]) -> Option<&str> {
    at(backends, random::number())
}

/// For a caller without a session: the same for one address, in every process of this build, so
/// that replicas choose alike.
pub(crate) fn by_address(backends: &[Weighted], address: IpAddr) -> Option<&str> {
    at(backends, BuildHasherDefault::<DefaultHasher>::default().hash_one(address))
}

/// The backend at a point of all weights, laid end to end as often as it takes.
fn at(backends: &[Weighted], point: u64) -> Option<&str> {
    let total: u64 = backends.iter().map(|choice| u64::from(choice.weight)).sum();
    let mut point = point.checked_rem(total)?;
    for choice in backends {
        let weight = u64::from(choice.weight);
        if point < weight {
            return Some(&choice.backend);
        }
        point -= weight;
    }
    None
}

#[cfg(test)]
mod tests;
