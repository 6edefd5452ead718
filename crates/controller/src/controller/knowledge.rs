//! What the controller knows, and what follows from it.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::Document;
use config::document::Protocol;
use gateway_api::gateways::Gateway;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Service;
use tokio::time::Instant;
use tracing::info;

use crate::contents::{ContentChange, Contents, Kept};
use crate::controller::Options;
use crate::deploy::{Circumstances, Deployed, Parameters, deployed};
use crate::endpoints::endpoints;
use crate::held::Held;
use crate::keeper::{Need, Needs};
use crate::kind::Kind;
use crate::manifests::Manifests;
use crate::object::{Object, ObjectName};
use crate::outcome::Outcome;
use crate::owned::{DeploymentState, OwnedChange};
use crate::proxies::{Observed, Proxies};
use crate::publication::{Publication, Told, Version};
use crate::said::Said;
use crate::stores::{Change, Stores};
use crate::translate::{Translated, referenced, translate, without_place};
use crate::wanted::{Address, GatewayRun, Sight, Wanted, wanted};
use crate::world::World;
use crate::writer::Write;

/// How long proxies may take to find a controller that has just started.
const EARLY: Duration = Duration::from_secs(60);
/// How often what proxies report is written into one object.
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// After which time a write that had no effect is looked at again.
const WRITE_AGAIN: Duration = Duration::from_secs(3);

/// Everything that is known.
pub(super) struct Knowledge {
    options: Options,
    stores: Stores,
    proxies: Proxies,
    contents: Contents,
    deployments: BTreeMap<ObjectName, DeploymentState>,
    are_deployments_known: bool,
    /// How often somebody has touched what runs a Gateway, by the name of its objects.
    touched: BTreeMap<ObjectName, u64>,
    outcomes: BTreeMap<ObjectName, Outcome>,
    /// The objects together, until they change, where nobody has asked yet what they mean.
    together: Option<Manifests>,
    /// What the objects mean, until they change.
    meaning: Option<Meaning>,
    held: Held,
    said: Said,
    /// When what proxies report was last written.
    reported: HashMap<(Kind, ObjectName), Instant>,
    since: Instant,
}

/// What the objects mean.
struct Meaning {
    world: World,
    translated: Translated,
    documents: BTreeMap<ObjectName, Arc<Version>>,
    endpoints: Option<BTreeMap<String, Vec<SocketAddr>>>,
}

/// What follows from all that is known.
pub(super) struct Made {
    pub(super) publication: Arc<Publication>,
    pub(super) needs: Needs,
    pub(super) writes: Vec<Write>,
    pub(super) gateways: Arc<Vec<Object<Gateway>>>,
    /// When to look again, news or not.
    pub(super) look_at: Option<Instant>,
}

