use super::*;
use crate::splice::splice;

fn without(bytes: &Bytes, cuts: Vec<Span>) -> String {
    let edits: Vec<_> = cuts.into_iter().map(|span| (span, Bytes::new())).collect();
    String::from_utf8(splice(bytes, &edits).to_vec()).unwrap()
}

#[test]
fn an_entry_loses_the_domain_of_its_app_and_nothing_else() {
    for (item, expected) in [
        (r#"{"domain":"d","ui":{"domain":"d"}}"#, r#"{"domain":"d","ui":{"domain":"d"}}"#),
        (r#"{"_meta":{"ui":{"domain":"d"}}}"#, r#"{"_meta":{"ui":{}}}"#),
        (
            r#"{"_meta":{"ui":{ "domain" : {"x":1}, "csp":{"domain":"c"} },"k":1}}"#,
            r#"{"_meta":{"ui":{ "csp":{"domain":"c"} },"k":1}}"#,
        ),
        (
            r#"{"_meta":{"ui":{"resourceUri":"ui://a","\u0064omain":"d","domain":1}}}"#,
            r#"{"_meta":{"ui":{"resourceUri":"ui://a"}}}"#,
        ),
        (r#"{"_meta":{"ui":["domain"]}}"#, r#"{"_meta":{"ui":["domain"]}}"#),
        (r#"["_meta"]"#, r#"["_meta"]"#),
    ] {
        let item = Bytes::from_static(item.as_bytes());
        assert_eq!(without(&item, item_domains(&item)), expected);
    }
}

#[test]
fn a_result_loses_the_domains_of_its_apps() {
    const UI: &str = r#""_meta":{"ui":{"domain":"d"}}"#;
    const NONE: &str = r#""_meta":{"ui":{}}"#;
    for (kind, template) in [
        (ResultKind::Read, r#"{"contents":[{"uri":"ui://a",UI},1],UI}"#),
        (ResultKind::ToolCall, r#"{"content":[{"type":"resource","resource":{UI},UI}],UI}"#),
        (ResultKind::Prompt, r#"{"messages":[{"content":{UI}},{"content":[{UI}],UI}],UI}"#),
    ] {
        let response = |meta: &str| {
            let result = template.replace("UI", meta);
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#)
        };
        let message = Message::parse(response(UI).into()).unwrap();
        assert_eq!(without(message.bytes(), result_domains(&message, kind)), response(NONE));
    }
}
