use crate::manifests::read;
use crate::world::World;

#[test]
fn a_text_that_is_not_yaml_is_an_error_at_its_place() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: [}\n";
    let diagnostic = read("broken.yaml", text).unwrap_err();
    assert_eq!(diagnostic.id, "document.syntax");
    assert_eq!(diagnostic.place.unwrap().line, 3);
}

#[test]
fn a_key_written_twice_is_an_error() {
    let diagnostic = read("broken.yaml", "kind: Service\nkind: Gateway\n").unwrap_err();
    let expected = "broken.yaml:2:1: error: `kind` is written twice [document.syntax]";
    assert_eq!(diagnostic.to_string(), expected);
}

#[test]
fn aliases_that_stand_for_too_much_are_an_error_in_plain_words() {
    let mut text = "kind: Service\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..9 {
        let inner = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", [inner.as_str(); 10].join(", ")));
    }
    let message = read("bomb.yaml", &text).unwrap_err().message;
    assert_eq!(message, "this is too large or too deep, with what its aliases stand for");
}

#[test]
fn an_empty_text_holds_nothing() {
    check("", 0, &[]);
    check("---\n# nothing\n---\n", 0, &[]);
}

#[test]
fn lists_hold_their_items() {
    let list = "{apiVersion: v1, kind: ServiceList, items: [
        {apiVersion: v1, kind: Service, metadata: {name: a}},
        {apiVersion: v1, kind: List, items: [
            {apiVersion: v1, kind: Service, metadata: {name: b}}]}]}";
    check(list, 2, &[]);
}

#[test]
fn labels_written_as_text_stay_text() {
    let service = "{apiVersion: v1, kind: Service, metadata: {name: a, labels: {mcp: 'true'}}}";
    let manifests = read("file.yaml", service).unwrap();
    assert_eq!(manifests.world.services[0].about.label("mcp"), Some("true"));
}

#[test]
fn what_does_not_fit_is_reported_at_its_field() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: 80\n";
    check(
        service,
        0,
        &["file.yaml:5:3: error: Service default/a: spec.ports: \
           invalid type: integer `80`, expected a sequence; the object is left out \
           [object.invalid]"],
    );
}

#[test]
fn an_object_of_two_files_is_reported_in_both() {
    let service = "{apiVersion: v1, kind: Service, metadata: {name: a}}";
    let mut world = World::default();
    assert!(world.merge(read("one.yaml", service).unwrap().world).is_empty());
    let diagnostics = world.merge(read("two.yaml", service).unwrap().world);
    let files: Vec<String> =
        diagnostics.iter().map(|one| one.place.as_ref().unwrap().file.to_string()).collect();
    assert_eq!(files, ["one.yaml", "two.yaml"]);
    assert_eq!(world.services.len(), 1);
}

fn check(text: &str, services: usize, expected: &[&str]) {
    let manifests = read("file.yaml", text).unwrap();
    assert_eq!(manifests.world.services.len(), services);
    let diagnostics: Vec<String> = manifests.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(diagnostics, expected);
}
