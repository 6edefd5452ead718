//! Which files the arguments name, and which folders tell of their changes.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a file of a folder must end with to be read.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// The files that `inputs` name: a file itself, a folder's files in the order of their names.
/// A file that is not there is named as well, so that reading it says so.
pub(super) fn files(inputs: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for input in inputs {
        match folder_files(input) {
            Ok(found) => files.extend(found),
            Err(_) => files.push(input.clone()),
        }
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    files
}

/// The folders in which something happens when one of the files changes. Folders are watched, not
/// files: editors and ConfigMaps replace a file, and what was watched would be the old one. Where a
/// file is a link, the folder of what it leads to is watched too.
pub(super) fn folders(inputs: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for input in inputs.iter().chain(&files(inputs)) {
        // Each folder by one path only: watches of two paths to one folder end together.
        let folder = if input.is_dir() { Some(input.clone()) } else { parent(input) };
        folders.extend(folder.map(|folder| fs::canonicalize(&folder).unwrap_or(folder)));
        if !input.is_dir() {
            folders.extend(fs::canonicalize(input).ok().as_deref().and_then(parent));
        }
    }
    folders
}

fn folder_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_hidden =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_ours = extension.is_some_and(|extension| EXTENSIONS.contains(&extension));
        if is_ours && !is_hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn parent(file: &Path) -> Option<PathBuf> {
    let parent = file.parent()?;
    let is_here = parent.as_os_str().is_empty();
    Some(if is_here { PathBuf::from(".") } else { parent.to_owned() })
}
