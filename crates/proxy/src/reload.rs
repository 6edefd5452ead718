//! From one world to the next: what stayed the same keeps its live state, what is new is
//! started, what is gone is retired after nobody can reach it any more.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use config::{Certificate, Snapshot, TargetAddress, TargetKey};
use rustls::ServerConfig;

use crate::federation::{Federation, Member, Naming, Shape};
use crate::listen::tls;
use crate::upstream::{Server, Settings, Surroundings, Upstream};
use crate::world::World;

/// A new world, and what the old one had that it has not.
pub struct Reloaded {
    /// What is served from now on.
    pub world: World,
    /// To be retired once the world is swapped.
    pub gone: Vec<Arc<Upstream>>,
    /// To be retired once the world is swapped.
    pub gone_backends: Vec<Arc<Federation>>,
}

/// Builds the next world off the path of requests. Backends that stay show their new shape as
/// soon as this returns.
pub async fn reload(
    surroundings: &Surroundings,
    previous: Option<&World>,
    snapshot: Snapshot,
) -> Reloaded {
    let mut known: HashMap<TargetKey, Arc<Upstream>> = previous
        .iter()
        .flat_map(|world| &world.upstreams)
        .map(|upstream| (upstream.key().clone(), upstream.clone()))
        .collect();
    let mut live: HashMap<TargetKey, Arc<Upstream>> = HashMap::new();
    let mut backends = HashMap::new();
    for backend in snapshot.backends.values() {
        let naming = Naming { mode: backend.prefix_mode, max_length: snapshot.names.max_length };
        let mut members = Vec::with_capacity(backend.targets.len());
        let since = surroundings.clock.unix();
        for target in &backend.targets {
            let metrics = surroundings.metrics.target(target.key.owner(), target.name.as_str());
            if let Some(close) = backend.closed.as_ref().or(target.closed.as_ref()) {
                let upstream = Err(close.clone());
                let feed = None;
                members.push(Member { target: target.clone(), upstream, feed, metrics, since });
                continue;
            }
            let endpoints = endpoints(&snapshot, target);
            let upstream = live.entry(target.key.clone()).or_insert_with(|| {
                known.remove(&target.key).unwrap_or_else(|| {
                    let settings =
                        Settings { target: target.clone(), endpoints: endpoints.clone() };
                    Upstream::start(surroundings, settings, metrics.clone())
                })
            });
            upstream.reconfigure(Settings { target: target.clone(), endpoints });
            let (feed, upstream) = (Some(upstream.base().clone()), Ok(upstream.clone()));
            members.push(Member { target: target.clone(), upstream, feed, metrics, since });
        }
        let shape = Shape { backend: backend.clone(), naming, members };
        let federation = match previous.and_then(|world| world.backends.get(&backend.name)) {
            Some(federation) => {
                federation.reload(shape).await;
                federation.clone()
            }
            None => Federation::start(&surroundings.tasks, shape, surroundings.clock.now()),
        };
        backends.insert(backend.name.clone(), federation);
    }

    let gone_backends = previous
        .iter()
        .flat_map(|world| &world.backends)
        .filter(|(name, _)| !backends.contains_key(*name))
        .map(|(_, federation)| federation.clone())
        .collect();
    let upstreams = live.into_values().collect();
    let routes = snapshot.listeners.iter().flat_map(|listener| listener.routes.routes());
    let routes =
        routes.map(|route| (route.name.clone(), surroundings.metrics.route(&route.name))).collect();
    let services = services(surroundings, previous, &snapshot);
    let tls = server_configs(previous, &snapshot).await;
    let world = World { snapshot, backends, upstreams, services, tls, routes };
    Reloaded { world, gone: known.into_values().collect(), gone_backends }
}

fn endpoints(snapshot: &Snapshot, target: &config::Target) -> Arc<[SocketAddr]> {
    let TargetAddress::Http(address) = &target.address else { return Arc::default() };
    let Some(key) = &address.endpoints else { return Arc::default() };
    snapshot.endpoints.get(key).map(|addresses| addresses.as_slice().into()).unwrap_or_default()
}

fn services(
    surroundings: &Surroundings,
    previous: Option<&World>,
    snapshot: &Snapshot,
) -> HashMap<Arc<str>, Arc<Server>> {
    let mut services = HashMap::new();
    for service in snapshot.services.values() {
        let known = previous.and_then(|world| world.services.get(&service.name));
        let server = Server::new(surroundings, snapshot, service, known.map(Arc::as_ref));
        services.insert(service.name.clone(), Arc::new(server));
    }
    services
}

/// What has not changed stays, and clients that were here before need not begin anew. Files may have
/// changed without a word.
async fn server_configs(
    previous: Option<&World>,
    snapshot: &Snapshot,
) -> HashMap<SocketAddr, Arc<ServerConfig>> {
    let mut configs = HashMap::new();
    for listener in &snapshot.listeners {
        let Some(tls) = &listener.tls else { continue };
        let is_file = |one: &Certificate| matches!(one, Certificate::Files { .. });
        let known = previous.filter(|world| {
            let before = world.listener(listener.address).and_then(|before| before.tls.as_ref());
            before == Some(tls) && !tls.certificates.iter().any(is_file)
        });
        let config = match known.and_then(|world| world.tls.get(&listener.address)) {
            Some(config) => Some(config.clone()),
            None => tls::server_config(tls).await,
        };
        configs.extend(config.map(|config| (listener.address, config)));
    }
    configs
}
