//! Lengths of time, written and read.

use super::Duration;

fn check(text: &str, milliseconds: u64, written: &str) {
    let duration: Duration = text.parse().unwrap();
    assert_eq!(duration, Duration::from_millis(milliseconds), "{text}");
    assert_eq!(duration.to_string(), written, "{text}");
}

#[test]
fn durations_are_numbers_with_units() {
    check("5s", 5_000, "5s");
    check("1m30s", 90_000, "1m30s");
    check("250ms", 250, "250ms");
    check("2h", 7_200_000, "2h");
    check("90s", 90_000, "1m30s");
    check("0s", 0, "0s");
    check("1h2m3s4ms", 3_723_004, "1h2m3s4ms");
    check("99999h", 359_996_400_000, "99999h");
}

#[test]
fn other_texts_are_not_durations() {
    for text in ["", "5", "s", "5d", "-5s", "1.5s", "123456s", "1s1s1s1s1s", "5 s", "5s ", "1s2"] {
        assert!(text.parse::<Duration>().is_err(), "{text}");
    }
}
