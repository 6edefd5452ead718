use serde_json::json;

use super::*;

fn name() -> ObjectName {
    ObjectName::new("default", "token")
}

fn seen(version: &str) -> ContentChange {
    ContentChange::Seen(Kept::Secret, name(), version.to_owned())
}

fn read(version: &str) -> ContentChange {
    let secret = json!({ "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "token", "namespace": "default" }, "stringData": { "a": version } });
    ContentChange::Read(Kept::Secret, name(), version.to_owned(), Some(secret))
}

/// Contents that something refers to.
fn referred(change: ContentChange) -> Contents {
    let mut contents = Contents::default();
    contents.take(change);
    contents.missing(Kept::Secret, &BTreeSet::from([name()]));
    contents
}

/// What is known of it.
fn held(contents: &Contents) -> Option<String> {
    let world = contents.world();
    let data = world.secrets.first()?.value.string_data.clone()?;
    data.get("a").cloned()
}

#[test]
fn what_cannot_be_read_keeps_nobody_waiting_and_takes_nothing_away() {
    let mut contents = referred(seen("1"));
    assert!(contents.are_awaited());
    assert!(contents.take(ContentChange::Unread(Kept::Secret, name())));
    assert!(!contents.are_awaited());
    assert!(contents.take(read("1")));
    assert_eq!(held(&contents).as_deref(), Some("1"));
    // The next version is read while the last is in force.
    assert!(contents.take(seen("2")));
    assert_eq!(contents.missing(Kept::Secret, &BTreeSet::from([name()])).len(), 1);
    contents.take(ContentChange::Unread(Kept::Secret, name()));
    assert_eq!(held(&contents).as_deref(), Some("1"));
    contents.take(read("2"));
    assert_eq!(held(&contents).as_deref(), Some("2"));
}

#[test]
fn what_is_gone_is_not_in_force_however_that_becomes_known() {
    let mut contents = referred(seen("1"));
    contents.take(read("1"));
    contents.take(ContentChange::All(Kept::Secret, BTreeMap::new()));
    assert_eq!(held(&contents), None);
    let mut contents = referred(seen("1"));
    contents.take(ContentChange::Gone(Kept::Secret, name()));
    contents.take(read("1"));
    assert_eq!(held(&contents), None);
}

#[test]
fn what_nothing_refers_to_is_no_news() {
    let mut contents = Contents::default();
    assert!(!contents.take(seen("1")));
}
