//! The controller's side: whoever has a token that is good for a Gateway is told what is published for
//! that Gateway, and reports how it goes.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use prost::Message;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};
use tracing::{debug, warn};

use crate::delta::{Change, Client};
use crate::generated::discovery::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use crate::generated::discovery::{DeltaDiscoveryRequest, DeltaDiscoveryResponse, Resource};
use crate::generated::report::reports_server::{Reports, ReportsServer};
use crate::generated::report::{Payload, ReportRequest, ReportResponse};
use crate::limits::{Limits, Places, Proof};
use crate::listen::Connection;
use crate::report::Report;
use crate::resource::{ResourceType, Scope};

/// How often a silent proxy is asked whether it is there, and how long it has to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How many observations may wait for the controller.
const QUEUE: usize = 16;
/// How many tokens are looked at at once: the API server is asked for each.
const TOKENS: usize = 64;
/// How many streams a connection may have. A proxy has two.
const STREAMS: u32 = 8;
/// The largest head of a request, in bytes: a token has some 1,500.
const HEAD: u32 = 16 << 10;
/// The largest message that a proxy may send.
const MESSAGE: usize = 4 << 20;

/// What is published, by the key of the Gateway: `namespace/name`.
pub type Published = BTreeMap<String, Arc<Scope>>;

/// Whose proxy a token belongs to.
pub type Admit = Arc<dyn Fn(String) -> Admission + Send + Sync>;
/// The answer of [`Admit`].
pub type Admission = Pin<Box<dyn Future<Output = Result<Caller, Denied>> + Send>>;

/// A proxy that may be told something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller {
    /// The key of its Gateway.
    pub gateway: String,
    /// Its pod.
    pub pod: String,
}

/// Why a caller is told nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// Its token is not good for any Gateway.
    Token(String),
    /// Nobody could be asked; it may try again.
    Unavailable(String),
}

/// What becomes known of a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// One of its streams is there: that on which it follows, or that on which it reports.
    Connected(Caller),
    /// It has taken a version of its document.
    Taken(Caller, String),
    /// It could not read what it was told; nothing of that is in force.
    Refused(Caller, String),
    /// How its targets stand.
    Reported(Caller, Report),
    /// One of its streams has ended.
    Left(Caller),
}

/// The gRPC services.
#[derive(Clone)]
pub struct Server {
    admit: Admit,
    published: watch::Receiver<Option<Arc<Published>>>,
    observed: mpsc::Sender<Observation>,
    limits: Limits,
    places: Places,
    tokens: Arc<Semaphore>,
    /// Ends every stream.
    stopped: CancellationToken,
}

impl Server {
    /// A server of what is published; `None` until everything that has to be known is. What becomes
    /// known of proxies comes out of the second half. Connections have to come from
    /// [`accept`](crate::accept) with the same `limits`.
    pub fn new(
        admit: Admit,
        published: watch::Receiver<Option<Arc<Published>>>,
        limits: Limits,
    ) -> (Self, mpsc::Receiver<Observation>) {
        let (observed, observations) = mpsc::channel(QUEUE);
        let (places, stopped) = (Places::new(&limits), CancellationToken::new());
        let tokens = Arc::new(Semaphore::new(TOKENS));
        (Self { admit, published, observed, limits, places, tokens, stopped }, observations)
    }

    /// Serves every connection until `stop`; then every stream ends.
    ///
    /// # Errors
    /// The transport failed as a whole.
    pub async fn serve(
        self,
        connections: impl Stream<Item = io::Result<Connection>>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), tonic::transport::Error> {
        let stopped = self.stopped.clone();
        let stop = async move {
            stop.await;
            stopped.cancel();
        };
        let (age, grace) = (self.limits.oldest(), self.limits.grace);
        let discovery = AggregatedDiscoveryServiceServer::new(self.clone());
        let reports = ReportsServer::new(self);
        tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .http2_keepalive_timeout(Some(KEEP_ALIVE))
            .http2_max_header_list_size(HEAD)
            .max_concurrent_streams(STREAMS)
            .max_connection_age(age)
            .max_connection_age_grace(grace)
            .add_service(discovery.max_decoding_message_size(MESSAGE))
            .add_service(reports.max_decoding_message_size(MESSAGE))
            .serve_with_incoming_shutdown(connections, stop)
            .await
    }

