//! The images that pods in the lab are made from, under the names that manifests give them. No registry is asked: they
//! are made from programs that are installed here, and servers that others wrote (`tests/peers`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde_json::{Value, json};

use crate::hash::Hash;
use crate::image::{Image, Layer, write_layout};
use crate::lab::programs::Programs;
use crate::peers::Peers;
use crate::run::output;
use crate::workspace::Workspace;

const PATH: &str = "PATH=/usr/local/bin:/usr/bin:/bin";

/// What the tutorials' pods run with `npx`.
const NODE_SERVERS: [&str; 3] = [
    "@modelcontextprotocol/server-everything",
    "@modelcontextprotocol/server-filesystem",
    "mcp-proxy",
];

/// Writes the images as an OCI layout into the cache, unless they are there.
pub(crate) fn ensure(
    workspace: &Workspace,
    programs: &Programs,
    peers: &Peers,
) -> anyhow::Result<PathBuf> {
    let files = workspace.root.join("tests/kube/images");
    let mut hash = Hash::default();
    hash.folder(&files)?;
    // The recipes are part of what they are made from.
    hash.text(include_str!("images.rs"));
    hash.text(&programs.cluster.to_string_lossy());
    for (_, folder) in &peers.variables {
        hash.text(&folder.to_string_lossy());
    }
    let folder = workspace.cache.join("kube").join(format!("images-{}", hash.short()));
    if folder.exists() {
        return Ok(folder);
    }
    println!("making the images of the lab in {}", folder.display());
    let unfinished = folder.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let python = Python::find(peers)?;
    let images = [
        program(programs, "pause", &["registry.k8s.io/pause:lab"])?,
        program(
            programs,
            "echo-basic",
            // The versions that the conformance suite names.
            &[
                "registry.k8s.io/gateway-api/echo-basic:v1.5.1",
                "registry.k8s.io/gateway-api/echo-basic:v1.6.0-dev.2",
                "registry.k8s.io/gateway-api/echo-basic:v1.6.0-dev.3",
            ],
        )?,
        program(
            programs,
            "coredns",
            &["registry.k8s.io/coredns/coredns:v1.12.2", "registry.k8s.io/coredns/coredns:v1.14.0"],
        )?,
        busybox()?,
        node(peers, &files)?,
        python.image()?,
        python.website_fetcher(&files)?,
    ];
    write_layout(&unfinished, &images)?;
    fs::rename(&unfinished, &folder)?;
    Ok(folder)
}

fn image(names: &[&str], layer: Layer, entrypoint: &[&str], environment: &[&str]) -> Image {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    Image {
        names: owned(names),
        layer,
        entrypoint: owned(entrypoint),
        environment: owned(environment),
        user: String::new(),
        labels: json!({}),
    }
}

/// A program of `tests/kube/cluster` and nothing else: they are linked statically.
fn program(programs: &Programs, name: &str, names: &[&str]) -> anyhow::Result<Image> {
    let mut layer = Layer::default();
    layer.copy(name, &programs.cluster.join(name))?;
    Ok(image(names, layer, &[&format!("/{name}")], &[PATH]))
}

fn busybox() -> anyhow::Result<Image> {
    let mut layer = Layer::default();
    add_busybox(&mut layer)?;
    Ok(image(&["docker.io/library/busybox:latest"], layer, &[], &[PATH]))
}

/// A shell and the usual tools, and a folder for temporary files.
fn add_busybox(layer: &mut Layer) -> anyhow::Result<()> {
    layer.copy("bin/busybox", Path::new("/bin/busybox"))?;
    // Debian's static one cannot resolve names.
    layer.libraries(&|path| path == "bin/busybox")?;
    for tool in output(Command::new("/bin/busybox").arg("--list"))?.lines() {
        if tool != "busybox" {
            layer.link(&format!("bin/{tool}"), "/bin/busybox");
        }
    }
    layer.text("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\n");
    layer.folder("root", 0o700);
    layer.folder("tmp", 0o1777);
    Ok(())
}

/// Node, and the servers that `npx` starts.
fn node(peers: &Peers, files: &Path) -> anyhow::Result<Image> {
    let mut layer = Layer::default();
    add_busybox(&mut layer)?;
    let node = peers.folder("PORTICO_PEER_NODE")?.join("node_modules/node/bin/node");
    layer.copy("usr/local/bin/node", &node)?;
    layer.libraries(&|path| path == "usr/local/bin/node")?;
    layer.copy("usr/local/bin/npx", &files.join("npx"))?;
    let folder = peers.folder("PORTICO_PEER_NPM")?;
    for package in needed_packages(folder)? {
        let inner = Path::new("node_modules");
        layer.tree(&format!("usr/local/lib/{package}"), &folder.join(&package), &|below| {
            below.starts_with(inner)
        })?;
    }
    let names = ["docker.io/library/node:20-alpine", "docker.io/library/node:22-alpine"];
    Ok(image(&names, layer, &["node"], &[PATH]))
}

