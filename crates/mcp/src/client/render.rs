//! The JSON that declares a set of capabilities.

use bytes::{BufMut, Bytes, BytesMut};

use super::{ClientCapabilities, UI_EXTENSION, UI_TYPE};
use crate::method::Method;

/// The `capabilities` object.
pub(super) fn capabilities(set: ClientCapabilities) -> Bytes {
    let mut writer = Writer { set, bytes: BytesMut::from(&b"{"[..]) };
    if set.contains(ClientCapabilities::ROOTS) {
        writer.open("roots");
        writer.member(ClientCapabilities::ROOTS_LIST_CHANGED, "listChanged", "true");
        writer.close();
    }
    if set.contains(ClientCapabilities::SAMPLING) {
        writer.open("sampling");
        writer.member(ClientCapabilities::SAMPLING_CONTEXT, "context", "{}");
        writer.member(ClientCapabilities::SAMPLING_TOOLS, "tools", "{}");
        writer.close();
    }
    if set.answers(Method::ElicitationCreate) {
        writer.open("elicitation");
        writer.member(
            ClientCapabilities::ELICITATION_FORM.union(ClientCapabilities::ELICITATION_URL),
            "form",
            "{}",
        );
        writer.member(ClientCapabilities::ELICITATION_URL, "url", "{}");
        writer.close();
    }
    writer.tasks();
    if set.contains(ClientCapabilities::UI) {
        writer.open("extensions");
        writer.member(
            ClientCapabilities::UI,
            UI_EXTENSION,
            &format!("{{\"mimeTypes\":[\"{UI_TYPE}\"]}}"),
        );
        writer.close();
    }
    writer.close();
    writer.bytes.freeze()
}

struct Writer {
    set: ClientCapabilities,
    bytes: BytesMut,
}

impl Writer {
    fn tasks(&mut self) {
        let set = self.set;
        let sampling = set.contains(ClientCapabilities::SAMPLING)
            && set.contains(ClientCapabilities::TASKS_SAMPLING);
        let elicitation = set.answers(Method::ElicitationCreate)
            && set.contains(ClientCapabilities::TASKS_ELICITATION);
        let others = ClientCapabilities::TASKS_LIST.union(ClientCapabilities::TASKS_CANCEL);
        if !sampling && !elicitation && set.intersection(others).is_empty() {
            return;
        }
        self.open("tasks");
        self.member(ClientCapabilities::TASKS_LIST, "list", "{}");
        self.member(ClientCapabilities::TASKS_CANCEL, "cancel", "{}");
        if sampling || elicitation {
            self.open("requests");
            if sampling {
                self.member(
                    ClientCapabilities::TASKS_SAMPLING,
                    "sampling",
                    "{\"createMessage\":{}}",
                );
            }
            if elicitation {
                self.member(
                    ClientCapabilities::TASKS_ELICITATION,
                    "elicitation",
                    "{\"create\":{}}",
                );
            }
            self.close();
        }
        self.close();
    }

    /// A member, if its capabilities are in the set.
    fn member(&mut self, capabilities: ClientCapabilities, name: &str, value: &str) {
        if self.set.contains(capabilities) {
            self.key(name);
            self.bytes.put_slice(value.as_bytes());
        }
    }

    fn open(&mut self, name: &str) {
        self.key(name);
        self.bytes.put_u8(b'{');
    }

    fn close(&mut self) {
        self.bytes.put_u8(b'}');
    }

    fn key(&mut self, name: &str) {
        if self.bytes.last() != Some(&b'{') {
            self.bytes.put_u8(b',');
        }
        self.bytes.put_u8(b'"');
        self.bytes.put_slice(name.as_bytes());
        self.bytes.put_slice(b"\":");
    }
}
