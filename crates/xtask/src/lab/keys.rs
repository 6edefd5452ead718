//! Who is who in the cluster: an authority, certificates signed by it, and the kubeconfig of each client.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::lab::host::LAB;
use crate::run::run;

/// A certificate: the file's name, the subject, and the section of `openssl.cnf` that says what it is for.
struct Certificate {
    name: &'static str,
    subject: &'static str,
    section: &'static str,
}

const SERVERS: [Certificate; 2] = [
    Certificate {
        name: "kube-apiserver",
        subject: "/CN=kube-apiserver",
        section: "kube-apiserver",
    },
    Certificate { name: "kubelet", subject: "/CN=lab", section: "kubelet" },
];

const CLIENTS: [Certificate; 5] = [
    Certificate { name: "admin", subject: "/O=system:masters/CN=admin", section: "client" },
    Certificate { name: "node", subject: "/O=system:nodes/CN=system:node:lab", section: "client" },
    Certificate {
        name: "kube-controller-manager",
        subject: "/CN=system:kube-controller-manager",
        section: "client",
    },
    Certificate { name: "kube-proxy", subject: "/CN=system:kube-proxy", section: "client" },
    Certificate { name: "kube-scheduler", subject: "/CN=system:kube-scheduler", section: "client" },
];

/// Where a key, certificate or kubeconfig is.
pub(crate) fn path(file: &str) -> PathBuf {
    Path::new(LAB).join("keys").join(file)
}

/// Writes all keys, with the sections of the file `configuration`.
pub(crate) fn write(configuration: &Path) -> anyhow::Result<()> {
    let authority = Certificate { name: "ca", subject: "/CN=lab", section: "authority" };
    run(&mut request(configuration, &authority))?;
    for certificate in SERVERS.iter().chain(&CLIENTS) {
        run(request(configuration, certificate)
            .arg("-CA")
            .arg(path("ca.crt"))
            .arg("-CAkey")
            .arg(path("ca.key")))?;
    }
    // Signs the tokens of ServiceAccounts.
    run(Command::new("openssl")
        .args(["genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .arg("-out")
        .arg(path("tokens.key")))?;
    run(Command::new("openssl")
        .args(["pkey", "-pubout", "-in"])
        .arg(path("tokens.key"))
        .arg("-out")
        .arg(path("tokens.pub")))?;
    for client in &CLIENTS {
        let file = path(&format!("{}.conf", client.name));
        fs::write(&file, kubeconfig(client.name))
            .with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    Ok(())
}

fn request(configuration: &Path, certificate: &Certificate) -> Command {
    let mut command = Command::new("openssl");
    command
        .args(["req", "-x509", "-nodes", "-days", "30", "-config"])
        .arg(configuration)
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-subj", certificate.subject, "-extensions", certificate.section])
        .arg("-keyout")
        .arg(path(&format!("{}.key", certificate.name)))
        .arg("-out")
        .arg(path(&format!("{}.crt", certificate.name)))
        .stderr(Stdio::null());
    command
}

/// How the client of this name reaches the API server.
fn kubeconfig(name: &str) -> String {
    let keys = Path::new(LAB).join("keys");
    let keys = keys.display();
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         current-context: lab\n\
         clusters:\n\
         - name: lab\n  \
           cluster: {{ server: 'https://10.244.0.1:6443', certificate-authority: {keys}/ca.crt }}\n\
         users:\n\
         - name: {name}\n  \
           user: {{ client-certificate: {keys}/{name}.crt, client-key: {keys}/{name}.key }}\n\
         contexts:\n\
         - name: lab\n  \
           context: {{ cluster: lab, user: {name} }}\n"
    )
}