/// The packages that `NODE_SERVERS` need, as paths in the folder where they are installed (`node_modules/…`).
fn needed_packages(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = fs::read_to_string(folder.join("package-lock.json"))?;
    let lock: Value = serde_json::from_str(&text).context("cannot read the peers' lock file")?;
    let packages: BTreeMap<&str, &Value> = lock
        .get("packages")
        .and_then(Value::as_object)
        .context("the peers' lock file has no packages")?
        .iter()
        .map(|(path, package)| (path.as_str(), package))
        .collect();
    let mut waiting: Vec<String> =
        NODE_SERVERS.iter().map(|name| format!("node_modules/{name}")).collect();
    let mut needed = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        // An optional one may not be for this system.
        if !folder.join(&path).exists() || needed.contains(&path) {
            continue;
        }
        let package = packages.get(path.as_str()).context("a server is not in the lock file")?;
        for kind in ["dependencies", "optionalDependencies", "peerDependencies"] {
            let names = package.get(kind).and_then(Value::as_object).into_iter().flatten();
            waiting.extend(names.filter_map(|(name, _)| found_from(&path, name, &packages)));
        }
        needed.insert(path);
    }
    Ok(needed)
}

/// Where Node finds `name` from a package: in its own `node_modules`, or in those of the folders above it.
fn found_from(path: &str, name: &str, packages: &BTreeMap<&str, &Value>) -> Option<String> {
    let mut base = path;
    loop {
        let place = format!("{base}/node_modules/{name}");
        if packages.contains_key(place.as_str()) {
            return Some(place);
        }
        let Some((above, _)) = base.rsplit_once("/node_modules/") else {
            let place = format!("node_modules/{name}");
            return packages.contains_key(place.as_str()).then_some(place);
        };
        base = above;
    }
}

/// The Python of the peer `fastmcp`: every path in an image is as it is here.
struct Python {
    program: PathBuf,
    library: PathBuf,
    /// What the website fetcher needs.
    packages: PathBuf,
}

impl Python {
    fn find(peers: &Peers) -> anyhow::Result<Self> {
        const ASK: &str = "import os, sys, sysconfig; \
            print(os.path.realpath(sys.executable)); \
            print(sysconfig.get_path('stdlib')); \
            print(sysconfig.get_path('purelib'))";
        let python = peers.folder("PORTICO_PEER_FASTMCP")?.join("bin/python");
        let answer = output(Command::new(python).args(["-c", ASK]))?;
        let mut lines = answer.lines().map(PathBuf::from);
        let mut next = || lines.next().context("Python does not say where it is");
        Ok(Self { program: next()?, library: next()?, packages: next()? })
    }

    fn image(&self) -> anyhow::Result<Image> {
        let names = ["docker.io/library/python:3.11-slim"];
        Ok(image(&names, self.layer()?, &["python3"], &[PATH]))
    }

    fn website_fetcher(&self, files: &Path) -> anyhow::Result<Image> {
        let mut layer = self.layer()?;
        let packages = "usr/local/lib/python-packages";
        let unneeded = ["pip", "setuptools", "pkg_resources"];
        layer.tree(packages, &self.packages, &|below| {
            unneeded.iter().any(|folder| below.starts_with(folder))
        })?;
        layer.libraries(&|path| path.starts_with(packages) && path.contains(".so"))?;
        layer.copy("app/app.py", &files.join("website-fetcher.py"))?;
        let names = ["ghcr.io/peterj/mcp-website-fetcher:main"];
        let path = format!("PYTHONPATH=/{packages}");
        Ok(image(&names, layer, &["python3", "/app/app.py"], &[PATH, &path]))
    }

    fn layer(&self) -> anyhow::Result<Layer> {
        let mut layer = Layer::default();
        add_busybox(&mut layer)?;
        let program = self.program.to_string_lossy();
        layer.copy(&program, &self.program)?;
        for name in ["python", "python3"] {
            layer.link(&format!("usr/local/bin/{name}"), &program);
        }
        let unneeded = ["test", "idlelib", "tkinter", "ensurepip", "site-packages", "pydoc_data"];
        layer.tree(&self.library.to_string_lossy(), &self.library, &|below| {
            let first = below.components().next().map(|name| name.as_os_str().to_string_lossy());
            first.is_some_and(|name| {
                name.starts_with("config-") || unneeded.contains(&name.as_ref())
            })
        })?;
        layer.libraries(&|path| path == program.trim_start_matches('/') || path.contains(".so"))?;
        Ok(layer)
    }
}
