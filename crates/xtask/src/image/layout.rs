//! OCI image layouts: folders of blobs by their digest, with an index of the images in them by name
//! (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>).

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::image::Layer;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image: its one layer, and how it is run.
pub(crate) struct Image {
    /// Full names: registry, repository and tag.
    pub(crate) names: Vec<String>,
    pub(crate) layer: Layer,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) environment: Vec<String>,
    /// Who runs it; empty for root.
    pub(crate) user: String,
    pub(crate) labels: Value,
}

/// Writes `images` as a layout into `folder`, which must not exist yet.
pub(crate) fn write_layout(folder: &Path, images: &[Image]) -> anyhow::Result<()> {
    fs::create_dir_all(folder.join("blobs/sha256"))
        .with_context(|| format!("cannot make `{}`", folder.display()))?;
    let mut manifests = Vec::new();
    for image in images {
        let manifest = write_image(folder, image)
            .with_context(|| format!("cannot write the image {}", image.names.join(", ")))?;
        for name in &image.names {
            manifests.push(json!({
                "mediaType": MANIFEST,
                "digest": manifest.digest(),
                "size": manifest.size,
                "platform": { "architecture": architecture(), "os": "linux" },
                "annotations": {
                    // What containerd imports it as, and what everybody else reads.
                    "io.containerd.image.name": name,
                    "org.opencontainers.image.ref.name": name,
                },
            }));
        }
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": manifests,
    });
    fs::write(folder.join("index.json"), index.to_string())?;
    fs::write(folder.join("oci-layout"), json!({ "imageLayoutVersion": "1.0.0" }).to_string())?;
    Ok(())
}

/// Packs a layout into one file, always the same bytes for the same images.
pub(crate) fn write_archive(file: &Path, layout: &Path) -> anyhow::Result<()> {
    let mut paths = vec![PathBuf::from("index.json"), PathBuf::from("oci-layout")];
    for blob in fs::read_dir(layout.join("blobs/sha256"))? {
        paths.push(Path::new("blobs/sha256").join(blob?.file_name()));
    }
    paths.sort();
    let written =
        File::create(file).with_context(|| format!("cannot write `{}`", file.display()))?;
    let mut archive = Builder::new(BufWriter::new(written));
    for path in paths {
        let content = File::open(layout.join(&path))?;
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(content.metadata()?.len());
        header.set_mtime(0);
        archive.append_data(&mut header, path, content)?;
    }
    archive.into_inner()?.flush().with_context(|| format!("cannot write `{}`", file.display()))
}

/// Writes the blobs of an image; gives that of its manifest.
fn write_image(folder: &Path, image: &Image) -> anyhow::Result<Blob> {
    let layer = Blob::write(folder, |file| image.layer.write(file))?;
    let config = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "User": image.user,
            "Env": image.environment,
            "Entrypoint": image.entrypoint,
            "WorkingDir": "/",
            "Labels": image.labels,
        },
        "rootfs": { "type": "layers", "diff_ids": [layer.digest()] },
    });
    let config = Blob::write_json(folder, &config)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor("application/vnd.oci.image.config.v1+json"),
        "layers": [layer.descriptor("application/vnd.oci.image.layer.v1.tar")],
    });
    Blob::write_json(folder, &manifest)
}

struct Blob {
    hash: String,
    size: u64,
}

impl Blob {
    fn write_json(folder: &Path, value: &Value) -> anyhow::Result<Self> {
        Self::write(folder, |file| Ok(file.write_all(value.to_string().as_bytes())?))
    }

    /// Writes a blob under the name that its bytes have in the end.
    fn write(
        folder: &Path,
        contents: impl FnOnce(&mut Hashing) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let blobs = folder.join("blobs/sha256");
        let unfinished = blobs.join("unfinished");
        let file = BufWriter::new(File::create(&unfinished)?);
        let mut hashing = Hashing { file, hasher: Sha256::new(), size: 0 };
        contents(&mut hashing)?;
        hashing.flush()?;
        let hash: String =
            hashing.hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        fs::rename(&unfinished, blobs.join(&hash))?;
        Ok(Self { hash, size: hashing.size })
    }

    fn digest(&self) -> String {
        format!("sha256:{}", self.hash)
    }

    fn descriptor(&self, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": self.digest(), "size": self.size })
    }
}

/// A file, and the hash of what was written to it.
struct Hashing {
    file: BufWriter<File>,
    hasher: Sha256,
    size: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The machine's architecture in the words of Go, which are those of images.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
