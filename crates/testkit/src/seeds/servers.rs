//! The servers of a tutorial without a cluster: each Deployment is one process on a free port of 127.0.0.1, and each
//! Service gets the EndpointSlice that a cluster would have written for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::peers::Peers;
use crate::port::reserved_port;
use crate::process::Process;
use crate::seeds::substitutions::{Program, replaced};
use crate::seeds::{Seed, Source};

/// The running servers of a tutorial; they end with it.
pub struct Running {
    /// The processes, by the names of their Deployments.
    pub processes: BTreeMap<String, Process>,
    slices: Vec<Value>,
    _folder: TempDir,
}

impl Running {
    /// The EndpointSlices, as a file of manifests.
    pub fn slices(&self) -> String {
        let slices: Vec<String> = self.slices.iter().map(Value::to_string).collect();
        slices.join("\n---\n")
    }
}

pub(super) async fn start(source: &Source, seed: &Seed, peers: &Peers) -> anyhow::Result<Running> {
    let folder = TempDir::new().context("no folder for the programs")?;
    let mut running = Running { processes: BTreeMap::new(), slices: Vec::new(), _folder: folder };
    let mut ports = BTreeMap::new();
    for deployment in seed.objects("Deployment") {
        let name = text(deployment, "/metadata/name")?;
        let launch = Launch { source, seed, peers, deployment, port: reserved_port()? };
        let file = running._folder.path().join(format!("{name}.py"));
        let command = launch.command(file).with_context(|| format!("the Deployment `{name}`"))?;
        running.processes.insert(name.clone(), Process::start(&name, command)?);
        ports.insert(name, (deployment, launch.port));
    }
    for (name, (_, port)) in &ports {
        let process = running.processes.get(name).context("a process is gone")?;
        process.listens(*port).await?;
    }
    for service in seed.objects("Service") {
        let behind = ports.values().find(|(deployment, _)| selects(service, deployment));
        let (_, port) = behind.context("a Service that selects nothing")?;
        running.slices.push(slice(service, *port)?);
    }
    Ok(running)
}

/// One Deployment on its way to become a process.
struct Launch<'a> {
    source: &'a Source,
    seed: &'a Seed,
    peers: &'a Peers,
    deployment: &'a Value,
    port: u16,
}

impl Launch<'_> {
    /// The command that runs its container here; `file` is where its source may be written.
    fn command(&self, file: PathBuf) -> anyhow::Result<Command> {
        let container = self
            .deployment
            .pointer("/spec/template/spec/containers/0")
            .context("no container in it")?;
        let image = text(container, "/image")?;
        let words = [strings(container, "/command"), strings(container, "/args")].concat();
        let programs = &self.source.substitutions.programs;
        let program = programs
            .iter()
            .find(|program| {
                program.command == words
                    && program.image.as_ref().is_none_or(|wanted| *wanted == image)
            })
            .with_context(|| {
                format!("no program of substitutions.yaml is {words:?} of `{image}`")
            })?;
        if let Some(source) = self.file(program)? {
            fs::write(&file, source)
                .with_context(|| format!("cannot write `{}`", file.display()))?;
        }
        let mut run = program.run.iter().map(|word| self.filled(word, &file));
        let mut command = Command::new(run.next().context("nothing to run")??);
        for word in run {
            command.arg(word?);
        }
        for (name, value) in &program.variables {
            command.env(name, self.filled(value, &file)?);
        }
        Ok(command)
    }

    /// The program's source, edited, if it has one.
    fn file(&self, program: &Program) -> anyhow::Result<Option<String>> {
        if !program.run.iter().any(|word| word.contains("{file}")) {
            return Ok(None);
        }
        let mut source = match (&program.file, self.seed) {
            (Some(file), _) => {
                let other = self.source.seed(&file.document)?;
                config_file(&other, &file.name, None)?
            }
            (None, seed) => {
                let volume = text(self.deployment, "/spec/template/spec/volumes/0/configMap/name")?;
                let path = program.command.last().context("no file in the command")?;
                let name = path.rsplit('/').next().unwrap_or(path);
                config_file(seed, name, Some(&volume))?
            }
        };
        for edit in &program.edit {
            let to = edit.to.replace("{port}", &self.port.to_string());
            source = replaced(&source, &edit.from, &to)?;
        }
        Ok(Some(source))
    }

    fn filled(&self, word: &str, file: &std::path::Path) -> anyhow::Result<String> {
        if let Some(package) = word.strip_prefix("{npm:").and_then(|rest| rest.strip_suffix('}')) {
            return Ok(self.peers.script(package)?.to_string_lossy().into_owned());
        }
        Ok(word
            .replace("{port}", &self.port.to_string())
            .replace("{node}", &self.peers.node().to_string_lossy())
            .replace("{fastmcp}", &self.peers.fastmcp().to_string_lossy())
            .replace("{file}", &file.to_string_lossy()))
    }
}

/// A file of a ConfigMap: of the one that is named, or of any.
fn config_file(seed: &Seed, file: &str, volume: Option<&str>) -> anyhow::Result<String> {
    let maps = seed.objects("ConfigMap").filter(|map| {
        volume.is_none_or(|name| text(map, "/metadata/name").is_ok_and(|it| it == name))
    });
    let mut files = maps.filter_map(|map| map.get("data")?.get(file)?.as_str());
    files.next().map(str::to_owned).with_context(|| format!("no ConfigMap has `{file}`"))
}

fn selects(service: &Value, deployment: &Value) -> bool {
    let labels = deployment.pointer("/spec/template/metadata/labels");
    let selector = service.pointer("/spec/selector").and_then(Value::as_object);
    let same_namespace =
        service.pointer("/metadata/namespace") == deployment.pointer("/metadata/namespace");
    let pairs = selector.map(Map::iter).into_iter().flatten();
    same_namespace
        && labels.is_some_and(|labels| pairs.clone().all(|(k, v)| labels.get(k) == Some(v)))
}

fn slice(service: &Value, port: u16) -> anyhow::Result<Value> {
    let name = text(service, "/metadata/name")?;
    let service_ports = service.pointer("/spec/ports").and_then(Value::as_array);
    let ports: Vec<Value> = service_ports
        .context("a Service without ports")?
        .iter()
        .map(|service_port| {
            let port_name = service_port.get("name").and_then(Value::as_str).unwrap_or_default();
            json!({ "name": port_name, "port": port, "protocol": "TCP" })
        })
        .collect();
    let mut metadata = json!({
        "name": format!("{name}-1"),
        "labels": { "kubernetes.io/service-name": name },
    });
    if let (Some(namespace), Some(metadata)) =
        (service.pointer("/metadata/namespace"), metadata.as_object_mut())
    {
        metadata.insert("namespace".to_owned(), namespace.clone());
    }
    Ok(json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": "IPv4",
        "endpoints": [{ "addresses": ["127.0.0.1"], "conditions": { "ready": true } }],
        "ports": ports,
    }))
}

fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).with_context(|| format!("no text at `{pointer}`"))
}

fn strings(value: &Value, pointer: &str) -> Vec<String> {
    let words = value.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}
