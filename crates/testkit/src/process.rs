//! Programs that others wrote, as children of a test: their lines recorded, their group ended with the test.

use std::net::Ipv4Addr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};

use crate::record::{Record, within};

/// A running program, in a process group of its own.
pub struct Process {
    name: String,
    child: Child,
    pid: Pid,
    input: Option<ChildStdin>,
    /// Every line that it wrote, to its standard output and error alike.
    pub log: Record<String>,
}

impl Process {
    /// Starts `command` with nothing to read.
    pub fn start(name: &str, command: Command) -> anyhow::Result<Self> {
        Self::spawn(name, command, Stdio::null())
    }

    /// Starts `command`, which reads what it is told.
    pub fn start_to_tell(name: &str, command: Command) -> anyhow::Result<Self> {
        Self::spawn(name, command, Stdio::piped())
    }

    fn spawn(name: &str, mut command: Command, input: Stdio) -> anyhow::Result<Self> {
        command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let raw = child.id().with_context(|| format!("{name} has no process id"))?;
        let pid = Pid::from_raw(raw.cast_signed()).context("0 is no process id")?;
        let log = Record::default();
        if let Some(stream) = child.stdout.take() {
            tokio::spawn(read_lines(stream, log.clone()));
        }
        if let Some(stream) = child.stderr.take() {
            tokio::spawn(read_lines(stream, log.clone()));
        }
        let input = child.stdin.take();
        Ok(Self { name: name.to_owned(), child, pid, input, log })
    }

    /// Awaits a line that contains `text`; the error shows what it said instead.
    pub async fn says(&self, text: &str) -> anyhow::Result<String> {
        let what = format!("`{text}` from {}", self.name);
        let said = self.log.first(&what, |line| line.contains(text)).await;
        said.with_context(|| format!("{} said:\n{}", self.name, self.log.all().join("\n")))
    }

    /// Awaits the line that contains `text`, which a program that others wrote says once it has started.
    pub async fn starts(&self, text: &str) -> anyhow::Result<String> {
        let line = self.line_within(OTHERS, |line| line.contains(text)).await;
        line.with_context(|| format!("no `{text}` from {}", self.name))
    }

    /// Awaits a line that may take `limit` to be written; the error shows what was written instead.
    pub(crate) async fn line_within(
        &self,
        limit: Duration,
        is_it: impl Fn(&str) -> bool,
    ) -> anyhow::Result<String> {
        let line = async {
            let mut place = 0;
            while let Some(line) = self.log.at(place).await {
                if is_it(&line) {
                    return Some(line);
                }
                place += 1;
            }
            None
        };
        let said = tokio::time::timeout(limit, line).await;
        said.ok().flatten().with_context(|| {
            let said = self.log.all().join("\n");
            format!("{} did not say it within {limit:?}; it said:\n{said}", self.name)
        })
    }

    /// Writes a line to its standard input.
    pub async fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self.input.as_mut().with_context(|| format!("{} reads nothing", self.name))?;
        let line = format!("{line}\n");
        within("a line to be taken", input.write_all(line.as_bytes()))
            .await?
            .with_context(|| format!("{} is gone", self.name))
    }

    /// Ends its standard input.
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Awaits that it listens on a port of 127.0.0.1, by trying, as a kubelet's readiness probe does: for programs
    /// that say nothing.
    pub async fn listens(&self, port: u16) -> anyhow::Result<()> {
        let mut tries = tokio::time::interval(Duration::from_millis(20));
        let probe = async {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
                tries.tick().await;
            }
        };
        tokio::time::timeout(OTHERS, probe).await.with_context(|| {
            let said = self.log.all().join("\n");
            format!("{} does not listen on {port} after {OTHERS:?}; it said:\n{said}", self.name)
        })
    }

    /// Its process id.
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Sends `signal` to the process alone.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        kill_process(self.pid, signal)
            .with_context(|| format!("cannot send {signal:?} to {}", self.name))
    }

    /// Sends `signal` to the process and all its children.
    pub fn signal_group(&self, signal: Signal) -> anyhow::Result<()> {
        kill_process_group(self.pid, signal)
            .with_context(|| format!("cannot send {signal:?} to the group of {}", self.name))
    }

    /// Ends the process and all its children at once, as a crash would.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.signal_group(Signal::KILL)?;
        self.ended().await.map(drop)
    }

    /// Awaits its end.
    pub async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        within(&what, self.child.wait())
            .await?
            .with_context(|| format!("cannot await {}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A group that is gone already is what we want.
        let _ = kill_process_group(self.pid, Signal::KILL);
    }
}

/// What others wrote takes seconds to start on a free machine, several times that on a busy one. Bounds a test that hangs.
const OTHERS: Duration = Duration::from_secs(60);

/// Runs `command` to its end and gives what it wrote to its standard output; a failure shows everything it said.
pub async fn output(name: &str, command: Command) -> anyhow::Result<String> {
    output_within(OTHERS, name, command).await
}

/// The same for what may take `limit`.
///
/// # Errors
/// It took longer, or ended with an error.
pub async fn output_within(
    limit: Duration,
    name: &str,
    mut command: Command,
) -> anyhow::Result<String> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(limit, command.output())
        .await
        .with_context(|| format!("{name} did not end within {limit:?}"))?
        .with_context(|| format!("cannot start {name}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(
        output.status.success(),
        "{name} failed with {}:\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(said)
}

/// Records the lines of a stream until it ends.
pub(crate) async fn read_lines(stream: impl AsyncRead + Unpin, log: Record<String>) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while let Ok(1..) = reader.read_until(b'\n', &mut line).await {
        log.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
}
