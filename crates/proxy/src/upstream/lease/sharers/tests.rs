//! Who hears what of a connection that several clients share.

use bytes::Bytes;
use mcp::Message;

use super::*;
use crate::upstream::transport::ClientSettings;

/// A client: what it set, and what it heard.
#[derive(Default)]
struct Ear {
    level: Option<Level>,
    watched: Vec<&'static str>,
    heard: Mutex<Vec<Bytes>>,
}

impl Listener for Ear {
    fn hear(&self, inbound: Inbound) {
        if let Inbound::ResourceUpdated(message) | Inbound::Log(message) = inbound {
            self.heard.lock().push(message.bytes().clone());
        }
    }

    fn settings(&self) -> ClientSettings {
        let subscriptions = self.watched.iter().map(|uri| Arc::from(*uri)).collect();
        ClientSettings { level: self.level, subscriptions }
    }
}

fn message(method: &str, params: &str) -> Message {
    let text = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#);
    Message::parse(Bytes::from(text)).unwrap()
}

#[test]
fn an_update_is_for_those_who_watch_it_and_a_line_for_everybody() {
    let sharers = Sharers::default();
    let one =
        Arc::new(Ear { level: Some(Level::Error), watched: vec!["file:///a"], ..Ear::default() });
    let two = Arc::new(Ear {
        level: Some(Level::Debug),
        watched: vec!["file:///a", "file:///b"],
        ..Ear::default()
    });
    for ear in [&one, &two] {
        let listener: Arc<dyn Listener> = ear.clone();
        sharers.join(&listener);
    }
    assert_eq!((sharers.watching("file:///a"), sharers.watching("file:///b")), (2, 1));
    assert_eq!(sharers.level(), Some(Level::Debug));
    let updated = |uri: &str| {
        let params = format!(r#"{{"uri":"{uri}"}}"#);
        Inbound::ResourceUpdated(message("notifications/resources/updated", &params))
    };
    sharers.hear(&updated("file:///a/x"));
    sharers.hear(&updated("file:///b"));
    sharers.hear(&updated("file:///c"));
    let line = message("notifications/message", r#"{"level":"info","data":"x"}"#);
    sharers.hear(&Inbound::Log(line));
    assert_eq!((one.heard.lock().len(), two.heard.lock().len()), (2, 3));
    drop(two);
    assert_eq!(sharers.watching("file:///a"), 1, "who has gone watches nothing");
    assert_eq!(sharers.level(), Some(Level::Error));
}

#[test]
fn what_is_inside_of_a_resource_is_within_it() {
    for (uri, watched, expected) in [
        ("file:///a", "file:///a", true),
        ("file:///a/b", "file:///a", true),
        ("file:///a/b", "file:///a/", true),
        ("file:///a#x", "file:///a", true),
        ("file:///ab", "file:///a", false),
        ("file:///a", "file:///a/b", false),
    ] {
        assert_eq!(is_within(uri, watched), expected, "{uri} {watched}");
    }
}
