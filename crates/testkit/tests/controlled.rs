//! A gateway that takes its configuration from a controller: what is published is served, what cannot be read is
//! refused and changes nothing, and a controller that is away costs nobody anything.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use rustix::process::Signal;
use serde_json::json;
use testkit::{
    Authority, Client, Gateway, Host, Process, Start, Trust, Visitor, Wire, binary, one_call,
    reserved_port, within,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use xds::{
    Admit, Caller, Denied, Limits, Observation, Published, Resource, ResourceType, Scope, Server,
    accept,
};

const GATEWAY: &str = "default/gateway";
/// The one target, by a name that nobody resolves.
const DOCUMENT: &str = r#"{"listeners":[{"name":"http","address":"127.0.0.1:8080"}],
    "backends":[{"name":"all","targets":[{"name":"a","url":"http://a.invalid/mcp","endpoints":"default/a:80"}]}],
    "routes":[{"name":"all","path":"/mcp","backend":"all"}]}"#;

/// What a controller of a later version writes: fields that are not known yet, one of which says that it
/// narrows its route.
const NEWER: &str = r#"{"telemetry":{},"listeners":[{"name":"http","address":"127.0.0.1:8080"}],
    "backends":[{"name":"all","targets":[{"name":"a","url":"http://a.invalid/mcp","endpoints":"default/a:80"}]}],
    "routes":[{"name":"all","path":"/mcp","backend":"all","priority":1},
        {"name":"more","path":"/more","backend":"all","priority":2},
        {"name":"some","path":"/some","backend":"all","requires":["callers"],"callers":["a"]}]}"#;

/// A listener that needs a secret.
const SECURE: &str = r#"{"listeners":[{"name":"https","address":"127.0.0.1:8080","protocol":"https","tls":{"certificates":["default/cert"]}}],
    "routes":[{"name":"all","redirect":{"path":{"full":"/there"}}}]}"#;

/// A controller on this machine.
struct Controller {
    published: watch::Sender<Option<Arc<Published>>>,
    observations: Mutex<mpsc::Receiver<Observation>>,
    port: u16,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Controller {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let admit: Admit = Arc::new(|token| {
            Box::pin(async move {
                match token.as_str() {
                    "good" => Ok(Caller { gateway: GATEWAY.to_owned(), pod: "pod".to_owned() }),
                    _ => Err(Denied::Token("good for nothing".to_owned())),
                }
            })
        });
        let (published, publications) = watch::channel(None);
        let (server, observations) = Server::new(admit, publications, Limits::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let connections = accept(listener, None, Limits::default())?;
        let serving = tokio::spawn(async move {
            let _ = server.serve(connections, async { drop(stopped.await) }).await;
        });
        let observations = Mutex::new(observations);
        Ok(Self { published, observations, port, stop, serving })
    }

    fn publish(&self, document: &str, addresses: &[&Host]) {
        let mut scope = Scope::default();
        scope.insert(ResourceType::Document, GATEWAY, Resource::new(document.to_owned()));
        let addresses: Vec<_> =
            addresses.iter().map(|host| format!("127.0.0.1:{}", host.port)).collect();
        let addresses = Resource::new(json!(addresses).to_string());
        scope.insert(ResourceType::Endpoints, "default/a:80", addresses);
        let all = BTreeMap::from([(GATEWAY.to_owned(), Arc::new(scope))]);
        self.published.send_replace(Some(Arc::new(all)));
    }

    /// Publishes the document of a listener that speaks TLS, and its secret if there is one.
    fn publish_secure(&self, secret: Option<&(String, String)>) {
        let mut scope = Scope::default();
        scope.insert(ResourceType::Document, GATEWAY, Resource::new(SECURE.to_owned()));
        if let Some((certificate, key)) = secret {
            let values = json!({ "tls.crt": certificate, "tls.key": key }).to_string();
            scope.insert(ResourceType::Secret, "default/cert", Resource::new(values));
        }
        let all = BTreeMap::from([(GATEWAY.to_owned(), Arc::new(scope))]);
        self.published.send_replace(Some(Arc::new(all)));
    }

    /// A gateway that follows it, once it serves what is published.
    async fn followed(&self, folder: &Path) -> anyhow::Result<Gateway> {
        let token = folder.join("token");
        std::fs::write(&token, "good")?;
        let arguments =
            ["--xds-address", &format!("http://127.0.0.1:{}", self.port), "--xds-token-file"];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).into();
        arguments.push(token.display().to_string());
        Gateway::start(Start { arguments, ..Start::default() }).await
    }

