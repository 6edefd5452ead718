use std::collections::BTreeMap;

use super::*;
use crate::document::{Document, Service, Target, TargetEntry};
use crate::{Origins, Variables, compile};

/// A document with a secret, a target and a service that are shown it in `header`.
fn document(value: &str, header: &str, prefix: &str) -> Document {
    let credential = Credential {
        secret: "s".to_owned(),
        value: value.to_owned(),
        header: header.to_owned(),
        prefix: prefix.to_owned(),
    };
    let target = Target {
        name: "t".to_owned(),
        url: Some("http://127.0.0.1:1/mcp".to_owned()),
        credentials: vec![credential.clone()],
        ..Target::default()
    };
    let service = Service {
        name: "w".to_owned(),
        url: "http://127.0.0.1:1".to_owned(),
        credentials: vec![credential],
        ..Service::default()
    };
    let backend = crate::document::Backend {
        name: "b".to_owned(),
        targets: vec![TargetEntry::Inline(Box::new(target))],
        ..crate::document::Backend::default()
    };
    let mut document =
        Document { backends: vec![backend], services: vec![service], ..Document::default() };
    let text = |text: &str| Secret::new(text);
    let values = [("bare", "x\n"), ("bearer", "Bearer x"), ("lines", "a\nb")];
    let values: BTreeMap<String, Secret> =
        values.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect();
    document.secrets.insert("s", values);
    document
}

/// What the target and the service are shown, or why they are closed.
fn shown(document: &Document) -> [String; 2] {
    let snapshot = compile(document, &Origins::default(), &Variables::new()).snapshot;
    let target = &snapshot.backends["b"].targets[0];
    let service = &snapshot.services["w"];
    let headers = target.settings.headers.iter();
    let of_target: Vec<String> =
        headers.map(|(name, value)| format!("{name}: {}", value.expose())).collect();
    let headers = service.headers.iter();
    let of_service: Vec<String> =
        headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    let closed = |close: &Option<Close>, shown: Vec<String>| match close {
        Some(close) => close.id.clone(),
        None => shown.join(", "),
    };
    [closed(&target.closed, of_target), closed(&service.closed, of_service)]
}

fn check(value: &str, header: &str, prefix: &str, expected: &str) {
    assert_eq!(shown(&document(value, header, prefix)), [expected, expected]);
}

#[test]
fn a_credential_is_shown_with_what_stands_before_it_once() {
    check("bare", "Authorization", "Bearer ", "authorization: Bearer x");
    check("bearer", "Authorization", "Bearer ", "authorization: Bearer x");
    check("bare", "X-Key", "", "x-key: x");
}

#[test]
fn without_its_credential_a_server_is_closed() {
    check("absent", "Authorization", "", "credential.missing");
    check("lines", "Authorization", "", "credential.missing");
    check("bare", "Host", "", "credential.missing");
    check("bare", "Mcp-Session-Id", "", "credential.missing");
    let mut document = document("bare", "Authorization", "");
    document.secrets = Secrets::default();
    assert_eq!(shown(&document), ["credential.missing", "credential.missing"]);
}
