//! `portico controller`: watches a cluster and tells its proxies what to serve.

mod credentials;
mod wiring;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use controller::{
    Client, Clients, Controller, CredentialsStore, Metrics, Options, ProxySettings, Settings,
};
use proxy::Tasks;
use proxy::admin::{Admin, AdminSources, Readiness};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use xds::{Identity, Limits, Resource, Server};

use crate::arguments::ControllerArguments;
use crate::running::runtime;
use crate::signals::StopSignals;
use crate::telemetry;

/// Watches, publishes and writes until a signal ends it.
///
/// # Errors
/// If the cluster cannot be reached at the start, or a port cannot be had.
pub(crate) fn controller(arguments: ControllerArguments) -> anyhow::Result<ExitCode> {
    telemetry::start(arguments.log_format);
    runtime()?.block_on(serve(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: ControllerArguments) -> anyhow::Result<()> {
    let mut stop = StopSignals::new()?;
    let (tasks, readiness) = (Tasks::new(), Arc::new(Readiness::new()));
    let health = Admin::bind(arguments.health_address).await?;
    let listener = TcpListener::bind(arguments.xds_address)
        .await
        .with_context(|| format!("cannot listen on the xDS address {}", arguments.xds_address))?;
    let metrics = Arc::<Metrics>::default();
    let shown = metrics.clone();
    let sources = AdminSources {
        metrics: Arc::new(move || shown.encode()),
        readiness: readiness.clone(),
        inside: None,
    };
    health.serve(&tasks, sources);
    info!(xds = %listener.local_addr()?, "Listening.");
    let clients = Clients::infer().await.map_err(anyhow::Error::from_boxed);
    let clients = clients.context("cannot find out where the cluster is")?;
    let client = clients.questions.clone();

    refuse_rival(&client, &arguments).await?;
    let store = CredentialsStore::new(
        client.clone(),
        &arguments.namespace,
        &format!("{}-xds", arguments.service),
        hosts(&arguments),
        |held, host| {
            let authorities = held.authorities.as_bytes();
            Identity::is_trusted(&held.certificate, &held.key, authorities, host)
        },
    );
    // An API server that is away is waited for.
    let credentials = tokio::select! {
        credentials = credentials::first(&store) => credentials,
        () = stop.next() => return Ok(()),
    };
    let mut parts = JoinSet::new();
    let (identity, authorities) = credentials::keep(store, credentials, &mut parts)?;

    let mut controller = Controller::start(Options {
        clients,
        settings: Settings {
            class: arguments.gateway_class_name.clone(),
            controller: arguments.controller_name.clone(),
            cluster_domain: arguments.cluster_domain.clone(),
            cross_namespace: arguments.cross_namespace.into(),
            reserved_ports: vec![controller::HEALTH_PORT],
        },
        proxies: ProxySettings {
            image: arguments.proxy_image.clone(),
            pull_policy: arguments.proxy_image_pull_policy.clone(),
            controller_url: format!(
                "https://{}.{}.svc:{}",
                arguments.service,
                arguments.namespace,
                arguments.xds_address.port()
            ),
        },
        namespace: arguments.namespace.clone(),
        identity: arguments.pod_name.clone(),
        authorities,
        version: |document| Resource::new(document.to_vec()).version,
        metrics,
    });
    let scopes = wiring::scopes(&controller, readiness.clone(), &mut parts);
    let limits = Limits::default();
    let (server, observations) = Server::new(wiring::admit(&controller), scopes, limits.clone());
    parts.spawn(wiring::observe(observations, controller.observed.clone()));
    let connections = xds::accept(listener, Some(identity), limits)?;
    let stopped = CancellationToken::new();
    let mut serving = tokio::spawn(server.serve(connections, stopped.clone().cancelled_owned()));
    // Half a controller would serve what was, for ever: whoever started it starts it again.
    tokio::select! {
        () = stop.next() => {}
        served = &mut serving => {
            served.context("the xDS server has failed")??;
            anyhow::bail!("the xDS server has ended");
        }
        reason = controller.failed() => anyhow::bail!("the controller has failed: {reason}"),
        _ = parts.join_next() => anyhow::bail!("a part of the controller has ended before its time"),
    }
    info!("Stopping.");
    readiness.drain();
    controller.end().await;
    stopped.cancel();
    tokio::select! {
        served = &mut serving => served.context("the xDS server has failed")??,
        () = stop.next() => serving.abort(),
    }
    tasks.close().await;
    Ok(())
}

/// Two controllers of one name would undo each other's work.
async fn refuse_rival(client: &Client, arguments: &ControllerArguments) -> anyhow::Result<()> {
    let ControllerArguments { controller_name, namespace, pod_name, .. } = arguments;
    let other = match controller::rival(client, controller_name, namespace).await {
        Ok(Some(other)) => other,
        Ok(None) => return Ok(()),
        Err(error) => {
            warn!(%error, "Cannot find out whether there is another controller of this name.");
            return Ok(());
        }
    };
    let text = format!(
        "a controller named `{controller_name}` runs in namespace `{other}`: give this one another \
         `controllerName` and `gatewayClassName`, or remove that one"
    );
    controller::complain(client, controller_name, namespace, pod_name, &text).await;
    anyhow::bail!(text)
}

/// The names by which proxies may know the controller.
fn hosts(arguments: &ControllerArguments) -> Vec<String> {
    let ControllerArguments { service, namespace, cluster_domain, .. } = arguments;
    vec![
        format!("{service}.{namespace}.svc"),
        format!("{service}.{namespace}.svc.{cluster_domain}"),
        format!("{service}.{namespace}"),
        service.clone(),
    ]
}
