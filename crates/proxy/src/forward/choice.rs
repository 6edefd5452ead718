//! Which of several answers a request, by weight.

use config::Share;

use crate::random;

/// Any of `shares`, of which there is at least one with a weight.
pub(super) fn at_random(shares: &[Share]) -> &Share {
    #[expect(clippy::expect_used, reason = "`Action::Http` is never empty, nor without weights")]
    at(shares, random::number()).expect("one of the shares has a weight")
}

/// The share at a point of all weights, laid end to end as often as it takes.
fn at(shares: &[Share], point: u64) -> Option<&Share> {
    let total: u64 = shares.iter().map(|share| share.weight).sum();
    let mut point = point.checked_rem(total)?;
    for share in shares {
        if point < share.weight {
            return Some(share);
        }
        point -= share.weight;
    }
    None
}

#[cfg(test)]
mod tests;
