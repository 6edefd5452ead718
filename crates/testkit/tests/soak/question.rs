//! What targets ask: each question says whose it is and for whom, and so does its answer.

use serde_json::{Value, json};

/// How often each client calls each target, before the call in which it leaves.
pub(crate) const CALLS: usize = 10;
/// Where a target asks during a call, in this order.
pub(crate) const PLACES: [Place; 5] =
    [Place::Call, Place::Own, Place::Call, Place::Own, Place::Call];
/// Where it asks what its client leaves unanswered.
pub(crate) const UNANSWERED: [Place; 2] = [Place::Call, Place::Own];

/// Which stream of a client a question comes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// That of the call.
    Call,
    /// That of its GET.
    Own,
}

/// Whether a client is still there after it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// And answers.
    ToAnswer,
    /// It leaves.
    OnLeaving,
}

/// One question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    /// Who asks.
    pub(crate) target: &'static str,
    /// Who is asked.
    pub(crate) client: u64,
    /// Which of the questions of this target to this client, from 0: also its id, whoever else uses that.
    pub(crate) number: u64,
    pub(crate) place: Place,
    pub(crate) asked: Asked,
}

impl Question {
    /// Its id as raw JSON: the same of both targets, or at every other client the same digits as a string of the one.
    pub(crate) fn id(&self) -> String {
        let is_text = self.target == "b" && self.client % 2 == 1;
        if is_text { format!("\"{}\"", self.number) } else { self.number.to_string() }
    }

    /// What says all of this.
    pub(crate) fn label(&self) -> Value {
        json!({
            "target": self.target,
            "client": self.client,
            "number": self.number,
            "place": self.place.name(),
            "isAnswered": self.asked == Asked::ToAnswer,
        })
    }

    /// The request.
    pub(crate) fn request(&self) -> String {
        let meta = json!({ "question": self.label() });
        let schema = json!({ "type": "object", "properties": {} });
        let (method, params) = match self.number % 3 {
            0 => (
                "elicitation/create",
                json!({ "message": "?", "requestedSchema": schema, "_meta": meta }),
            ),
            1 => {
                ("sampling/createMessage", json!({ "messages": [], "maxTokens": 1, "_meta": meta }))
            }
            _ => ("roots/list", json!({ "_meta": meta })),
        };
        testkit::request(&self.id(), method, &params)
    }
}

impl Place {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Own => "own",
        }
    }
}

/// A client's answer to a question, in the question's own words.
pub(crate) fn answer(client: u64, question: &Value) -> anyhow::Result<String> {
    let meta = |key: &str| question.pointer("/params/_meta").and_then(|meta| meta.get(key));
    let label = meta("question").ok_or_else(|| anyhow::anyhow!("an unlabelled {question}"))?;
    let meta = json!({ "client": client, "question": label });
    let result = match question.get("method").and_then(Value::as_str) {
        Some("elicitation/create") => json!({ "action": "accept", "content": {}, "_meta": meta }),
        Some("sampling/createMessage") => json!({
            "role": "assistant", "content": { "type": "text", "text": "!" }, "model": "m", "_meta": meta,
        }),
        Some("roots/list") => {
            let root = format!("file:///client/{client}");
            json!({ "roots": [{ "uri": root }], "_meta": meta })
        }
        other => anyhow::bail!("nobody asks {other:?}"),
    };
    Ok(testkit::response(question.get("id").unwrap_or(&Value::Null), &result))
}
