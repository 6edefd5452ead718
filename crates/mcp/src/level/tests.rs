//! The eight levels, in order.

use super::Level;

#[test]
fn a_name_leads_to_its_level_and_back() {
    for level in Level::ALL {
        assert_eq!(Level::parse(level.as_str()), Some(level));
    }
    for name in ["", "Debug", "warn", "trace", "fatal"] {
        assert_eq!(Level::parse(name), None);
    }
}

#[test]
fn the_least_serious_comes_first() {
    assert!(Level::ALL.is_sorted());
    assert!(Level::Debug < Level::Emergency);
}
