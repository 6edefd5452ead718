//! How the system finds names, as `/etc/hosts` and `/etc/resolv.conf` say it: what is written there,
//! whom to ask, and under which names.

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, TokioResolver};
use resolv_conf::Config;

use crate::upstream::names::{NEGATIVE_TTL, TTL};

/// A server that does not answer one question in this time is passed over, also where `timeout` is
/// longer: somebody waits.
const TRY_TIME: Duration = Duration::from_secs(2);
/// How many answers are kept.
const ANSWERS: u64 = 4096;
/// As many as glibc asks.
const SERVERS: usize = 3;

/// What both files say.
pub(crate) struct System {
    hosts: Hosts,
    /// One resolver for each server, so that they are asked in their order: several at once would
    /// let one that knows less be the first to answer.
    pub(crate) servers: Vec<TokioResolver>,
    /// How often each is asked.
    pub(crate) rounds: u32,
    search: Vec<Name>,
    ndots: usize,
}

impl System {
    /// Reads the contents of both files; `port` is that of the servers.
    pub(crate) fn new(hosts: &[u8], resolv: &[u8], port: u16) -> Self {
        let mut known = Hosts::default();
        if let Err(error) = known.read_hosts_conf(hosts) {
            tracing::warn!(%error, "`/etc/hosts` was read in part.");
        }
        let (config, errors) = Config::parse_with_errors(resolv);
        for error in errors {
            tracing::warn!(%error, "A line of `/etc/resolv.conf` was left out.");
        }
        let servers = config.get_nameservers_or_local().into_iter().take(SERVERS);
        let servers = servers.filter_map(|server| resolver(server.into(), port, &config));
        let search = config.get_last_search_or_domain();
        Self {
            hosts: known,
            servers: servers.collect(),
            rounds: config.attempts.max(1),
            search: search.filter_map(|domain| Name::from_str_relaxed(domain).ok()).collect(),
            ndots: usize::try_from(config.ndots).unwrap_or(usize::MAX),
        }
    }

    /// What `/etc/hosts` says of a name.
    pub(crate) fn written(&self, name: &Name) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        for kind in [RecordType::A, RecordType::AAAA] {
            let found = self.hosts.lookup_static_host(&Query::query(name.to_lowercase(), kind));
            let found = found.iter().flat_map(|lookup| lookup.answers());
            addresses.extend(found.filter_map(|record| record.data.ip_addr()));
        }
        addresses
    }

    /// The full names that `name` may be short for, the one to ask for first first.
    pub(crate) fn full_names(&self, name: &Name) -> Vec<Name> {
        let mut itself = name.clone();
        itself.set_fqdn(true);
        if name.is_fqdn() {
            return vec![itself];
        }
        let searched = self.search.iter().filter_map(|domain| {
            let mut full = name.clone().append_domain(domain).ok()?;
            full.set_fqdn(true);
            Some(full)
        });
        let dots = usize::from(name.num_labels()).saturating_sub(1);
        match dots >= self.ndots {
            true => [itself].into_iter().chain(searched).collect(),
            false => searched.chain([itself.clone()]).collect(),
        }
    }
}

fn resolver(server: IpAddr, port: u16, config: &Config) -> Option<TokioResolver> {
    let mut server = NameServerConfig::udp_and_tcp(server);
    for connection in &mut server.connections {
        connection.port = port;
    }
    let servers = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let mut options = ResolverOpts::default();
    options.timeout = TRY_TIME.min(Duration::from_secs(config.timeout.into()));
    options.attempts = 0;
    options.edns0 = config.edns0;
    options.cache_size = ANSWERS;
    // Read here, and asked before any server.
    options.use_hosts_file = ResolveHosts::Never;
    options.positive_min_ttl = Some(*TTL.start());
    options.positive_max_ttl = Some(*TTL.end());
    options.negative_max_ttl = Some(NEGATIVE_TTL);
    let builder = TokioResolver::builder_with_config(servers, TokioRuntimeProvider::default());
    let built = builder.with_options(options).build();
    built.inspect_err(|error| tracing::warn!(%error, "A name server cannot be asked.")).ok()
}
