//! stdio: the client started this process, says one message a line on its standard input, and hears
//! everything on its standard output.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use mcp::{Kind, Message};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::access_log::{Ending, Record};
use crate::auth::Principal;
use crate::context::Context;
use crate::downstream::hang_up::HangUp;
use crate::downstream::transport::conversation::{self, Conversation};
use crate::downstream::{Endpoint, choice};
use crate::error::RequestError;
use crate::lines::{self, Line, Lines};
use crate::place::{Place, PlaceError};
use crate::session::{Pipe, SessionError};
use crate::world::World;

/// The client is on this machine, and has no address of its own.
const REMOTE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How long the last answers have to reach a client that is going.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves the client until it closes its input, does not take any more output, or `stop` says so.
/// Its calls are cancelled then, it is told so, and its session ends.
pub(crate) async fn serve(
    context: &Arc<Context>,
    place: &Place,
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    stop: impl Future<Output = ()>,
) -> Result<(), PlaceError> {
    let (pipe, said) = open(context, place)?;
    let places = (HangUp::new(context, &pipe), context.metrics.connection());
    let client = Client { context, place, pipe: &pipe, headers: Arc::default() };
    let told = CancellationToken::new();
    let mut writing = pin!(write(said, output, told.clone()));
    let ended = tokio::select! {
        ended = client.hear(Lines::new(input, context.limits.request_body)) => ended,
        written = &mut writing => {
            left(written);
            return Ok(());
        }
        () = pipe.over().cancelled() => Err(PlaceError::Removed),
        () = stop => Ok(()),
    };
    drop(places);
    let settled = async {
        pipe.settled().await;
        told.cancel();
        writing.await
    };
    match tokio::time::timeout(LAST_WORDS, settled).await {
        Ok(written) => left(written),
        Err(_) => info!("The client did not take its last answers in time."),
    }
    ended
}

fn left(written: io::Result<()>) {
    if let Err(error) = written {
        info!(%error, "The client does not read any more.");
    }
}

/// The way to the client, if there is something to serve.
fn open(
    context: &Arc<Context>,
    place: &Place,
) -> Result<(Arc<Pipe>, mpsc::Receiver<Bytes>), PlaceError> {
    let world = context.world.load_full().ok_or(PlaceError::NotReady)?;
    let endpoint = endpoint(context, place, &world)?;
    let backend = choice::at_random(endpoint.backends).ok_or(PlaceError::NotReady)?;
    if let Err(RequestError::Closed(close)) = endpoint.backend(backend) {
        return Err(PlaceError::Closed(close));
    }
    let (pipe, said) = Pipe::new(conversation::claims(&endpoint, backend));
    match context.sessions.open_pipe(pipe.clone(), context.limits.sessions) {
        Ok(_) => Ok((pipe, said)),
        Err(SessionError::Limit(limit)) => Err(PlaceError::Limit(limit)),
        Err(SessionError::Unknown) => Err(PlaceError::NotReady),
    }
}

fn endpoint<'a>(
    context: &'a Arc<Context>,
    place: &Place,
    world: &'a Arc<World>,
) -> Result<Endpoint<'a>, PlaceError> {
    Ok(Endpoint {
        context,
        world,
        backends: place.backends(world)?,
        // Whoever starts the process can do what it can.
        principal: Principal::anonymous(),
        remote: REMOTE,
        closing: &context.closing,
        within: None,
    })
}

/// Writes what is said to the client, one message a line, until all of it is `told`.
async fn write(
    mut said: mpsc::Receiver<Bytes>,
    mut output: impl AsyncWrite + Unpin,
    told: CancellationToken,
) -> io::Result<()> {
    loop {
        let message = tokio::select! {
            biased;
            message = said.recv() => message,
            () = told.cancelled() => None,
        };
        let Some(message) = message else { return output.flush().await };
        output.write_all(&lines::line(&message)).await?;
        if said.is_empty() {
            output.flush().await?;
        }
    }
}

/// What the client says.
struct Client<'a> {
    context: &'a Arc<Context>,
    place: &'a Place,
    pipe: &'a Arc<Pipe>,
    headers: Arc<HeaderMap>,
}

impl Client<'_> {
    /// Takes line by line, to the end of the input. While answers wait for the client to read them,
    /// nothing is read.
    ///
    /// # Errors
    /// What it is served has been removed.
    async fn hear<R: AsyncRead + Unpin>(&self, mut lines: Lines<R>) -> Result<(), PlaceError> {
        let limit = self.context.limits.request_body;
        while let Some(line) = lines.next().await {
            match line {
                Line::Whole(line) if line.trim_ascii().is_empty() => {}
                Line::Whole(line) => self.take(line).await?,
                Line::TooLong(_) => self.refuse(&RequestError::LineTooLong { limit }).await,
            }
        }
        debug!("The client has closed its end.");
        Ok(())
    }

    /// Takes a message or a batch, in the world of this moment.
    async fn take(&self, line: Bytes) -> Result<(), PlaceError> {
        let world = self.context.world.load_full().ok_or(PlaceError::NotReady)?;
        let endpoint = match endpoint(self.context, self.place, &world) {
            Ok(endpoint) => endpoint,
            Err(PlaceError::Closed(close)) => {
                self.answer(line, &RequestError::Closed(close)).await;
                return Ok(());
            }
            Err(_) => return Err(PlaceError::Removed),
        };
        let served = &self.pipe.claims().backend;
        if !endpoint.backends.iter().any(|choice| choice.backend == *served) {
            return Err(PlaceError::Removed);
        }
        let conversation =
            Conversation { endpoint: &endpoint, pipe: self.pipe, headers: self.headers.clone() };
        let mut record = Record::new(&self.context.access_log, &self.context.clock, REMOTE);
        // Boxed: whatever a message may lead to is in it.
        if let Err(error) = Box::pin(conversation.take(line, &mut record)).await {
            self.refuse(&error).await;
        }
        record.end(Ending::Complete);
        Ok(())
    }

    /// Says why a line is not heard.
    async fn refuse(&self, error: &RequestError) {
        if let Some(limit) = error.limit() {
            self.context.metrics.rejected(limit);
        }
        self.pipe.say(error.body()).await;
    }

    /// Says why a request is not answered.
    async fn answer(&self, line: Bytes, error: &RequestError) {
        let Ok(message) = Message::parse(line) else { return self.pipe.say(error.body()).await };
        if let (Kind::Request, Some(id)) = (message.kind(), message.id()) {
            self.pipe.say(error.response(id)).await;
        }
    }
}
