//! `portico run`: a gateway that listens, from the start to the end of the drain.

mod listen;

use std::process::ExitCode;
use std::time::Duration;

use proxy::{Entrance, Tasks};
use tracing::info;

use crate::arguments::RunArguments;
use crate::connect;
use crate::failure::InputError;
use crate::open_files;
use crate::output;
use crate::ports;
use crate::running::{Base, Running, Setup, Source, runtime};
use crate::session_keys;
use crate::signals::StopSignals;
use crate::telemetry;

/// Serves until a signal ends it.
///
/// # Errors
/// If the files cannot be used at the start, or what they ask for cannot be had: a port in use.
pub(crate) fn run(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    telemetry::start(arguments.log_format);
    open_files::raise();
    runtime()?.block_on(serve(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: RunArguments) -> anyhow::Result<()> {
    let mut stop = StopSignals::new()?;
    let is_demo = arguments.source.demo;
    // Of what a controller says, nobody here can mend a listener; it may say something else later.
    let is_followed = arguments.source.xds.endpoint().is_some();
    // A controller may be long in coming.
    let setup = tokio::select! {
        setup = setup(arguments) => setup?,
        () = stop.next() => return Ok(()),
    };
    let mut running = Running::start(setup).await?;
    let failed = running.apply().await;
    if !failed.is_empty() && !is_followed {
        running.end(Duration::ZERO, stop.next()).await;
        return Err(listen::explain(&failed));
    }
    open_files::check(running.document().limits.connections);
    if !running.gateway.addresses().await.is_empty() {
        running.readiness.ready();
    }
    greet(&running, is_demo).await;
    running.follow(failed, &mut stop).await;
    let limit = announce(&running, &mut stop).await;
    running.end(limit, stop.next()).await;
    Ok(())
}

async fn setup(arguments: RunArguments) -> anyhow::Result<Setup> {
    if let Some(port) = ports::moved_twice(&arguments.ports) {
        let text = format!("`--port {port}=…` is given twice: a port is moved to one other");
        return Err(InputError(text).into());
    }
    let keys = match &arguments.session_keys {
        Some(folder) => session_keys::read(folder)?,
        None => session_keys::random()?,
    };
    let (base, tasks) = (Base::new(), Tasks::new());
    if let Some(address) = arguments.health_address {
        base.serve_health(address, &tasks).await?;
    }
    let source = Source::start(&arguments.source, tasks).await?;
    let configured = source.admin_address();
    Ok(Setup {
        source,
        base,
        keys,
        entrance: Entrance::Listeners,
        ports: arguments.ports,
        admin: Some(arguments.admin.address(configured).unwrap_or(configured)),
        access_log: arguments.access_log,
        log_format: arguments.log_format,
    })
}

/// Says where it listens.
async fn greet(running: &Running, is_demo: bool) {
    let document = running.document();
    let mut urls = Vec::new();
    for (configured, bound) in running.gateway.addresses().await {
        urls.extend(connect::urls(&document, configured, bound));
    }
    match urls.first() {
        Some(url) if is_demo => output::print(&connect::instructions(url)),
        _ => output::print(&format!("portico serves {}\n", urls.join(" "))),
    }
}

/// Tells load balancers to look elsewhere, and still accepts for as long as they lag. Returns how
/// long what is in flight may take: no time after another signal.
async fn announce(running: &Running, stop: &mut StopSignals) -> Duration {
    info!("Draining.");
    running.readiness.drain();
    tokio::select! {
        () = tokio::time::sleep(running.drain.announce.get()) => running.drain.limit.get(),
        () = stop.next() => Duration::ZERO,
    }
}
