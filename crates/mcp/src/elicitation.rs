//! Where the ids of elicitations stand in an error (2025-11-25, client/elicitation, "URL Elicitation
//! Required Error").

use crate::error::ErrorCode;
use crate::find::Step::{self, Member};
use crate::find::texts;
use crate::message::Message;
use crate::text::Text;

/// The ids in `error.data.elicitations[].elicitationId` of an error that asks for elicitations, in
/// the order in which they stand, with spans relative to `response.bytes()`. Empty for whatever else.
pub fn elicitation_id_spans(response: &Message) -> Vec<Text> {
    members(response, "elicitationId")
}

/// The texts that users read in `error.data.elicitations[].message` of such an error, likewise.
pub fn elicitation_message_spans(response: &Message) -> Vec<Text> {
    members(response, "message")
}

/// The texts of one member of each elicitation.
fn members(response: &Message, name: &'static str) -> Vec<Text> {
    let bytes = response.bytes();
    let asks = response.error_code() == Some(ErrorCode::UrlElicitationRequired.as_i64());
    let Some(span) = response.error_span().filter(|_| asks) else { return Vec::new() };
    let path = [Member("data"), Member("elicitations"), Step::Element, Member(name)];
    texts(bytes, &span, &path)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[track_caller]
    fn check(error: &str, expected: &[&str]) {
        let text = format!(r#"{{"error":{error},"jsonrpc":"2.0","id":1}}"#);
        let response = Message::parse(Bytes::from(text)).unwrap();
        let ids = elicitation_id_spans(&response);
        for id in &ids {
            let raw = &response.bytes()[id.span()];
            assert!(raw.starts_with(b"\"") && raw.ends_with(b"\""));
        }
        let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn each_elicitation_of_an_error_has_a_text() {
        let text = r#"{"error":{"code":-32042,"message":"no","data":{"elicitations":[{"message":"a"},{"message":"b","data":{"message":"no"}}]}},"jsonrpc":"2.0","id":1}"#;
        let texts = elicitation_message_spans(&Message::parse(Bytes::from(text)).unwrap());
        assert_eq!(texts.iter().map(Text::as_str).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn an_error_that_asks_for_elicitations_names_each() {
        check(
            r#"{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","elicitationId":"a"},{"elicitationId":"\u0062","data":{"elicitationId":"no"}}]}}"#,
            &["a", "b"],
        );
        check(
            r#"{"code":-32042,"message":"m","data":{"elicitations":[5,{"elicitationId":5}]}}"#,
            &[],
        );
        check(r#"{"code":-32042,"message":"m","data":{"elicitationId":"no"}}"#, &[]);
    }

    #[test]
    fn another_error_names_none() {
        check(
            r#"{"code":-32602,"message":"m","data":{"elicitations":[{"elicitationId":"no"}]}}"#,
            &[],
        );
    }
}
