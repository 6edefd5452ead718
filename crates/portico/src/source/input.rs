//! What one `-f` names: a file, or the files of a folder, also while the folder cannot be read.

use std::io;
use std::path::{Path, PathBuf};

use config::{Diagnostic, Place, Severity};

use crate::source::paths;

/// One path of the command line.
#[derive(Debug)]
pub(super) struct Input {
    path: PathBuf,
    found: Found,
}

#[derive(Debug, PartialEq)]
enum Found {
    File,
    Folder(Vec<PathBuf>),
    /// A folder that was there: its files when it could last be read, and why it cannot be now.
    Lost(Vec<PathBuf>, String),
}

impl Input {
    /// A path that was not looked at yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, found: Found::File }
    }

    /// The path as it is written.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks at the path again; whether it is something else, or has other files. A folder that is
    /// gone for a moment (a swap, a remount) is none that was emptied.
    pub(super) fn refresh(&mut self) -> bool {
        let found = match (paths::folder_files(&self.path), &self.found) {
            (Ok(files), _) => Found::Folder(files),
            (Err(error), Found::Folder(files) | Found::Lost(files, _))
                if error.kind() != io::ErrorKind::NotADirectory =>
            {
                Found::Lost(files.clone(), error.to_string())
            }
            (Err(_), _) => Found::File,
        };
        let is_changed = found != self.found;
        self.found = found;
        is_changed
    }

    /// The files that it names. One that is not there is named as well, so that reading it says so.
    pub(super) fn files(&self) -> &[PathBuf] {
        match &self.found {
            Found::File => std::slice::from_ref(&self.path),
            Found::Folder(files) | Found::Lost(files, _) => files,
        }
    }

    /// Whether its files are to be left as they were, because the folder cannot be read.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.found, Found::Lost(..))
    }

    /// What removes everything that one of its files defines.
    pub(super) fn removal(&self) -> &'static str {
        match self.found {
            Found::File => "leave a comment in it",
            Found::Folder(_) | Found::Lost(..) => "delete the file",
        }
    }

    /// What is wrong with it, if it is a folder.
    pub(super) fn diagnostic(&self) -> Option<Diagnostic> {
        let (severity, id, message) = match &self.found {
            Found::Folder(files) if files.is_empty() => {
                let message = "the folder holds no *.yaml, *.yml or *.json, so it defines nothing";
                (Severity::Warning, "folder.empty", message.to_owned())
            }
            Found::Lost(_, error) => {
                let message =
                    format!("the folder cannot be read: {error}; what its files said last stays");
                (Severity::Error, "folder.unreadable", message)
            }
            Found::File | Found::Folder(_) => return None,
        };
        let place = Place { file: self.path.display().to_string().into(), line: 1, column: 1 };
        Some(Diagnostic { severity, id, path: String::new(), message, place: Some(place) })
    }
}
