//! The files of a command: what they say together, and for each file that cannot be used at the
//! moment, what it said last.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use config::{Diagnostic, Format, Place, Reading, Severity};
use controller::Manifests;

use crate::source::input::Input;
use crate::source::paths;

/// All files that the command line names, with their last good contents.
#[derive(Debug)]
pub(crate) struct Library {
    inputs: Vec<Input>,
    /// In the order in which they are named.
    pages: Vec<Page>,
}

/// One file.
#[derive(Debug, Clone)]
struct Page {
    path: PathBuf,
    /// What was found when it was last looked at; an error's text where it could not be read.
    found: Result<String, String>,
    /// What it says, or said when it could last be used; an empty file says nothing.
    contents: Option<Contents>,
    /// Why `contents` is not what `found` says.
    broken: Option<Diagnostic>,
}

#[derive(Debug, Clone)]
enum Contents {
    Reading(Box<Reading>),
    Manifests(Box<Manifests>),
}

impl Library {
    /// Reads the files for the first time.
    pub(crate) fn open(inputs: Vec<PathBuf>) -> Self {
        let inputs = inputs.into_iter().map(Input::new).collect();
        let mut library = Self { inputs, pages: Vec::new() };
        library.refresh();
        library
    }

    /// Reads the files again; whether anything in them is different. Blocks on the disk.
    pub(crate) fn refresh(&mut self) -> bool {
        let mut previous: BTreeMap<_, _> =
            self.pages.drain(..).map(|page| (page.path.clone(), page)).collect();
        let mut is_changed = false;
        let mut seen = BTreeSet::new();
        for input in &mut self.inputs {
            is_changed |= input.refresh();
            for path in input.files() {
                if !seen.insert(paths::identity(path)) {
                    continue;
                }
                let old = previous.remove(path);
                let is_kept = input.is_lost() || paths::is_stream(path);
                let page = match old {
                    Some(page) if is_kept => page,
                    old => {
                        let found = fs::read_to_string(path).map_err(|error| error.to_string());
                        is_changed |= old.as_ref().is_none_or(|page| page.found != found);
                        Page::new(input, path, found, old)
                    }
                };
                self.pages.push(page);
            }
        }
        is_changed || !previous.is_empty()
    }

    /// What all files say together; the diagnostics begin with the files that cannot be used.
    pub(crate) fn reading(&self) -> Reading {
        let mut readings = Vec::new();
        let mut manifests = Vec::new();
        for page in &self.pages {
            match &page.contents {
                Some(Contents::Reading(reading)) => readings.push(Reading::clone(reading)),
                Some(Contents::Manifests(file)) => manifests.push(Manifests::clone(file)),
                None => {}
            }
        }
        if !manifests.is_empty() {
            readings.push(controller::document(manifests));
        }
        let mut reading = config::merge(readings);
        let folders = self.inputs.iter().filter_map(Input::diagnostic);
        let files = self.pages.iter().filter_map(|page| page.broken.clone());
        reading.diagnostics.splice(0..0, folders.chain(files));
        reading
    }

    /// What is wrong with the files that cannot be used at all.
    pub(crate) fn broken(&self) -> Vec<Diagnostic> {
        let broken = self.pages.iter().filter_map(|page| page.broken.as_ref());
        broken.filter(|broken| broken.severity == Severity::Error).cloned().collect()
    }

    /// The folders in which something happens when one of the files changes.
    pub(super) fn folders(&self) -> BTreeSet<PathBuf> {
        paths::folders(self.inputs.iter().map(Input::path))
    }

    /// How many files there are.
    pub(crate) fn len(&self) -> usize {
        self.pages.len()
    }
}

impl Page {
    /// What a file says. What it said before stays where it cannot be used now, and where it was
    /// emptied: the first half of a slow save must not drop what guards.
    fn new(input: &Input, path: &Path, found: Result<String, String>, old: Option<Self>) -> Self {
        let last_good = match old {
            Some(page) if page.found == found => return page,
            old => old.and_then(|page| page.contents),
        };
        let (contents, broken) = match &found {
            Ok(text) if is_empty(text) => {
                let message = match last_good {
                    Some(_) => kept(input),
                    None => "the file is empty, so it defines nothing".to_owned(),
                };
                (last_good, Some(diagnostic(path, Severity::Warning, "file.empty", message)))
            }
            Ok(text) => match Contents::parse(path, text) {
                Ok(contents) => (Some(contents), None),
                Err(broken) => (last_good, Some(broken)),
            },
            Err(error) => (last_good, Some(unreadable(path, error))),
        };
        Self { path: path.to_owned(), found, contents, broken }
    }
}

impl Contents {
    fn parse(path: &Path, text: &str) -> Result<Self, Diagnostic> {
        let file = path.display().to_string();
        match config::format(text) {
            Format::Native => config::read(&file, text).map(Box::new).map(Self::Reading),
            Format::McpJson => config::expand(&file, text).map(Box::new).map(Self::Reading),
            Format::Manifests => controller::read(&file, text).map(Box::new).map(Self::Manifests),
        }
    }
}

fn unreadable(path: &Path, error: &str) -> Diagnostic {
    let message = format!("the file cannot be read: {error}");
    diagnostic(path, Severity::Error, "file.unreadable", message)
}

fn is_empty(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim().is_empty()
}

fn kept(input: &Input) -> String {
    let removal = input.removal();
    format!("the file is empty; what it said last stays; to remove what it defines, {removal}")
}

fn diagnostic(path: &Path, severity: Severity, id: &'static str, message: String) -> Diagnostic {
    let place = Place { file: path.display().to_string().into(), line: 1, column: 1 };
    Diagnostic { severity, id, path: String::new(), message, place: Some(place) }
}

#[cfg(test)]
mod tests;
