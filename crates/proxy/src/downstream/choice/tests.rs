//! What gets how much.

use super::*;

fn weighted(shares: &[(&str, u32)]) -> Vec<Weighted> {
    let weighted =
        |(name, weight): &(&str, u32)| Weighted { weight: *weight, backend: (*name).into() };
    shares.iter().map(weighted).collect()
}

#[test]
fn every_backend_gets_its_share_and_one_without_weight_gets_none() {
    let backends = weighted(&[("a", 2), ("none", 0), ("b", 1)]);
    let chosen: Vec<_> = (0..6).filter_map(|point| at(&backends, point)).collect();
    assert_eq!(chosen, ["a", "a", "b", "a", "a", "b"]);
    assert_eq!(at(&weighted(&[("none", 0)]), 0), None);
    assert_eq!(at(&[], 0), None);
}

#[test]
fn an_address_gets_the_same_every_time_and_a_session_any() {
    let backends = weighted(&[("a", 1), ("b", 1)]);
    let address = IpAddr::from([192, 0, 2, 1]);
    let first = by_address(&backends, address);
    assert!((0..64).all(|_| by_address(&backends, address) == first));
    assert!((0..64).any(|_| at_random(&backends) != first));
}
