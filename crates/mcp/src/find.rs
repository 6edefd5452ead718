//! Texts in a message, found by the names of the members that lead to them.

use bytes::Bytes;

use crate::page::string;
use crate::scan::{Cursor, Fault, Span};
use crate::text::Text;

/// One step of the way to a text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// To the members of an object that have this name.
    Member(&'static str),
    /// To the elements of an array.
    Element,
}

/// The texts within the value at `span` to which `path` leads, in the order in which they stand.
/// `bytes` have been checked.
pub(crate) fn texts(bytes: &Bytes, span: &Span, path: &[Step]) -> Vec<Text> {
    let mut found = Vec::new();
    // What has been checked has no fault.
    let _checked = collect(bytes, &mut Cursor::within(bytes, span), path, &mut found);
    found
}

fn collect(
    bytes: &Bytes,
    cursor: &mut Cursor<'_>,
    path: &[Step],
    found: &mut Vec<Text>,
) -> Result<(), Fault> {
    let Some((step, rest)) = path.split_first() else {
        found.extend(string(bytes, cursor)?);
        return Ok(());
    };
    match (step, cursor.peek()) {
        (Step::Member(name), Some(b'{')) => {
            let mut walk = cursor.object()?;
            while let Some(key) = cursor.member(&mut walk)? {
                match key.lossy(bytes) == *name {
                    true => collect(bytes, cursor, rest, found)?,
                    false => cursor.skip()?,
                }
            }
        }
        (Step::Element, Some(b'[')) => {
            let mut walk = cursor.array()?;
            while cursor.element(&mut walk)? {
                collect(bytes, cursor, rest, found)?;
            }
        }
        _ => cursor.skip()?,
    }
    Ok(())
}
