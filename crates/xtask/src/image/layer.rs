//! What an image holds: files, folders and links by their path, written as a tar file whose bytes depend on nothing else.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use tar::{Builder, EntryType, Header};

/// The single layer of an image; paths have no leading slash.
#[derive(Default)]
pub(crate) struct Layer {
    entries: BTreeMap<String, Entry>,
}

enum Entry {
    Folder { mode: u32 },
    Copy { of: PathBuf, mode: u32 },
    Text { text: String, mode: u32 },
    Link { to: String },
}

impl Layer {
    /// A folder; those above a file come by themselves.
    pub(crate) fn folder(&mut self, path: &str, mode: u32) {
        self.insert(path, Entry::Folder { mode });
    }

    /// A file that is written here.
    pub(crate) fn text(&mut self, path: &str, mode: u32, text: impl Into<String>) {
        self.insert(path, Entry::Text { text: text.into(), mode });
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: &str, to: &str) {
        self.insert(path, Entry::Link { to: to.to_owned() });
    }

    /// A copy of a file, executable if that is.
    pub(crate) fn copy(&mut self, path: &str, of: &Path) -> anyhow::Result<()> {
        let of = fs::canonicalize(of).with_context(|| format!("there is no `{}`", of.display()))?;
        let executable = fs::metadata(&of)?.permissions().mode() & 0o111 != 0;
        let mode = if executable { 0o755 } else { 0o644 };
        self.insert(path, Entry::Copy { of, mode });
        Ok(())
    }

    /// The shared libraries that those of the copies need whose path `needs` names, where their loader looks for them.
    pub(crate) fn libraries(&mut self, needs: &dyn Fn(&str) -> bool) -> anyhow::Result<()> {
        let programs = self.entries.iter().filter_map(|(path, entry)| match entry {
            Entry::Copy { of, .. } if needs(path) => Some(of),
            _ => None,
        });
        let listed = Command::new("ldd").args(programs).output().context("cannot start `ldd`")?;
        // A program that is linked statically is an error to ldd, and to us it is one that needs nothing.
        let listed = String::from_utf8(listed.stdout).context("`ldd` wrote no UTF-8")?;
        for line in listed.lines() {
            // `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)`, `/lib64/ld-linux-x86-64.so.2 (0x…)`, or the
            // program's own path before its lines.
            let path = line.split_whitespace().find(|word| word.starts_with('/'));
            if let Some(library) = path.filter(|path| !path.ends_with(':')) {
                self.copy(library, Path::new(library))?;
            }
        }
        Ok(())
    }

    /// A copy of what is in `folder`, except what `leaves_out` says by its path below it; links stay links.
    pub(crate) fn tree(
        &mut self,
        path: &str,
        folder: &Path,
        leaves_out: &dyn Fn(&Path) -> bool,
    ) -> anyhow::Result<()> {
        let mut waiting = vec![PathBuf::new()];
        while let Some(below) = waiting.pop() {
            let listing = fs::read_dir(folder.join(&below))
                .with_context(|| format!("cannot list `{}`", folder.join(&below).display()))?;
            for found in listing {
                let found = found?;
                let below = below.join(found.file_name());
                if leaves_out(&below) {
                    continue;
                }
                let inside = format!("{path}/{}", below.display());
                let kind = found.file_type()?;
                if kind.is_dir() {
                    waiting.push(below);
                } else if kind.is_symlink() {
                    self.link(&inside, &fs::read_link(found.path())?.to_string_lossy());
                } else if kind.is_file() {
                    self.copy(&inside, &found.path())?;
                }
            }
        }
        Ok(())
    }

    /// Writes the tar file: sorted, owned by root, without times.
    pub(crate) fn write(&self, to: impl Write) -> anyhow::Result<()> {
        let mut archive = Builder::new(to);
        for (path, entry) in &self.entries {
            match entry {
                Entry::Folder { mode } => {
                    let mut header = header(EntryType::Directory, *mode, 0);
                    archive.append_data(&mut header, format!("{path}/"), std::io::empty())?;
                }
                Entry::Copy { of, mode } => {
                    let file = File::open(of)
                        .with_context(|| format!("cannot read `{}`", of.display()))?;
                    let mut header = header(EntryType::Regular, *mode, file.metadata()?.len());
                    archive.append_data(&mut header, path, file)?;
                }
                Entry::Text { text, mode } => {
                    let mut header = header(EntryType::Regular, *mode, text.len() as u64);
                    archive.append_data(&mut header, path, text.as_bytes())?;
                }
                Entry::Link { to } => {
                    archive.append_link(&mut header(EntryType::Symlink, 0o777, 0), path, to)?;
                }
            }
        }
        archive.into_inner()?.flush().context("cannot write the layer")
    }

    fn insert(&mut self, path: &str, entry: Entry) {
        let path = path.trim_matches('/');
        let above = path.match_indices('/').map(|(end, _)| path.split_at(end).0);
        for folder in above {
            self.entries.entry(folder.to_owned()).or_insert(Entry::Folder { mode: 0o755 });
        }
        self.entries.insert(path.to_owned(), entry);
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}
