//! One question for the addresses of a name: `/etc/hosts` first, then each full name that it may be
//! short for, of each server in turn.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use hickory_resolver::TokioResolver;
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{Name, RecordType};

use crate::upstream::names::NameError;
use crate::upstream::names::system::System;

/// For how long what `/etc/hosts` says is not looked at again.
const WRITTEN: Duration = Duration::from_secs(5);
/// Where addresses of one family are there, those of the other are not waited for longer than this:
/// some servers never answer for a family that they do not know.
const OTHER_FAMILY: Duration = Duration::from_millis(500);

/// The addresses of a name.
#[derive(Debug)]
pub(crate) struct Answer {
    /// At least one; those that this machine has no way to come last.
    pub(crate) addresses: Arc<[IpAddr]>,
    /// For how long they hold.
    pub(crate) lasts: Duration,
}

/// Asks. A full name that nobody says anything about ends the search: what comes after it in the list
/// would be somebody else.
pub(crate) async fn ask(system: &System, host: &str) -> Result<Answer, NameError> {
    let name = Name::from_str_relaxed(host).map_err(|_| NameError::NotAName)?;
    let written = system.written(&name);
    if !written.is_empty() {
        return Ok(Answer { addresses: in_order(written), lasts: WRITTEN });
    }
    let mut nothing = NameError::NoSuchName;
    let mut first = 0;
    for full in system.full_names(&name) {
        match ask_all(system, &mut first, &full).await {
            Ok(answer) => return Ok(answer),
            Err(NameError::NoSuchName) => {}
            Err(NameError::NoAddress) => nothing = NameError::NoAddress,
            Err(error) => return Err(error),
        }
    }
    Err(nothing)
}

/// Asks the servers in turn, beginning with the `first` that answered last, until one says something
/// of the name.
async fn ask_all(system: &System, first: &mut usize, name: &Name) -> Result<Answer, NameError> {
    let mut last = NameError::NoAnswer;
    for _ in 0..system.rounds {
        let servers = system.servers.iter().enumerate();
        for (place, server) in servers.cycle().skip(*first).take(system.servers.len()) {
            match ask_one(server, name).await {
                Err(error) if error.is_temporary() => last = error,
                answered => {
                    *first = place;
                    return answered;
                }
            }
        }
    }
    Err(last)
}

async fn ask_one(server: &TokioResolver, name: &Name) -> Result<Answer, NameError> {
    let four = Box::pin(server.lookup(name.clone(), RecordType::A));
    let six = Box::pin(server.lookup(name.clone(), RecordType::AAAA));
    let (one, other) = match select(four, six).await {
        Either::Left((one, six)) => (one, six),
        Either::Right((one, four)) => (one, four),
    };
    let other = match &one {
        Ok(_) => tokio::time::timeout(OTHER_FAMILY, other).await.unwrap_or(Err(NetError::Timeout)),
        Err(_) => other.await,
    };
    match (one, other) {
        (Ok(one), Ok(other)) => answer(&[one, other]),
        (Ok(one), Err(_)) | (Err(_), Ok(one)) => answer(&[one]),
        (Err(one), Err(other)) => Err(worse(NameError::of(&one), NameError::of(&other))),
    }
}

fn answer(lookups: &[Lookup]) -> Result<Answer, NameError> {
    let records = lookups.iter().flat_map(|lookup| lookup.answers());
    let addresses: Vec<_> = records.filter_map(|record| record.data.ip_addr()).collect();
    let until = lookups.iter().map(Lookup::valid_until).min();
    let (false, Some(until)) = (addresses.is_empty(), until) else {
        return Err(NameError::NoAddress);
    };
    let lasts = until.saturating_duration_since(Instant::now());
    Ok(Answer { addresses: in_order(addresses), lasts })
}

/// A family that nobody answered for may have addresses; a name with records of any kind is a name.
fn worse(one: NameError, other: NameError) -> NameError {
    match (one, other) {
        (error, _) | (_, error) if error.is_temporary() => error,
        (NameError::NoSuchName, NameError::NoSuchName) => NameError::NoSuchName,
        _ => NameError::NoAddress,
    }
}

/// Each once, as they came, but for IPv6 after IPv4, and last what there is no way to.
fn in_order(addresses: Vec<IpAddr>) -> Arc<[IpAddr]> {
    let mut ordered = Vec::with_capacity(addresses.len());
    for address in addresses {
        if !ordered.contains(&address) {
            ordered.push(address);
        }
    }
    ordered.sort_by_cached_key(|address| (!has_a_way(*address), address.is_ipv6()));
    ordered.into()
}

/// Whether the system knows a way there. Nothing is sent for it.
fn has_a_way(address: IpAddr) -> bool {
    let here: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let connected = UdpSocket::bind(SocketAddr::new(here, 0))
        .and_then(|socket| socket.connect(SocketAddr::new(address, 53)));
    connected.is_ok()
}
