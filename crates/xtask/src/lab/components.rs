//! The programs of the cluster as the first process of its namespaces keeps them: each with a log and a file that says
//! its process id; one that ends is started again, unless it is stopped (`lab stop`, tests/kube/lab.sh).

use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

use crate::lab::host::LAB;

/// How often is looked whether something ended.
const LOOK: Duration = Duration::from_millis(20);

/// How soon a program is started again that ends at once, over and over.
const REST: Duration = Duration::from_secs(1);

/// How long a program may take to be ready. On a free machine it is seconds; this ends a start that hangs.
const LIMIT: Duration = Duration::from_secs(300);

/// How many lines of a log tell why a start failed.
const TOLD: usize = 15;

/// Whether the cluster is there yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It is not: who ends makes the start fail.
    Start,
    /// It is: who ends comes again.
    Serve,
}

/// All programs that were started.
pub(crate) struct Components {
    all: Vec<Component>,
    logs: PathBuf,
}

struct Component {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    started: Instant,
    /// None while it does not run.
    pid: Option<Pid>,
}

impl Components {
    /// None yet; their logs will be in the folder `logs`.
    pub(crate) fn new(logs: PathBuf) -> Self {
        Self { all: Vec::new(), logs }
    }

    /// Starts a program, with a log of its own.
    pub(crate) fn start(
        &mut self,
        name: &'static str,
        program: &Path,
        arguments: Vec<String>,
    ) -> anyhow::Result<()> {
        let program = program.to_path_buf();
        let mut component =
            Component { name, program, arguments, started: Instant::now(), pid: None };
        // What an earlier cluster wrote there tells nothing of this one.
        File::create(component.log(&self.logs))
            .with_context(|| format!("cannot write logs in `{}`", self.logs.display()))?;
        component.run(&self.logs)?;
        self.all.push(component);
        Ok(())
    }

    /// Runs `command` again and again until it succeeds; `awaited` is the program to blame if that takes too long.
    pub(crate) fn until(&mut self, awaited: &str, command: &mut Command) -> anyhow::Result<()> {
        let started = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        while self.watch(command, Phase::Start)? != 0 {
            if started.elapsed() > LIMIT {
                anyhow::bail!("{awaited} took too long: {}", self.told(awaited));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Runs `command` to its end and gives its status; the programs go on meanwhile.
    pub(crate) fn serve(&mut self, command: &mut Command) -> anyhow::Result<i32> {
        self.watch(command, Phase::Serve)
    }

    fn watch(&mut self, command: &mut Command, phase: Phase) -> anyhow::Result<i32> {
        let child = command
            .spawn()
            .with_context(|| format!("cannot start `{}`", command.get_program().display()))?;
        let awaited = Pid::from_child(&child);
        loop {
            // As the first process we also inherit those whose parents ended, and must bury them.
            while let Some((pid, status)) = wait(WaitOptions::NOHANG)? {
                if pid == awaited {
                    return Ok(code(status));
                }
                self.ended(pid, phase)?;
            }
            if phase == Phase::Serve {
                self.start_again()?;
            }
            thread::sleep(LOOK);
        }
    }

    fn ended(&mut self, pid: Pid, phase: Phase) -> anyhow::Result<()> {
        let found = self.all.iter_mut().find(|component| component.pid == Some(pid));
        let Some(component) = found else {
            return Ok(());
        };
        component.pid = None;
        let name = component.name;
        if phase == Phase::Start {
            anyhow::bail!("{name} ended: {}", self.told(name));
        }
        Ok(())
    }

    fn start_again(&mut self) -> anyhow::Result<()> {
        for component in &mut self.all {
            let stopped = Path::new(LAB).join("stopped").join(component.name).exists();
            if component.pid.is_none() && !stopped && component.started.elapsed() > REST {
                component.run(&self.logs)?;
            }
        }
        Ok(())
    }

    /// The end of a program's log.
    fn told(&self, name: &str) -> String {
        let log = self.logs.join(format!("{name}.log"));
        let text = fs::read(&log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let end = lines.split_at(lines.len().saturating_sub(TOLD)).1;
        format!("the end of its log:\n{}", end.join("\n"))
    }
}

impl Component {
    fn log(&self, logs: &Path) -> PathBuf {
        logs.join(format!("{}.log", self.name))
    }

    fn run(&mut self, logs: &Path) -> anyhow::Result<()> {
        let log = OpenOptions::new().append(true).open(self.log(logs))?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for the command that the lab was started for.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        let pid = Pid::from_child(&child);
        fs::write(Path::new(LAB).join("pids").join(self.name), pid.to_string())?;
        self.pid = Some(pid);
        self.started = Instant::now();
        Ok(())
    }
}

/// The status as shells give it.
fn code(status: WaitStatus) -> i32 {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 1,
    }
}
