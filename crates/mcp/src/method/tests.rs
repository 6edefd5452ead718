//! Names and methods belong together one to one.

use super::{ListKind, Method, NAMES};

#[test]
fn every_name_leads_to_its_method_and_back() {
    for (method, name) in NAMES {
        assert_eq!(Method::from_name(name), method);
        assert_eq!(method.name(), Some(name));
    }
    for name in ["", "Tools/List", "tools/list ", "tasks/update"] {
        assert_eq!(Method::from_name(name), Method::Other);
    }
    assert_eq!(Method::Other.name(), None);
}

#[test]
fn clients_are_asked_three_things() {
    let asked = NAMES.into_iter().filter(|(method, _)| method.is_asked_of_clients());
    let asked: Vec<&str> = asked.map(|(_, name)| name).collect();
    assert_eq!(asked, ["roots/list", "sampling/createMessage", "elicitation/create"]);
    assert!(!Method::Other.is_asked_of_clients());
}

#[test]
fn every_list_has_its_request() {
    for kind in ListKind::ALL {
        assert_eq!(kind.method().list(), Some(kind));
        assert!(kind.method().name().unwrap().ends_with("/list"));
        assert!(kind.changed().name().unwrap().ends_with("/list_changed"));
    }
    assert_eq!(Method::ToolsCall.list(), None);
    assert_eq!(Method::RootsList.list(), None);
    assert_eq!(Method::TasksList.list(), None);
}
