//! A gateway that serves the one client which started it, held by both ends of its pipes.

use std::fs;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};

use crate::gateway::binary;
use crate::process::read_lines;
use crate::record::{Record, within};

/// A running `portico stdio`.
pub struct Piped {
    child: Child,
    input: Option<ChildStdin>,
    /// Every line that it wrote to its standard output.
    pub said: Record<String>,
    /// Every line that it wrote to its standard error.
    pub log: Record<String>,
    folder: TempDir,
}

impl Piped {
    /// Starts it in a folder of its own, with this native document and these arguments.
    pub fn start(document: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let folder = TempDir::new().context("no folder for the document")?;
        fs::write(folder.path().join("portico.yaml"), document)
            .context("cannot write the document")?;
        let mut command = Command::new(binary()?);
        command
            .args(["stdio", "-f", "portico.yaml"])
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().context("cannot start portico")?;
        let (said, log) = (Record::default(), Record::default());
        if let Some(stream) = child.stdout.take() {
            tokio::spawn(read_lines(stream, said.clone()));
        }
        if let Some(stream) = child.stderr.take() {
            tokio::spawn(read_lines(stream, log.clone()));
        }
        let input = child.stdin.take();
        Ok(Self { child, input, said, log, folder })
    }

    /// Writes bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("its input is closed")?;
        within("portico to read", input.write_all(bytes)).await?.context("it does not read")
    }

    /// Writes a message, which is a line.
    pub async fn say(&mut self, message: &str) -> anyhow::Result<()> {
        self.send(format!("{message}\n").as_bytes()).await
    }

    /// Awaits a line that contains `text`; the error shows what was said instead.
    pub async fn says(&self, text: &str) -> anyhow::Result<String> {
        let said = self.said.first(text, |line| line.contains(text)).await;
        said.with_context(|| {
            format!("it said:\n{}\n{}", self.said.all().join("\n"), self.log.all().join("\n"))
        })
    }

    /// Replaces its document at once, as an editor that saves does.
    pub fn write(&self, document: &str) -> anyhow::Result<()> {
        let draft = self.folder.path().join(".portico.yaml.new");
        fs::write(&draft, document).context("cannot write the document")?;
        fs::rename(draft, self.file("portico.yaml")).context("cannot replace the document")
    }

    /// A file in the folder in which it runs.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Sends `signal` to it alone.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.child.id().context("it has ended")?;
        let pid = Pid::from_raw(id.cast_signed()).context("0 is no process id")?;
        kill_process(pid, signal).with_context(|| format!("cannot send {signal:?}"))
    }

    /// Awaits its end.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let ended = within("the end of portico", self.child.wait()).await?;
        ended.context("cannot await portico")
    }
}
