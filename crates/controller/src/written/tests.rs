use super::*;

const US: &str = "ours.example/controller";

fn at(generation: i64, second: i64) -> Moment {
    Moment { generation, now: Timestamp::from_second(second).unwrap() }
}

fn accepted() -> Vec<Condition> {
    vec![Condition::holds("Accepted", "Accepted")]
}

#[test]
fn a_condition_keeps_its_time_for_as_long_as_it_holds() {
    let first = conditions(&accepted(), &Value::Null, at(1, 1_000));
    assert_eq!(text(&first[0], "lastTransitionTime"), "1970-01-01T00:16:40Z");
    let again = conditions(&accepted(), &first, at(2, 2_000));
    assert_eq!(again[0]["lastTransitionTime"], first[0]["lastTransitionTime"]);
    assert_eq!(again[0]["observedGeneration"], 2);
    let failed = vec![Condition::fails("Accepted", "Invalid", "no")];
    let failed = conditions(&failed, &again, at(2, 3_000));
    assert_eq!(text(&failed[0], "lastTransitionTime"), "1970-01-01T00:50:00Z");
}

#[test]
fn entries_of_other_controllers_stay_as_and_where_they_are() {
    let theirs =
        json!({"parentRef": {"name": "a"}, "controllerName": "theirs", "conditions": [{"x": 1}]});
    let gone = json!({"parentRef": {"name": "gone"}, "controllerName": US, "conditions": []});
    let current = json!([gone, theirs]);
    let said = accepted();
    let wanted = [(json!({"name": "a"}), said.as_slice())];
    let written = entries(&wanted, &PARENTS, US, &current, at(1, 0));
    assert_eq!(written[0], theirs);
    assert_eq!(written[1]["controllerName"], US);
    assert_eq!(written[1]["parentRef"], json!({"name": "a"}));
    assert_eq!(written.as_array().map(Vec::len), Some(2));
    assert_eq!(entries(&wanted, &PARENTS, US, &written, at(1, 9)), written);
    assert_eq!(entries(&[], &PARENTS, US, &written, at(1, 9)), json!([theirs]));
}

#[test]
fn where_others_leave_little_room_the_first_of_ours_are_written() {
    let theirs: Vec<Value> = (0..14)
        .map(|number| json!({"ancestorRef": {"name": number}, "controllerName": "theirs"}))
        .collect();
    let said = accepted();
    let names = ["a", "b", "c", "d"].map(|name| (json!({"name": name}), said.as_slice()));
    let written = entries(&names, &ANCESTORS, US, &Value::Array(theirs.clone()), at(1, 0));
    assert_eq!(written.as_array().map(Vec::len), Some(16));
    assert_eq!(written[14]["ancestorRef"]["name"], "a");
    assert_eq!(written[15]["ancestorRef"]["name"], "b");
}

#[test]
fn what_is_there_already_is_seen_beside_what_others_say() {
    let said = conditions(&accepted(), &Value::Null, at(1, 0));
    let status =
        json!({ "conditions": said, "listeners": [{ "name": "http", "conditions": said }] });
    let mut current = status.clone();
    current["conditions"].as_array_mut().unwrap().push(json!({"type": "Theirs", "status": "True"}));
    assert!(is_there(&status, &current));
    current["listeners"].as_array_mut().unwrap().push(json!({"name": "old"}));
    assert!(!is_there(&status, &current));
    assert!(same_conditions(&status, &current));
    let newer = json!({ "conditions": conditions(&accepted(), &said, at(2, 0)) });
    assert!(!same_conditions(&newer, &current));
}
