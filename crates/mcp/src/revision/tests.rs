//! The table of differences.

use super::Revision;

#[test]
fn a_date_leads_to_its_revision_and_back() {
    for revision in Revision::ALL {
        assert_eq!(Revision::parse(revision.as_str()), Some(revision));
    }
    for text in ["", "2025-06-19", "2025-6-18", "DRAFT-2026"] {
        assert_eq!(Revision::parse(text), None);
    }
}

#[test]
fn the_asked_revision_is_negotiated_where_it_has_initialize() {
    let cases = [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("2031-01-01", "2025-11-25"),
        ("", "2025-11-25"),
    ];
    for (asked, answered) in cases {
        assert_eq!(Revision::negotiate(asked).as_str(), answered, "{asked}");
    }
}

#[track_caller]
fn check(question: fn(Revision) -> bool, answers: [bool; 5]) {
    assert_eq!(Revision::ALL.map(question), answers);
}

#[test]
fn each_difference_begins_where_the_specification_says() {
    check(Revision::has_sessions, [true, true, true, true, false]);
    check(Revision::allows_batches, [false, true, false, false, false]);
    check(Revision::sends_version_header, [false, false, true, true, true]);
    check(Revision::has_resource_links, [false, false, true, true, true]);
    check(Revision::primes_streams, [false, false, false, true, false]);
    check(Revision::has_elicitation, [false, false, true, true, true]);
    check(Revision::has_url_elicitation, [false, false, false, true, true]);
    check(Revision::has_sampling_details, [false, false, false, true, true]);
    check(Revision::has_tasks, [false, false, false, true, false]);
    check(Revision::announces_roots, [true, true, true, true, false]);
    check(Revision::mirrors_headers, [false, false, false, false, true]);
}
