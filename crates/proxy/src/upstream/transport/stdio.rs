//! A process of ours that speaks MCP on its standard input and output: one message a line, and many
//! calls on one pipe. A process is a session.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::ProcessAddress;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::lines;
use crate::upstream::error::UpstreamError;
use crate::upstream::processes::Processes;
use crate::upstream::transport::answer::Answer;
use crate::upstream::transport::calls::Calls;
use crate::upstream::transport::receive::Replies;
use crate::upstream::transport::{Common, Outgoing};

mod log;
mod output;
mod process;

use process::Process;

/// The messages that wait to be written; more make their senders wait.
const QUEUE: usize = 64;
/// Longer than the whole end of a process takes (2 s, 3 s, and the system's part).
const END_TIME: Duration = Duration::from_secs(8);

/// How long a pipe is served on when the session is over.
const LAST_LINES: Duration = Duration::from_millis(500);

/// One session with a process. Dropping it ends the process in the background.
pub(crate) struct Stdio {
    common: Arc<Common>,
    calls: Arc<Calls>,
    input: Sender<Bytes>,
    replies: Replies,
    end: CancellationToken,
    ended: watch::Receiver<bool>,
    _end: DropGuard,
}

impl Stdio {
    /// Starts the process, and the tasks that write to it, read from it and see to its end.
    pub(crate) fn start(
        common: &Arc<Common>,
        processes: &Processes,
        address: &ProcessAddress,
    ) -> Result<Self, UpstreamError> {
        let target = common.settings.load().target.name.clone();
        let place = processes.place()?;
        let mut process = Process::start(&common.peer, address)?;
        let calls = Calls::new(common.peer.clone(), common.limits.stdio_line);
        let (input, waiting) = channel(QUEUE);
        let end = CancellationToken::new();
        let deaf = CancellationToken::new();
        let (done, ended) = watch::channel(false);

        // The pipes outlive the connection's scope until the process has had its time to end.
        let tasks = &common.tasks;
        if let Some(stdin) = process.stdin() {
            tasks.spawn_to_end(
                "input of a target",
                write(stdin, waiting, end.clone(), deaf.clone()),
            );
        }
        if let Some(stderr) = process.stderr() {
            let logging = log::log(target, stderr);
            let mut ended = ended.clone();
            tasks.spawn_to_end("stderr of a target", async move {
                tokio::select! {
                    () = logging => {}
                    // Somebody who left the group may still hold the pipe.
                    () = async {
                        let _ = ended.wait_for(|ended| *ended).await;
                        tokio::time::sleep(LAST_LINES).await;
                    } => {}
                }
            });
        }
        let replies = Replies::by(input.clone(), common.peer.clone());
        let read = output::read(common.clone(), calls.clone(), replies.clone(), process.stdout());
        let (common_, calls_, end_) = (common.clone(), calls.clone(), end.clone());
        let replies_ = replies.clone();
        tasks.spawn_to_end("process of a target", async move {
            let error = process.watch(read, &common_, &end_, &deaf).await;
            // Whoever hears that it is gone finds its place free.
            let place = (!process.is_gone()).then_some(place);
            calls_.end(&error);
            replies_.end();
            common_.inbox.closed(error);
            end_.cancel();
            process.end().await;
            drop(place);
            let _ = done.send(true);
        });
        let _end = end.clone().drop_guard();
        Ok(Self { common: common.clone(), calls, input, replies, end, ended, _end })
    }

    pub(crate) fn is_open(&self) -> bool {
        self.calls.is_open()
    }

    pub(crate) async fn request(&self, request: Outgoing) -> Result<Answer, UpstreamError> {
        let arrivals = self.calls.begin(request.nonce)?;
        self.send(request.body).await?;
        Answer::first_of(arrivals).await
    }

    pub(crate) async fn notify(&self, body: Bytes) -> Result<(), UpstreamError> {
        if !self.is_open() {
            return Err(UpstreamError::Closed { peer: self.common.peer.clone() });
        }
        self.send(body).await
    }

    /// The way back for what the process asks.
    pub(crate) fn replies(&self) -> &Replies {
        &self.replies
    }

    /// Ends the process and waits until it and its children are gone.
    pub(crate) async fn close(&self) {
        self.calls.end(&UpstreamError::cut(&self.common.peer, "its session was closed"));
        self.end.cancel();
        let mut ended = self.ended.clone();
        let gone = ended.wait_for(|ended| *ended);
        if tokio::time::timeout(END_TIME, gone).await.is_err() {
            tracing::warn!(peer = %self.common.peer, "A process of a target did not end.");
        }
    }

    async fn send(&self, body: Bytes) -> Result<(), UpstreamError> {
        let closed = |_| UpstreamError::Closed { peer: self.common.peer.clone() };
        self.input.send(body).await.map_err(closed)
    }
}

/// Writes line by line until the session ends, and then what still waits; after that the process sees
/// the end of its input. Cancels `deaf` when the process does not read any more.
async fn write(
    stdin: ChildStdin,
    waiting: Receiver<Bytes>,
    end: CancellationToken,
    deaf: CancellationToken,
) {
    let (mut stdin, mut waiting) = (stdin, waiting);
    let writing = async {
        loop {
            let message = tokio::select! {
                biased;
                message = waiting.recv() => message,
                () = end.cancelled() => None,
            };
            let Some(message) = message else { return };
            if let Err(error) = stdin.write_all(&lines::line(&message)).await {
                tracing::debug!(%error, "A target does not read its input any more.");
                return deaf.cancel();
            }
        }
    };
    let limit = async {
        end.cancelled().await;
        tokio::time::sleep(LAST_LINES).await;
    };
    tokio::select! {
        () = writing => {}
        () = limit => {}
    }
}

#[cfg(test)]
mod tests;
