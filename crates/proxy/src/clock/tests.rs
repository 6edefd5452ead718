//! What a manual clock promises to the tests that use it.

use std::time::Duration;

use crate::clock::Clock;

#[test]
fn a_manual_clock_moves_only_when_it_is_told() {
    let (clock, manual) = Clock::manual();
    let (now, unix) = (clock.now(), clock.unix());
    assert_eq!(clock.now(), now);
    manual.advance(Duration::from_millis(1500));
    assert_eq!(clock.clone().now() - now, Duration::from_millis(1500));
    assert_eq!(clock.unix().duration_since(unix).unwrap(), Duration::from_millis(1500));
}
