//! The advice that comes with a listener that cannot be opened.

use std::io::{Error, ErrorKind};

use proxy::ListenError;

use crate::run::listen::explain;

fn check(address: &str, kind: ErrorKind, expected: &str) {
    let parsed = address.parse().unwrap();
    let error = ListenError { address: parsed, source: Error::from(kind), stays: None };
    let text = explain(&[error]).to_string();
    assert!(text.contains(address) && text.contains(expected), "{text}");
}

#[test]
fn a_port_in_use_can_be_moved_to_the_next_one() {
    check("127.0.0.1:8080", ErrorKind::AddrInUse, "`--port 8080=8081`");
}

#[test]
fn a_privileged_port_can_be_moved_to_a_free_one() {
    check("127.0.0.1:80", ErrorKind::PermissionDenied, "`--port 80=8080`");
}

#[test]
fn an_address_of_another_machine_has_to_be_changed() {
    check("192.0.2.1:80", ErrorKind::AddrNotAvailable, "change the listener's `address`");
}