impl Knowledge {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            stores: Stores::default(),
            proxies: Proxies::default(),
            contents: Contents::default(),
            deployments: BTreeMap::new(),
            are_deployments_known: false,
            touched: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            together: None,
            meaning: None,
            held: Held::default(),
            said: Said::default(),
            reported: HashMap::new(),
            since: Instant::now(),
        }
    }

    /// Takes in what a watch says.
    pub(super) fn changed(&mut self, kind: Kind, change: Change) {
        if let (Kind::Service, Change::Applied(value)) = (kind, &change) {
            self.touch_service(value);
        }
        if !self.stores.take(kind, change) {
            return;
        }
        self.options.metrics.objects(kind, self.stores.count(kind));
        match (&mut self.meaning, kind) {
            // A pod that comes or goes changes no document.
            (Some(meaning), Kind::EndpointSlice) => meaning.endpoints = None,
            _ => self.forget(),
        }
    }

    fn forget(&mut self) {
        (self.together, self.meaning) = (None, None);
    }

    /// Takes in what becomes known of a proxy.
    pub(super) fn observed(&mut self, observed: Observed) {
        self.proxies.observe(observed);
        let metrics = &self.options.metrics;
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        metrics.proxies.set(number(self.proxies.count()));
        metrics.proxies_refusing.set(number(self.proxies.count_refusing()));
    }

    /// Takes in what has become of what was made for Gateways.
    pub(super) fn owned(&mut self, change: OwnedChange) {
        match change {
            OwnedChange::Deployment(name, state) => {
                let generation = state.generation;
                let before = self.deployments.insert(name.clone(), state);
                if before.is_some_and(|before| before.generation != generation) {
                    self.touch(name);
                }
            }
            OwnedChange::NoDeployment(name) => {
                self.deployments.remove(&name);
                self.touch(name);
            }
            OwnedChange::DeploymentsKnown => self.are_deployments_known = true,
            OwnedChange::Touched(name) => self.touch(name),
        }
    }

    /// Takes in what becomes known of Secrets and ConfigMaps.
    pub(super) fn content(&mut self, change: ContentChange) {
        if self.contents.take(change) {
            self.forget();
        }
    }

    /// What has to be read of what something refers to, before it is known what that means.
    pub(super) fn missing(&mut self) -> Vec<(Kept, ObjectName, String)> {
        if self.meaning.is_some() || !self.stores.is_known() || !self.contents.are_known() {
            return Vec::new();
        }
        let together = self.together.get_or_insert_with(|| self.stores.manifests());
        let referenced = referenced(&together.world, &self.options.settings);
        let mut all = Vec::new();
        let kinds = [(Kept::Secret, referenced.secrets), (Kept::ConfigMap, referenced.config_maps)];
        for (kind, names) in kinds {
            let missing = self.contents.missing(kind, &names).into_iter();
            all.extend(missing.map(|(name, version)| (kind, name, version)));
        }
        all
    }

    /// Takes in how it went with what runs a Gateway.
    pub(super) fn outcome(&mut self, gateway: ObjectName, outcome: Outcome) {
        self.outcomes.insert(gateway, outcome);
    }

    /// Whether everything that has to be known is.
    pub(super) fn is_complete(&self) -> bool {
        let have_authorities = !self.options.authorities.borrow().is_empty();
        self.stores.is_known()
            && self.contents.are_known()
            && !self.contents.are_awaited()
            && self.are_deployments_known
            && have_authorities
    }

    /// What follows from all of it, in the replica that writes or another one.
    pub(super) fn make(&mut self, leads: bool) -> Made {
        let mut meaning = self.meaning.take().unwrap_or_else(|| self.meaning(leads));
        let all = meaning
            .endpoints
            .take()
            .unwrap_or_else(|| endpoints(&meaning.world.services, &self.stores.slices()));
        let publication = meaning.documents.iter().map(|(gateway, document)| {
            (gateway.clone(), Arc::new(Told::new(document.clone(), &all)))
        });
        let publication = Arc::new(publication.collect());
        let ours = |gateway: &&Object<Gateway>| {
            meaning.translated.documents.contains_key(&gateway.about.name)
        };
        let gateways: Vec<_> = meaning.world.gateways.iter().filter(ours).cloned().collect();
        let (needs, runs) = self.runs(&meaning, &gateways);
        let serving = serving(&meaning.translated);
        let sight = Sight {
            stores: &self.stores,
            statuses: &meaning.translated.statuses,
            proxies: &self.proxies,
            serving: &serving,
            endpoints: &all,
            runs: &runs,
            controller: &self.options.settings.controller,
            is_early: self.since.elapsed() < EARLY,
            now: Timestamp::now(),
        };
        let wanted = wanted(&sight);
        meaning.endpoints = Some(all);
        self.meaning = Some(meaning);
        let (writes, look_at) = self.due(wanted);
        Made { publication, needs, writes, gateways: Arc::new(gateways), look_at }
    }

    fn meaning(&mut self, leads: bool) -> Meaning {
        let began = Instant::now();
        let mut manifests = self.together.take().unwrap_or_else(|| self.stores.manifests());
        manifests.world.append(&self.contents.world());
        if !leads {
            self.held = Held::default();
        }
        self.held.enter(&mut manifests.world);
        let translated = translate(&manifests.world, &self.options.settings);
        self.held.keep(&manifests.world, &translated.statuses);
        self.said.say(manifests.diagnostics.iter().chain(&translated.diagnostics));
        let version = |(gateway, reading): (&ObjectName, &config::Reading)| {
            let mut document: Document = reading.document.clone();
            let shutdown = Parameters::of(&manifests.world, gateway).shutdown();
            document.drain.announce = config::Duration::from_secs(shutdown.announce);
            document.drain.limit = config::Duration::from_secs(shutdown.limit);
            (gateway.clone(), Arc::new(Version::new(&document, self.options.version)))
        };
        let documents: BTreeMap<_, _> = translated.documents.iter().map(version).collect();
        self.options.metrics.translated(began.elapsed());
        info!(gateways = documents.len(), "Translated.");
        Meaning { world: manifests.world, translated, documents, endpoints: None }
    }

    /// What runs each Gateway, as it is needed and as it is.
    fn runs(
        &self,
        meaning: &Meaning,
        gateways: &[Object<Gateway>],
    ) -> (Needs, BTreeMap<ObjectName, GatewayRun>) {
        let (mut needs, mut runs) = (Needs::new(), BTreeMap::new());
        let authorities = self.options.authorities.borrow().clone();
        let services = meaning.world.services.iter();
        let services: BTreeMap<&ObjectName, &Service> =
            services.map(|service| (&service.about.name, &service.value)).collect();
        for gateway in gateways {
            let name = &gateway.about.name;
            let Some(reading) = meaning.translated.documents.get(name) else { continue };
            // Proxies that are there are told; none are made for it.
            if reading.document.listeners.is_empty() {
                continue;
            }
            let Some(version) = meaning.documents.get(name) else { continue };
            let ports = ports(&reading.document);
            let proxy = ObjectName::new(
                gateway.about.namespace(),
                crate::deploy::proxy_name(&gateway.about.name.name),
            );
            let deployment = self.deployments.get(&proxy);
            let circumstances = Circumstances {
                ports: ports.clone(),
                authorities: authorities.clone(),
                replicas: deployment.and_then(|deployment| deployment.replicas),
            };
            let deployed: Deployed = deployed(
                gateway,
                &circumstances,
                &Parameters::of(&meaning.world, name),
                &self.options.proxies,
            );
            runs.insert(
                name.clone(),
                GatewayRun {
                    name: deployed.name.clone(),
                    version: version.version.clone(),
                    outcome: self.outcomes.get(name).cloned(),
                    ready: deployment.map(|deployment| deployment.ready).unwrap_or_default(),
                    ports,
                    addresses: services
                        .get(&deployed.name)
                        .map(|service| addresses(service))
                        .unwrap_or_default(),
                    notes: deployed.notes.clone(),
                },
            );
            let touched = self.touched.get(&deployed.name).copied().unwrap_or_default();
            let need = Need { gateway: gateway.clone(), deployed: Arc::new(deployed), touched };
            needs.insert(name.clone(), need);
        }
        (needs, runs)
    }

    /// What is to be written now, and when to look again.
    fn due(&mut self, wanted: Vec<Wanted>) -> (Vec<Write>, Option<Instant>) {
        let now = Instant::now();
        self.reported.retain(|_, at| now.duration_since(*at) < REPORT_EVERY);
        let mut look_at = None;
        let mut look =
            |at: Instant| look_at = Some(look_at.map_or(at, |last: Instant| last.min(at)));
        let mut writes = Vec::new();
        for wanted in wanted {
            let key = (wanted.write.kind, wanted.write.name.clone());
            if wanted.may_wait
                && let Some(last) = self.reported.get(&key)
            {
                look(*last + REPORT_EVERY);
                continue;
            }
            self.reported.insert(key, now);
            look(now + WRITE_AGAIN);
            writes.push(wanted.write);
        }
        if self.since.elapsed() < EARLY {
            look(self.since + EARLY);
        }
        (writes, look_at)
    }

    fn touch(&mut self, name: ObjectName) {
        *self.touched.entry(name).or_default() += 1;
    }

    /// The Service of a Gateway, which is watched with all others.
    fn touch_service(&mut self, value: &serde_json::Value) {
        let label = |key: &str| value.pointer("/metadata/labels")?.get(key)?.as_str();
        let (key, us) = crate::deploy::MANAGED_BY;
        if label(key) != Some(us) {
            return;
        }
        let namespace = value.pointer("/metadata/namespace").and_then(|value| value.as_str());
        if let (Some(namespace), Some(name)) = (namespace, label(crate::deploy::GATEWAY_LABEL)) {
            self.touch(ObjectName::new(namespace, name));
        }
    }
}

