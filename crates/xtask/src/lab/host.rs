//! The machine as the cluster sees it: mounts and a network of the lab's namespaces, which end with them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::run::run;

/// Everything of the lab, in memory: also when it is killed, nothing is left on a disk.
pub(crate) const LAB: &str = "/run/lab";

/// What the kubelet would set for the whole machine. It sees these values instead, and leaves the machine's alone.
const KERNEL_SETTINGS: [(&str, &str); 6] = [
    ("kernel/keys/root_maxbytes", "25000000"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
];

/// The node has 10.244.0.1, and each pod a link to it; the ranges of Services only need a way out, where kube-proxy is.
const NETWORK: [&str; 6] = [
    "link set lo up",
    "link add node0 type bridge",
    "address add 10.244.0.1/32 dev node0",
    "link set node0 up",
    "route add 10.96.0.0/16 dev node0 src 10.244.0.1",
    "route add 10.244.200.0/24 dev node0 src 10.244.0.1",
];

/// Sets up the namespaces that this process is the first of.
pub(crate) fn prepare() -> anyhow::Result<()> {
    mount(&["-t", "tmpfs", "-o", "mode=755,size=75%", "lab", "/run"])?;
    for folder in ["bin", "cni", "keys", "logs", "pids", "registries/_default", "stopped"] {
        make(&Path::new(LAB).join(folder))?;
    }
    make(Path::new("/run/netns"))?;
    // Both the kubelet and CNI write to fixed places.
    mount(&["-t", "tmpfs", "-o", "mode=755", "lab", "/var/log"])?;
    cover(Path::new("/var/lib"))?;
    // What the kubelet mounts for a pod, the pod must see.
    mount(&["--make-rshared", "/run"])?;
    mount(&["--make-rshared", "/var/lib"])?;
    pretend_kernel_settings()?;
    for command in NETWORK {
        run(Command::new("ip").args(command.split(' ')))?;
    }
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("cannot forward between pods")
}

/// Covers `folder` with one in memory that shows what is in it: what is there can be used, new entries end with the lab.
fn cover(folder: &Path) -> anyhow::Result<()> {
    let shown = PathBuf::from("/run/cover");
    make(&shown)?;
    mount(&["-t", "tmpfs", "-o", "mode=755", "lab", "/run/cover"])?;
    for found in fs::read_dir(folder)? {
        let found = found?;
        let there = shown.join(found.file_name());
        let kind = found.file_type()?;
        if kind.is_symlink() {
            symlink(fs::read_link(found.path())?, &there)?;
            continue;
        }
        if kind.is_dir() {
            make(&there)?;
        } else {
            fs::write(&there, "")?;
        }
        run(Command::new("mount").arg("--rbind").args([found.path(), there]))?;
    }
    run(Command::new("mount").arg("--move").args([&shown, folder]))
}

fn pretend_kernel_settings() -> anyhow::Result<()> {
    for (name, value) in KERNEL_SETTINGS {
        let seen = Path::new(LAB).join("kernel").join(name);
        seen.parent().map_or(Ok(()), make)?;
        fs::write(&seen, value)?;
        let real = Path::new("/proc/sys").join(name);
        if real.exists() {
            run(Command::new("mount").arg("--bind").args([seen, real]))?;
        }
    }
    Ok(())
}

fn mount(arguments: &[&str]) -> anyhow::Result<()> {
    run(Command::new("mount").args(arguments))
}

fn make(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))
}
