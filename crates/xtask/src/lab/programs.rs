//! The programs of the cluster: built from the Go modules of `tests/kube` into the cache, each module under the hash of
//! its files, so that a second run builds nothing.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::hash::Hash;
use crate::run::{find_program, output, run};
use crate::workspace::Workspace;

/// Where the programs are.
pub(crate) struct Programs {
    /// Kubernetes, CoreDNS, the conformance suite and its servers, the registry.
    pub(crate) cluster: PathBuf,
    pub(crate) helm: PathBuf,
    /// The Gateway API's resources of 1.4.0; those of 1.6.1 are with the suite.
    pub(crate) gateway_api_1_4: PathBuf,
}

/// A Go module in a folder of `tests/kube`, and what comes of it.
struct Module {
    name: &'static str,
    products: &'static [Product],
}

#[derive(Debug)]
enum Product {
    Program {
        file: &'static str,
        package: &'static str,
    },
    /// A package's tests as a program.
    Tests {
        file: &'static str,
        package: &'static str,
    },
    /// Symbolic links to the program that goes by many names.
    Links {
        to: &'static str,
        names: &'static [&'static str],
    },
    /// The resource definitions of the Gateway API, as one document.
    Definitions {
        file: &'static str,
    },
}

const CLUSTER: Module = Module {
    name: "cluster",
    products: &[
        Product::Program { file: "kube", package: "." },
        Product::Links {
            to: "kube",
            names: &[
                "etcd",
                "kube-apiserver",
                "kube-controller-manager",
                "kube-proxy",
                "kube-scheduler",
                "kubectl",
                "kubelet",
                "load-balancer",
            ],
        },
        Product::Program { file: "coredns", package: "./coredns" },
        Product::Program { file: "pause", package: "./pause" },
        Product::Program { file: "registry", package: "./registry" },
        Product::Program {
            file: "echo-basic",
            package: "sigs.k8s.io/gateway-api/conformance/echo-basic",
        },
        Product::Tests { file: "conformance.test", package: "./conformance" },
        Product::Definitions { file: "gateway-api-1.6.1.yaml" },
    ],
};

const HELM: Module = Module {
    name: "helm",
    products: &[Product::Program { file: "helm", package: "helm.sh/helm/v4/cmd/helm" }],
};

const GATEWAY_API_1_4: Module = Module {
    name: "gateway-api-1.4",
    products: &[Product::Definitions { file: "gateway-api-1.4.0.yaml" }],
};

/// What the Kubernetes programs say of themselves: clients choose by it what they ask for.
const LINKER_FLAGS: &str = "-s -w \
    -X k8s.io/component-base/version.gitVersion=v1.36.2 \
    -X k8s.io/component-base/version.gitMajor=1 \
    -X k8s.io/component-base/version.gitMinor=36";

/// Builds every module that is not in the cache yet.
pub(crate) fn ensure(workspace: &Workspace) -> anyhow::Result<Programs> {
    let folder = workspace.cache.join("kube");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    // Two runs at once must not build the same.
    let lock = File::create(folder.join(".lock")).context("cannot make the lock of the lab")?;
    lock.lock().context("cannot lock the lab's programs")?;
    Ok(Programs {
        cluster: built(workspace, &CLUSTER)?,
        helm: built(workspace, &HELM)?,
        gateway_api_1_4: built(workspace, &GATEWAY_API_1_4)?,
    })
}

fn built(workspace: &Workspace, module: &Module) -> anyhow::Result<PathBuf> {
    let source = workspace.root.join("tests/kube").join(module.name);
    let mut hash = Hash::default();
    hash.folder(&source)?;
    hash.text(&format!("{LINKER_FLAGS} {:?}", module.products));
    let folder = workspace.cache.join("kube").join(format!("{}-{}", module.name, hash.short()));
    if folder.exists() {
        return Ok(folder);
    }
    let go = Go { workspace, source };
    let unfinished = folder.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    fs::create_dir_all(&unfinished)?;
    for product in module.products {
        go.make(product, &unfinished)
            .with_context(|| format!("cannot build tests/kube/{}", module.name))?;
    }
    fs::rename(&unfinished, &folder)?;
    Ok(folder)
}

/// The Go tools in a module.
struct Go<'a> {
    workspace: &'a Workspace,
    source: PathBuf,
}

impl Go<'_> {
    fn make(&self, product: &Product, folder: &Path) -> anyhow::Result<()> {
        match product {
            Product::Program { file, package } => {
                self.build(&["build"], package, &folder.join(file))
            }
            Product::Tests { file, package } => {
                self.build(&["test", "-c"], package, &folder.join(file))
            }
            Product::Links { to, names } => {
                for name in *names {
                    std::os::unix::fs::symlink(to, folder.join(name))?;
                }
                Ok(())
            }
            Product::Definitions { file } => self.write_definitions(&folder.join(file)),
        }
    }

    fn build(&self, verb: &[&str], package: &str, file: &Path) -> anyhow::Result<()> {
        println!("building {package} of {} into {}", self.source.display(), file.display());
        run(self
            .command()?
            .args(verb)
            .args(["-ldflags", LINKER_FLAGS, "-o"])
            .arg(file)
            .arg(package))
    }

    /// The standard channel's definitions, in the order in which the official `standard-install.yaml` has them.
    fn write_definitions(&self, file: &Path) -> anyhow::Result<()> {
        const MODULE: &str = "sigs.k8s.io/gateway-api";
        run(self.command()?.args(["mod", "download", MODULE]))?;
        let module = output(self.command()?.args(["list", "-m", "-f", "{{.Dir}}", MODULE]))?;
        let folder = Path::new(module.trim()).join("config/crd/standard");
        let mut paths = Vec::new();
        for found in
            fs::read_dir(&folder).with_context(|| format!("cannot list `{}`", folder.display()))?
        {
            paths.push(found?.path());
        }
        paths.retain(|path| path.extension() == Some(OsStr::new("yaml")));
        paths.sort();
        let mut documents = String::new();
        for path in paths {
            documents.push_str("---\n");
            documents.push_str(&fs::read_to_string(path)?);
        }
        fs::write(file, documents).with_context(|| format!("cannot write `{}`", file.display()))
    }

    /// `go` in the module, with what it downloads and compiles kept in our cache.
    fn command(&self) -> anyhow::Result<Command> {
        let go = find_program("go")
            .or_else(|| find_program("/usr/local/go/bin/go"))
            .context("the cluster lab needs Go 1.26: install it first (https://go.dev/dl)")?;
        let mut command = Command::new(go);
        command
            .current_dir(&self.source)
            .env("CGO_ENABLED", "0")
            .env("GOCACHE", self.workspace.cache.join("go/build"))
            .env("GOMODCACHE", self.workspace.cache.join("go/mod"))
            .env("GOFLAGS", "-mod=readonly -buildvcs=false -trimpath")
            .env("GOWORK", "off");
        Ok(command)
    }
}
