//! `portico stdio`: a gateway for the one client that started it, which ends when that does.

use std::future::pending;
use std::net::SocketAddr;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use proxy::{Entrance, Place, PlaceError, Tasks};
use tokio::sync::Notify;

use crate::arguments::StdioArguments;
use crate::connect;
use crate::failure::InputError;
use crate::open_files;
use crate::running::{Base, Running, Setup, Source, runtime};
use crate::session_keys;
use crate::signals::StopSignals;
use crate::telemetry;

/// How long the end may take once somebody asks again. Clients kill soon after they asked, and what
/// is left of us then is killed with us.
const HURRIED_END: Duration = Duration::from_secs(1);
/// How long the runtime may take to drop what is left. A thread that waits for standard input is
/// never woken.
const LEFTOVERS: Duration = Duration::from_millis(100);

/// Serves the client on standard input and output until it leaves or a signal ends it.
///
/// # Errors
/// If the files cannot be used at the start, if nothing is served where the client wants it, or
/// what it was served has been removed.
pub(crate) fn stdio(arguments: StdioArguments) -> anyhow::Result<ExitCode> {
    telemetry::start(arguments.log_format);
    open_files::raise();
    let runtime = runtime()?;
    let served = runtime.block_on(serve(arguments));
    runtime.shutdown_timeout(LEFTOVERS);
    served.map(|()| ExitCode::SUCCESS)
}

async fn serve(arguments: StdioArguments) -> anyhow::Result<()> {
    let mut stop = StopSignals::new()?;
    let place = Place {
        listener: arguments.listener.clone(),
        host: arguments.host.to_ascii_lowercase(),
        path: arguments.path.clone(),
    };
    // A controller may be long in coming.
    let setup = tokio::select! {
        setup = setup(arguments) => setup?,
        () = stop.next() => return Ok(()),
    };
    let mut running = Running::start(setup).await?;
    running.apply().await;
    running.readiness.ready();
    let served = client(&mut running, &place, &mut stop).await;
    let served = served.map_err(|error| explain(&running, &error));
    let ended = running.end(Duration::ZERO, pending());
    let hurried = async {
        stop.next().await;
        tokio::time::sleep(HURRIED_END).await;
    };
    tokio::select! {
        () = ended => {}
        () = hurried => {}
    }
    served
}

async fn setup(arguments: StdioArguments) -> anyhow::Result<Setup> {
    if arguments.access_log == "stdout" {
        let text = "standard output is the client's: name a file with `--access-log`";
        return Err(InputError(text.to_owned()).into());
    }
    let source = Source::start(&arguments.source, Tasks::new()).await?;
    let admin = arguments.admin.address(source.admin_address());
    Ok(Setup {
        source,
        base: Base::new(),
        keys: session_keys::random()?,
        entrance: Entrance::Stdio,
        ports: Vec::new(),
        admin,
        access_log: arguments.access_log,
        log_format: arguments.log_format,
    })
}

/// Serves the client, and every new document, until one of them ends or a signal comes.
async fn client(
    running: &mut Running,
    place: &Place,
    stop: &mut StopSignals,
) -> Result<(), PlaceError> {
    let gateway = running.gateway.clone();
    let stopped = Notify::new();
    let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
    let mut served = pin!(gateway.serve_stdio(place, input, output, stopped.notified()));
    tokio::select! {
        ended = &mut served => return ended,
        () = running.follow(Vec::new(), stop) => {}
    }
    stopped.notify_one();
    served.await
}

/// Says where something is served instead.
fn explain(running: &Running, error: &PlaceError) -> anyhow::Error {
    if !matches!(error, PlaceError::NoRoute { .. } | PlaceError::NoListener(_)) {
        return anyhow::anyhow!("{error}");
    }
    let document = running.document();
    let written = document.listeners.iter().map(|listener| listener.address);
    let addresses: Vec<SocketAddr> = match document.listeners.is_empty() {
        true => vec![config::document::Listener::default().address],
        false => written.collect(),
    };
    let urls = addresses.iter().flat_map(|address| connect::urls(&document, *address, *address));
    let urls: Vec<_> = urls.collect();
    let text = format!(
        "{error}; choose with `--path`, `--host` and `--listener` what `portico run` would serve at {}",
        urls.join(", ")
    );
    InputError(text).into()
}
