//! Installs the MCP servers and clients that others wrote, pinned by the lock files in `tests/peers`, into the cache.
//! A set is kept under the hash of its files, so a second run installs nothing.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::hash::Hash;
use crate::run::run;
use crate::workspace::Workspace;

/// The installed peers, as the outside tests find them.
pub(crate) struct Peers {
    /// Variables to run the outside tests with.
    pub(crate) variables: Vec<(&'static str, PathBuf)>,
}

impl Peers {
    /// The folder of a set, by its variable.
    pub(crate) fn folder(&self, variable: &str) -> anyhow::Result<&Path> {
        let found = self.variables.iter().find(|(name, _)| *name == variable);
        found.map(|(_, folder)| folder.as_path()).with_context(|| format!("no set is {variable}"))
    }
}

/// A folder of `tests/peers`: what it installs, and which variable says where.
struct Set {
    name: &'static str,
    variable: &'static str,
    files: &'static [&'static str],
    installer: Installer,
}

enum Installer {
    Npm,
    Pip,
    /// Pip, and beside the packages the unpacked sdists of `source.txt`, for what their wheels leave out.
    PipWithSource,
}

const SETS: [Set; 5] = [
    // First: every other Node peer runs on this Node (older ones fail).
    Set {
        name: "node",
        variable: "PORTICO_PEER_NODE",
        files: &["package.json", "package-lock.json"],
        installer: Installer::Npm,
    },
    Set {
        name: "npm",
        variable: "PORTICO_PEER_NPM",
        files: &["package.json", "package-lock.json"],
        installer: Installer::Npm,
    },
    Set {
        name: "fastmcp",
        variable: "PORTICO_PEER_FASTMCP",
        files: &["requirements.txt"],
        installer: Installer::Pip,
    },
    Set {
        name: "mcp",
        variable: "PORTICO_PEER_MCP",
        files: &["requirements.txt"],
        installer: Installer::Pip,
    },
    Set {
        name: "interaction",
        variable: "PORTICO_PEER_INTERACTION",
        files: &["requirements.txt", "source.txt"],
        installer: Installer::PipWithSource,
    },
];

/// Installs every set that is not in the cache yet.
pub(crate) fn ensure(workspace: &Workspace) -> anyhow::Result<Peers> {
    let peers = workspace.cache.join("peers");
    fs::create_dir_all(&peers).with_context(|| format!("cannot make `{}`", peers.display()))?;
    // Two runs at once must not install into one folder.
    let lock = File::create(peers.join(".lock")).context("cannot make the lock of the peers")?;
    lock.lock().context("cannot lock the peers")?;
    let mut variables: Vec<(&'static str, PathBuf)> = Vec::new();
    let mut path = env::var_os("PATH").unwrap_or_default();
    for set in &SETS {
        let source = workspace.root.join("tests/peers").join(set.name);
        let folder = peers.join(format!("{}-{}", set.name, hash(&source, set.files)?));
        if !folder.join(INSTALLED).exists() {
            install(set, &source, &folder, &path)?;
        }
        if set.name == "node" {
            path = prepend(&folder.join("node_modules/node/bin"), &path)?;
        }
        variables.push((set.variable, folder));
    }
    Ok(Peers { variables })
}

/// The file that says that a folder is whole.
const INSTALLED: &str = ".installed";

fn install(set: &Set, source: &Path, folder: &Path, path: &OsString) -> anyhow::Result<()> {
    println!("installing the peers of tests/peers/{} into {}", set.name, folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove the unfinished `{}`", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    for file in set.files {
        fs::copy(source.join(file), folder.join(file))
            .with_context(|| format!("cannot copy `{file}` of `{}`", source.display()))?;
    }
    match set.installer {
        Installer::Npm => run(Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .env("PATH", path)
            .current_dir(folder)
            .stdout(Stdio::null()))?,
        Installer::Pip => install_packages(folder)?,
        Installer::PipWithSource => {
            install_packages(folder)?;
            unpack_sources(folder)?;
        }
    }
    File::create(folder.join(INSTALLED)).context("cannot mark the peers as installed")?;
    Ok(())
}

fn install_packages(folder: &Path) -> anyhow::Result<()> {
    run(Command::new("python3").args(["-m", "venv", "."]).current_dir(folder))?;
    run(Command::new("bin/pip")
        .args(["install", "--quiet", "--no-deps", "--disable-pip-version-check"])
        .args(["--requirement", "requirements.txt"])
        .current_dir(folder))
}

/// Unpacks each sdist into a folder of its own in `source`.
fn unpack_sources(folder: &Path) -> anyhow::Result<()> {
    run(Command::new("bin/pip")
        .args(["download", "--quiet", "--no-deps", "--disable-pip-version-check"])
        .args(["--no-binary", ":all:", "--no-build-isolation", "--require-hashes"])
        .args(["--requirement", "source.txt", "--dest", "source"])
        .current_dir(folder))?;
    let unpack = "for archive in *.tar.gz; do tar -xf \"$archive\" && rm \"$archive\"; done";
    run(Command::new("bash").args(["-ec", unpack]).current_dir(folder.join("source")))
}

fn hash(source: &Path, files: &[&str]) -> anyhow::Result<String> {
    let mut hash = Hash::default();
    for file in files {
        hash.file(&source.join(file))?;
    }
    Ok(hash.short())
}

fn prepend(folder: &Path, path: &OsString) -> anyhow::Result<OsString> {
    let folders = std::iter::once(folder.to_path_buf()).chain(env::split_paths(path));
    env::join_paths(folders).context("a folder of PATH cannot be joined")
}