    /// Who sends a request, if there is a place for another connection of its Gateway.
    async fn caller<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        let caller = self.named(request.metadata()).await?;
        let proof = request.extensions().get::<Proof>();
        if proof.is_some_and(|proof| proof.is_given(&caller.gateway, &self.places)) {
            return Ok(caller);
        }
        let most = self.limits.connections_per_gateway;
        warn!(
            gateway = caller.gateway,
            pod = caller.pod,
            most,
            "A Gateway has too many connections."
        );
        Err(Status::resource_exhausted(format!(
            "the proxies of {} have {most} connections, which is as many as may be",
            caller.gateway
        )))
    }

    async fn named(&self, metadata: &MetadataMap) -> Result<Caller, Status> {
        let value = metadata.get("authorization").and_then(|value| value.to_str().ok());
        let Some(token) = value.and_then(|value| value.strip_prefix("Bearer ")) else {
            return Err(Status::unauthenticated("a bearer token is needed"));
        };
        let going = |_| Status::unavailable("the controller is going");
        let _turn = self.tokens.acquire().await.map_err(going)?;
        (self.admit)(token.to_owned()).await.map_err(|denied| match denied {
            Denied::Token(reason) => Status::unauthenticated(reason),
            Denied::Unavailable(reason) => Status::unavailable(reason),
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Server")
    }
}

#[tonic::async_trait]
impl AggregatedDiscoveryService for Server {
    type DeltaAggregatedResourcesStream = ReceiverStream<Result<DeltaDiscoveryResponse, Status>>;

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        let caller = self.caller(&request).await?;
        debug!(gateway = caller.gateway, pod = caller.pod, "A proxy follows.");
        let (outbound, responses) = mpsc::channel(1);
        let conversation = Conversation {
            caller,
            client: Client::default(),
            documents: BTreeMap::new(),
            published: self.published.clone(),
            observed: self.observed.clone(),
            limits: self.limits.clone(),
            stopped: self.stopped.clone(),
            outbound,
        };
        // It ends with the stream.
        tokio::spawn(conversation.run(request.into_inner()));
        Ok(Response::new(ReceiverStream::new(responses)))
    }
}

#[tonic::async_trait]
impl Reports for Server {
    async fn report(
        &self,
        request: Request<Streaming<ReportRequest>>,
    ) -> Result<Response<ReportResponse>, Status> {
        let caller = self.caller(&request).await?;
        let (observed, stopped) = (self.observed.clone(), self.stopped.clone());
        let listening = Listening { caller, observed, stopped };
        // Whoever was there is seen to leave, though its connection takes this call with it.
        let heard = tokio::spawn(listening.run(request.into_inner())).await;
        heard.map_err(|error| Status::internal(error.to_string()))??;
        Ok(Response::new(ReportResponse {}))
    }
}

/// One stream of reports of one proxy.
struct Listening {
    caller: Caller,
    observed: mpsc::Sender<Observation>,
    stopped: CancellationToken,
}

impl Listening {
    async fn run(self, mut reports: Streaming<ReportRequest>) -> Result<(), Status> {
        self.observe(Observation::Connected(self.caller.clone())).await?;
        let heard = self.listen(&mut reports).await;
        self.observe(Observation::Left(self.caller.clone())).await?;
        heard
    }

    async fn listen(&self, reports: &mut Streaming<ReportRequest>) -> Result<(), Status> {
        let mut is_whole = true;
        loop {
            let report = tokio::select! {
                report = reports.message() => report?,
                () = self.stopped.cancelled() => None,
            };
            let Some(report) = report else { return Ok(()) };
            let report = Report { is_whole, ..report.into() };
            self.observe(Observation::Reported(self.caller.clone(), report)).await?;
            is_whole = false;
        }
    }

    async fn observe(&self, observation: Observation) -> Result<(), Status> {
        let sent = self.observed.send(observation).await;
        sent.map_err(|_| Status::unavailable("the controller is going"))
    }
}

