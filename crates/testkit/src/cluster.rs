//! The Kubernetes cluster that `cargo xtask lab` started around the test, as `kubectl` and its node see it.

use std::env;
use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use tempfile::NamedTempFile;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::process::{Process, output, output_within};
use crate::seeds::repository;

/// How long pods may take: seconds on a free machine, minutes where others compile. It ends a test that hangs.
const PODS: Duration = Duration::from_secs(180);

/// A namespace of the cluster.
pub struct Cluster {
    namespace: String,
}

/// A port of 127.0.0.1 that leads into the cluster until this is dropped.
pub struct Forward {
    /// The port.
    pub port: u16,
    _process: Process,
}

/// Installs the Gateway API 1.6.1 and the definitions of our resources, unless that is done already. Definitions that
/// another release has are the same.
async fn install_definitions() -> anyhow::Result<()> {
    static DONE: OnceCell<()> = OnceCell::const_new();
    let installed = DONE.get_or_try_init(async || {
        let lab = env::var("PORTICO_LAB").context("there is no cluster")?;
        let api = format!("{lab}/gateway-api-1.6.1.yaml");
        run("kubectl", &["apply", "--server-side", "--force-conflicts", "--filename", &api])
            .await?;
        install("portico-crds", &["--set=skipExisting=true"]).await
    });
    installed.await.map(drop)
}

/// Installs the controller, unless that is done already.
async fn install_controller() -> anyhow::Result<()> {
    static DONE: OnceCell<()> = OnceCell::const_new();
    install_definitions().await?;
    DONE.get_or_try_init(|| install("portico", &["--wait"])).await.map(drop)
}

/// Installs a chart as the tutorials do.
async fn install(chart: &str, more: &[&str]) -> anyhow::Result<()> {
    let folder = repository()?.join("deploy/charts").join(chart).to_string_lossy().into_owned();
    let release = chart.replace("portico", "agentgateway");
    let words = ["upgrade", "--install", "--create-namespace", "--namespace=agentgateway-system"];
    run("helm", &[&words[..], &[&release, &folder], more].concat()).await
}

async fn run(program: &str, words: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.args(words);
    output(&format!("{program} {}", words.join(" ")), command).await.map(drop)
}

