//! The source that follows files: a task that reads them again when their folders say that
//! something happened, or when it is asked to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use config::Reading;
use notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tracing::{debug, warn};

use crate::source::Library;

/// How long a folder has to be quiet before its files are read: an editor's save is several steps.
const QUIET: Duration = Duration::from_millis(50);

/// Follows the files of a library until the receiver is gone. `reread` asks for a look at once,
/// for folders that do not tell (network file systems).
pub(crate) async fn follow(
    mut library: Library,
    sender: watch::Sender<Arc<Reading>>,
    reread: Arc<Notify>,
) {
    let mut folders = Folders::new(reread.clone());
    loop {
        // Watched before it is read: what happens in between is seen twice rather than never.
        folders.watch(&library.folders());
        let read = spawn_blocking(move || {
            let is_changed = library.refresh();
            (library, is_changed)
        });
        let Ok((refreshed, is_changed)) = read.await else { return };
        library = refreshed;
        if is_changed {
            sender.send_replace(Arc::new(library.reading()));
        }
        tokio::select! {
            () = reread.notified() => debug!("Looking at the files."),
            () = sender.closed() => return,
        }
    }
}

/// The folders that are watched.
struct Folders {
    debouncer: Option<Debouncer<RecommendedWatcher, RecommendedCache>>,
    watched: BTreeMap<PathBuf, Inode>,
}

/// Which folder it is, whatever it is called. Another one that takes its name is watched anew.
#[derive(PartialEq)]
struct Inode {
    device: u64,
    number: u64,
}

impl Folders {
    fn new(changed: Arc<Notify>) -> Self {
        let on_events = move |result: DebounceEventResult| {
            // Reading a file is an event as well.
            let is_change = match result {
                Ok(events) => events.iter().any(|event| !event.kind.is_access()),
                Err(_) => true,
            };
            if is_change {
                changed.notify_one();
            }
        };
        let debouncer = new_debouncer(QUIET, None, on_events);
        let debouncer = debouncer.inspect_err(|error| {
            warn!(%error, "Cannot watch for changes of files; SIGHUP rereads them.");
        });
        Self { debouncer: debouncer.ok(), watched: BTreeMap::new() }
    }

    fn watch(&mut self, folders: &BTreeSet<PathBuf>) {
        let Some(debouncer) = &mut self.debouncer else { return };
        self.watched.retain(|folder, inode| {
            let stays = folders.contains(folder) && Inode::of(folder).as_ref() == Some(inode);
            if !stays {
                // A folder that was deleted is no longer watched anyway.
                drop(debouncer.unwatch(folder));
            }
            stays
        });
        for folder in folders {
            let Some(inode) = Inode::of(folder) else { continue };
            if self.watched.contains_key(folder) {
                continue;
            }
            if let Err(error) = debouncer.watch(folder, RecursiveMode::NonRecursive) {
                let folder = folder.display();
                warn!(%folder, %error, "Cannot watch a folder; SIGHUP rereads its files.");
            }
            self.watched.insert(folder.clone(), inode);
        }
    }
}

impl Inode {
    fn of(folder: &Path) -> Option<Self> {
        let found = fs::metadata(folder).ok()?;
        Some(Self { device: found.dev(), number: found.ino() })
    }
}

#[cfg(test)]
mod tests;
