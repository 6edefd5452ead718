//! The cgroups of the lab's pods. They are the only thing of it that does not end with its namespaces, so a process of
//! its own removes them when the lab has ended, however it did.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::Context;

const ROOT: &str = "/sys/fs/cgroup";

/// Waits until its input ends, which is when we do. A cgroup can be removed once its last process is gone.
const REMOVE: &str = r#"
cat > /dev/null
for try in $(seq 100); do
    find /sys/fs/cgroup -maxdepth 2 -name "$1" -exec find {} -depth -type d -delete \; 2> /dev/null
    [ -n "$(find /sys/fs/cgroup -maxdepth 2 -name "$1")" ] || exit 0
    sleep 0.1
done"#;

/// The cgroups of one lab.
pub(crate) struct Cgroups {
    /// Their path in every hierarchy.
    pub(crate) path: String,
    remover: Child,
    input: Option<ChildStdin>,
}

impl Cgroups {
    /// Makes them.
    pub(crate) fn make() -> anyhow::Result<Self> {
        let name = format!("portico-lab-{}", std::process::id());
        let mut remover = Command::new("setsid")
            .args(["sh", "-c", REMOVE, "sh", &name])
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start `setsid`")?;
        let input = remover.stdin.take();
        for hierarchy in hierarchies()? {
            let cgroup = hierarchy.join(&name);
            fs::create_dir(&cgroup)
                .with_context(|| format!("cannot make the cgroup `{}`", cgroup.display()))?;
        }
        Ok(Self { path: format!("/{name}"), remover, input })
    }

    /// Removes them; nothing of the lab may run any more.
    pub(crate) fn remove(mut self) -> anyhow::Result<()> {
        drop(self.input.take());
        self.remover.wait().context("cannot wait until the cgroups are removed")?;
        Ok(())
    }
}

/// Version 2 has one hierarchy; version 1 has one for each controller.
fn hierarchies() -> anyhow::Result<Vec<PathBuf>> {
    let root = Path::new(ROOT);
    if let Ok(controllers) = fs::read_to_string(root.join("cgroup.controllers")) {
        // The kubelet wants every controller that there is.
        for controller in controllers.split_whitespace() {
            fs::write(root.join("cgroup.subtree_control"), format!("+{controller}"))
                .with_context(|| format!("pods cannot have the cgroup controller {controller}"))?;
        }
        return Ok(vec![root.to_path_buf()]);
    }
    let mut hierarchies = Vec::new();
    for found in fs::read_dir(root).with_context(|| format!("there are no cgroups in `{ROOT}`"))? {
        let found = found?;
        // Links are second names of hierarchies with several controllers.
        if found.file_type()?.is_dir() {
            hierarchies.push(found.path());
        }
    }
    Ok(hierarchies)
}
