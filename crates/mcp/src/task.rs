//! Where the ids of tasks stand in a result, and a page of tasks (2025-11-25, tasks).

use bytes::Bytes;

use crate::error::result_response;
use crate::message::Message;
use crate::page::{PageError, result, string};
use crate::scan::{Cursor, Fault};
use crate::text::{Text, quoted};

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

/// One page of the answer to `tasks/list`.
#[derive(Debug, Clone)]
pub struct TaskPage {
    /// In the server's order, raw.
    pub tasks: Vec<Bytes>,
    /// The cursor to the next page, as of other lists.
    pub next_cursor: Option<String>,
}

impl TaskPage {
    /// Reads the answer.
    ///
    /// # Errors
    /// Not a result, or no array of tasks.
    pub fn parse(response: &Message) -> Result<Self, PageError> {
        let result = result(response)?;
        let mut tasks = None;
        let mut next_cursor = None;
        let mut cursor = Cursor::checked(&result);
        let mut walk = cursor.object()?;
        while let Some(key) = cursor.member(&mut walk)? {
            match (key.lossy(&result).as_ref(), cursor.peek()) {
                ("tasks", Some(b'[')) => {
                    let mut walk = cursor.array()?;
                    let mut page = Vec::new();
                    while cursor.element(&mut walk)? {
                        page.push(result.slice(cursor.value()?));
                    }
                    tasks = Some(page);
                }
                ("nextCursor", _) => {
                    let text = string(&result, &mut cursor)?;
                    next_cursor = text.map(|text| text.as_str().to_owned());
                }
                _ => cursor.skip()?,
            }
        }
        let missing = PageError::Field { field: "tasks", expected: "an array" };
        Ok(Self { tasks: tasks.ok_or(missing)?, next_cursor })
    }
}

/// The answer to `tasks/list` with those tasks alone whose id is to be kept. `None` where it is no page
/// of tasks, as an error is not.
pub fn retain_tasks(response: &Message, keep: impl Fn(&str) -> bool) -> Option<Bytes> {
    let page = TaskPage::parse(response).ok()?;
    let is_kept = |task: &&Bytes| {
        let mut ids = Vec::new();
        // Found in a message, which has been checked.
        let _checked = find(task, &mut Cursor::checked(task), Place::Task, &mut ids);
        ids.first().is_some_and(|id| keep(id.as_str()))
    };
    let kept: Vec<&[u8]> = page.tasks.iter().filter(is_kept).map(|task| &**task).collect();
    let mut result = [b"{\"tasks\":[", kept.join(&b","[..]).as_slice(), b"]"].concat();
    if let Some(cursor) = &page.next_cursor {
        result.extend_from_slice(b",\"nextCursor\":");
        result.extend_from_slice(&quoted(cursor));
    }
    result.push(b'}');
    Some(result_response(response.id()?, &result))
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
