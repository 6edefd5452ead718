//! The cluster itself, in the namespaces that `lab` made: what is started, in which order, and when it is ready.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::lab::components::Components;
use crate::lab::host::LAB;
use crate::lab::keys;

/// What the cluster is made from.
#[derive(clap::Args)]
pub(crate) struct Parts {
    /// The programs of `tests/kube/cluster`.
    #[arg(long)]
    pub(crate) cluster: PathBuf,
    /// The folder with `helm`.
    #[arg(long)]
    pub(crate) helm: PathBuf,
    /// The folder with the Gateway API's resources of 1.4.0.
    #[arg(long)]
    pub(crate) gateway_api_1_4: PathBuf,
    /// The OCI layouts whose images the registry has.
    #[arg(long = "layout")]
    pub(crate) layouts: Vec<PathBuf>,
    /// The folder of `tests/kube`.
    #[arg(long)]
    pub(crate) files: PathBuf,
    /// The cgroup of the lab.
    #[arg(long)]
    pub(crate) cgroup: String,
    /// Where logs are written.
    #[arg(long)]
    pub(crate) logs: PathBuf,
}

/// Puts files where programs look for them.
pub(crate) fn write_files(parts: &Parts) -> anyhow::Result<()> {
    let lab = Path::new(LAB);
    let configuration = parts.files.join("config");
    keys::write(&configuration.join("openssl.cnf"))?;
    fs::copy(configuration.join("10-lab.conflist"), lab.join("cni/10-lab.conflist"))?;
    fs::copy(configuration.join("hosts.toml"), lab.join("registries/_default/hosts.toml"))?;
    fs::write(lab.join("resolv.conf"), "")?;
    let links = [
        (parts.cluster.join("kubectl"), "bin/kubectl"),
        (parts.cluster.join("conformance.test"), "bin/conformance.test"),
        (parts.helm.join("helm"), "bin/helm"),
        (parts.files.join("lab.sh"), "bin/lab"),
        (parts.cluster.join("gateway-api-1.6.1.yaml"), "gateway-api-1.6.1.yaml"),
        (parts.gateway_api_1_4.join("gateway-api-1.4.0.yaml"), "gateway-api-1.4.0.yaml"),
    ];
    for (file, link) in links {
        symlink(&file, lab.join(link)).with_context(|| format!("cannot link `{link}`"))?;
    }
    Ok(())
}

/// Starts everything; ends when pods can be made and names resolved.
pub(crate) fn start(parts: &Parts, components: &mut Components) -> anyhow::Result<()> {
    for (name, arguments) in [
        ("etcd", etcd()),
        ("kube-apiserver", kube_apiserver()),
        ("registry", parts.layouts.iter().map(|layout| layout.display().to_string()).collect()),
    ] {
        components.start(name, &parts.cluster.join(name), arguments)?;
    }
    let configuration = parts.files.join("config");
    let containerd = words("--config", &configuration.join("containerd.toml"));
    components.start("containerd", Path::new("containerd"), containerd)?;
    components.until("kube-apiserver", &mut ready())?;
    for (name, arguments) in [
        ("kube-controller-manager", kube_controller_manager()),
        ("kube-scheduler", clients("kube-scheduler", &["--leader-elect=false"])),
        ("kubelet", kubelet(parts)),
        ("kube-proxy", words("--config", &configuration.join("kube-proxy.yaml"))),
        ("load-balancer", clients("admin", &[])),
    ] {
        components.start(name, &parts.cluster.join(name), arguments)?;
    }
    let coredns = configuration.join("coredns.yaml");
    let kubectl = |arguments: &str| {
        let mut command = Command::new(parts.cluster.join("kubectl"));
        command.args(arguments.split(' '));
        command
    };
    components.until("kube-apiserver", kubectl("apply --server-side --filename").arg(coredns))?;
    let wait = "wait --timeout=5s --for";
    components.until(
        "kube-controller-manager",
        &mut kubectl(&format!("{wait}=create serviceaccount/default")),
    )?;
    components.until("kubelet", &mut kubectl(&format!("{wait}=condition=Ready node/lab")))?;
    components.until(
        "kubelet",
        &mut kubectl(&format!(
            "{wait}=condition=Available deployment/coredns --namespace kube-system"
        )),
    )
}

fn etcd() -> Vec<String> {
    let data = format!("--data-dir={LAB}/etcd");
    let mut arguments = vec![data];
    arguments.extend(
        [
            "--unsafe-no-fsync",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
        ]
        .map(str::to_owned),
    );
    arguments
}

fn kube_apiserver() -> Vec<String> {
    let key = |flag: &str, file: &str| format!("--{flag}={}", keys::path(file).display());
    let mut arguments = vec![
        key("client-ca-file", "ca.crt"),
        key("tls-cert-file", "kube-apiserver.crt"),
        key("tls-private-key-file", "kube-apiserver.key"),
        key("kubelet-certificate-authority", "ca.crt"),
        key("kubelet-client-certificate", "admin.crt"),
        key("kubelet-client-key", "admin.key"),
        key("service-account-key-file", "tokens.pub"),
        key("service-account-signing-key-file", "tokens.key"),
    ];
    arguments.extend(
        [
            "--etcd-servers=http://127.0.0.1:2379",
            "--advertise-address=10.244.0.1",
            "--allow-privileged=true",
            "--authorization-mode=Node,RBAC",
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            "--service-cluster-ip-range=10.96.0.0/16",
        ]
        .map(str::to_owned),
    );
    arguments
}

fn kube_controller_manager() -> Vec<String> {
    let key = |flag: &str, file: &str| format!("--{flag}={}", keys::path(file).display());
    let mut arguments = clients(
        "kube-controller-manager",
        &["--leader-elect=false", "--use-service-account-credentials=true"],
    );
    // It makes this folder, elsewhere outside of the lab.
    arguments.push(format!("--flex-volume-plugin-dir={LAB}/volume-plugins"));
    arguments.push(key("service-account-private-key-file", "tokens.key"));
    arguments.push(key("root-ca-file", "ca.crt"));
    arguments
}

fn kubelet(parts: &Parts) -> Vec<String> {
    let mut arguments = clients("node", &["--hostname-override=lab", "--node-ip=10.244.0.1"]);
    arguments.extend(words("--config", &parts.files.join("config/kubelet.yaml")));
    arguments.push(format!("--cgroup-root={}", parts.cgroup));
    arguments
}

/// The flags of a program that is a client of the API server.
fn clients(user: &str, flags: &[&str]) -> Vec<String> {
    let mut arguments = words("--kubeconfig", &keys::path(&format!("{user}.conf")));
    arguments.extend(flags.iter().map(|&flag| flag.to_owned()));
    arguments
}

fn words(flag: &str, file: &Path) -> Vec<String> {
    vec![flag.to_owned(), file.display().to_string()]
}

/// Asks the API server whether it is ready.
fn ready() -> Command {
    let mut command = Command::new("curl");
    command.args(["--silent", "--fail", "--max-time", "2", "https://10.244.0.1:6443/readyz"]);
    for (flag, file) in [("--cacert", "ca.crt"), ("--cert", "admin.crt"), ("--key", "admin.key")] {
        command.arg(flag).arg(keys::path(file));
    }
    command
}
