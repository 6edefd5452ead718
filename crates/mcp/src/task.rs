//! Where the ids of tasks stand in a result, and a page of tasks (2025-11-25, tasks).

use bytes::Bytes;

use crate::error::result_response;
use crate::find::Step::{self, Member};
use crate::find::texts;
use crate::message::Message;
use crate::page::{PageError, result, string};
use crate::scan::{Cursor, Span};
use crate::splice::splice;
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
    const ID: Step = Member("taskId");
    let paths: [&[Step]; 3] = [&[ID], &[Member("task"), ID], &[Member("tasks"), Step::Element, ID]];
    let mut ids: Vec<Text> = paths.into_iter().flat_map(|path| texts(bytes, &span, path)).collect();
    ids.sort_by_key(|id| id.span().start);
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

/// The id of the task that was made instead of an answer, in `task.taskId` of a result (2025-11-25, tasks,
/// "Creating Tasks").
pub fn created_task(response: &Message) -> Option<Text> {
    let task = only_member(response, "task")?;
    task_id(response.bytes(), &task)
}

/// The answer to `tasks/list` with those tasks alone whose id is to be kept, everything else as it was.
/// A result that lists no tasks, or lists them twice, becomes an empty list; `None` for an error, which
/// holds none.
pub fn retain_tasks(response: &Message, keep: impl Fn(&str) -> bool) -> Option<Bytes> {
    let bytes = response.bytes();
    response.result_span()?;
    let tasks = only_member(response, "tasks");
    let tasks = tasks.and_then(|span| Some((elements(bytes, &span)?, span)));
    let Some((tasks, span)) = tasks else {
        return Some(result_response(response.id()?, b"{\"tasks\":[]}"));
    };
    let is_kept = |task: &Span| task_id(bytes, task).is_some_and(|id| keep(id.as_str()));
    let kept: Vec<&[u8]> =
        tasks.into_iter().filter(is_kept).filter_map(|task| bytes.get(task)).collect();
    let kept = [b"[".as_slice(), &kept.join(&b","[..]), b"]"].concat();
    Some(splice(bytes, &[(span, kept.into())]))
}

/// Where a member of the result stands, if it is there once: readers differ on which of two counts.
fn only_member(response: &Message, name: &str) -> Option<Span> {
    let bytes = response.bytes();
    let mut cursor = Cursor::within(bytes, &response.result_span()?);
    if cursor.peek() != Some(b'{') {
        return None;
    }
    let mut found = None;
    let mut walk = cursor.object().ok()?;
    while let Some(key) = cursor.member(&mut walk).ok()? {
        let value = cursor.value().ok()?;
        if key.lossy(bytes) == name && found.replace(value).is_some() {
            return None;
        }
    }
    found
}

/// The elements of an array.
fn elements(bytes: &Bytes, array: &Span) -> Option<Vec<Span>> {
    let mut cursor = Cursor::within(bytes, array);
    if cursor.peek() != Some(b'[') {
        return None;
    }
    let mut found = Vec::new();
    let mut walk = cursor.array().ok()?;
    while cursor.element(&mut walk).ok()? {
        found.push(cursor.value().ok()?);
    }
    Some(found)
}

/// The `taskId` of a task.
fn task_id(bytes: &Bytes, task: &Span) -> Option<Text> {
    texts(bytes, task, &[Member("taskId")]).pop()
}

#[cfg(test)]
mod tests;
