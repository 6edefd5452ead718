//! `cargo xtask lab`: a real Kubernetes cluster on this machine, in namespaces of its own, for as long as one command
//! runs. Outside of the cache nothing of it is left, also when it is killed.

mod cgroups;
mod cluster;
mod components;
mod host;
mod images;
mod keys;
mod programs;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Context;

use crate::image::{self, Profile};
use crate::lab::cgroups::Cgroups;
use crate::lab::components::Components;
use crate::lab::host::LAB;
use crate::lab::programs::Programs;
use crate::peers::Peers;
use crate::run::output;
use crate::workspace::Workspace;
use crate::{packages, peers};

pub(crate) use cluster::Parts;

/// Runs `words` as a command in a cluster of its own; none are a shell.
pub(crate) fn run(
    workspace: &Workspace,
    words: &[OsString],
    logs: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let command = words.split_first().map(|(program, arguments)| {
        let mut command = Command::new(program);
        command.args(arguments);
        command
    });
    let status = Lab::ready(workspace)?.run(command.as_ref(), logs)?;
    Ok(ExitCode::from(status))
}

/// Everything that a cluster needs and that is made beforehand.
pub(crate) struct Lab {
    programs: Programs,
    layouts: Vec<PathBuf>,
    files: PathBuf,
    /// The servers and clients that others wrote.
    pub(crate) peers: Peers,
}

impl Lab {
    /// Installs, builds and makes what is missing.
    pub(crate) fn ready(workspace: &Workspace) -> anyhow::Result<Self> {
        anyhow::ensure!(
            output(Command::new("id").arg("-u"))?.trim() == "0",
            "the cluster lab makes mounts and networks: run it as root"
        );
        packages::ensure(&packages::PEERS)?;
        packages::ensure(&packages::LAB)?;
        let programs = programs::ensure(workspace)?;
        let peers = peers::ensure(workspace)?;
        let images = images::ensure(workspace, &programs, &peers)?;
        let portico = workspace.target.join("lab-image");
        image::write_portico_layout(workspace, Profile::Release, &portico)?;
        let files = workspace.root.join("tests/kube");
        Ok(Self { programs, layouts: vec![images, portico], files, peers })
    }

    /// Starts the cluster, runs `command` in it, or a shell, and gives its status. Logs are written to `logs`, or end
    /// with the lab.
    pub(crate) fn run(&self, command: Option<&Command>, logs: Option<&Path>) -> anyhow::Result<u8> {
        let logs = match logs {
            Some(folder) => {
                fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make `{}`", folder.display()))?;
                fs::canonicalize(folder)?
            }
            None => Path::new(LAB).join("logs"),
        };
        let cgroups = Cgroups::make()?;
        // Whoever of these three ends takes along the next, and the last one every process of the namespaces.
        let mut inside = Command::new("setpriv");
        inside
            .args(["--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--fork"])
            .args(["--kill-child", "--mount-proc", "--propagation", "private"])
            .arg(env::current_exe().context("xtask does not know its own file")?)
            .arg("lab-inside")
            .arg("--cluster")
            .arg(&self.programs.cluster)
            .arg("--helm")
            .arg(&self.programs.helm)
            .arg("--gateway-api-1-4")
            .arg(&self.programs.gateway_api_1_4)
            .arg("--files")
            .arg(&self.files)
            .args(["--cgroup", &cgroups.path, "--logs"])
            .arg(logs)
            .envs(environment()?);
        for layout in &self.layouts {
            inside.arg("--layout").arg(layout);
        }
        if let Some(command) = command {
            pass_on(command, &mut inside);
        }
        let status = inside.status().context("cannot start `setpriv`")?;
        cgroups.remove()?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
    }
}

/// Has `inside` run `command` as it would run here.
fn pass_on(command: &Command, inside: &mut Command) {
    inside.arg("--").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        inside.current_dir(folder);
    }
}

/// The cluster at hand, for everything that runs inside.
fn environment() -> anyhow::Result<Vec<(&'static str, OsString)>> {
    let lab = Path::new(LAB);
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(lab.join("bin")).chain(env::split_paths(&path));
    let path = env::join_paths(folders).context("a folder of PATH cannot be joined")?;
    Ok(vec![
        ("PATH", path),
        ("KUBECONFIG", keys::path("admin.conf").into()),
        ("PORTICO_LAB", lab.into()),
        ("PORTICO_IMAGE", image::NAME.into()),
        // kubectl and Helm would keep things in the home folder.
        ("KUBECACHEDIR", lab.join("kubectl").into()),
        ("HELM_CACHE_HOME", lab.join("helm/cache").into()),
        ("HELM_CONFIG_HOME", lab.join("helm/config").into()),
        ("HELM_DATA_HOME", lab.join("helm/data").into()),
    ])
}

/// What pods that are still there have said, beside the logs of the cluster's programs.
fn keep_logs_of_pods(logs: &Path) -> anyhow::Result<()> {
    let kept = logs.join("pods");
    if kept.exists() {
        fs::remove_dir_all(&kept)?;
    }
    let mut copy = Command::new("cp");
    copy.args(["--recursive", "/var/log/pods"]).arg(&kept);
    anyhow::ensure!(copy.status()?.success(), "cannot keep the pods' logs");
    Ok(())
}

/// What `lab` starts as the first process of its namespaces: the cluster, then the command.
pub(crate) fn run_inside(parts: &Parts, command: &[OsString]) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    cgroups::enter(&parts.cgroup)?;
    host::prepare()?;
    cluster::write_files(parts)?;
    let mut components = Components::new(parts.logs.clone());
    cluster::start(parts, &mut components)?;
    println!("the cluster is ready after {:.1} s", started.elapsed().as_secs_f64());
    let mut started = if let [program, arguments @ ..] = command {
        let mut started = Command::new(program);
        started.args(arguments);
        started
    } else {
        println!("kubectl, helm and lab are at hand, logs in {LAB}/logs; `exit` ends it all");
        Command::new(env::var_os("SHELL").unwrap_or_else(|| "bash".into()))
    };
    let status = components.serve(&mut started)?;
    if status != 0 {
        keep_logs_of_pods(&parts.logs)?;
    }
    Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
}
