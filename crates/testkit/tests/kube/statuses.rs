//! The statuses of objects, watched from one moment to another.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use testkit::Record;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::task::JoinSet;

/// How soon a watch that broke is begun again.
const AGAIN: Duration = Duration::from_millis(50);

/// Every status that was seen, and whose it was.
type Seen = Record<(String, String)>;

/// Watches; ends when it is dropped.
pub(crate) struct Statuses {
    seen: Seen,
    _watches: JoinSet<()>,
}

impl Statuses {
    /// Begins with the lists under these paths of the API.
    pub(crate) fn watch(paths: &[&str]) -> Self {
        let (seen, mut watches) = (Seen::default(), JoinSet::new());
        for path in paths {
            watches.spawn(follow(format!("{path}?watch=1"), seen.clone()));
        }
        Self { seen, _watches: watches }
    }

    /// How many objects were seen.
    pub(crate) fn objects(&self) -> usize {
        self.all().len()
    }

    /// Fails if any object had more than one status.
    pub(crate) fn never_changed(&self) -> anyhow::Result<()> {
        for (object, statuses) in self.all() {
            anyhow::ensure!(statuses.len() == 1, "{object} had other statuses: {statuses:#?}");
        }
        Ok(())
    }

    fn all(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut all = BTreeMap::<String, BTreeSet<String>>::new();
        for (object, status) in self.seen.all() {
            all.entry(object).or_default().insert(status);
        }
        all
    }
}

/// Watches until the end, beginning again where the API server went away.
async fn follow(path: String, seen: Seen) {
    loop {
        // Whatever ends it: what was seen until then counts, and so does what is there when it begins again.
        let _ = once(&path, &seen).await;
        tokio::time::sleep(AGAIN).await;
    }
}

async fn once(path: &str, seen: &Seen) -> anyhow::Result<()> {
    let mut watch = Command::new("kubectl")
        .args(["get", "--raw", path])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(watch.stdout.take().context("no output")?).lines();
    while let Some(line) = lines.next_line().await? {
        let event: Value = serde_json::from_str(&line)?;
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let (kind, name) = (text("/object/kind"), text("/object/metadata/name"));
        let (Some(kind), Some(name)) = (kind, name) else { anyhow::bail!("{line}") };
        let status = match text("/type") {
            Some("ADDED" | "MODIFIED") => event.pointer("/object/status").cloned(),
            _ => None,
        };
        let status = status.map_or_else(|| line.clone(), |status| status.to_string());
        seen.push((format!("{kind}/{name}"), status));
    }
    Ok(())
}
