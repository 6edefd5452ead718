//! Which files a folder holds, and which folders tell of the changes of files.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a file of a folder must end with to be read.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// The files of a folder, in the order of their names. A link that leads nowhere is one as well, so
/// that reading it says so: it is broken, not deleted.
///
/// # Errors
/// If it is no folder, or cannot be read.
pub(super) fn folder_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_hidden =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_ours = extension.is_some_and(|extension| EXTENSIONS.contains(&extension));
        if is_ours && !is_hidden && fs::metadata(&path).map_or(true, |found| found.is_file()) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a path leads to a pipe or a device. What it said is gone once it was read.
pub(super) fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// The one name of a file that may be named by several.
pub(super) fn identity(file: &Path) -> PathBuf {
    let resolved = fs::canonicalize(file).or_else(|_| std::path::absolute(file));
    resolved.unwrap_or_else(|_| file.to_owned())
}

/// The folders in which something happens when one of the files changes. Folders are watched, not
/// files: editors and ConfigMaps replace a file, and what was watched would be the old one. Where a
/// file is a link, the folder of what it leads to is watched too.
pub(super) fn folders<'a>(inputs: impl Iterator<Item = &'a Path>) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for input in inputs.filter(|input| !is_stream(input)) {
        let is_link = fs::symlink_metadata(input).is_ok_and(|found| found.is_symlink());
        let files = folder_files(input);
        if files.is_err() || is_link {
            folders.extend(parent(input));
        }
        match files {
            Ok(files) => {
                folders.insert(input.to_owned());
                folders.extend(files.iter().filter_map(|file| home(file)));
            }
            Err(_) => folders.extend(home(input)),
        }
    }
    // Each folder by one path only: watches of two paths to one folder end together.
    folders.iter().filter_map(|folder| existing(folder)).collect()
}

/// A folder as the system calls it, or else the nearest one around it that is there.
fn existing(folder: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(folder).ok()?;
    absolute.ancestors().find_map(|folder| fs::canonicalize(folder).ok())
}

/// The folder of what a path leads to in the end.
fn home(file: &Path) -> Option<PathBuf> {
    parent(&fs::canonicalize(file).ok()?)
}

fn parent(file: &Path) -> Option<PathBuf> {
    let parent = file.parent()?;
    let is_here = parent.as_os_str().is_empty();
    Some(if is_here { PathBuf::from(".") } else { parent.to_owned() })
}
