//! Pages of lists, from sloppy servers too.

use bytes::Bytes;

use super::{Page, PageError};
use crate::message::Message;
use crate::method::ListKind;
use crate::text::Text;

fn page(result: &str, kind: ListKind) -> Result<Page, PageError> {
    let response = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,{result}}}");
    Page::parse(&Message::parse(Bytes::from(response)).unwrap(), kind)
}

/// Keys of the items (`-` for none) and the cursor.
#[track_caller]
fn check(result: &str, kind: ListKind, keys: &[&str], cursor: Option<&str>) {
    let page = page(result, kind).unwrap();
    let found: Vec<&str> =
        page.items.iter().map(|item| item.key.as_ref().map_or("-", Text::as_str)).collect();
    assert_eq!(found, keys);
    assert_eq!(page.next_cursor.as_deref(), cursor);
}

#[test]
fn items_have_the_key_of_their_kind() {
    let result = r#""result":{"tools":[{"name":"a"},{"title":"x","name":"b\u0063"}]}"#;
    check(result, ListKind::Tools, &["a", "bc"], None);
    check(r#""result":{"prompts":[{"name":"a"}]}"#, ListKind::Prompts, &["a"], None);
    let result = r#""result":{"resources":[{"name":"n","uri":"u:x"}]}"#;
    check(result, ListKind::Resources, &["u:x"], None);
    let result = r#""result":{"resourceTemplates":[{"uriTemplate":"u:{x}","uri":1}]}"#;
    check(result, ListKind::ResourceTemplates, &["u:{x}"], None);
}

#[test]
fn an_item_without_a_usable_key_stays_and_has_none() {
    let result =
        r#""result":{"tools":[{"name":""},{},{"name":5},7,null,{"name":"\ud800"},{"name":"a"}]}"#;
    check(result, ListKind::Tools, &["-", "-", "-", "-", "-", "-", "a"], None);
}

#[test]
fn an_empty_cursor_is_a_cursor_and_null_is_none() {
    check(r#""result":{"tools":[],"nextCursor":""}"#, ListKind::Tools, &[], Some(""));
    check(r#""result":{"nextCursor":"a\n","tools":[]}"#, ListKind::Tools, &[], Some("a\n"));
    check(r#""result":{"tools":[],"nextCursor":null}"#, ListKind::Tools, &[], None);
    check(r#""result":{"tools":null,"x":{"nextCursor":"y"}}"#, ListKind::Tools, &[], None);
}

#[test]
fn what_is_no_list_is_an_error_that_says_so() {
    let cases = [
        (r#""error":{"code":1,"message":""}"#, "the answer is not a result"),
        (r#""result":[]"#, "`result` is missing in the result, or is not an object"),
        (r#""result":{}"#, "`tools` is missing in the result, or is not an array"),
        (r#""result":{"tools":{}}"#, "`tools` is missing in the result, or is not an array"),
        (
            r#""result":{"tools":[],"nextCursor":1}"#,
            "`nextCursor` is missing in the result, or is not a string",
        ),
    ];
    for (result, expected) in cases {
        assert_eq!(page(result, ListKind::Tools).unwrap_err().to_string(), expected);
    }
}

#[test]
fn an_item_tells_its_title_meta_and_ui_uris() {
    let result = r#""result":{"tools":[
        {"_meta" : {"ui":{"resourceUri":"ui://a","csp":{"resourceUri":"no"}},"ui/resourceUri":"ui://b"},
         "name":"t", "title":"T", "inputSchema":{"title":"no","_meta":{"ui/resourceUri":"no"}}}]}"#;
    let page = page(result, ListKind::Tools).unwrap();
    let item = page.items.first().unwrap();
    let place = |text: &Text| std::str::from_utf8(&item.raw[text.span()]).unwrap().to_owned();
    assert_eq!(place(item.key.as_ref().unwrap()), "\"t\"");
    assert_eq!(place(item.title.as_ref().unwrap()), "\"T\"");
    assert_eq!(item.ui_uris.iter().map(place).collect::<Vec<_>>(), ["\"ui://a\"", "\"ui://b\""]);
    let meta = &item.raw[item.meta.clone().unwrap()];
    assert!(meta.starts_with(b"{\"ui\"") && meta.ends_with(b"\"ui://b\"}"));
}

#[test]
fn an_edited_item_differs_in_its_edits_only() {
    let page = page(r#""result":{"tools":[{ "name" : "a" , "n":1.0 }]}"#, ListKind::Tools).unwrap();
    let item = page.items.first().unwrap();
    assert_eq!(item.edited(&[]), item.raw);
    let key = item.key.as_ref().unwrap().span();
    let edits = [(1..1, Bytes::from("\"x\":0,")), (key, Bytes::from("\"t_a\""))];
    assert_eq!(item.edited(&edits), r#"{"x":0, "name" : "t_a" , "n":1.0 }"#);
}
