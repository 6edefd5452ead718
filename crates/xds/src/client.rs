//! The proxy's side: takes what is published for its Gateway, answers each response, and keeps what it
//! has when the controller is away.

use bytes::Bytes;
use futures_util::Stream;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::connect::{ConnectError, Endpoint};
use crate::generated::discovery::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use crate::generated::discovery::{DeltaDiscoveryRequest, DeltaDiscoveryResponse, Node};
use crate::generated::report::Payload;
use crate::generated::report::reports_client::ReportsClient;
use crate::generated::rpc;
use crate::report::Report;
use crate::resource::{Resource, ResourceType, Scope};

/// How many requests may wait for the stream: an answer for each type.
const QUEUE: usize = 8;
/// The largest response that is taken: a Gateway with tens of thousands of routes.
const MESSAGE: usize = 256 << 20;
/// `INVALID_ARGUMENT` of gRPC.
const INVALID: i32 = 3;

/// What a proxy has been told so far.
#[derive(Debug, Clone, Default)]
pub struct Received {
    scope: Scope,
}

impl Received {
    /// The document: its name, which is the key of the Gateway, and what it says.
    pub fn document(&self) -> Option<(&str, &Resource)> {
        self.scope.of(ResourceType::Document).next()
    }

    /// The resources of a type that the document may name.
    pub fn of(&self, kind: ResourceType) -> impl Iterator<Item = (&str, &Resource)> {
        self.scope.of(kind)
    }
}

/// A connection to a controller.
#[derive(Debug, Clone)]
pub struct Client {
    channel: Channel,
    authorization: MetadataValue<Ascii>,
}

impl Client {
    /// Connects, with the token and the authorities as they are in their files now.
    ///
    /// # Errors
    /// A file cannot be used, or the controller not be reached.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let authorization = endpoint.authorization()?;
        Ok(Self { channel: endpoint.connect().await?, authorization })
    }

    /// Follows what is published until the connection breaks; what was `received` on an earlier one is
    /// not sent again. Each response goes to `apply` with everything that is known then: what it
    /// refuses is put back and reported to the controller. Returns when the controller ends the stream.
    ///
    /// # Errors
    /// The connection broke, or the controller refuses.
    pub async fn follow(
        &self,
        node: &str,
        received: &mut Received,
        mut apply: impl FnMut(&Received) -> Result<(), String>,
    ) -> Result<(), Status> {
        let (said, requests) = mpsc::channel(QUEUE);
        for kind in ResourceType::ALL {
            let known = received.scope.of(kind);
            let first = DeltaDiscoveryRequest {
                node: Some(Node { id: node.to_owned() }),
                type_url: kind.url().to_owned(),
                initial_resource_versions: known
                    .map(|(name, resource)| (name.to_owned(), resource.version.clone()))
                    .collect(),
                ..DeltaDiscoveryRequest::default()
            };
            say(&said, first).await?;
        }
        let client = AggregatedDiscoveryServiceClient::new(self.channel.clone());
        let mut client = client.max_decoding_message_size(MESSAGE);
        let request = self.authorized(ReceiverStream::new(requests));
        let mut responses = client.delta_aggregated_resources(request).await?.into_inner();
        while let Some(response) = responses.message().await? {
            let mut answer = DeltaDiscoveryRequest {
                type_url: response.type_url.clone(),
                response_nonce: response.nonce.clone(),
                ..DeltaDiscoveryRequest::default()
            };
            let before = received.clone();
            let taken = take(received, response).and_then(|()| apply(received));
            if let Err(message) = taken {
                *received = before;
                answer.error_detail = Some(rpc::Status { code: INVALID, message });
            }
            say(&said, answer).await?;
        }
        Ok(())
    }

    /// Sends reports until they end or the connection breaks.
    ///
    /// # Errors
    /// The controller does not take them.
    pub async fn report(
        &self,
        reports: impl Stream<Item = Report> + Send + 'static,
    ) -> Result<(), Status> {
        let mut client = ReportsClient::new(self.channel.clone());
        client.report(self.authorized(reports.map(Into::into))).await.map(drop)
    }

    fn authorized<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }
}

async fn say(
    said: &mpsc::Sender<DeltaDiscoveryRequest>,
    request: DeltaDiscoveryRequest,
) -> Result<(), Status> {
    said.send(request).await.map_err(|_| Status::unavailable("the stream has ended"))
}

/// Takes in one response.
///
/// # Errors
/// Something in it cannot be read.
fn take(received: &mut Received, response: DeltaDiscoveryResponse) -> Result<(), String> {
    let Some(kind) = ResourceType::of_url(&response.type_url) else {
        return Err(format!("`{}` is no type that this proxy knows", response.type_url));
    };
    for resource in response.resources {
        let Some(any) = resource.resource else {
            return Err(format!("`{}` has no content", resource.name));
        };
        let payload = Payload::decode(any.value.as_slice())
            .map_err(|error| format!("`{}`: {error}", resource.name))?;
        let content = Resource { version: resource.version, payload: Bytes::from(payload.json) };
        received.scope.insert(kind, resource.name, content);
    }
    for name in response.removed_resources {
        received.scope.remove(kind, &name);
    }
    Ok(())
}
