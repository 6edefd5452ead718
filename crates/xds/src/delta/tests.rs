//! A client that answers whenever it likes ends up with what is published.

use proptest::prelude::*;

use super::*;

/// A client as it should be: it applies what it is told.
#[derive(Debug, Default)]
struct Model {
    has: BTreeMap<ResourceType, BTreeMap<String, String>>,
    unanswered: Vec<(ResourceType, String, bool)>,
}

/// What no client can read.
const BAD: &[u8] = &[2];

impl Model {
    /// Takes a response, or refuses all of it.
    fn take(&mut self, change: Change) {
        let is_taken = !change.changed.iter().any(|(_, resource)| resource.payload == BAD);
        self.unanswered.push((change.kind, change.nonce, is_taken));
        if !is_taken {
            return;
        }
        let has = self.has.entry(change.kind).or_default();
        has.extend(change.changed.into_iter().map(|(name, resource)| (name, resource.version)));
        for name in change.removed {
            assert!(has.remove(&name).is_some(), "{name} was never there");
        }
    }

    fn versions(&self, kind: ResourceType) -> BTreeMap<String, String> {
        self.has.get(&kind).cloned().unwrap_or_default()
    }
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
                    let (kind, nonce, is_taken) = model.unanswered.remove(which);
                    client.answered(kind, &nonce, is_taken);
                }
                Step::Answer(_) => {}
                Step::Reconnect => {
                    client = Client::default();
                    model.unanswered.clear();
                    // One after the other, and told in between.
                    for kind in ResourceType::ALL {
                        client.subscribe(kind, model.versions(kind));
                        model_takes(&mut client, &mut model, &current);
                    }
                }
            }
        }
        for _ in 0..20 {
            model_takes(&mut client, &mut model, &current);
            for (kind, nonce, is_taken) in std::mem::take(&mut model.unanswered) {
                client.answered(kind, &nonce, is_taken);
            }
        }
        let is_bad = |kind| current.of(kind).any(|(_, resource)| resource.payload == BAD);
        for kind in ResourceType::ALL {
            let has = model.versions(kind);
            for (name, resource) in current.of(kind) {
                let has_it = has.get(name) == Some(&resource.version);
                prop_assert_eq!(has_it, resource.payload != BAD, "{:?} {}", kind, name);
            }
            // What an old document names stays as long as a new one is refused.
            let stays = kind != ResourceType::Document && is_bad(ResourceType::Document);
            let gone = has.keys().find(|name| current.get(kind, name).is_none());
            prop_assert!(stays || gone.is_none(), "{:?} {:?}", kind, gone);
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
                let due = scope.of(part).filter(|(_, resource)| resource.payload != BAD);
                let mut due = due.map(|(name, _)| name);
                assert!(due.all(|name| has.contains_key(name)));
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
    client.answered(ResourceType::Endpoints, &endpoints.nonce, true);
    let document = client.next(&first).unwrap();
    assert_eq!(document.kind, ResourceType::Document);
    client.answered(ResourceType::Document, &document.nonce, true);
    assert_eq!(client.next(&first), None);

    let second = scope(&[(ResourceType::Document, "g", "2")]);
    let document = client.next(&second).unwrap();
    assert_eq!((document.kind, document.removed.len()), (ResourceType::Document, 0));
    assert_eq!(client.next(&second), None);
    client.answered(ResourceType::Document, &document.nonce, true);
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
    client.answered(ResourceType::Document, "another", true);
    client.answered(ResourceType::Endpoints, &change.nonce, true);
    let two = scope(&[(ResourceType::Document, "g", "2")]);
    assert_eq!(client.next(&two), None);
    client.answered(ResourceType::Document, &change.nonce, true);
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
    client.answered(ResourceType::Document, &change.nonce, true);
    assert_eq!(client.next(&scope), None);
}

#[test]
fn what_an_old_document_names_stays_until_the_new_one_is_there() {
    let scope = scope(&[(ResourceType::Document, "g", "2")]);
    let mut client = Client::default();
    let known = |name: &str, payload: &str| {
        BTreeMap::from([(name.to_owned(), Resource::new(payload.to_owned()).version)])
    };
    client.subscribe(ResourceType::Endpoints, known("a", "[]"));
    assert_eq!(client.next(&scope), None, "nobody knows yet which document it has");
    client.subscribe(ResourceType::Document, known("g", "1"));
    let refused = client.next(&scope).unwrap();
    assert_eq!(refused.kind, ResourceType::Document);
    client.answered(ResourceType::Document, &refused.nonce, false);
    assert_eq!(client.next(&scope), None, "the old document is in force");
}

#[test]
fn what_is_refused_in_company_is_offered_alone() {
    let both = [(ResourceType::Endpoints, "a", "1"), (ResourceType::Endpoints, "b", "2")];
    let scope = scope(&both);
    let mut client = Client::default();
    client.subscribe(ResourceType::Endpoints, BTreeMap::new());
    let company = client.next(&scope).unwrap();
    assert_eq!(company.changed.len(), 2);
    client.answered(ResourceType::Endpoints, &company.nonce, false);
    for name in ["a", "b"] {
        let alone = client.next(&scope).unwrap();
        let names: Vec<&str> = alone.changed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [name]);
        client.answered(ResourceType::Endpoints, &alone.nonce, name == "a");
    }
    assert_eq!(client.next(&scope), None);
}

#[test]
fn a_document_waits_for_what_it_newly_names_and_for_no_change_of_the_rest() {
    let mut client = Client::default();
    client.subscribe(ResourceType::Document, BTreeMap::new());
    client.subscribe(ResourceType::Endpoints, BTreeMap::new());
    let first = scope(&[(ResourceType::Document, "g", "1"), (ResourceType::Endpoints, "a", "[1]")]);
    let endpoints = client.next(&first).unwrap();
    assert_eq!(endpoints.kind, ResourceType::Endpoints);
    assert_eq!(client.next(&first), None, "what it names is on its way");
    client.answered(ResourceType::Endpoints, &endpoints.nonce, true);
    let document = client.next(&first).unwrap();
    client.answered(ResourceType::Document, &document.nonce, true);

    // Pods come and go without an end, and meanwhile there is another document.
    let second =
        scope(&[(ResourceType::Document, "g", "2"), (ResourceType::Endpoints, "a", "[2]")]);
    let kinds: Vec<_> = std::iter::from_fn(|| client.next(&second)).map(|one| one.kind).collect();
    assert!(kinds.contains(&ResourceType::Document), "{kinds:?}");
}