/// The Gateways whose documents have a backend, by its name.
fn serving(translated: &Translated) -> BTreeMap<String, Vec<&ObjectName>> {
    let mut serving: BTreeMap<String, Vec<&ObjectName>> = BTreeMap::new();
    for (gateway, reading) in &translated.documents {
        for backend in &reading.document.backends {
            serving.entry(without_place(&backend.name).to_owned()).or_default().push(gateway);
        }
    }
    serving
}

/// The ports that a document is served on, and what is spoken on them.
fn ports(document: &Document) -> BTreeMap<u16, &'static str> {
    let protocol = |protocol: Protocol| match protocol {
        Protocol::Http => "http",
        Protocol::Https => "https",
    };
    let listeners = document.listeners.iter();
    listeners.map(|one| (one.address.port(), protocol(one.protocol))).collect()
}

/// Where a Service is reached from outside of the cluster; of one that is for the inside alone, there.
fn addresses(service: &Service) -> Vec<Address> {
    let status = service.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    let ingress = status.and_then(|balancer| balancer.ingress.as_deref()).unwrap_or_default();
    let spec = service.spec.as_ref();
    let is_inside =
        spec.and_then(|spec| spec.type_.as_deref()).is_none_or(|kind| kind == "ClusterIP");
    if is_inside {
        let ips = spec.and_then(|spec| spec.cluster_ips.as_deref()).unwrap_or_default();
        return ips.iter().filter(|ip| *ip != "None").cloned().map(Address::Ip).collect();
    }
    let address = |ingress: &k8s_openapi::api::core::v1::LoadBalancerIngress| {
        let ip = ingress.ip.clone().map(Address::Ip);
        ip.or_else(|| ingress.hostname.clone().map(Address::Hostname))
    };
    ingress.iter().filter_map(address).collect()
}

#[cfg(test)]
mod tests;