/// One stream of one proxy.
struct Conversation {
    caller: Caller,
    client: Client,
    /// The versions of the documents that are on their way, by nonce.
    documents: BTreeMap<String, String>,
    published: watch::Receiver<Option<Arc<Published>>>,
    observed: mpsc::Sender<Observation>,
    limits: Limits,
    stopped: CancellationToken,
    outbound: mpsc::Sender<Result<DeltaDiscoveryResponse, Status>>,
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// By its proxy, or with the controller.
    Gone,
    /// By its age.
    Aged,
}

impl Conversation {
    async fn run(mut self, requests: Streaming<DeltaDiscoveryRequest>) {
        self.observe(Observation::Connected(self.caller.clone())).await;
        let end = self.talk(requests).await;
        let Self { caller, observed, limits, stopped, outbound, .. } = self;
        // The proxy is told.
        drop(outbound);
        if end == End::Aged {
            debug!(pod = caller.pod, "A proxy is sent to connect anew.");
            // It is about to be there again: it has not left meanwhile.
            tokio::select! {
                () = tokio::time::sleep(limits.comeback) => {}
                () = stopped.cancelled() => {}
            }
        }
        let _ = observed.send(Observation::Left(caller)).await;
    }

    async fn talk(&mut self, mut requests: Streaming<DeltaDiscoveryRequest>) -> End {
        let mut age = pin!(tokio::time::sleep(self.limits.some_age()));
        loop {
            if self.tell().await.is_none() {
                return End::Gone;
            }
            tokio::select! {
                request = requests.message() => match request {
                    Ok(Some(request)) => self.hear(request).await,
                    Ok(None) => return End::Gone,
                    Err(status) => {
                        debug!(pod = self.caller.pod, %status, "A proxy's stream broke.");
                        return End::Gone;
                    }
                },
                changed = self.published.changed() => if changed.is_err() { return End::Gone },
                () = self.outbound.closed() => return End::Gone,
                () = self.stopped.cancelled() => return End::Gone,
                () = &mut age => return End::Aged,
            }
        }
    }

    /// Says what is to be said now; `None` when nobody hears it.
    async fn tell(&mut self) -> Option<()> {
        let published = self.published.borrow_and_update().clone();
        // Of a Gateway that is gone its proxies keep what they have: they are about to go.
        let Some(scope) = published.and_then(|all| all.get(&self.caller.gateway).cloned()) else {
            return Some(());
        };
        while let Some(change) = self.client.next(&scope) {
            if change.kind == ResourceType::Document
                && let [(_, document)] = change.changed.as_slice()
            {
                self.documents.insert(change.nonce.clone(), document.version.clone());
            }
            self.outbound.send(Ok(response(change))).await.ok()?;
        }
        Some(())
    }

    async fn hear(&mut self, request: DeltaDiscoveryRequest) {
        let Some(kind) = ResourceType::of_url(&request.type_url) else { return };
        if request.response_nonce.is_empty() {
            let known = request.initial_resource_versions.into_iter().collect();
            return self.client.subscribe(kind, known);
        }
        let is_taken = request.error_detail.is_none();
        self.client.answered(kind, &request.response_nonce, is_taken);
        let document = self.documents.remove(&request.response_nonce);
        let caller = self.caller.clone();
        match (request.error_detail, document) {
            (Some(error), _) => self.observe(Observation::Refused(caller, error.message)).await,
            (None, Some(version)) => self.observe(Observation::Taken(caller, version)).await,
            (None, None) => {}
        }
    }

    async fn observe(&self, observation: Observation) {
        // Nobody listens any more when the controller is going.
        let _ = self.observed.send(observation).await;
    }
}

fn response(change: Change) -> DeltaDiscoveryResponse {
    let url = change.kind.url();
    let resource = |(name, resource): (String, crate::resource::Resource)| Resource {
        name,
        version: resource.version,
        resource: Some(prost_types::Any {
            type_url: url.to_owned(),
            value: Payload { json: resource.payload.to_vec() }.encode_to_vec(),
        }),
    };
    DeltaDiscoveryResponse {
        system_version_info: String::new(),
        resources: change.changed.into_iter().map(resource).collect(),
        type_url: url.to_owned(),
        nonce: change.nonce,
        removed_resources: change.removed,
    }
}
