//! Which port a listener ends up on.

use config::Document;
use config::document::Listener;

use crate::ports::{PortMapping, apply, moved_twice};

/// The ports after the mappings, then the mappings without a listener.
fn check(ports: &[u16], mappings: &[&str], expected: &[u16], unused: &[&str]) {
    let listener = |port: &u16| {
        let mut listener = Listener::default();
        listener.address.set_port(*port);
        listener
    };
    let listeners = ports.iter().map(listener).collect();
    let mut document = Document { listeners, ..Document::default() };
    let parse = |text: &&str| text.parse::<PortMapping>().unwrap();
    let mappings: Vec<_> = mappings.iter().map(parse).collect();
    assert_eq!(apply(&mappings, &mut document), unused.iter().map(parse).collect::<Vec<_>>());
    let actual: Vec<_> = document.listeners.iter().map(|l| l.address.port()).collect();
    assert_eq!(actual, expected);
}

#[test]
fn a_mapping_moves_every_listener_of_its_port() {
    check(&[80, 443, 80], &["80=8080"], &[8080, 443, 8080], &[]);
}

#[test]
fn mappings_do_not_follow_each_other() {
    check(&[80, 8080], &["80=8080", "8080=9090"], &[8080, 9090], &[]);
}

#[test]
fn the_listener_that_nobody_wrote_can_be_moved() {
    check(&[], &["8080=9000"], &[9000], &[]);
    check(&[], &[], &[], &[]);
}

#[test]
fn a_mapping_without_a_listener_is_told() {
    check(&[80], &["81=8080"], &[80], &["81=8080"]);
}

#[test]
fn what_is_not_a_mapping_is_refused_with_an_example() {
    for text in ["80", "80=", "a=b", "80=70000"] {
        assert!(text.parse::<PortMapping>().is_err(), "{text}");
    }
    assert!("80".parse::<PortMapping>().unwrap_err().contains("80=8080"));
}

#[test]
fn a_port_that_is_moved_twice_is_found() {
    let mappings = |texts: &[&str]| -> Vec<PortMapping> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    assert_eq!(moved_twice(&mappings(&["80=1", "81=1"])), None);
    assert_eq!(moved_twice(&mappings(&["80=1", "81=1", "80=2"])), Some(80));
}
