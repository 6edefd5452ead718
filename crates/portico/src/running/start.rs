//! What is needed before the first document can be served.

use std::net::SocketAddr;
use std::sync::Arc;

use config::Reading;
use proxy::access_log::{AccessLog, Format, Output};
use proxy::admin::{Admin, AdminSources, Inside, Readiness};
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
    pub(crate) base: Base,
    /// What seals the ids of sessions.
    pub(crate) keys: KeyRing,
    /// How clients reach it.
    pub(crate) entrance: Entrance,
    pub(crate) ports: Vec<PortMapping>,
    /// Where the admin port listens, if there is to be one.
    pub(crate) admin: Option<SocketAddr>,
    /// `stdout`, `off`, or a file.
    pub(crate) access_log: String,
    pub(crate) log_format: LogFormat,
}

/// What is there before the first document is, so that others can ask how it goes.
pub(crate) struct Base {
    tasks: Tasks,
    metrics: Arc<Metrics>,
    readiness: Arc<Readiness>,
}

impl Base {
    pub(crate) fn new() -> Self {
        let tasks = Tasks::new();
        let metrics = Metrics::with_memory(&tasks, memory::allocated);
        Self { tasks, metrics, readiness: Arc::new(Readiness::new()) }
    }

    /// Answers whoever asks how it goes, until `tasks` end.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub(crate) async fn serve_health(
        &self,
        address: SocketAddr,
        tasks: &Tasks,
    ) -> anyhow::Result<()> {
        let health = Admin::bind(address).await?;
        info!(address = %health.address(), "Serving /metrics, /livez and /readyz.");
        health.serve(tasks, self.sources(None));
        Ok(())
    }

    fn sources(&self, inside: Option<Inside>) -> AdminSources {
        let metrics = self.metrics.clone();
        AdminSources {
            metrics: Arc::new(move || metrics.encode()),
            readiness: self.readiness.clone(),
            inside,
        }
    }
}

impl Source {
    /// Starts reading. Of a controller, waits for what it says first.
    ///
    /// # Errors
    /// If there is nothing to read, or a file cannot be used.
    pub(crate) async fn start(arguments: &SourceArguments, tasks: Tasks) -> anyhow::Result<Self> {
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
    let admin = match setup.admin {
        Some(address) => Some(Admin::bind(address).await?),
        None => None,
    };
    let base = setup.base;
    let access_log = access_log(&setup.access_log, setup.log_format, &base.metrics).await?;
    let gateway = Arc::new(Gateway::start(Options {
        clock: Clock::system(),
        tasks: base.tasks.clone(),
        metrics: base.metrics.clone(),
        access_log: access_log.clone(),
        authenticator: Authenticator::anonymous(),
        keys: setup.keys,
        replica: "local".into(),
        limits: document.limits.usable().0,
        entrance: setup.entrance,
    }));

    let drain = document.drain.clone();
    let in_force = match setup.admin {
        Some(address) => config::document::Admin { address },
        None => document.admin.clone(),
    };
    let metrics = base.metrics.clone();
    let applier = Applier::new(setup.ports, document, in_force, metrics);
    if let Some(reports) = reports {
        tasks.spawn("reports", reports.keep(gateway.clone(), applier.in_force()));
    }
    if let Some(admin) = admin {
        info!(address = %admin.address(), "Serving /metrics, /readyz, /config and /targets.");
        let (targets, in_force) = (gateway.clone(), applier.in_force());
        let inside = Inside {
            document: Arc::new(move || in_force.load().document.clone()),
            targets: Arc::new(move || targets.targets()),
        };
        admin.serve(&tasks, base.sources(Some(inside)));
    }
    let readiness = base.readiness;
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
