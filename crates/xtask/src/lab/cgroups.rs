//! The cgroups of the lab. They are the only thing of it that does not end with its namespaces, so a process of its own
//! removes them when the lab has ended, however it did.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::Context;

const ROOT: &str = "/sys/fs/cgroup";

/// What the kernel takes at most, of either version. Builds beside the lab would leave its pods hardly any CPU: all of
/// them together count as much as one of the other cgroups.
const WEIGHTS: [(&str, &str); 2] = [("cpu.weight", "10000"), ("cpu.shares", "262144")];

/// Where the lab's own programs are, beside its pods.
const PROGRAMS: &str = "programs";

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
            prefer(&cgroup)?;
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

/// Moves this process, and with it all that it starts, beside the pods in the lab's cgroup of the CPU.
pub(crate) fn enter(path: &str) -> anyhow::Result<()> {
    for hierarchy in hierarchies()? {
        let cgroup = hierarchy.join(path.trim_start_matches('/'));
        if WEIGHTS.iter().any(|(file, _)| cgroup.join(file).exists()) {
            let programs = cgroup.join(PROGRAMS);
            fs::create_dir(&programs)
                .and_then(|()| fs::write(programs.join("cgroup.procs"), "0"))
                .with_context(|| format!("cannot enter the cgroup `{}`", programs.display()))?;
        }
    }
    Ok(())
}

/// Lets a cgroup have as much of the CPU as it wants, where that can be said in it.
fn prefer(cgroup: &Path) -> anyhow::Result<()> {
    for (file, weight) in WEIGHTS {
        let file = cgroup.join(file);
        if file.exists() {
            fs::write(&file, weight)
                .with_context(|| format!("cannot write to `{}`", file.display()))?;
        }
    }
    Ok(())
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
