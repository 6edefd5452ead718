//! The programs that tests call and that come with the system: installed where we may, named where we may not.

use std::path::Path;
use std::process::Command;

use crate::run::{find_program, output, run};

/// A program, and the Debian package that brings it.
pub(crate) struct Program {
    /// Its name, or where it is if that is not on the search path.
    name: &'static str,
    package: &'static str,
}

/// What the tests with real peers call.
pub(crate) const PEERS: [Program; 5] = [
    Program { name: "bash", package: "bash" },
    Program { name: "curl", package: "curl" },
    Program { name: "jq", package: "jq" },
    Program { name: "npm", package: "npm" },
    Program { name: "python3", package: "python3-venv" },
];

/// What the cluster lab calls; `apiserver` and the rest come from `tests/kube`.
pub(crate) const LAB: [Program; 11] = [
    Program { name: "bash", package: "bash" },
    Program { name: "/bin/busybox", package: "busybox" },
    Program { name: "/usr/lib/cni/bridge", package: "containernetworking-plugins" },
    Program { name: "/etc/ssl/certs/ca-certificates.crt", package: "ca-certificates" },
    Program { name: "containerd", package: "containerd" },
    Program { name: "curl", package: "curl" },
    Program { name: "ip", package: "iproute2" },
    Program { name: "nft", package: "nftables" },
    Program { name: "openssl", package: "openssl" },
    Program { name: "runc", package: "runc" },
    Program { name: "unshare", package: "util-linux" },
];

/// Makes sure that all `programs` are there: installs what is missing as root on Debian, fails with one line elsewhere.
pub(crate) fn ensure(programs: &[Program]) -> anyhow::Result<()> {
    let missing: Vec<&Program> =
        programs.iter().filter(|program| find_program(program.name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    if !may_install()? {
        let names: Vec<&str> = missing.iter().map(|program| program.name).collect();
        anyhow::bail!(
            "the tests need {}: install it first (Debian: `apt-get install {}`)",
            names.join(", "),
            packages.join(" ")
        );
    }
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages))
}

fn may_install() -> anyhow::Result<bool> {
    Ok(Path::new("/etc/debian_version").exists()
        && output(Command::new("id").arg("-u"))?.trim() == "0")
}
