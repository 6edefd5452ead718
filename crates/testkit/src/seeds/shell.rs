//! A shell in which a tutorial's commands run one after the other, as a person would type them.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;
use tokio::process::Command;

use crate::peers::Peers;
use crate::process::Process;
use crate::seeds::repository;

/// How long a command may take: rollouts wait for images and pods. It ends a test that hangs.
const LIMIT: Duration = Duration::from_secs(240);

/// How soon a command that has to be given again is given again.
const AGAIN: Duration = Duration::from_millis(200);

/// A shell with `kubectl`, `helm` and the Inspector on its path, a home folder of its own, and the repository as its
/// working folder. What it started ends with it.
pub struct Shell {
    bash: Process,
    folder: TempDir,
    given: usize,
}

impl Shell {
    /// Starts it.
    pub async fn start(peers: &Peers) -> anyhow::Result<Self> {
        let folder = TempDir::new().context("no folder for a shell")?;
        let mut bash = Command::new("bash");
        bash.current_dir(repository()?).env("HOME", folder.path()).env("PATH", peers.path()?);
        let mut bash = Process::start_to_tell("the shell", bash)?;
        // A command that fails ends it, and the last line says with which status.
        bash.tell("set -e -o pipefail; trap 'echo \"failed with status $?\"' EXIT").await?;
        Ok(Self { bash, folder, given: 0 })
    }

    /// Runs a command to its end and gives what it printed; what it leaves in the background goes on.
    pub async fn run(&mut self, command: &str) -> anyhow::Result<String> {
        self.give(command).await?;
        self.ended().await.with_context(|| format!("{command}\nprinted:\n{}", self.printed()))?;
        Ok(self.printed())
    }

    /// Runs a command again and again until it succeeds with the output that is awaited: a person who types slowly
    /// would have seen it at once.
    pub async fn until(
        &mut self,
        command: &str,
        awaited: impl Fn(&str) -> bool,
    ) -> anyhow::Result<String> {
        let again = async {
            for attempt in 1.. {
                let printed = self.run(&format!("if ! {{\n{command}\n}}; then echo; fi")).await?;
                if awaited(&printed) {
                    println!("given {attempt} times: {}", command.trim());
                    return anyhow::Ok(printed);
                }
                tokio::time::sleep(AGAIN).await;
            }
            anyhow::bail!("given too often")
        };
        match tokio::time::timeout(LIMIT, again).await {
            Ok(printed) => printed,
            Err(_) => anyhow::bail!("not in {LIMIT:?}: {command}\nlast:\n{}", self.printed()),
        }
    }

    /// Awaits that the last command, which goes on in the background, prints `text`.
    pub async fn shows(&self, text: &str) -> anyhow::Result<()> {
        let shown = async {
            while !self.printed().contains(text) {
                tokio::time::sleep(AGAIN).await;
            }
        };
        let printed = tokio::time::timeout(LIMIT, shown).await;
        printed.with_context(|| format!("no `{text}` in:\n{}", self.printed()))
    }

    /// What the last command printed, to standard output and error.
    fn printed(&self) -> String {
        fs::read(self.file("out"))
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .unwrap_or_default()
    }

    async fn give(&mut self, command: &str) -> anyhow::Result<()> {
        self.given += 1;
        let (script, output) = (self.file("sh"), self.file("out"));
        fs::write(&script, command).context("cannot write a command")?;
        let line = format!(
            "{{ . {}; }} > {} 2>&1; echo \"ended {} 0\"",
            script.display(),
            output.display(),
            self.given
        );
        self.bash.tell(&line).await
    }

    async fn ended(&self) -> anyhow::Result<()> {
        let done = format!("ended {} 0", self.given);
        let failed = |line: &str| line.starts_with("failed with status");
        let line = self.bash.line_within(LIMIT, |line| line == done || failed(line)).await?;
        anyhow::ensure!(line == done, "{line}");
        Ok(())
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.folder.path().join(format!("{}.{extension}", self.given))
    }
}
