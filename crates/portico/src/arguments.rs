//! The command line as it is written.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use http::Uri;
use xds::Endpoint;

use crate::failure::InputError;
use crate::ports::PortMapping;

/// What is read where no file is named, in this order.
const USUAL_FILES: [&str; 2] = ["portico.yaml", "mcp.json"];

/// One MCP endpoint in front of many MCP servers.
#[derive(Debug, Parser)]
#[command(name = "portico", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve what the files say, and follow them as they change.
    Run(RunArguments),
    /// Serve one client on standard input and output; for clients that start their servers.
    Stdio(StdioArguments),
    /// Watch a Kubernetes cluster, run a proxy for each Gateway, and tell it what to serve.
    Controller(ControllerArguments),
    /// Say what is wrong with the files. Exit code 1 if something is.
    Check(Inputs),
    /// Print the native document that the files mean.
    Expand(Inputs),
    /// Print the JSON Schema of the native document, for editors.
    Schema,
    /// Print the definitions of our Kubernetes resources, for `kubectl apply --server-side -f -`.
    Crds,
    /// Print what becomes of every field of a policy, in Markdown.
    Policies,
}

/// The files of a command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Inputs {
    /// A native document, an mcp.json or Kubernetes manifests, or a folder of them (*.yaml, *.yml,
    /// *.json). May be repeated. Without it: ./portico.yaml, else ./mcp.json.
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) source: SourceArguments,

    /// Serve a listener's port on another one. May be repeated.
    #[arg(long = "port", value_name = "FROM=TO")]
    pub(crate) ports: Vec<PortMapping>,

    #[command(flatten)]
    pub(crate) admin: AdminArguments,

    /// A port of /livez, /readyz and /metrics alone, for those who may not see the rest.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) health_address: Option<SocketAddr>,

    /// The folder of the keys that seal session ids, shared by all replicas: files of 32 bytes, named by
    /// number, of which the highest seals. Without it: a key of this process alone.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) session_keys: Option<PathBuf>,

    /// Where each request's line goes: `stdout`, `off`, or a file.
    #[arg(long, value_name = "WHERE", default_value = "stdout")]
    pub(crate) access_log: String,

    /// How log and access log are written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Args)]
pub(crate) struct StdioArguments {
    #[command(flatten)]
    pub(crate) source: SourceArguments,

    /// The path of the endpoint that is served, as `run` would serve it.
    #[arg(long, value_name = "PATH", default_value = "/mcp")]
    pub(crate) path: String,

    /// Its host, where routes are for single hosts.
    #[arg(long, value_name = "HOST", default_value = "", hide_default_value = true)]
    pub(crate) host: String,

    /// Its listener. Without it: the first one. None of them is opened.
    #[arg(long, value_name = "NAME")]
    pub(crate) listener: Option<String>,

    #[command(flatten)]
    pub(crate) admin: AdminArguments,

    /// Where each call's line goes: `off`, or a file. Standard output is the client's.
    #[arg(long, value_name = "WHERE", default_value = "off")]
    pub(crate) access_log: String,

    /// How log and access log are written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ControllerArguments {
    /// The namespace of the controller.
    #[arg(long, value_name = "NAME", env = "POD_NAMESPACE")]
    pub(crate) namespace: String,

    /// This replica, as no other is called.
    #[arg(long, value_name = "NAME", env = "HOSTNAME")]
    pub(crate) pod_name: String,

    /// The Service by which proxies reach the controller.
    #[arg(long, value_name = "NAME")]
    pub(crate) service: String,

    /// The GatewayClass that is served, and made where there is none.
    #[arg(long, value_name = "NAME", default_value = "agentgateway")]
    pub(crate) gateway_class_name: String,

    /// The controller that a GatewayClass names to be served.
    #[arg(long, value_name = "NAME", default_value = "agentgateway.dev/agentgateway")]
    pub(crate) controller_name: String,

    /// The image that proxies run.
    #[arg(long, value_name = "IMAGE")]
    pub(crate) proxy_image: String,

