//! What servers ask of clients, and tasks: what is read of it, and what is put in its place.

use super::parse;
use crate::id::Id;
use crate::text::Text;

/// What a request of `method` has at its routed places: their names and what they say.
#[track_caller]
fn check_routed(method: &str, expected: &[(&str, &str)]) {
    let params = r#"{"level":"info","logger":"l","mode":"url","message":"m\u0061","elicitationId":"e",
        "includeContext":"allServers","task":{"ttl":1},"taskId":"t","requestId": 0 ,
        "_meta":{"io.modelcontextprotocol/related-task":{"taskId":"r"}}}"#;
    let text =
        format!("{{\"id\":1,\"params\":{params},\"jsonrpc\":\"2.0\",\"method\":\"{method}\"}}");
    let message = parse(&text).unwrap();
    let routed = message.routed();
    let texts = [
        ("level", &routed.level),
        ("logger", &routed.logger),
        ("mode", &routed.elicitation_mode),
        ("message", &routed.elicitation_message),
        ("elicitationId", &routed.elicitation_id),
        ("includeContext", &routed.include_context),
        ("taskId", &routed.task_id),
    ];
    let texts: Vec<(&str, &str)> =
        texts.iter().filter_map(|(name, text)| Some((*name, text.as_ref()?.as_str()))).collect();
    assert_eq!(texts, expected, "{method}");
    assert_eq!(routed.related_task.as_ref().map(Text::as_str), Some("r"));
    assert!(routed.is_task);
}

#[test]
fn what_a_server_asks_is_read_where_the_method_has_it() {
    check_routed("logging/setLevel", &[("level", "info")]);
    check_routed("notifications/message", &[("level", "info"), ("logger", "l")]);
    check_routed(
        "elicitation/create",
        &[("mode", "url"), ("message", "ma"), ("elicitationId", "e")],
    );
    check_routed("notifications/elicitation/complete", &[("elicitationId", "e")]);
    check_routed("sampling/createMessage", &[("includeContext", "allServers")]);
    for method in ["tasks/get", "tasks/result", "tasks/cancel", "notifications/tasks/status"] {
        check_routed(method, &[("taskId", "t")]);
    }
    for method in ["tools/call", "roots/list", "tasks/list", "anything"] {
        check_routed(method, &[]);
    }
}

#[test]
fn a_task_is_asked_for_by_a_request_only() {
    let is_task = |text: &str| parse(text).unwrap().routed().is_task;
    assert!(is_task(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"task":{}}}"#));
    assert!(!is_task(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"task":null}}"#));
    assert!(!is_task(r#"{"jsonrpc":"2.0","method":"x","params":{"task":{}}}"#));
}

#[test]
fn a_result_says_to_which_task_it_belongs() {
    let text = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"r"}}}}"#;
    let message = parse(text).unwrap();
    assert_eq!(message.routed().related_task.as_ref().unwrap().as_str(), "r");
    assert_eq!(message.rewrite().related_task("x:r").bytes(), text.replace("\"r\"", "\"x:r\""));
}

#[test]
fn a_rewrite_reaches_what_servers_ask() {
    for (method, params, expected) in [
        ("notifications/cancelled", r#"{"requestId": 0 }"#, r#"{"requestId": 9 }"#),
        ("notifications/message", r#"{"logger":"a","data":"a"}"#, r#"{"logger":"l","data":"a"}"#),
        ("notifications/message", r#"{"data":"a"}"#, r#"{"data":"a"}"#),
        (
            "sampling/createMessage",
            r#"{"includeContext":"allServers"}"#,
            r#"{"includeContext":"none"}"#,
        ),
        (
            "elicitation/create",
            r#"{"elicitationId":"a","message":"b","mode":"url"}"#,
            r#"{"elicitationId":"e","message":"m","mode":"url"}"#,
        ),
        (
            "tasks/get",
            r#"{"taskId":"a","_meta":{"io.modelcontextprotocol/related-task":{"taskId":"a"}}}"#,
            r#"{"taskId":"t","_meta":{"io.modelcontextprotocol/related-task":{"taskId":"r"}}}"#,
        ),
    ] {
        let wire = |params: &str| {
            format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{params}}}")
        };
        let message = parse(&wire(params)).unwrap();
        let rewrite =
            message.rewrite().request_id(&Id::from(9)).logger("l").include_context("none");
        let rewrite = rewrite.elicitation_message("m").elicitation_id("e");
        assert_eq!(rewrite.task_id("t").related_task("r").bytes(), wire(expected));
    }
}
