//! How problems are counted in words.

use config::{Diagnostic, Severity};

use crate::report::summary;

fn check(severities: &[Severity], expected: &str) {
    let diagnostic = |severity: &Severity| Diagnostic {
        severity: *severity,
        id: "test",
        path: String::new(),
        message: String::new(),
        place: None,
    };
    let diagnostics: Vec<_> = severities.iter().map(diagnostic).collect();
    assert_eq!(summary(&diagnostics), expected);
}

#[test]
fn problems_are_counted_by_severity() {
    check(&[], "no problems");
    check(&[Severity::Warning], "1 warning");
    check(&[Severity::Error, Severity::Error], "2 errors");
    check(&[Severity::Warning, Severity::Error], "1 error, 1 warning");
}
