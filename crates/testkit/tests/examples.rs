//! Every example is one that works: the gateway starts with it, and what it says it serves answers.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use http::Uri;
use rustix::process::Signal;
use serde_json::Value;
use testkit::{Process, Wire, binary, output, repository, reserved_port, within};
use tokio::process::Command;

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn every_example_is_served() -> anyhow::Result<()> {
    let mut files = Vec::new();
    collect(&repository()?.join("examples"), &mut files)?;
    anyhow::ensure!(files.len() > 5, "examples are missing: {files:?}");
    for file in files {
        serve(&file).await.map_err(|error| error.context(file.display().to_string()))?;
    }
    Ok(())
}

/// Starts the gateway with one example, on other ports, and opens a session at each of its URLs.
async fn serve(file: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(binary()?);
    command.args(["run", "--admin-port", "0", "--access-log", "off", "-f"]).arg(file);
    for port in ports(file).await? {
        command.args(["--port", &format!("{port}={}", reserved_port()?)]);
    }
    // The programs that it names are not found: nothing is downloaded, and its targets are down.
    command.env("PATH", "");
    let mut portico = Process::start("portico", command)?;
    let line = portico.says("portico serves").await?;
    let urls: Vec<&str> = line.split(' ').filter(|word| word.starts_with("http://")).collect();
    anyhow::ensure!(!urls.is_empty(), "it serves nothing: {line}");
    // The complete one also shows what is kept shut, and what is for a host that is not ours.
    let has_others = file.ends_with("complete.yaml");
    let mut opened = 0;
    for url in urls.into_iter().filter(|url| url.starts_with("http://127.0.0.1:")) {
        match Wire::open(url, "2025-11-25").await {
            Ok(mut wire) => {
                wire.tools().await?;
                opened += 1;
            }
            Err(_) if has_others => {}
            Err(error) => return Err(error.context(url.to_owned())),
        }
    }
    anyhow::ensure!(opened > 0, "nothing answers: {line}");
    portico.signal(Signal::TERM)?;
    let status = within("the gateway to stop", portico.ended()).await??;
    anyhow::ensure!(status.success(), "the gateway ended with {status}");
    Ok(())
}

/// The ports that an example listens on, by the document that it means.
async fn ports(file: &Path) -> anyhow::Result<BTreeSet<u16>> {
    let mut command = Command::new(binary()?);
    command.args(["expand", "-f"]).arg(file);
    let expanded = output("portico expand", command).await?;
    let document: Value = serde_saphyr::from_str(&expanded)?;
    let listeners = document.get("listeners").and_then(Value::as_array);
    let mut ports = BTreeSet::new();
    for listener in listeners.into_iter().flatten() {
        let address = listener.get("address").and_then(Value::as_str);
        let address = address.unwrap_or_default();
        let uri: Uri = format!("http://{address}").parse()?;
        ports.insert(uri.port_u16().unwrap_or(8080));
    }
    // Where it says nothing, it is served on this one.
    Ok(if ports.is_empty() { [8080].into() } else { ports })
}

/// The documents below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}
