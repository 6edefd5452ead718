//! The live side of an ordinary HTTP server: its connections, which stay from one document to the
//! next, and where it is now.

use std::net::SocketAddr;
use std::sync::Arc;

use config::{Service, ServiceProtocol, Snapshot};
use http::Request;

use crate::upstream::Surroundings;
use crate::upstream::address::Address;
use crate::upstream::connect::body::RequestBody;
use crate::upstream::error::UpstreamError;
use crate::upstream::pool::shared::SharedPool;
use crate::upstream::pool::{HttpAnswer, HttpPool, Sending};

/// An ordinary HTTP server.
pub(crate) struct Server {
    /// How it is configured.
    pub(crate) service: Arc<Service>,
    /// None while it is kept shut.
    address: Option<Address>,
    /// Where it is, if somebody resolves it for us.
    endpoints: Option<Arc<[SocketAddr]>>,
    pool: Pool,
}

/// Its connections.
#[derive(Clone)]
enum Pool {
    Http1(HttpPool),
    Http2(SharedPool),
}

impl Server {
    /// The server of a service, with the connections of the one that it was before.
    pub(crate) fn new(
        surroundings: &Surroundings,
        snapshot: &Snapshot,
        service: &Arc<Service>,
        previous: Option<&Self>,
    ) -> Self {
        let is_same = |previous: &&Self| {
            let known = &previous.service;
            known.url == service.url && known.protocol == service.protocol
        };
        let pool = previous.filter(is_same).map(|previous| previous.pool.clone());
        let pool = pool.unwrap_or_else(|| {
            let Surroundings { tasks, clock, names, .. } = surroundings.clone();
            match service.protocol {
                ServiceProtocol::Http1 => Pool::Http1(HttpPool::for_service(tasks, clock, names)),
                ServiceProtocol::Http2 => Pool::Http2(SharedPool::new(tasks, clock, names)),
            }
        });
        let endpoints = service.endpoints.as_ref().map(|key| {
            let known = snapshot.endpoints.get(key);
            known.map(|addresses| addresses.as_slice().into()).unwrap_or_default()
        });
        let address = match service.closed {
            Some(_) => None,
            None => Address::of(&service.url).ok(),
        };
        Self { service: service.clone(), address, endpoints, pool }
    }

    /// Whether its connections can become something else than HTTP.
    pub(crate) fn can_upgrade(&self) -> bool {
        matches!(self.pool, Pool::Http1(_))
    }

    /// Its own name, as a `Host` header has it.
    pub(crate) fn authority(&self) -> Option<&http::HeaderValue> {
        self.address.as_ref().map(|address| &address.authority)
    }

    /// The scheme of requests to it, where their URI is absolute.
    pub(crate) fn absolute_scheme(&self) -> Option<&str> {
        match self.pool {
            Pool::Http1(_) => None,
            Pool::Http2(_) => self.service.url.scheme_str(),
        }
    }

    /// Sends a request to one of its endpoints and waits for the head of the answer. Dropping the
    /// future ends what was begun.
    pub(crate) async fn send(
        &self,
        request: Request<RequestBody>,
        header_block: usize,
    ) -> Result<HttpAnswer, UpstreamError> {
        let name = &self.service.name;
        let nowhere = || UpstreamError::connect(name, "it has no endpoint");
        let address = self.address.as_ref().ok_or_else(nowhere)?;
        let endpoints = match &self.endpoints {
            None => &[],
            Some(endpoints) if endpoints.is_empty() => return Err(nowhere()),
            Some(endpoints) => &**endpoints,
        };
        let sending = Sending {
            address,
            endpoints,
            pinned: None,
            tls: &self.service.tls,
            connect_timeout: self.service.connect,
            header_block,
        };
        match &self.pool {
            Pool::Http1(pool) => pool.pass(&sending, request).await,
            Pool::Http2(pool) => pool.send(&sending, request).await,
        }
    }
}
