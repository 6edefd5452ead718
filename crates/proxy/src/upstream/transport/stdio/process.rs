//! A process and all that it starts: in a group of its own, ended step by step, never left behind.

use std::future::Future;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use config::ProcessAddress;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio_util::sync::CancellationToken;

use crate::upstream::error::UpstreamError;
use crate::upstream::transport::Common;

/// What a target's process sees of our own environment, besides what is configured for it: enough to
/// find programs, homes and languages; nothing that commonly holds a credential.
const ENVIRONMENT: [&str; 17] = [
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
];
/// How long a process has to end by itself once its input ended.
const AFTER_INPUT: Duration = Duration::from_secs(2);
/// How long its group has to end after SIGTERM.
const AFTER_TERM: Duration = Duration::from_secs(3);
/// How often we look whether a group is gone; the system tells nobody but its parents.
const LOOK: Duration = Duration::from_millis(20);
/// How long the output of a process that ended is read on: a child of its may hold the pipe.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A running process with its group.
pub(crate) struct Process {
    child: Child,
    group: Group,
    exited: bool,
}

/// A process group, killed when this is dropped before it has ended.
struct Group(Option<Pid>);

impl Process {
    /// Starts the command in a group of its own, with pipes for all three streams.
    pub(crate) fn start(peer: &Arc<str>, address: &ProcessAddress) -> Result<Self, UpstreamError> {
        let mut command = Command::new(&address.command);
        command.args(&address.args).env_clear();
        for name in ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        for (name, value) in &address.env {
            command.env(name, value.expose());
        }
        if let Some(folder) = &address.cwd {
            command.current_dir(folder);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Its own group: what it starts ends with it, and a Ctrl-C on our terminal is ours alone.
        command.process_group(0).kill_on_drop(true);
        let child = command
            .spawn()
            .map_err(|error| UpstreamError::connect(peer, format!("it does not start: {error}")))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, group: Group(id), exited: false })
    }

    pub(crate) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    pub(crate) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Runs `read`, the reading of its output, until the session is over: the process ended, or its
    /// output did, or it is `deaf`, or `end` or the scope of the connection says so. Gives what calls
    /// in flight are told: they may have been executed.
    pub(crate) async fn watch(
        &mut self,
        read: impl Future<Output = ()>,
        common: &Common,
        end: &CancellationToken,
        deaf: &CancellationToken,
    ) -> UpstreamError {
        let peer = &common.peer;
        let mut read = std::pin::pin!(read);
        let ended = tokio::select! {
            biased;
            () = end.cancelled() => return UpstreamError::cut(peer, "its session was closed"),
            () = common.tasks.cancelled() => {
                return UpstreamError::cut(peer, "its session was closed");
            }
            status = self.child.wait() => {
                self.exited = true;
                // An answer may still be in the pipe.
                let _ = tokio::time::timeout(LAST_WORDS, &mut read).await;
                return UpstreamError::Exited { peer: peer.clone(), status: words(status) };
            }
            () = &mut read => "it closed its standard output",
            () = deaf.cancelled() => "it closed its standard input",
        };
        // Mostly because it is ending, and then its status says more.
        match tokio::time::timeout(LAST_WORDS, self.child.wait()).await {
            Ok(status) => {
                self.exited = true;
                UpstreamError::Exited { peer: peer.clone(), status: words(status) }
            }
            Err(_) => UpstreamError::cut(peer, ended),
        }
    }

    /// Whether it has been reaped, and nothing that it started is left.
    pub(crate) fn is_gone(&self) -> bool {
        self.exited && self.group.is_gone()
    }

    /// Ends the process, whose input has ended, and its group. Bounded: 5 s, and what the system takes
    /// to kill.
    pub(crate) async fn end(&mut self) {
        if !self.exited {
            self.exited = tokio::time::timeout(AFTER_INPUT, self.child.wait()).await.is_ok();
        }
        if !self.group.is_gone() {
            self.group.signal(Signal::TERM);
            if tokio::time::timeout(AFTER_TERM, self.gone()).await.is_err() {
                self.group.signal(Signal::KILL);
                let _ = tokio::time::timeout(LAST_WORDS, self.child.wait()).await;
            }
        }
        self.group.0 = None;
    }

    async fn gone(&mut self) {
        // A process that ended is in its group until we take notice of it.
        let _ = self.child.wait().await;
        while !self.group.is_gone() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Group {
    fn is_gone(&self) -> bool {
        self.0.is_none_or(|group| test_kill_process_group(group).is_err())
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It fails when the group is gone, which is what we want.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// An exit status for a person: `exit status: 1`.
fn words(status: std::io::Result<ExitStatus>) -> Arc<str> {
    match status {
        Ok(status) => status.to_string().into(),
        Err(error) => format!("unknown ({error})").into(),
    }
}
