//! The source that follows files: a task that reads them again when their folders say that
//! something happened, or when it is asked to.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::Reading;
use notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tracing::{debug, warn};

use crate::source::{Library, paths};

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
        folders.watch(paths::folders(library.inputs()));
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
    watched: BTreeSet<PathBuf>,
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
        Self { debouncer: debouncer.ok(), watched: BTreeSet::new() }
    }

    fn watch(&mut self, folders: BTreeSet<PathBuf>) {
        let Some(debouncer) = &mut self.debouncer else { return };
        for gone in self.watched.difference(&folders) {
            // A folder that was deleted is no longer watched anyway.
            drop(debouncer.unwatch(gone));
        }
        for new in folders.difference(&self.watched) {
            if let Err(error) = debouncer.watch(new, RecursiveMode::NonRecursive) {
                let folder = new.display();
                warn!(%folder, %error, "Cannot watch a folder; SIGHUP rereads its files.");
            }
        }
        self.watched = folders;
    }
}

#[cfg(test)]
mod tests;
