//! What a controller's port bears: connections that say nothing, too many of them, and proxies that are
//! there for long.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic, and should")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use xds::{
    Admit, Caller, Client, Denied, Endpoint, Identity, Limits, Observation, Published, Received,
    Report, Resource, ResourceType, Scope, Server, accept,
};

/// Longer than anything here should take.
const LONG: Duration = Duration::from_secs(20);

/// Bounds of which none is reached here by chance.
fn wide() -> Limits {
    Limits { proof: LONG * 2, ..Limits::default() }
}

/// A controller; a token is the name of the Gateway that it is good for.
struct Controller {
    published: watch::Sender<Option<Arc<Published>>>,
    observations: mpsc::Receiver<Observation>,
    port: u16,
    folder: TempDir,
    /// How many tokens were looked at.
    asked: Arc<AtomicUsize>,
    /// Whether tokens are good for nothing any more.
    denies: Arc<AtomicBool>,
    serving: JoinHandle<()>,
}

impl Controller {
    async fn start(limits: Limits, identity: Option<Arc<Identity>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, denies) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (count, is_over) = (asked.clone(), denies.clone());
        let admit: Admit = Arc::new(move |gateway| {
            count.fetch_add(1, Ordering::Relaxed);
            let is_over = is_over.load(Ordering::Relaxed);
            Box::pin(async move {
                match is_over {
                    false => Ok(Caller { gateway, pod: "pod".to_owned() }),
                    true => Err(Denied::Token("it has expired".to_owned())),
                }
            })
        });
        let (published, publications) = watch::channel(None);
        let (server, observations) = Server::new(admit, publications, limits.clone());
        let connections = accept(listener, identity, limits).unwrap();
        let serving = tokio::spawn(async move {
            server.serve(connections, std::future::pending()).await.unwrap();
        });
        let folder = TempDir::new().unwrap();
        Self { published, observations, port, folder, asked, denies, serving }
    }

    fn publish(&self, gateways: &[&str], payload: &str) {
        let scope = |gateway: &str| {
            let mut scope = Scope::default();
            let document = Resource::new(payload.to_owned());
            scope.insert(ResourceType::Document, gateway, document);
            (gateway.to_owned(), Arc::new(scope))
        };
        let all: BTreeMap<_, _> = gateways.iter().map(|gateway| scope(gateway)).collect();
        self.published.send_replace(Some(Arc::new(all)));
    }

    /// A connection to it, with a token for `gateway`.
    async fn client(&self, gateway: &str) -> Client {
        let token = self.folder.path().join(gateway);
        std::fs::write(&token, gateway).unwrap();
        let url = format!("http://127.0.0.1:{}", self.port).parse().unwrap();
        let endpoint = Endpoint { url, token, authorities: None::<PathBuf> };
        Client::connect(&endpoint).await.unwrap()
    }

    /// A proxy that connects again and again, as soon as it may.
    async fn proxy(&self, gateway: &str) -> Proxy {
        let (told, seen) = watch::channel(String::new());
        let token = self.folder.path().join(gateway);
        std::fs::write(&token, gateway).unwrap();
        let url = format!("http://127.0.0.1:{}", self.port).parse().unwrap();
        let endpoint = Endpoint { url, token, authorities: None };
        let following = tokio::spawn(async move {
            let mut received = Received::default();
            loop {
                if let Ok(client) = Client::connect(&endpoint).await {
                    let apply = |received: &Received| {
                        if let Some((_, document)) = received.document() {
                            let text = String::from_utf8(document.payload.to_vec()).unwrap();
                            told.send_replace(text);
                        }
                        Ok(())
                    };
                    let _ = client.follow("node", &mut received, apply).await;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Proxy { seen, following }
    }

    /// Waits until a token was looked at that was sent after this began.
    async fn is_asked_again(&self) {
        let before = self.asked.load(Ordering::Relaxed);
        let asked = async {
            while self.asked.load(Ordering::Relaxed) < before + 3 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LONG, asked).await.unwrap();
    }

    async fn silent(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Proxy {
    seen: watch::Receiver<String>,
    following: JoinHandle<()>,
}

impl Proxy {
    async fn sees(&mut self, wanted: &str) {
        let seen = self.seen.wait_for(|seen| seen == wanted);
        assert!(tokio::time::timeout(LONG, seen).await.is_ok_and(|seen| seen.is_ok()), "{wanted}");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.following.abort();
    }
}

/// Waits until the other side has closed a connection, whatever it said before.
async fn is_closed(mut stream: TcpStream) {
    let end = async { while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {} };
    tokio::time::timeout(LONG, end).await.unwrap();
}

/// Why a stream of a client ended.
async fn refusal(client: &Client) -> String {
    let apply = |_: &Received| Ok(());
    let mut received = Received::default();
    let ended = client.follow("node", &mut received, apply);
    tokio::time::timeout(LONG, ended).await.unwrap().unwrap_err().message().to_owned()
}

#[tokio::test]
async fn who_says_nothing_is_closed_in_time() {
    let limits = Limits { proof: Duration::from_millis(200), ..wide() };
    let controller = Controller::start(limits.clone(), None).await;
    is_closed(controller.silent().await).await;

    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = signing_key.serialize_pem();
    let identity = Identity::new(cert.pem().as_bytes(), key.as_bytes()).unwrap();
    let limits = Limits { handshake: Duration::from_millis(200), ..wide() };
    let controller = Controller::start(limits, Some(identity)).await;
    is_closed(controller.silent().await).await;
}

#[tokio::test]
async fn who_has_shown_a_token_may_stay() {
    let limits = Limits { proof: Duration::from_millis(300), ..wide() };
    let controller = Controller::start(limits, None).await;
    controller.publish(&["a"], "1");
    let mut proxy = controller.proxy("a").await;
    proxy.sees("1").await;
    is_closed(controller.silent().await).await;
    controller.publish(&["a"], "2");
    proxy.sees("2").await;
    assert_eq!(controller.asked.load(Ordering::Relaxed), 1, "it had to connect again");
}

#[tokio::test]
async fn connections_that_say_nothing_keep_nobody_out() {
    let limits = Limits { unproven: 4, patience: Duration::ZERO, ..wide() };
    let controller = Controller::start(limits, None).await;
    controller.publish(&["a"], "1");
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(controller.silent().await);
    }
    controller.proxy("a").await.sees("1").await;
    // The oldest had to go, though its time was not over.
    is_closed(silent.remove(0)).await;
}

#[tokio::test]
async fn who_came_a_moment_ago_is_not_closed_for_others() {
    let limits = Limits { unproven: 2, patience: LONG, ..wide() };
    let controller = Controller::start(limits, None).await;
    let (first, second) = (controller.silent().await, controller.silent().await);
    is_closed(controller.silent().await).await;
    let mut byte = [0; 1];
    // Whoever serves them says first what it speaks.
    for mut stream in [first, second] {
        let read = tokio::time::timeout(LONG, stream.read(&mut byte)).await.unwrap();
        assert_eq!(read.unwrap(), 1);
    }
}

#[tokio::test]
async fn there_are_no_more_connections_than_may_be() {
    let limits = Limits { connections: 2, ..wide() };
    let controller = Controller::start(limits, None).await;
    controller.publish(&["a", "b", "c"], "1");
    let mut first = controller.proxy("a").await;
    first.sees("1").await;
    controller.proxy("b").await.sees("1").await;
    let mut second = controller.proxy("b").await;
    second.sees("1").await;
    is_closed(controller.silent().await).await;
    // A place that is free is had.
    let mut third = controller.proxy("c").await;
    drop(first);
    third.sees("1").await;
}

#[tokio::test]
async fn a_gateway_takes_no_more_connections_than_its_own() {
    let limits = Limits { connections_per_gateway: 1, ..wide() };
    let controller = Controller::start(limits, None).await;
    controller.publish(&["a", "b"], "1");
    let mut first = controller.proxy("a").await;
    first.sees("1").await;
    let refused = refusal(&controller.client("a").await).await;
    assert_eq!(refused, "the proxies of a have 1 connections, which is as many as may be");
    controller.proxy("b").await.sees("1").await;
    drop(first);
    controller.proxy("a").await.sees("1").await;
}

#[tokio::test]
async fn a_proxy_connects_anew_after_a_time_and_its_token_is_looked_at_again() {
    let age = Duration::from_millis(300);
    let limits = Limits { age, comeback: LONG, ..wide() };
    let mut controller = Controller::start(limits, None).await;
    controller.publish(&["a"], "1");
    let mut proxy = controller.proxy("a").await;
    proxy.sees("1").await;
    for _ in 0..3 {
        let observed = tokio::time::timeout(LONG, controller.observations.recv()).await;
        // It is not taken for one that has left meanwhile.
        let observed = observed.unwrap().unwrap();
        assert!(
            matches!(observed, Observation::Connected(_) | Observation::Taken(..)),
            "{observed:?}"
        );
    }
    assert!(controller.asked.load(Ordering::Relaxed) >= 2);

    // What it was told stays where its token is not good any more, and it hears nothing new.
    controller.denies.store(true, Ordering::Relaxed);
    controller.is_asked_again().await;
    controller.publish(&["a"], "2");
    controller.is_asked_again().await;
    assert_eq!(*proxy.seen.borrow(), "1");
    controller.denies.store(false, Ordering::Relaxed);
    proxy.sees("2").await;
}

#[tokio::test]
async fn a_connection_that_does_not_end_by_itself_is_closed() {
    let (age, grace) = (Duration::from_millis(200), Duration::from_millis(200));
    let controller = Controller::start(Limits { age, grace, ..wide() }, None).await;
    let client = controller.client("a").await;
    // Reports alone know no age.
    let reports = futures_util::StreamExt::chain(
        tokio_stream::once(Report::default()),
        tokio_stream::pending(),
    );
    let ended = tokio::time::timeout(LONG, client.report(reports)).await.unwrap();
    assert!(ended.is_err(), "it ended as if all was well");
}
