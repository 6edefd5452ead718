//! The notes themselves, bounded in number and length.

use std::sync::{Arc, Mutex, PoisonError};

/// How many notes there are at most.
const MAX_NOTES: usize = 200;
/// How long a note may be, in bytes.
const MAX_TEXT: usize = 4096;

/// All notes, oldest first.
#[derive(Debug, Default)]
pub(super) struct Notebook {
    notes: Mutex<Vec<Note>>,
}

#[derive(Debug, Clone)]
pub(super) struct Note {
    /// Counts from 1.
    pub(super) id: usize,
    pub(super) text: Arc<str>,
}

/// Why a note is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Empty,
    TooLong,
    Full,
}

impl Notebook {
    pub(super) fn add(&self, text: String) -> Result<Note, Refused> {
        if text.trim().is_empty() {
            return Err(Refused::Empty);
        }
        if text.len() > MAX_TEXT {
            return Err(Refused::TooLong);
        }
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() >= MAX_NOTES {
            return Err(Refused::Full);
        }
        let note = Note { id: notes.len() + 1, text: text.into() };
        notes.push(note.clone());
        Ok(note)
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Note {
    pub(super) fn uri(&self) -> String {
        format!("notes://{}", self.id)
    }

    /// The first line, cut to 40 characters.
    pub(super) fn title(&self) -> String {
        self.text.lines().next().unwrap_or_default().chars().take(40).collect()
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => write!(formatter, "a note needs a text"),
            Self::TooLong => write!(formatter, "a note has at most {MAX_TEXT} bytes"),
            Self::Full => write!(formatter, "there is room for {MAX_NOTES} notes only"),
        }
    }
}
