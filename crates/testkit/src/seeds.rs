//! The tutorials that must work as they stand: their manifests, their servers and their commands, taken from the
//! documents themselves where those are at hand, else from `examples/seeds`, which say the same in our own words.

mod document;
mod servers;
mod shell;
mod steps;
mod substitutions;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use anyhow::Context;
use serde_json::Value;

use crate::gateway::{Gateway, Start};
use crate::peers::Peers;
use crate::record::say;
pub use crate::seeds::servers::Running;
pub use crate::seeds::shell::Shell;
pub use crate::seeds::steps::Step;
use crate::seeds::substitutions::Substitutions;

/// Where the tutorials come from.
pub struct Source {
    folder: PathBuf,
    kind: Kind,
    substitutions: Substitutions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The documents themselves.
    Documents,
    /// Manifests and commands of our own.
    Ours,
}

/// One tutorial, ready to run.
pub struct Seed {
    /// Its manifests, as one file.
    pub manifests: String,
    /// Its curl commands, in order.
    pub commands: Vec<String>,
    objects: Vec<Value>,
}

impl Source {
    /// `$PORTICO_SEEDS`, else `../shared/seeds` beside the repository, else, or if the variable is empty,
    /// `examples/seeds`, with one line that says so.
    pub fn find() -> anyhow::Result<Self> {
        let root = repository()?;
        let given = env::var_os("PORTICO_SEEDS").map(PathBuf::from);
        let beside = root.parent().map(|parent| parent.join("shared/seeds"));
        let (folder, kind) = match (given, beside) {
            (Some(folder), _) if !folder.as_os_str().is_empty() => {
                anyhow::ensure!(folder.is_dir(), "PORTICO_SEEDS: no folder `{}`", folder.display());
                (folder, Kind::Documents)
            }
            (None, Some(folder)) if folder.is_dir() => (folder, Kind::Documents),
            _ => {
                say_once("the tutorials are not at hand: their tests run on examples/seeds");
                (root.join("examples/seeds"), Kind::Ours)
            }
        };
        let substitutions = Substitutions::read(&root.join("tests/seeds/substitutions.yaml"))?;
        Ok(Self { folder, kind, substitutions })
    }

    /// Our own versions, wherever the documents are.
    pub fn ours() -> anyhow::Result<Self> {
        let root = repository()?;
        let substitutions = Substitutions::read(&root.join("tests/seeds/substitutions.yaml"))?;
        Ok(Self { folder: root.join("examples/seeds"), kind: Kind::Ours, substitutions })
    }

    /// Whether the documents are not at hand, so that our own versions stand for them.
    pub fn is_ours(&self) -> bool {
        matches!(self.kind, Kind::Ours)
    }

    /// The tutorial whose name starts with `number`.
    pub fn seed(&self, number: &str) -> anyhow::Result<Seed> {
        let (manifests, commands) = match self.kind {
            Kind::Documents => {
                let text = self.read(number, ".md")?;
                let document = document::read(&text, self.substitutions.document(number))
                    .with_context(|| format!("the tutorial {number}"))?;
                (document.manifests, document.commands)
            }
            Kind::Ours => {
                let manifests = self.read(number, ".yaml")?;
                let commands = self.read(number, ".sh").unwrap_or_default();
                (manifests, document::commands(&commands))
            }
        };
        let objects = document::objects(&manifests)
            .with_context(|| format!("the manifests of the tutorial {number}"))?;
        Ok(Seed { manifests, commands, objects })
    }

    /// What the tutorial whose name starts with `number` has a person type, for a cluster.
    pub fn steps(&self, number: &str) -> anyhow::Result<Vec<Step>> {
        let steps = match self.kind {
            Kind::Documents => {
                let text = self.read(number, ".md")?;
                steps::of_page(&text, self.substitutions.document(number))
            }
            Kind::Ours => steps::of_script(&self.read(number, ".sh")?),
        };
        steps.with_context(|| format!("the tutorial {number}"))
    }

    /// What a tool of a tutorial is called today.
    pub fn tool(&self, name: &str) -> String {
        self.substitutions.tool(None, name)
    }

    /// The tool that a tutorial means where only it uses that name.
    pub fn tool_in(&self, number: &str, name: &str) -> String {
        self.substitutions.tool(Some(number), name)
    }

    /// Starts the servers of a tutorial.
    pub async fn start(&self, seed: &Seed, peers: &Peers) -> anyhow::Result<Running> {
        servers::start(self, seed, peers).await
    }

    /// Starts the servers of a tutorial and a gateway that reads its manifests; `port` is the one that its Gateway
    /// serves.
    pub async fn run(
        &self,
        seed: &Seed,
        peers: &Peers,
        port: u16,
    ) -> anyhow::Result<(Running, Gateway)> {
        let running = self.start(seed, peers).await?;
        let gateway = Gateway::start(Start {
            files: vec![
                ("tutorial.yaml", seed.manifests.clone()),
                ("endpoints.yaml", running.slices()),
            ],
            listener: Some(port),
            ..Start::default()
        })
        .await?;
        Ok((running, gateway))
    }

    fn read(&self, number: &str, extension: &str) -> anyhow::Result<String> {
        let entries = fs::read_dir(&self.folder)
            .with_context(|| format!("no folder `{}`", self.folder.display()))?;
        for entry in entries {
            let path = entry.context("cannot read the folder of the tutorials")?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with(number) && name.ends_with(extension) {
                return fs::read_to_string(&path)
                    .with_context(|| format!("cannot read `{}`", path.display()));
            }
        }
        anyhow::bail!("no tutorial `{number}…{extension}` in `{}`", self.folder.display())
    }
}

impl Seed {
    /// The objects of one kind.
    pub fn objects<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |object| object.get("kind").is_some_and(|it| it == kind))
    }
}

/// The top of the repository.
pub fn repository() -> anyhow::Result<PathBuf> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(2).map(Path::to_path_buf).context("testkit is not in `crates`")
}

fn say_once(line: &str) {
    static SAID: Once = Once::new();
    SAID.call_once(|| say(line));
}