    /// When kubelets pull it: `Always`, `IfNotPresent` or `Never`.
    #[arg(long, value_name = "POLICY")]
    pub(crate) proxy_image_pull_policy: Option<String>,

    /// The domain below which Services have names.
    #[arg(long, value_name = "DOMAIN", default_value = "cluster.local")]
    pub(crate) cluster_domain: String,

    /// Which Services of other namespaces a selector finds.
    #[arg(long, value_enum, default_value_t = CrossNamespace::Granted)]
    pub(crate) cross_namespace: CrossNamespace,

    /// Where proxies connect.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:9978")]
    pub(crate) xds_address: SocketAddr,

    /// The port of /livez, /readyz and /metrics.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9093")]
    pub(crate) health_address: SocketAddr,

    /// How the log is written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CrossNamespace {
    /// Those that a ReferenceGrant or an annotation of their own lets be found.
    Granted,
    /// All.
    Any,
}

impl From<CrossNamespace> for controller::CrossNamespace {
    fn from(written: CrossNamespace) -> Self {
        match written {
            CrossNamespace::Granted => Self::Granted,
            CrossNamespace::Any => Self::Any,
        }
    }
}

/// Where documents come from.
#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    #[command(flatten)]
    pub(crate) inputs: Inputs,

    /// Serve two small built-in MCP servers, to look around.
    #[arg(long, conflicts_with = "files")]
    pub(crate) demo: bool,

    #[command(flatten)]
    pub(crate) xds: XdsArguments,
}

/// Where the controller is, and what is needed to be heard there.
#[derive(Debug, Args)]
pub(crate) struct XdsArguments {
    /// Take the configuration from the controller at this address, `https://host:port`.
    #[arg(long, value_name = "URL", env = "XDS_ADDRESS", conflicts_with_all = ["files", "demo"])]
    pub(crate) xds_address: Option<Uri>,

    /// The file with the token of the pod's ServiceAccount.
    #[arg(
        long,
        value_name = "FILE",
        env = "XDS_TOKEN_FILE",
        default_value = "/var/run/secrets/xds/token",
        hide_default_value = true
    )]
    pub(crate) xds_token_file: PathBuf,

    /// The file with the authorities that vouch for the controller, in PEM.
    #[arg(long, value_name = "FILE", env = "XDS_ROOT_CA")]
    pub(crate) xds_root_ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AdminArguments {
    /// The port of /metrics, /readyz, /config and /targets.
    #[arg(long, value_name = "PORT", conflicts_with = "admin_address")]
    pub(crate) admin_port: Option<u16>,

    /// The same with an address, to make it reachable from elsewhere.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin_address: Option<SocketAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

impl XdsArguments {
    /// Where the controller is, if there is one to be followed.
    pub(crate) fn endpoint(&self) -> Option<Endpoint> {
        let url = self.xds_address.clone()?;
        let (token, authorities) = (self.xds_token_file.clone(), self.xds_root_ca.clone());
        Some(Endpoint { url, token, authorities })
    }
}

impl AdminArguments {
    /// The address that is asked for, with what is not said of it taken from `configured`.
    pub(crate) fn address(&self, configured: SocketAddr) -> Option<SocketAddr> {
        let port = |port| SocketAddr::new(configured.ip(), port);
        self.admin_address.or(self.admin_port.map(port))
    }
}

impl Inputs {
    /// The files that are named, or else the usual one that is here.
    ///
    /// # Errors
    /// If none is named and none is here.
    pub(crate) fn or_usual(&self) -> Result<Vec<PathBuf>, InputError> {
        if !self.files.is_empty() {
            return Ok(self.files.clone());
        }
        for name in USUAL_FILES {
            if Path::new(name).is_file() {
                return Ok(vec![PathBuf::from(name)]);
            }
        }
        let text = "nothing to read: name a file with `-f`, put a `portico.yaml` or an `mcp.json` \
                    into this folder, or try `portico run --demo`";
        Err(InputError(text.to_owned()))
    }
}
