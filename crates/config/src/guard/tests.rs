//! What is called like a guard.

use super::is_guard;

#[track_caller]
fn check(paths: &[&str], expected: bool) {
    for path in paths {
        assert_eq!(is_guard(path), expected, "{path}");
    }
}

#[test]
fn a_guard_is_known_by_its_name_however_it_is_spelled() {
    check(
        &[
            "authentication",
            "oauth",
            "apiKey",
            "api-key",
            "rate_limit",
            "rateLimits",
            "mTLS",
            "policy",
            "policies",
            "clientCertificate",
            "credentials",
            "acl",
        ],
        true,
    );
}

#[test]
fn what_stands_in_a_guard_is_one() {
    check(&["targets[0].tls.cipher", "spec.jwt[0].issuer", "routes[1].policies"], true);
}

#[test]
fn other_fields_guard_nothing() {
    check(&["retries", "targets[0].weight", "spec.rules[0].timeout", "name", ""], false);
}
