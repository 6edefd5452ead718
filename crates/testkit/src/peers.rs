//! The real servers and clients that `cargo xtask test` installed, and how each is started.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio::process::Command;

use crate::port::reserved_port;
use crate::process::{Process, output};

/// Where the peers are.
#[derive(Debug, Clone)]
pub struct Peers {
    node: PathBuf,
    npm: PathBuf,
    fastmcp: PathBuf,
    mcp: PathBuf,
    interaction: PathBuf,
}

impl Peers {
    /// Finds them by the variables that `cargo xtask test` sets.
    pub fn find() -> anyhow::Result<Self> {
        Ok(Self {
            node: folder("PORTICO_PEER_NODE")?.join("node_modules/node/bin/node"),
            npm: folder("PORTICO_PEER_NPM")?.join("node_modules"),
            fastmcp: folder("PORTICO_PEER_FASTMCP")?.join("bin/python"),
            mcp: folder("PORTICO_PEER_MCP")?.join("bin/python"),
            interaction: folder("PORTICO_PEER_INTERACTION")?,
        })
    }

    /// The Node that every Node peer runs on.
    pub fn node(&self) -> &Path {
        &self.node
    }

    /// The folder of the npm packages, for scripts of ours that use one.
    pub fn node_modules(&self) -> &Path {
        &self.npm
    }

    /// A search path on which Node and the programs of the npm packages come first.
    pub fn path(&self) -> anyhow::Result<OsString> {
        let ours = [self.node.parent().map(Path::to_path_buf), Some(self.npm.join(".bin"))];
        let others = env::var_os("PATH").unwrap_or_default();
        let folders = ours.into_iter().flatten().chain(env::split_paths(&others));
        env::join_paths(folders).context("a folder of PATH cannot be joined")
    }

    /// The Python with `mcp<2`.
    pub fn fastmcp(&self) -> &Path {
        &self.fastmcp
    }

    /// The Python with `mcp==2.3`.
    pub fn mcp(&self) -> &Path {
        &self.mcp
    }

    /// The Python with `mcp==2.3` and everything that its own tests need.
    pub fn interaction(&self) -> PathBuf {
        self.interaction.join("bin/python")
    }

    /// The source of `mcp==2.3`, with its tests and examples. The hash of every pinned version is in its path.
    pub fn python_source(&self) -> PathBuf {
        self.interaction.join("source/mcp-2.3.0")
    }

    /// The folder of an npm package that is a library, or of one that another brought along.
    pub fn library(&self, package: &str) -> anyhow::Result<PathBuf> {
        let folder = self.npm.join(package);
        anyhow::ensure!(folder.exists(), "`{}` is not installed", folder.display());
        Ok(folder)
    }

    /// The entry file of an npm package that is a program.
    pub fn script(&self, package: &str) -> anyhow::Result<PathBuf> {
        let file = match package {
            "@modelcontextprotocol/conformance"
            | "@modelcontextprotocol/server-everything"
            | "@modelcontextprotocol/server-filesystem" => "dist/index.js",
            "mcp-proxy" => "dist/bin/mcp-proxy.mjs",
            "mcp-remote" => "dist/proxy.js",
            "@modelcontextprotocol/inspector" => "clients/launcher/build/index.js",
            _ => anyhow::bail!("no peer is called `{package}`"),
        };
        let script = self.npm.join(package).join(file);
        anyhow::ensure!(script.exists(), "`{}` is not installed", script.display());
        Ok(script)
    }

    /// A command that runs an npm package.
    pub fn npm(&self, package: &str, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(&self.node);
        command.arg(self.script(package)?).args(arguments);
        Ok(command)
    }

    /// server-everything over streamable HTTP on `port`, once it listens.
    pub async fn everything(&self, port: u16) -> anyhow::Result<Process> {
        let process = self.everything_as("streamableHttp", port)?;
        process.starts("listening on port").await?;
        Ok(process)
    }

    /// server-everything over its own HTTP+SSE on `port`, once it listens.
    pub async fn everything_on_sse(&self, port: u16) -> anyhow::Result<Process> {
        let process = self.everything_as("sse", port)?;
        process.starts("running on port").await?;
        Ok(process)
    }

    fn everything_as(&self, transport: &str, port: u16) -> anyhow::Result<Process> {
        let mut command = self.npm("@modelcontextprotocol/server-everything", &[transport])?;
        command.env("PORT", port.to_string());
        Process::start("server-everything", command)
    }

    /// The everything-server of the Python SDK over streamable HTTP on `port`, once it listens.
    pub async fn pythons_everything(&self, port: u16) -> anyhow::Result<Process> {
        let mut command = Command::new(self.interaction());
        command.args(["-m", "mcp_everything_server", "--port", &port.to_string()]);
        command.env("PYTHONPATH", self.python_source().join("examples/servers/everything-server"));
        let process = Process::start("Python's everything-server", command)?;
        process.listens(port).await?;
        Ok(process)
    }

    /// A server of ours on `mcp==2.3`, over `transport` on `port`, once it listens.
    pub async fn python(
        &self,
        script: &Path,
        transport: &str,
        port: u16,
    ) -> anyhow::Result<Process> {
        let mut command = Command::new(&self.mcp);
        command.arg(script).args([transport, &port.to_string()]);
        let process = Process::start(&format!("Python's {transport}"), command)?;
        process.listens(port).await?;
        Ok(process)
    }

    /// server-everything behind npm `mcp-proxy`, over HTTP+SSE on `port`, once it listens.
    pub async fn everything_over_sse(&self, port: u16) -> anyhow::Result<Process> {
        let server = self.script("@modelcontextprotocol/server-everything")?;
        self.proxied(port, &[&server.to_string_lossy()]).await
    }

    /// server-filesystem behind npm `mcp-proxy`, over HTTP+SSE on `port`, once it listens.
    pub async fn filesystem_over_sse(&self, port: u16, folder: &Path) -> anyhow::Result<Process> {
        let server = self.script("@modelcontextprotocol/server-filesystem")?;
        self.proxied(port, &[&server.to_string_lossy(), &folder.to_string_lossy()]).await
    }

    async fn proxied(&self, port: u16, server: &[&str]) -> anyhow::Result<Process> {
        let mut command = self.npm("mcp-proxy", &["--host", "127.0.0.1", "--port"])?;
        command.arg(port.to_string()).arg("--").arg(&self.node).args(server);
        let process = Process::start("mcp-proxy", command)?;
        process.starts("starting server on port").await?;
        Ok(process)
    }

    /// Runs the Inspector's command line client once, and gives what it printed.
    pub async fn inspector(&self, url: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = self.npm("@modelcontextprotocol/inspector", &["--cli", url])?;
        command.args(["--transport", "http"]).args(arguments);
        output("the Inspector", command).await
    }

    /// A port for a peer.
    pub fn port(&self) -> anyhow::Result<u16> {
        reserved_port()
    }
}

fn folder(variable: &str) -> anyhow::Result<PathBuf> {
    let folder = env::var_os(variable).with_context(|| {
        format!("{variable} is not set: run this as `cargo xtask test outside`")
    })?;
    Ok(PathBuf::from(folder))
}
