//! What is needed before the first document can be served.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use config::Reading;
use proxy::access_log::{AccessLog, Format, Output};
use proxy::admin::{Admin, AdminSources, Readiness};
use proxy::metrics::Metrics;
use proxy::{Authenticator, Clock, Entrance, Gateway, KeyRing, Options, Tasks};
use tokio::sync::{Notify, watch};
use tracing::info;

use crate::arguments::{LogFormat, SourceArguments};
use crate::demo;
use crate::failure::InputError;
use crate::memory;
use crate::ports::PortMapping;
use crate::running::Running;
use crate::running::applier::Applier;
use crate::signals;
use crate::source::xds::{self, Reports};
use crate::source::{Library, file};

/// A source of documents, started.
pub(crate) struct Source {
    readings: watch::Receiver<Arc<Reading>>,
    /// Whoever wants to know how it goes.
    reports: Option<Reports>,
    /// What runs beside the gateway, and longer.
    tasks: Tasks,
}

/// What a gateway is started with, as the command line says it.
pub(crate) struct Setup {
    pub(crate) source: Source,
    /// How clients reach it.
    pub(crate) entrance: Entrance,
    pub(crate) ports: Vec<PortMapping>,
    /// Where the admin port listens, if there is to be one.
    pub(crate) admin: Option<SocketAddr>,
    /// `stdout`, `off`, or a file.
    pub(crate) access_log: String,
    pub(crate) log_format: LogFormat,
}

impl Source {
    /// Starts reading. Of a controller, waits for what it says first.
    ///
    /// # Errors
    /// If there is nothing to read, or a file cannot be used.
    pub(crate) async fn start(arguments: &SourceArguments) -> anyhow::Result<Self> {
        let tasks = Tasks::new();
        if let Some(endpoint) = arguments.xds.endpoint() {
            let (readings, reports) = xds::start(endpoint, &tasks).await?;
            return Ok(Self { readings, reports: Some(reports), tasks });
        }
        let readings = match arguments.demo {
            true => demo::source(&tasks).await?,
            false => files(arguments, &tasks)?,
        };
        Ok(Self { readings, reports: None, tasks })
    }

    /// Where the document says that the admin port listens.
    pub(crate) fn admin_address(&self) -> SocketAddr {
        self.readings.borrow().document.admin.address
    }
}

/// Starts the admin port and a gateway that has no document yet.
pub(super) async fn start(setup: Setup) -> anyhow::Result<Running> {
    let Source { readings, reports, tasks } = setup.source;
    let document = readings.borrow().document.clone();
    let gateway_tasks = Tasks::new();
    let metrics = Metrics::with_memory(&gateway_tasks, memory::allocated);
    let admin = match setup.admin {
        Some(address) => Some(Admin::bind(address).await?),
        None => None,
    };
    let access_log = access_log(&setup.access_log, setup.log_format, &metrics).await?;
    let gateway = Arc::new(Gateway::start(Options {
        clock: Clock::system(),
        tasks: gateway_tasks,
        metrics: metrics.clone(),
        access_log: access_log.clone(),
        authenticator: Authenticator::anonymous(),
        keys: KeyRing::random().context("cannot make a key for session ids")?,
        replica: "local".into(),
        limits: document.limits.usable().0,
        entrance: setup.entrance,
    }));

    let readiness = Arc::new(Readiness::new());
    let drain = document.drain.clone();
    let in_force = match setup.admin {
        Some(address) => config::document::Admin { address },
        None => document.admin.clone(),
    };
    let applier = Applier::new(setup.ports, document, in_force);
    if let Some(reports) = reports {
        tasks.spawn("reports", reports.keep(gateway.clone(), applier.in_force()));
    }
    if let Some(admin) = admin {
        info!(address = %admin.address(), "Serving /metrics, /readyz, /config and /targets.");
        let (targets, in_force) = (gateway.clone(), applier.in_force());
        let sources = AdminSources {
            metrics,
            readiness: readiness.clone(),
            document: Arc::new(move || in_force.load().document.clone()),
            targets: Arc::new(move || targets.targets()),
        };
        admin.serve(&tasks, sources);
    }
    Ok(Running { gateway, applier, readings, readiness, access_log, tasks, drain })
}

fn files(
    arguments: &SourceArguments,
    tasks: &Tasks,
) -> anyhow::Result<watch::Receiver<Arc<Reading>>> {
    let library = Library::open(arguments.inputs.or_usual()?);
    let broken = library.broken();
    if !broken.is_empty() {
        let lines: Vec<_> = broken.iter().map(ToString::to_string).collect();
        let text = format!("not started, because a file cannot be used:\n{}", lines.join("\n"));
        return Err(InputError(text).into());
    }
    let (sender, readings) = watch::channel(Arc::new(library.reading()));
    let reread = Arc::new(Notify::new());
    tasks.spawn("hangups", signals::hangups(reread.clone())?);
    tasks.spawn("files", file::follow(library, sender, reread));
    Ok(readings)
}

async fn access_log(
    whereto: &str,
    format: LogFormat,
    metrics: &Metrics,
) -> anyhow::Result<AccessLog> {
    let format = match format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    let output = match whereto {
        "off" => return Ok(AccessLog::off()),
        "stdout" => Output::Stdout,
        path => Output::File(path.into()),
    };
    Ok(AccessLog::start(output, format, metrics).await?)
}
