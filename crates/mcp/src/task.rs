//! Where the ids of tasks stand in a result (2025-11-25, tasks).

use bytes::Bytes;

use crate::message::Message;
use crate::page::string;
use crate::scan::{Cursor, Fault};
use crate::text::Text;

/// The task ids of a result in the order in which they stand, with spans relative to
/// `response.bytes()`: `taskId` (`tasks/get`, `tasks/cancel`), `task.taskId` (where a task was asked
/// for) and `tasks[].taskId` (`tasks/list`). That of its `_meta` is `Routed::related_task`.
///
/// Other results may have such members too: only the answers to those requests are asked. Empty for
/// an error response.
pub fn task_id_spans(response: &Message) -> Vec<Text> {
    let bytes = response.bytes();
    let Some(span) = response.result_span() else { return Vec::new() };
    let mut ids = Vec::new();
    // A `Message` has been checked: a fault cannot happen.
    let _checked = find(bytes, &mut Cursor::within(bytes, &span), Place::Result, &mut ids);
    ids
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Result,
    Task,
}

fn find(
    bytes: &Bytes,
    cursor: &mut Cursor<'_>,
    place: Place,
    ids: &mut Vec<Text>,
) -> Result<(), Fault> {
    if cursor.peek() != Some(b'{') {
        return cursor.skip();
    }
    let mut walk = cursor.object()?;
    while let Some(key) = cursor.member(&mut walk)? {
        match (key.lossy(bytes).as_ref(), place, cursor.peek()) {
            ("taskId", _, _) => ids.extend(string(bytes, cursor)?),
            ("task", Place::Result, _) => find(bytes, cursor, Place::Task, ids)?,
            ("tasks", Place::Result, Some(b'[')) => {
                let mut walk = cursor.array()?;
                while cursor.element(&mut walk)? {
                    find(bytes, cursor, Place::Task, ids)?;
                }
            }
            _ => cursor.skip()?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
