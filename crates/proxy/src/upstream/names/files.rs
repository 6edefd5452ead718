//! The files in which the system says how names are found, read again when they have changed.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::upstream::names::system::System;

/// The two files, and what was read of them last; clones share that.
#[derive(Clone)]
pub(crate) struct Files(Arc<Paths>);

struct Paths {
    hosts: PathBuf,
    resolv: PathBuf,
    /// Where name servers listen.
    port: u16,
    read: Mutex<Option<(Stamps, Arc<System>)>>,
}

/// What tells one version of the files from another.
type Stamps = [Option<Stamp>; 2];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    changed: (i64, i64),
    inode: u64,
    length: u64,
}

impl Files {
    /// `/etc/hosts` and `/etc/resolv.conf`.
    pub(crate) fn of_the_system() -> Self {
        Self::new("/etc/hosts".into(), "/etc/resolv.conf".into(), 53)
    }

    /// Other files, with name servers on another port.
    pub(crate) fn new(hosts: PathBuf, resolv: PathBuf, port: u16) -> Self {
        Self(Arc::new(Paths { hosts, resolv, port, read: Mutex::default() }))
    }

    /// Whether anybody has looked into them.
    #[cfg(test)]
    pub(crate) fn were_read(&self) -> bool {
        self.0.read.lock().is_some()
    }

    /// What they say now. A file that cannot be read says nothing, as with the system's own resolver.
    pub(crate) async fn read(&self) -> Arc<System> {
        let paths = &self.0;
        let stamps = [stamp(&paths.hosts).await, stamp(&paths.resolv).await];
        if let Some((known, system)) = &*paths.read.lock()
            && *known == stamps
        {
            return system.clone();
        }
        let (hosts, resolv) = (text(&paths.hosts).await, text(&paths.resolv).await);
        let system = Arc::new(System::new(&hosts, &resolv, paths.port));
        *paths.read.lock() = Some((stamps, system.clone()));
        system
    }
}

async fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = tokio::fs::metadata(path).await.ok()?;
    let changed = (metadata.mtime(), metadata.mtime_nsec());
    Some(Stamp { changed, inode: metadata.ino(), length: metadata.len() })
}

async fn text(path: &Path) -> Vec<u8> {
    match tokio::fs::read(path).await {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "A file about names cannot be read.");
            Vec::new()
        }
    }
}
