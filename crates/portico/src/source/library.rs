//! The files of a command: what they say together, and for each file that cannot be read at the
//! moment, what it said last.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use config::{Diagnostic, Format, Place, Reading, Severity};
use controller::Manifests;

use crate::source::paths;

/// All files that the command line names, with their last good contents.
#[derive(Debug)]
pub(crate) struct Library {
    inputs: Vec<PathBuf>,
    /// In the order in which they are named.
    pages: Vec<Page>,
}

/// One file.
#[derive(Debug, Clone)]
struct Page {
    path: PathBuf,
    /// What was found when it was last looked at; an error's text where it could not be read.
    found: Result<String, String>,
    /// What it says, or said when it could last be parsed.
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
        let mut library = Self { inputs, pages: Vec::new() };
        library.refresh();
        library
    }

    /// Reads the files again; whether anything in them is different. Blocks on the disk.
    pub(crate) fn refresh(&mut self) -> bool {
        let mut previous: BTreeMap<_, _> =
            self.pages.drain(..).map(|page| (page.path.clone(), page)).collect();
        let mut is_changed = false;
        for path in paths::files(&self.inputs) {
            let found = fs::read_to_string(&path).map_err(|error| error.to_string());
            let old = previous.remove(&path);
            let page = match old {
                Some(page) if page.found == found => page,
                old => {
                    is_changed = true;
                    Page::new(path, found, old.and_then(|page| page.contents))
                }
            };
            self.pages.push(page);
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
        reading.diagnostics.splice(0..0, self.broken());
        reading
    }

    /// What is wrong with the files that cannot be used as they are.
    pub(crate) fn broken(&self) -> Vec<Diagnostic> {
        self.pages.iter().filter_map(|page| page.broken.clone()).collect()
    }

    /// What the command line names.
    pub(super) fn inputs(&self) -> &[PathBuf] {
        &self.inputs
    }

    /// How many files there are.
    pub(crate) fn len(&self) -> usize {
        self.pages.len()
    }
}

impl Page {
    fn new(path: PathBuf, found: Result<String, String>, last_good: Option<Contents>) -> Self {
        let parsed = match &found {
            Ok(text) => Contents::parse(&path, text),
            Err(error) => Err(unreadable(&path, error)),
        };
        match parsed {
            Ok(contents) => Self { path, found, contents: Some(contents), broken: None },
            Err(broken) => Self { path, found, contents: last_good, broken: Some(broken) },
        }
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
    Diagnostic {
        severity: Severity::Error,
        id: "file.unreadable",
        path: String::new(),
        message: format!("the file cannot be read: {error}"),
        place: Some(Place { file: path.display().to_string().into(), line: 1, column: 1 }),
    }
}