    async fn observes(
        &self,
        what: &str,
        is_it: impl Fn(&Observation) -> bool,
    ) -> anyhow::Result<Observation> {
        let mut observations = self.observations.lock().await;
        within(what, async {
            loop {
                let observation = observations.recv().await.context("the controller has ended")?;
                if is_it(&observation) {
                    return Ok(observation);
                }
            }
        })
        .await?
    }

    async fn stop(self) -> anyhow::Result<()> {
        let _ = self.stop.send(());
        Ok(within("the controller to end", self.serving).await??)
    }
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn what_a_controller_publishes_is_served_and_reported() -> anyhow::Result<()> {
    let (folder, host) = (tempfile::tempdir()?, Host::of_one_tool().await?);
    let controller = Controller::start().await?;
    controller.publish(DOCUMENT, &[&host]);
    let gateway = controller.followed(folder.path()).await?;
    Client::connect(&gateway.url("/mcp")).await?.lists("work").await?;
    let version = Resource::new(DOCUMENT.to_owned()).version;
    let is_up = |seen: &Observation| {
        let Observation::Reported(_, report) = seen else { return false };
        let is_it = report.targets.iter().any(|target| target.state == "up" && target.tools == 1);
        report.document_version == version && is_it
    };
    controller.observes("a report of the target", is_up).await?;

    // What the proxy cannot read changes nothing, and the controller hears of it.
    controller.publish("[]", &[&host]);
    let is_refused = |seen: &Observation| matches!(seen, Observation::Refused(..));
    let refused = controller.observes("a refusal", is_refused).await?;
    anyhow::ensure!(format!("{refused:?}").contains("a document is a mapping"), "{refused:?}");
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    one_call(&mut wire, &host, "work").await?;

    // A controller that is away costs nobody anything.
    controller.stop().await?;
    one_call(&mut wire, &host, "work").await?;
    one_call(&mut Wire::open(&gateway.url("/mcp"), "2025-06-18").await?, &host, "work").await?;
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn what_a_newer_controller_adds_is_left_out_unless_it_narrows_something() -> anyhow::Result<()>
{
    let (folder, host) = (tempfile::tempdir()?, Host::of_one_tool().await?);
    let controller = Controller::start().await?;
    controller.publish(NEWER, &[&host]);
    let gateway = controller.followed(folder.path()).await?;
    for path in ["/mcp", "/more"] {
        Client::connect(&gateway.url(path)).await?.lists("work").await?;
    }
    let mut visitor = Visitor::<Full<Bytes>>::of(gateway.port()).await?;
    let (head, said) = visitor.get("localhost", "/some", &[]).await?;
    assert_eq!(head.status, StatusCode::SERVICE_UNAVAILABLE);
    anyhow::ensure!(said.to_string().contains("closed [document.requires]"), "{said}");
    let is_told = |line: &str| line.contains("it requires `callers`");
    gateway.access_line("why the route is closed", is_told).await?;

    // The controller hears of all of it; the log has each field once, however often it is published.
    let later = NEWER.replace(r#""/more""#, r#""/later""#);
    controller.publish(&later, &[&host]);
    let is_later = |seen: &Observation| {
        let Observation::Reported(_, report) = seen else { return false };
        report.document_version == Resource::new(later.clone()).version
    };
    let report = controller.observes("a report of the later document", is_later).await?;
    for id in ["document.unknownField", "document.requires"] {
        anyhow::ensure!(format!("{report:?}").contains(id), "{report:?}");
    }
    let log = gateway.process.log.all();
    for field in ["telemetry", "priority"] {
        let said = format!("there is no field `{field}`");
        assert_eq!(log.iter().filter(|line| line.contains(&said)).count(), 1, "{field}: {log:?}");
    }
    let metrics = gateway.admin("/metrics").await?;
    anyhow::ensure!(metrics.contains("portico_document_unknown_fields 4"), "{metrics}");
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_target_that_moves_keeps_its_name_and_its_clients() -> anyhow::Result<()> {
    let (folder, before, after) =
        (tempfile::tempdir()?, Host::of_one_tool().await?, Host::of_one_tool().await?);
    let controller = Controller::start().await?;
    controller.publish(DOCUMENT, &[&before]);
    let gateway = controller.followed(folder.path()).await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    one_call(&mut wire, &before, "work").await?;
    controller.publish(DOCUMENT, &[&after]);
    // The session there was the old pod's: it is opened anew, and the client does not notice.
    after.visits.first("a session there", |_| true).await?;
    one_call(&mut wire, &after, "work").await?;
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_gateway_that_waits_for_its_controller_can_be_stopped() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let token = folder.path().join("token");
    std::fs::write(&token, "good")?;
    let mut command = Command::new(binary()?);
    // Nobody listens there.
    let address = format!("http://127.0.0.1:{}", reserved_port()?);
    command.args(["run", "--xds-address", &address, "--xds-token-file"]).arg(token);
    let mut process = Process::start("portico", command)?;
    process.says("No controller").await?;
    process.signal(Signal::TERM)?;
    let status = within("the gateway to stop", process.ended()).await??;
    anyhow::ensure!(status.success(), "{status}");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_secret_comes_and_is_renewed_while_the_listener_stays() -> anyhow::Result<()> {
    let (folder, authority) = (tempfile::tempdir()?, Authority::new()?);
    let controller = Controller::start().await?;
    controller.publish_secure(None);
    let gateway = controller.followed(folder.path()).await?;
    let says = |text: &'static str| {
        move |seen: &Observation| {
            let Observation::Reported(_, report) = seen else { return false };
            report.findings.iter().any(|finding| finding.message.contains(text))
        }
    };
    controller.observes("a report of what is missing", says("there is no secret")).await?;
    let trust = authority.trust(&[])?;
    let refused = trust.connect(gateway.port(), "a.example.com").await;
    anyhow::ensure!(refused.is_err(), "it lets somebody in without a certificate");

    controller.publish_secure(Some(&authority.certificate(&["a.example.com"])?));
    let stream = eventually(&trust, &gateway).await?;
    let before = trust.shown(gateway.port(), "a.example.com").await?;
    let mut visitor = Visitor::<Full<Bytes>>::on(stream).await?;
    let (head, _) = visitor.get("a.example.com", "/here", &[]).await?;
    anyhow::ensure!(head.status == StatusCode::FOUND, "{head:?}");

    controller.publish_secure(Some(&authority.certificate(&["a.example.com"])?));
    within("the new certificate", async {
        while trust.shown(gateway.port(), "a.example.com").await? == before {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    })
    .await??;
    let (head, _) = visitor.get("a.example.com", "/here", &[]).await?;
    anyhow::ensure!(head.status == StatusCode::FOUND, "{head:?}");

    // What is none closes the listener, and is not repeated anywhere.
    let broken = ("no certificate, very-secret".to_owned(), "no key, very-secret".to_owned());
    controller.publish_secure(Some(&broken));
    controller.observes("a report of what is broken", says("is not a certificate")).await?;
    let refused = trust.connect(gateway.port(), "a.example.com").await;
    anyhow::ensure!(refused.is_err(), "it lets somebody in with a broken certificate");
    let said = format!("{:?}{}", gateway.process.log.all(), gateway.admin("/config").await?);
    anyhow::ensure!(!said.contains("very-secret"), "a secret is told: {said}");
    gateway.stop().await
}

/// A connection, as soon as the listener lets somebody in.
async fn eventually(trust: &Trust, gateway: &Gateway) -> anyhow::Result<TlsStream<TcpStream>> {
    within("a listener that lets somebody in", async {
        loop {
            if let Ok(stream) = trust.connect(gateway.port(), "a.example.com").await {
                return stream;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}
