//! server-everything over each transport, as a target that can be killed and brought back.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

use crate::peers::Peers;
use crate::process::Process;

/// What a target speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lines on a pipe.
    Stdio,
    /// HTTP+SSE, by npm `mcp-proxy`.
    Sse,
    /// Streamable HTTP.
    Http,
}

/// A server-everything that can be killed.
pub struct Victim {
    /// What it speaks.
    pub kind: Kind,
    place: Place,
    peers: Peers,
}

enum Place {
    /// A port, and the process on it while it lives.
    Port { port: u16, process: Process },
    /// A script that the gateway starts; it notes its process ids, and refuses to start while `down` exists.
    Script { script: PathBuf, pids: PathBuf, down: PathBuf },
}

impl Kind {
    /// A name for a target of this kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Sse => "sse",
            Self::Http => "http",
        }
    }
}

impl Victim {
    /// Starts it, or writes the script that the gateway will start into `folder`.
    pub async fn start(kind: Kind, peers: &Peers, folder: &Path) -> anyhow::Result<Self> {
        let place = match kind {
            Kind::Stdio => Self::script(peers, folder)?,
            Kind::Sse | Kind::Http => {
                let port = peers.port()?;
                Place::Port { port, process: Self::process(kind, peers, port).await? }
            }
        };
        Ok(Self { kind, place, peers: peers.clone() })
    }

    /// The lines of a native document that make it a target called `name`.
    pub fn target(&self, name: &str) -> String {
        match (&self.place, self.kind) {
            (Place::Script { script, .. }, _) => {
                format!("- name: {name}\n  command: sh\n  args: [{}]\n", script.display())
            }
            (Place::Port { port, .. }, Kind::Sse) => {
                format!("- name: {name}\n  url: http://127.0.0.1:{port}/sse\n  transport: sse\n")
            }
            (Place::Port { port, .. }, _) => {
                format!("- name: {name}\n  url: http://127.0.0.1:{port}/mcp\n")
            }
        }
    }

    /// Kills it, with SIGKILL; it stays down.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        match &mut self.place {
            Place::Port { process, .. } => process.kill().await,
            Place::Script { pids, down, .. } => {
                fs::write(&*down, "").context("cannot mark the server as down")?;
                let noted = fs::read_to_string(&*pids).context("no process was started")?;
                for pid in noted.lines() {
                    let pid: i32 = pid.parse().context("not a process id")?;
                    // One that ended by itself is as dead as it shall be, and its id may be another's by now.
                    if is_server(pid)
                        && let Some(pid) = Pid::from_raw(pid)
                    {
                        let _ = kill_process(pid, Signal::KILL);
                    }
                }
                Ok(())
            }
        }
    }

    /// Brings it back to where it was.
    pub async fn come_back(&mut self) -> anyhow::Result<()> {
        match &mut self.place {
            Place::Port { port, process } => {
                *process = Self::process(self.kind, &self.peers, *port).await?;
                Ok(())
            }
            Place::Script { down, .. } => {
                fs::remove_file(down).context("cannot mark the server as up")
            }
        }
    }

    async fn process(kind: Kind, peers: &Peers, port: u16) -> anyhow::Result<Process> {
        match kind {
            Kind::Sse => peers.everything_over_sse(port).await,
            Kind::Http | Kind::Stdio => peers.everything(port).await,
        }
    }

    fn script(peers: &Peers, folder: &Path) -> anyhow::Result<Place> {
        let (script, pids, down) =
            (folder.join("server.sh"), folder.join("pids"), folder.join("down"));
        let text = format!(
            "test -e '{}' && exit 1\necho $$ >> '{}'\nexec '{}' '{}'\n",
            down.display(),
            pids.display(),
            peers.node().display(),
            peers.script("@modelcontextprotocol/server-everything")?.display()
        );
        fs::write(&script, text).context("cannot write the script of a server")?;
        Ok(Place::Script { script, pids, down })
    }
}

/// Whether a process is a server of ours; where the system does not tell, the one that noted its id.
fn is_server(pid: i32) -> bool {
    !Path::new("/proc/self").exists()
        || fs::read_to_string(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|words| words.contains("server-everything"))
}
