//! The gateway's own binary, started as an operator starts it and seen as a client sees it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::process::Command;

use crate::port::reserved_port;
use crate::process::Process;
use crate::record::within;
use crate::wire::Wire;

/// What to start a gateway with.
#[derive(Debug, Default)]
pub struct Start<'a> {
    /// Files by name, with their contents; each becomes a `-f`.
    pub files: Vec<(&'a str, String)>,
    /// The port that the files listen on, which is served on a free one instead; 8080 where they say none.
    pub listener: Option<u16>,
    /// Variables for the gateway alone.
    pub variables: Vec<(&'a str, String)>,
    /// Where access lines go; to its standard output where this says nothing.
    pub access_log: Option<&'a str>,
    /// More arguments.
    pub arguments: Vec<String>,
}

/// A running gateway.
pub struct Gateway {
    /// The process.
    pub process: Process,
    port: u16,
    admin: u16,
    folder: TempDir,
}

impl Gateway {
    /// Starts it with one native document.
    pub async fn native(document: &str) -> anyhow::Result<Self> {
        Self::start(Start {
            files: vec![("portico.yaml", document.to_owned())],
            ..Start::default()
        })
        .await
    }

    /// Starts it and awaits its readiness.
    pub async fn start(start: Start<'_>) -> anyhow::Result<Self> {
        let folder = TempDir::new().context("no folder for the documents")?;
        let (port, admin) = (reserved_port()?, reserved_port()?);
        let mut command = Command::new(binary()?);
        command.arg("run");
        for (name, text) in &start.files {
            let file = folder.path().join(name);
            fs::write(&file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
            command.arg("-f").arg(file);
        }
        let listener = start.listener.unwrap_or(8080);
        command.args(["--port", &format!("{listener}={port}")]);
        command.args(["--admin-address", &format!("127.0.0.1:{admin}")]);
        command.args(["--access-log", start.access_log.unwrap_or("stdout")]);
        command.args(start.arguments);
        command.envs(start.variables);
        let process = Process::start("portico", command)?;
        process.says("portico serves").await?;
        Ok(Self { process, port, admin, folder })
    }

    /// The URL of a path on the listener.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The port of the listener.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Replaces a file at once, as an editor that saves does.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let file = self.folder.path().join(name);
        let draft = self.folder.path().join(format!(".{name}.new"));
        fs::write(&draft, text).with_context(|| format!("cannot write `{}`", draft.display()))?;
        fs::rename(&draft, &file).with_context(|| format!("cannot replace `{}`", file.display()))
    }

    /// What a path of the admin port answers.
    pub async fn admin(&self, path: &str) -> anyhow::Result<String> {
        let url = format!("http://127.0.0.1:{}{path}", self.admin);
        let answer = Wire::new(&url)?.get().await?.whole().await?;
        anyhow::ensure!(answer.status.is_success(), "{path}: {}", answer.status);
        String::from_utf8(answer.body.to_vec()).with_context(|| format!("{path} is not UTF-8"))
    }

    /// Awaits an access line of which `is_it` is true.
    pub async fn access_line(
        &self,
        what: &str,
        is_it: impl Fn(&str) -> bool,
    ) -> anyhow::Result<String> {
        let lines = &self.process.log;
        let line = lines.first(what, |line| line.contains(" ended=") && is_it(line)).await;
        line.with_context(|| format!("the gateway said:\n{}", lines.all().join("\n")))
    }

    /// Asks it to stop and awaits its end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.process.signal(Signal::TERM)?;
        let status = within("the gateway to stop", self.process.ended()).await??;
        anyhow::ensure!(status.success(), "the gateway ended with {status}");
        Ok(())
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The gateway's binary.
pub fn binary() -> anyhow::Result<PathBuf> {
    let binary = env::var_os("PORTICO_BINARY")
        .context("PORTICO_BINARY is not set: run this as `cargo xtask test outside`")?;
    Ok(PathBuf::from(binary))
}
