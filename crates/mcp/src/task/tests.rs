//! Where task ids stand, and where they only seem to.

use bytes::Bytes;

use super::{TaskPage, created_task, retain_tasks, task_id_spans};
use crate::message::Message;

#[track_caller]
fn check(result: &str, expected: &[&str]) {
    let text = format!("{{\"result\":{result},\"jsonrpc\":\"2.0\",\"id\":1}}");
    let response = Message::parse(Bytes::from(text)).unwrap();
    let ids = task_id_spans(&response);
    for id in &ids {
        let raw = &response.bytes()[id.span()];
        assert!(raw.starts_with(b"\"") && raw.ends_with(b"\""));
    }
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    assert_eq!(ids, expected);
}

#[test]
fn a_result_has_them_at_three_places() {
    check(r#"{"taskId":"a","status":"working"}"#, &["a"]);
    check(r#"{"task":{"status":"working","taskId":"\u0061"},"_meta":{"taskId":"no"}}"#, &["a"]);
    check(r#"{"tasks":[{"taskId":"a"},{"taskId":"b"}],"nextCursor":"c"}"#, &["a", "b"]);
}

#[test]
fn data_that_looks_like_one_is_none() {
    check(
        r#"{"content":[{"taskId":"no"}],"task":{"task":{"taskId":"no"},"x":{"taskId":"no"}}}"#,
        &[],
    );
    check(r#"{"taskId":5,"task":"no","tasks":{"taskId":"no"}}"#, &[]);
    check("[]", &[]);
}

#[test]
fn a_page_of_tasks_is_raw_tasks_and_a_cursor() {
    let page = |result: &str| {
        let text = format!("{{\"result\":{result},\"jsonrpc\":\"2.0\",\"id\":1}}");
        let page = TaskPage::parse(&Message::parse(Bytes::from(text)).unwrap()).ok()?;
        Some((page.tasks, page.next_cursor))
    };
    let tasks = vec![Bytes::from(r#"{ "taskId":"a" }"#), Bytes::from("1")];
    let cursor = Some("c".to_owned());
    assert_eq!(page(r#"{"nextCursor":"c","tasks":[{ "taskId":"a" },1]}"#), Some((tasks, cursor)));
    assert_eq!(page(r#"{"tasks":[],"nextCursor":null}"#), Some((vec![], None)));
    assert_eq!(page(r#"{"tasks":null}"#), None);
}

#[test]
fn a_page_of_tasks_is_left_with_those_that_are_kept() {
    let left = |result: &str| {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,{result}}}"#);
        let left = retain_tasks(&Message::parse(text.into()).unwrap(), |id| id == "a")?;
        Some(String::from_utf8(left.to_vec()).unwrap())
    };
    let check = |result: &str, expected: &str| {
        assert_eq!(left(result), Some(format!(r#"{{"jsonrpc":"2.0","id":1,{expected}}}"#)));
    };
    check(
        r#""result":{"_meta":{"x":1},"tasks": [{"taskId":"b"}, {"x":1e2,"taskId":"\u0061"},{}],"nextCursor":"c"}"#,
        r#""result":{"_meta":{"x":1},"tasks": [{"x":1e2,"taskId":"\u0061"}],"nextCursor":"c"}"#,
    );
    check(r#""result":{"tasks":[]}"#, r#""result":{"tasks":[]}"#);
    // What is no list of tasks could hold anybody's.
    check(r#""result":{"tasks":{"t":{"taskId":"b"}}}"#, r#""result":{"tasks":[]}"#);
    check(r#""result":[{"taskId":"b"}]"#, r#""result":{"tasks":[]}"#);
    let twice = r#""result":{"tasks":[{"taskId":"b"}],"tasks":[{"taskId":"a"}]}"#;
    check(twice, r#""result":{"tasks":[]}"#);
    assert_eq!(left(r#""error":{"code":1,"message":"m"}"#), None);
}

#[test]
fn a_task_that_was_made_has_its_id_at_one_place() {
    let made = |result: &str| {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
        let task = created_task(&Message::parse(text.into()).unwrap());
        task.map(|id| id.as_str().to_owned())
    };
    assert_eq!(made(r#"{"task":{"taskId":"a","x":{"taskId":"no"}}}"#).as_deref(), Some("a"));
    assert_eq!(made(r#"{"taskId":"no","tasks":[{"taskId":"no"}]}"#), None);
    assert_eq!(made(r#"{"task":"no"}"#), None);
}
