//! `cargo xtask image`: the image that users get, as an OCI archive, made without a container engine.

mod layer;
mod layout;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde_json::json;

use crate::run::{build_portico, cargo, run};
use crate::workspace::Workspace;

pub(crate) use layer::Layer;
pub(crate) use layout::{Image, write_layout};

/// What the image is called.
pub(crate) const NAME: &str = concat!("portico.dev/portico:", env!("CARGO_PKG_VERSION"));

/// Who runs it, by number: Kubernetes knows by no name that somebody is not root.
const USER: u32 = 10101;

/// Where Debian keeps the certificates of the world's authorities, and where programs look for them.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// How the binary in the image is compiled.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Profile {
    /// As tests run it.
    Release,
    /// As it is published: smaller and faster, and long in the making.
    Dist,
}

/// Builds the binary and writes the archive.
pub(crate) fn write(workspace: &Workspace, profile: Profile, file: &Path) -> anyhow::Result<()> {
    let layout = workspace.target.join("image");
    write_portico_layout(workspace, profile, &layout)?;
    layout::write_archive(file, &layout)?;
    fs::remove_dir_all(&layout).context("cannot remove the unpacked image")?;
    println!("wrote {NAME} to {}", file.display());
    Ok(())
}

/// Builds the binary and writes its image as a layout into `folder`, in the place of what was there.
pub(crate) fn write_portico_layout(
    workspace: &Workspace,
    profile: Profile,
    folder: &Path,
) -> anyhow::Result<()> {
    let binary = build(workspace, profile)?;
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove the old `{}`", folder.display()))?;
    }
    write_layout(folder, &[portico(&binary)?])
}

fn build(workspace: &Workspace, profile: Profile) -> anyhow::Result<PathBuf> {
    match profile {
        Profile::Release => {
            run(&mut build_portico(workspace))?;
            Ok(workspace.portico())
        }
        Profile::Dist => {
            let mut command: Command = cargo(&workspace.root);
            run(command.args(["build", "--profile", "dist", "--package", "portico"]))?;
            Ok(workspace.target.join("dist/portico"))
        }
    }
}

/// The binary, the libraries that it needs, the authorities that it trusts, and its user; nothing else, no shell.
fn portico(binary: &Path) -> anyhow::Result<Image> {
    let mut layer = Layer::default();
    layer.copy("usr/local/bin/portico", binary)?;
    layer.libraries(&|_| true)?;
    layer
        .copy(CERTIFICATES, Path::new(CERTIFICATES))
        .context("the image needs the certificates of Debian's package `ca-certificates`")?;
    layer.text(
        "etc/passwd",
        0o644,
        format!(
            "root:x:0:0:root:/:/sbin/nologin\nportico:x:{USER}:{USER}:portico:/:/sbin/nologin\n"
        ),
    );
    layer.text("etc/group", 0o644, format!("root:x:0:\nportico:x:{USER}:\n"));
    // Names of other hosts: /etc/hosts first, which Kubernetes writes.
    layer.text("etc/nsswitch.conf", 0o644, "hosts: files dns\n");
    Ok(Image {
        names: vec![NAME.to_owned()],
        layer,
        entrypoint: vec!["/usr/local/bin/portico".to_owned()],
        environment: vec!["PATH=/usr/local/bin:/usr/bin:/bin".to_owned()],
        user: format!("{USER}:{USER}"),
        labels: json!({
            "org.opencontainers.image.title": "portico",
            "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
            "org.opencontainers.image.licenses": "Apache-2.0",
        }),
    })
}
