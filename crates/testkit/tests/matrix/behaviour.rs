//! A row of the matrix.

use futures_util::future::BoxFuture;

use crate::cell::Cell;

/// Something that has to hold in every cell, or has no meaning there.
#[derive(Clone, Copy)]
pub(crate) struct Behaviour {
    /// The test of MCP.md 7 that it belongs to.
    pub(crate) number: u8,
    /// A sentence that is true.
    pub(crate) name: &'static str,
    /// What exactly is looked at, for whoever reads the page.
    pub(crate) meaning: &'static str,
    /// The file that checks it, beside this one.
    pub(crate) file: &'static str,
    /// Why it has no meaning in a cell, where it has none.
    pub(crate) without: fn(Cell) -> Option<&'static Reason>,
    /// Fails where it does not hold.
    pub(crate) check: fn(Cell) -> BoxFuture<'static, anyhow::Result<()>>,
}

/// Why a behaviour has no meaning in a cell.
#[derive(Debug)]
pub(crate) struct Reason {
    /// The name of its footnote.
    pub(crate) label: &'static str,
    /// A sentence.
    pub(crate) text: &'static str,
}

/// It has a meaning everywhere.
pub(crate) fn everywhere(_: Cell) -> Option<&'static Reason> {
    None
}