impl Cluster {
    /// A namespace that is there.
    pub fn there(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned() }
    }

    /// Makes a namespace in which any pod may run.
    pub async fn privileged(namespace: &str) -> anyhow::Result<Self> {
        Self::namespace(namespace, "privileged").await
    }

    /// Makes a namespace in which only pods with the least rights may run.
    pub async fn restricted(namespace: &str) -> anyhow::Result<Self> {
        Self::namespace(namespace, "restricted").await
    }

    /// Makes a namespace in which any pod may run, in a cluster in which the charts are installed.
    pub async fn with_portico(namespace: &str) -> anyhow::Result<Self> {
        install_controller().await?;
        Self::privileged(namespace).await
    }

    /// Makes a namespace in which only pods with the least rights may run, in a cluster that has the Gateway API and
    /// our resources.
    pub async fn with_definitions(namespace: &str) -> anyhow::Result<Self> {
        install_definitions().await?;
        Self::restricted(namespace).await
    }

    /// The address of a Gateway that is in force.
    pub async fn gateway(&self, name: &str) -> anyhow::Result<String> {
        self.until("condition=Programmed", &format!("gateway/{name}")).await?;
        let address = "-o=jsonpath={.status.addresses[0].value}";
        self.kubectl(&["get", "gateway", name, address]).await
    }

    /// The URL of a Gateway's port 80 once it is reached there: kube-proxy is told of its Service a moment after us.
    pub async fn address(&self, name: &str) -> anyhow::Result<String> {
        let url = format!("http://{}", self.gateway(name).await?);
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--output", "/dev/null", "--max-time", "20"]);
        command.args(["--connect-timeout", "1", "--retry", "50", "--retry-delay", "0"]);
        command.args(["--retry-connrefused", "--retry-all-errors", &url]);
        output(&format!("curl {url}"), command).await?;
        Ok(url)
    }

    async fn namespace(namespace: &str, standard: &str) -> anyhow::Result<Self> {
        anyhow::ensure!(
            env::var_os("PORTICO_LAB").is_some(),
            "there is no cluster: run `cargo xtask test kube`, or `cargo xtask lab -- cargo test …`"
        );
        let cluster = Self { namespace: namespace.to_owned() };
        cluster
            .apply(&format!(
                "{{ apiVersion: v1, kind: Namespace, metadata: {{ name: {namespace}, \
                 labels: {{ pod-security.kubernetes.io/enforce: {standard} }} }} }}"
            ))
            .await?;
        // Without it a pod is refused.
        cluster.kubectl(&["wait", "--for=create", "serviceaccount/default"]).await?;
        Ok(cluster)
    }

    /// The image of the gateway that is tested.
    pub fn image() -> anyhow::Result<String> {
        env::var("PORTICO_IMAGE").context("PORTICO_IMAGE is not set: run `cargo xtask test kube`")
    }

    /// Runs `kubectl` in the namespace and gives what it wrote.
    pub async fn kubectl(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut command = self.command();
        command.args(words);
        output(&format!("kubectl {}", words.join(" ")), command).await
    }

    /// Applies manifests.
    pub async fn apply(&self, manifests: &str) -> anyhow::Result<()> {
        let mut file = NamedTempFile::new().context("no file for manifests")?;
        file.write_all(manifests.as_bytes()).context("cannot write manifests")?;
        let path = file.path().to_string_lossy();
        self.kubectl(&["apply", "--server-side", "--filename", &path]).await.map(drop)
    }

    /// What the API server says to manifests. None of them is stored; an error tells of those that it refuses.
    pub async fn dry_run(&self, manifests: &str) -> anyhow::Result<String> {
        let mut file = NamedTempFile::new().context("no file for manifests")?;
        file.write_all(manifests.as_bytes()).context("cannot write manifests")?;
        let path = file.path().to_string_lossy();
        self.kubectl(&["create", "--dry-run=server", "--filename", &path]).await
    }

    /// Installs the definitions of our resources, as `kubectl apply -k` does.
    pub async fn definitions(&self) -> anyhow::Result<()> {
        let folder = repository()?.join("deploy/crds");
        let folder = folder.to_string_lossy();
        self.kubectl(&["apply", "--server-side", "--kustomize", &folder]).await?;
        self.until("condition=Established", "customresourcedefinitions").await
    }

    /// Awaits `condition` (the words after `kubectl wait --for=`) of an object, or of all of a kind; the error tells
    /// of the namespace.
    pub async fn until(&self, condition: &str, object: &str) -> anyhow::Result<()> {
        let mut command = self.command();
        command.args(["wait", &format!("--timeout={}s", PODS.as_secs())]);
        command.args([&format!("--for={condition}"), object]);
        if !object.contains('/') {
            command.arg("--all");
        }
        let name = format!("kubectl wait --for={condition} {object}");
        // It ends by itself, and says more than we could.
        let Err(error) = output_within(PODS * 2, &name, command).await else {
            return Ok(());
        };
        let pods = self.kubectl(&["describe", "pods"]).await.unwrap_or_default();
        Err(error.context(format!("the pods of {}:\n{pods}", self.namespace)))
    }

    /// A port that leads to the port of an object, as `kubectl port-forward` makes it.
    pub async fn forward(&self, object: &str, port: u16) -> anyhow::Result<Forward> {
        let mut command = self.command();
        command.args(["port-forward", object, &format!(":{port}")]);
        let process = Process::start("kubectl port-forward", command)?;
        let said = process.says("Forwarding from 127.0.0.1:").await?;
        let port = said
            .split_once("127.0.0.1:")
            .and_then(|(_, rest)| rest.split_once(' '))
            .and_then(|(port, _)| port.parse().ok())
            .with_context(|| format!("no port in `{said}`"))?;
        Ok(Forward { port, _process: process })
    }

    /// Fetches a page from the node, as often as it is refused: kube-proxy is told of a Service a moment after us.
    pub async fn page(&self, url: &str) -> anyhow::Result<String> {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail", "--max-time", "20"]);
        command.args(["--retry", "50", "--retry-delay", "0", "--retry-connrefused", url]);
        output(&format!("curl {url}"), command).await
    }

    fn command(&self) -> Command {
        let mut command = Command::new("kubectl");
        command.args(["--namespace", &self.namespace]);
        command
    }
}
