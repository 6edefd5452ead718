//! A client that answers whenever it likes ends up with what is published.

use proptest::prelude::*;

use super::*;

/// A client as it should be: it applies what it is told.
#[derive(Debug, Default)]
struct Model {
    has: BTreeMap<ResourceType, BTreeMap<String, String>>,
    unanswered: Vec<(ResourceType, String)>,
}

impl Model {
    fn take(&mut self, change: Change) {
        let has = self.has.entry(change.kind).or_default();
        has.extend(change.changed.into_iter().map(|(name, resource)| (name, resource.version)));
        for name in change.removed {
            assert!(has.remove(&name).is_some(), "{name} was never there");
        }
        self.unanswered.push((change.kind, change.nonce));
    }

    fn versions(&self, kind: ResourceType) -> BTreeMap<String, String> {
        self.has.get(&kind).cloned().unwrap_or_default()
    }
}

fn published(scope: &Scope, kind: ResourceType) -> BTreeMap<String, String> {
    scope.of(kind).map(|(name, resource)| (name.to_owned(), resource.version.clone())).collect()
}

fn subscribed() -> Client {
    let mut client = Client::default();
    for kind in ResourceType::ALL {
        client.subscribe(kind, BTreeMap::new());
    }
    client
}

fn scope(resources: &[(ResourceType, &str, &str)]) -> Scope {
    let mut scope = Scope::default();
    for (kind, name, payload) in resources {
        scope.insert(*kind, *name, Resource::new((*payload).to_owned()));
    }
    scope
}

#[derive(Debug, Clone)]
enum Step {
    Publish(Vec<(u8, u8, u8)>),
    Send,
    Answer(usize),
    /// A new stream: the client says what it has.
    Reconnect,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let resource = (0_u8..3, 0_u8..4, 0_u8..3);
    let step = prop_oneof![
        prop::collection::vec(resource, 0..6).prop_map(Step::Publish),
        Just(Step::Send),
        Just(Step::Send),
        (0_usize..3).prop_map(Step::Answer),
        Just(Step::Reconnect),
    ];
    prop::collection::vec(step, 0..40)
}

proptest! {
    #[test]
    fn whatever_happens_on_the_way_a_client_ends_with_what_is_published(steps in steps()) {
        let (mut client, mut model, mut current) =
            (subscribed(), Model::default(), Scope::default());
        for step in steps {
            match step {
                Step::Publish(resources) => {
                    current = Scope::default();
                    for (kind, name, payload) in resources {
                        let kind = ResourceType::ALL[usize::from(kind)];
                        current.insert(kind, name.to_string(), Resource::new(vec![payload]));
                    }
                }
                Step::Send => model_takes(&mut client, &mut model, &current),
                Step::Answer(which) if which < model.unanswered.len() => {
                    let (kind, nonce) = model.unanswered.remove(which);
                    client.answered(kind, &nonce);
                }
                Step::Answer(_) => {}
                Step::Reconnect => {
                    client = Client::default();
                    model.unanswered.clear();
                    for kind in ResourceType::ALL {
                        client.subscribe(kind, model.versions(kind));
                    }
                }
            }
        }
        for _ in 0..20 {
            model_takes(&mut client, &mut model, &current);
            for (kind, nonce) in std::mem::take(&mut model.unanswered) {
                client.answered(kind, &nonce);
            }
        }
        for kind in ResourceType::ALL {
            prop_assert_eq!(model.versions(kind), published(&current, kind));
        }
        prop_assert_eq!(client.next(&current), None);
    }
}

fn model_takes(client: &mut Client, model: &mut Model, scope: &Scope) {
    while let Some(change) = client.next(scope) {
        // What a document names is there before it.
        if change.kind == ResourceType::Document && !change.changed.is_empty() {
            for part in PARTS {
                let has = model.versions(part);
                assert!(
                    published(scope, part)
                        .iter()
                        .all(|(name, version)| has.get(name) == Some(version))
                );
            }
        }
        model.take(change);
    }
}

#[test]
fn what_a_document_names_comes_before_it_and_goes_after_it() {
    let mut client = subscribed();
    let first = scope(&[(ResourceType::Document, "g", "1"), (ResourceType::Endpoints, "a", "[]")]);
    let endpoints = client.next(&first).unwrap();
    assert_eq!(endpoints.kind, ResourceType::Endpoints);
    assert_eq!(client.next(&first), None);
    client.answered(ResourceType::Endpoints, &endpoints.nonce);
    let document = client.next(&first).unwrap();
    assert_eq!(document.kind, ResourceType::Document);
    client.answered(ResourceType::Document, &document.nonce);
    assert_eq!(client.next(&first), None);

    let second = scope(&[(ResourceType::Document, "g", "2")]);
    let document = client.next(&second).unwrap();
    assert_eq!((document.kind, document.removed.len()), (ResourceType::Document, 0));
    assert_eq!(client.next(&second), None);
    client.answered(ResourceType::Document, &document.nonce);
    let endpoints = client.next(&second).unwrap();
    assert_eq!(
        (endpoints.kind, endpoints.removed),
        (ResourceType::Endpoints, vec!["a".to_owned()])
    );
}

#[test]
fn an_answer_to_something_else_frees_nothing() {
    let mut client = subscribed();
    let one = scope(&[(ResourceType::Document, "g", "1")]);
    let change = client.next(&one).unwrap();
    client.answered(ResourceType::Document, "another");
    client.answered(ResourceType::Endpoints, &change.nonce);
    let two = scope(&[(ResourceType::Document, "g", "2")]);
    assert_eq!(client.next(&two), None);
    client.answered(ResourceType::Document, &change.nonce);
    assert!(client.next(&two).is_some());
}

#[test]
fn a_client_that_comes_back_is_told_what_has_changed_and_nothing_else() {
    let scope = scope(&[(ResourceType::Document, "g", "2"), (ResourceType::Endpoints, "a", "[]")]);
    let mut client = Client::default();
    let known =
        |kind, payload: &str| BTreeMap::from([(kind, Resource::new(payload.to_owned()).version)]);
    client.subscribe(ResourceType::Endpoints, known("a".to_owned(), "[]"));
    client.subscribe(ResourceType::Document, known("g".to_owned(), "1"));
    let change = client.next(&scope).unwrap();
    assert_eq!((change.kind, change.changed.len()), (ResourceType::Document, 1));
    client.answered(ResourceType::Document, &change.nonce);
    assert_eq!(client.next(&scope), None);
}
