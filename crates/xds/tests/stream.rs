//! A controller and a proxy on one machine: what is published arrives, what cannot be used is refused,
//! and neither a broken connection nor a renewed certificate loses anything.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic, and should")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use xds::{
    Admit, Caller, Client, Denied, Endpoint, Identity, Limits, Observation, Published, Received,
    Report, Resource, ResourceType, Scope, Server, TargetReport, accept,
};

const GATEWAY: &str = "default/gateway";
/// Longer than anything here should take.
const LONG: Duration = Duration::from_secs(20);

/// A controller of which every token but `good` is refused.
struct Controller {
    published: watch::Sender<Option<Arc<Published>>>,
    observations: mpsc::Receiver<Observation>,
    identity: Option<Arc<Identity>>,
    port: u16,
    folder: TempDir,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// A proxy that applies what it can read: numbers.
struct Proxy {
    seen: watch::Receiver<BTreeMap<String, String>>,
    following: JoinHandle<()>,
}

impl Controller {
    async fn start(identity: Option<Arc<Identity>>) -> Self {
        Self::start_at(0, identity).await
    }

    async fn start_at(port: u16, identity: Option<Arc<Identity>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let admit: Admit = Arc::new(|token| {
            Box::pin(async move {
                match token.as_str() {
                    "good" => Ok(Caller { gateway: GATEWAY.to_owned(), pod: "pod".to_owned() }),
                    _ => Err(Denied::Token("this token is good for nothing".to_owned())),
                }
            })
        });
        let (published, publications) = watch::channel(None);
        let (server, observations) = Server::new(admit, publications, Limits::default());
        let (stop, stopped) = oneshot::channel();
        let connections = accept(listener, identity.clone(), Limits::default()).unwrap();
        let serving = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            server.serve(connections, stopped).await.unwrap();
        });
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("token"), "good\n").unwrap();
        Self { published, observations, identity, port, folder, stop, serving }
    }

    /// Ends it, with its connections; the proxies' files stay.
    async fn stop(self) -> TempDir {
        self.stop.send(()).unwrap();
        tokio::time::timeout(LONG, self.serving).await.unwrap().unwrap();
        self.folder
    }

    fn endpoint(&self) -> Endpoint {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        Endpoint {
            url: format!("{scheme}://localhost:{}", self.port).parse().unwrap(),
            token: self.file("token"),
            authorities: self.identity.is_some().then(|| self.file("ca.crt")),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn publish(&self, resources: &[(ResourceType, &str, &str)]) {
        let mut scope = Scope::default();
        for (kind, name, payload) in resources {
            scope.insert(*kind, *name, Resource::new((*payload).to_owned()));
        }
        let others = Scope::default();
        self.published.send_replace(Some(Arc::new(BTreeMap::from([
            (GATEWAY.to_owned(), Arc::new(scope)),
            ("default/another".to_owned(), Arc::new(others)),
        ]))));
    }

    async fn observes(&mut self, wanted: impl Fn(&Observation) -> bool) -> Observation {
        let observed = async {
            loop {
                let observation = self.observations.recv().await.unwrap();
                if wanted(&observation) {
                    return observation;
                }
            }
        };
        tokio::time::timeout(LONG, observed).await.unwrap()
    }
}

impl Proxy {
    fn start(endpoint: Endpoint) -> Self {
        let (told, seen) = watch::channel(BTreeMap::new());
        let following = tokio::spawn(async move {
            let mut received = Received::default();
            loop {
                if let Ok(client) = Client::connect(&endpoint).await {
                    let apply = |received: &Received| {
                        let mut all = BTreeMap::new();
                        for kind in ResourceType::ALL {
                            for (name, resource) in received.of(kind) {
                                let text = String::from_utf8(resource.payload.to_vec()).unwrap();
                                if text.parse::<u32>().is_err() {
                                    return Err(format!("`{name}` is no number"));
                                }
                                all.insert(format!("{kind:?} {name}"), text);
                            }
                        }
                        told.send_replace(all);
                        Ok(())
                    };
                    let _ = client.follow("node", &mut received, apply).await;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Self { seen, following }
    }

    async fn sees(&mut self, wanted: &[(&str, &str)]) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let wanted: BTreeMap<String, String> = wanted.iter().map(owned).collect();
        let seen = tokio::time::timeout(LONG, self.seen.wait_for(|seen| *seen == wanted)).await;
        let came = seen.is_ok();
        drop(seen);
        assert!(came, "not {wanted:?}, but {:?}", *self.seen.borrow());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.following.abort();
    }
}

#[tokio::test]
async fn what_is_published_arrives_and_what_is_bad_is_put_back() {
    let mut controller = Controller::start(None).await;
    let mut proxy = Proxy::start(controller.endpoint());
    // Connected before anything is known.
    controller.observes(|seen| matches!(seen, Observation::Connected(_))).await;
    controller
        .publish(&[(ResourceType::Document, GATEWAY, "1"), (ResourceType::Endpoints, "a", "7")]);
    proxy.sees(&[("Document default/gateway", "1"), ("Endpoints a", "7")]).await;
    let taken = |seen: &Observation| matches!(seen, Observation::Taken(..));
    let Observation::Taken(caller, version) = controller.observes(taken).await else { return };
    assert_eq!((caller.pod.as_str(), version), ("pod", Resource::new("1").version));

    controller.publish(&[
        (ResourceType::Document, GATEWAY, "bad"),
        (ResourceType::Endpoints, "a", "8"),
        (ResourceType::Endpoints, "b", "9"),
    ]);
    let refused = |seen: &Observation| matches!(seen, Observation::Refused(..));
    let Observation::Refused(_, message) = controller.observes(refused).await else { return };
    assert_eq!(message, "`default/gateway` is no number");
    proxy
        .sees(&[("Document default/gateway", "1"), ("Endpoints a", "8"), ("Endpoints b", "9")])
        .await;

    controller.publish(&[(ResourceType::Document, GATEWAY, "2")]);
    proxy.sees(&[("Document default/gateway", "2")]).await;
    drop(proxy);
    controller.observes(|seen| matches!(seen, Observation::Left(_))).await;
}

#[tokio::test]
async fn reports_arrive_as_they_were_sent() {
    let mut controller = Controller::start(None).await;
    let target = TargetReport {
        backend: "b".into(),
        target: "t".into(),
        tools: 3,
        ..TargetReport::default()
    };
    let report =
        Report { document_version: "v".into(), targets: vec![target], ..Report::default() };
    let client = Client::connect(&controller.endpoint()).await.unwrap();
    client.report(tokio_stream::iter([report.clone()])).await.unwrap();
    let reported = controller.observes(|seen| matches!(seen, Observation::Reported(..))).await;
    let whole = Report { is_whole: true, ..report };
    assert!(matches!(reported, Observation::Reported(_, received) if received == whole));
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused_and_read_again() {
    let controller = Controller::start(None).await;
    controller.publish(&[(ResourceType::Document, GATEWAY, "1")]);
    std::fs::write(controller.file("token"), "expired").unwrap();
    let client = Client::connect(&controller.endpoint()).await.unwrap();
    let followed = client.follow("node", &mut Received::default(), |_| Ok(())).await;
    let status = followed.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unauthenticated);
    assert_eq!(client.report(tokio_stream::empty()).await.unwrap_err().code(), status.code());

    let mut proxy = Proxy::start(controller.endpoint());
    std::fs::write(controller.file("token"), "good").unwrap();
    proxy.sees(&[("Document default/gateway", "1")]).await;
}

#[tokio::test]
async fn a_controller_that_comes_back_sends_what_has_changed() {
    let controller = Controller::start(None).await;
    controller
        .publish(&[(ResourceType::Document, GATEWAY, "1"), (ResourceType::Endpoints, "a", "7")]);
    let mut proxy = Proxy::start(controller.endpoint());
    proxy.sees(&[("Document default/gateway", "1"), ("Endpoints a", "7")]).await;
    let port = controller.port;
    let _files = controller.stop().await;
    let next = Controller::start_at(port, None).await;
    next.publish(&[(ResourceType::Document, GATEWAY, "2"), (ResourceType::Endpoints, "a", "7")]);
    proxy.sees(&[("Document default/gateway", "2"), ("Endpoints a", "7")]).await;
}

#[tokio::test]
async fn a_certificate_is_checked_and_can_be_renewed() {
    let certificate = || {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    };
    let (first, first_key) = certificate();
    let identity = Identity::new(first.as_bytes(), first_key.as_bytes()).unwrap();
    let controller = Controller::start(Some(identity.clone())).await;
    controller.publish(&[(ResourceType::Document, GATEWAY, "1")]);
    std::fs::write(controller.file("ca.crt"), &first).unwrap();
    let mut proxy = Proxy::start(controller.endpoint());
    proxy.sees(&[("Document default/gateway", "1")]).await;

    let (second, second_key) = certificate();
    identity.renew(second.as_bytes(), second_key.as_bytes()).unwrap();
    assert!(Client::connect(&controller.endpoint()).await.is_err(), "nobody vouches for it yet");
    std::fs::write(controller.file("ca.crt"), format!("{first}{second}")).unwrap();
    Client::connect(&controller.endpoint()).await.unwrap();
    assert!(identity.renew(second.as_bytes(), first_key.as_bytes()).is_err());
    // The connection that was there goes on.
    controller.publish(&[(ResourceType::Document, GATEWAY, "2")]);
    proxy.sees(&[("Document default/gateway", "2")]).await;
}
