//! What is needed before the first document can be served.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use config::{Document, Reading};
use proxy::access_log::{AccessLog, Format, Output};
use proxy::admin::{Admin, AdminSources, Readiness};
use proxy::metrics::Metrics;
use proxy::{Authenticator, Clock, Gateway, KeyRing, Options, Tasks};
use tokio::sync::{Notify, watch};
use tracing::info;

use crate::arguments::{LogFormat, RunArguments};
use crate::demo;
use crate::failure::InputError;
use crate::run::Running;
use crate::run::applier::Applier;
use crate::signals;
use crate::source::{Library, file};

/// Starts a source, the admin port and a gateway that has no document yet.
pub(super) async fn start(arguments: &RunArguments) -> anyhow::Result<Running> {
    let tasks = Tasks::new();
    let readings = source(arguments, &tasks).await?;
    let mut document = readings.borrow().document.clone();
    document.admin.address = admin_address(arguments, &document);

    let gateway_tasks = Tasks::new();
    let metrics = Metrics::new(&gateway_tasks);
    let admin = Admin::bind(document.admin.address).await?;
    info!(address = %admin.address(), "Serving /metrics, /readyz, /config and /targets.");
    let access_log = access_log(arguments, &metrics).await?;
    let gateway = Arc::new(Gateway::start(Options {
        clock: Clock::system(),
        tasks: gateway_tasks,
        metrics: metrics.clone(),
        access_log: access_log.clone(),
        authenticator: Authenticator::anonymous(),
        keys: KeyRing::random().context("cannot make a key for session ids")?,
        replica: "local".into(),
        limits: document.limits.clone(),
    }));

    let readiness = Arc::new(Readiness::new());
    let drain = document.drain.clone();
    let applier = Applier::new(arguments.ports.clone(), document);
    let targets = gateway.clone();
    admin.serve(
        &tasks,
        AdminSources {
            metrics,
            readiness: readiness.clone(),
            document: applier.in_force(),
            targets: Arc::new(move || targets.targets()),
        },
    );
    Ok(Running { gateway, applier, readings, readiness, access_log, tasks, drain })
}

async fn source(
    arguments: &RunArguments,
    tasks: &Tasks,
) -> anyhow::Result<watch::Receiver<Arc<Reading>>> {
    if arguments.demo {
        return demo::source(tasks).await;
    }
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

fn admin_address(arguments: &RunArguments, document: &Document) -> SocketAddr {
    let mut address = arguments.admin_address.unwrap_or(document.admin.address);
    if let Some(port) = arguments.admin_port {
        address.set_port(port);
    }
    address
}

async fn access_log(arguments: &RunArguments, metrics: &Metrics) -> anyhow::Result<AccessLog> {
    let format = match arguments.log_format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    let output = match arguments.access_log.as_str() {
        "off" => return Ok(AccessLog::off()),
        "stdout" => Output::Stdout,
        path => Output::File(path.into()),
    };
    Ok(AccessLog::start(output, format, metrics).await?)
}
