//! The controller: what is seen of the cluster and of the proxies comes together in one task, from which
//! follows what proxies are told, what runs them, and what is said of the objects. Nothing follows before
//! everything that has to be known is.

mod knowledge;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway_api::gateways::Gateway;
use kube::Client;
use kube::runtime::events::{Recorder, Reporter};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::admission::Admission;
use crate::apply::Applier;
use crate::classes;
use crate::clients::Clients;
use crate::contents::{self, ContentChange};
use crate::deploy::ProxySettings;
use crate::keeper::{Keeper, Needs};
use crate::kind::Kind;
use crate::leader::{Candidate, Leadership};
use crate::metrics::Metrics;
use crate::object::{Object, ObjectName};
use crate::outcome::Outcome;
use crate::owned::{self, OwnedChange};
use crate::proxies::Observed;
use crate::publication::Publication;
use crate::rival::lease_name;
use crate::settings::Settings;
use crate::stores::Change;
use crate::watch::Watch;
use crate::writer::{Write, Writer};
use knowledge::{Knowledge, Made};

/// How long after a change it is waited for the next, and how long at most.
const QUIET: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);
/// How long the end may take.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How many changes may wait to be taken in.
const QUEUE: usize = 1024;
/// How many of what becomes known of proxies, which may be large.
const REPORTS: usize = 16;

/// What a controller is started with.
pub struct Options {
    /// The way to the API server.
    pub clients: Clients,
    /// Whose Gateways are served, and how.
    pub settings: Settings,
    /// What proxies run.
    pub proxies: ProxySettings,
    /// The namespace of the controller.
    pub namespace: String,
    /// This replica, as no other is called: its pod.
    pub identity: String,
    /// The authorities that vouch for the controller, in PEM, as proxies are to know them.
    pub authorities: watch::Receiver<String>,
    /// The version of a document.
    pub version: fn(&[u8]) -> String,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// A running controller.
pub struct Controller {
    /// What is published; `None` until everything is known.
    pub published: watch::Receiver<Option<Arc<Publication>>>,
    /// Takes what becomes known of proxies.
    pub observed: mpsc::Sender<Observed>,
    /// Says whose proxy a token belongs to.
    pub admission: Admission,
    leadership: Leadership,
    stop: CancellationToken,
    leading: JoinHandle<()>,
    /// Everything else.
    tasks: JoinSet<()>,
}

/// Something that is new.
enum News {
    Changed(Kind, Change),
    Owned(OwnedChange),
    Content(ContentChange),
    Observed(Observed),
    Outcome(ObjectName, Outcome),
    /// The authorities are others, or this replica leads now.
    Look,
}

impl Controller {
    /// Starts watching, publishing and writing. Runs until the process ends.
    pub fn start(options: Options) -> Self {
        let (clients, settings) = (options.clients.clone(), options.settings.clone());
        let (client, watches) = (clients.questions, clients.watches);
        let candidate = Candidate::new(
            client.clone(),
            &options.namespace,
            &lease_name(&options.settings.controller),
            &options.identity,
            options.metrics.clone(),
        );
        let leadership = candidate.leadership();
        let stop = CancellationToken::new();
        let leading = tokio::spawn(candidate.run(stop.clone()));

        let metrics = options.metrics.clone();
        let mut tasks = JoinSet::new();
        let (changes, changed) = mpsc::channel(QUEUE);
        for kind in Kind::ALL {
            let (client, changes, metrics) = (watches.clone(), changes.clone(), metrics.clone());
            tasks.spawn(Watch { client, kind, changes, metrics }.run());
        }
        let (owned, owned_changed) = mpsc::channel(QUEUE);
        tasks.spawn(owned::watch(watches.clone(), owned));
        let (contents, contents_changed) = mpsc::channel(QUEUE);
        tasks.spawn(contents::watch(watches, contents.clone()));
        let (observed, observations) = mpsc::channel(REPORTS);
        let (outcomes, outcomes_heard) = mpsc::channel(QUEUE);
        let (needs, needed) = watch::channel(Needs::default());
        let (writes, to_write) = watch::channel(Vec::<Write>::new());
        let (publish, published) = watch::channel(None);
        let gateways: Arc<ArcSwap<Vec<Object<Gateway>>>> = Arc::default();

        let applier = Applier::new(client.clone(), leadership.clone());
        tasks.spawn(Keeper { applier, needs: needed, outcomes, metrics: metrics.clone() }.run());
        let reporter = Reporter {
            controller: settings.controller.clone(),
            instance: Some(options.identity.clone()),
        };
        let writer = Writer {
            client: client.clone(),
            leadership: leadership.clone(),
            recorder: Recorder::new(client.clone(), reporter),
            wanted: to_write,
            metrics: metrics.clone(),
        };
        tasks.spawn(writer.run());
        tasks.spawn(classes::keep(client.clone(), leadership.clone(), settings.clone()));

        let authorities = options.authorities.clone();
        let inbox = Inbox {
            changed,
            owned: owned_changed,
            contents: contents_changed,
            observed: observations,
            outcomes: outcomes_heard,
            authorities,
            leadership: leadership.clone(),
            leads: false,
        };
        let knowledge = Knowledge::new(options);
        let outbox = Outbox {
            client: client.clone(),
            contents,
            publish,
            needs,
            writes,
            gateways: gateways.clone(),
            metrics,
        };
        tasks.spawn(run(knowledge, inbox, outbox));
        let admission = Admission::new(client, gateways);
        Self { published, observed, admission, leadership, stop, leading, tasks }
    }

    /// Whether this replica is the one that writes.
    pub fn leads(&self) -> bool {
        self.leadership.is_held()
    }

    /// Waits until one of its tasks ends, which none does by itself: what is left would be half a controller.
    pub async fn failed(&mut self) -> String {
        let ended = tokio::select! {
            ended = self.tasks.join_next() => ended,
            ended = &mut self.leading => Some(ended),
        };
        match ended {
            Some(Err(error)) => error.to_string(),
            Some(Ok(())) | None => "a task has ended before its time".to_owned(),
        }
    }

    /// Stops whatever it does, and lets another replica begin.
    pub async fn end(mut self) {
        // First of all nothing is written any more.
        self.tasks.shutdown().await;
        self.stop.cancel();
        // Whoever takes no answer from the API server now is waited out.
        if tokio::time::timeout(LAST_WORDS, &mut self.leading).await.is_err() {
            self.leading.abort();
        }
    }
}

/// Where news come from.
struct Inbox {
    changed: mpsc::Receiver<(Kind, Change)>,
    owned: mpsc::Receiver<OwnedChange>,
    contents: mpsc::Receiver<ContentChange>,
    observed: mpsc::Receiver<Observed>,
    outcomes: mpsc::Receiver<(ObjectName, Outcome)>,
    authorities: watch::Receiver<String>,
    leadership: Leadership,
    leads: bool,
}

/// Where what follows goes.
struct Outbox {
    client: Client,
    /// Where it comes back what has been read.
    contents: mpsc::Sender<ContentChange>,
    publish: watch::Sender<Option<Arc<Publication>>>,
    needs: watch::Sender<Needs>,
    writes: watch::Sender<Vec<Write>>,
    gateways: Arc<ArcSwap<Vec<Object<Gateway>>>>,
    metrics: Arc<Metrics>,
}

impl Inbox {
    async fn next(&mut self) -> News {
        tokio::select! {
            Some((kind, change)) = self.changed.recv() => News::Changed(kind, change),
            Some(change) = self.owned.recv() => News::Owned(change),
            Some(change) = self.contents.recv() => News::Content(change),
            Some(observed) = self.observed.recv() => News::Observed(observed),
            Some((gateway, outcome)) = self.outcomes.recv() => News::Outcome(gateway, outcome),
            Ok(()) = self.authorities.changed() => News::Look,
            () = self.leadership.begun(), if !self.leads => {
                self.leads = true;
                News::Look
            }
        }
    }
}

async fn run(mut knowledge: Knowledge, mut inbox: Inbox, outbox: Outbox) {
    let mut was_known = false;
    let mut reads = JoinSet::new();
    let mut look_at: Option<Instant> = None;
    loop {
        // Nothing to do until there is news, or what was put off is due.
        let news = match look_at {
            None => inbox.next().await,
            Some(at) => tokio::select! {
                news = inbox.next() => news,
                () = tokio::time::sleep_until(at) => News::Look,
            },
        };
        knowledge.take(news);
        let (first, mut last) = (Instant::now(), Instant::now());
        while first.elapsed() < LONGEST {
            tokio::select! {
                biased;
                news = inbox.next() => {
                    knowledge.take(news);
                    last = Instant::now();
                }
                () = tokio::time::sleep_until(last + QUIET) => break,
            }
        }
        inbox.leads = inbox.leadership.is_held();
        while reads.try_join_next().is_some() {}
        for (kind, name, version) in knowledge.missing() {
            let (client, contents) = (outbox.client.clone(), outbox.contents.clone());
            reads.spawn(contents::read(client, kind, name, version, contents));
        }
        if !knowledge.is_complete() {
            look_at = None;
            continue;
        }
        if !was_known {
            info!("Everything that has to be known is.");
            was_known = true;
        }
        let made = tokio::task::block_in_place(|| knowledge.make(inbox.leads));
        look_at = made.look_at;
        outbox.send(made);
    }
}

impl Outbox {
    fn send(&self, made: Made) {
        self.gateways.store(made.gateways);
        self.publish.send_if_modified(|last| {
            let is_news = last.as_ref() != Some(&made.publication);
            if is_news {
                *last = Some(made.publication.clone());
                self.metrics.publications.inc();
                let documents = i64::try_from(made.publication.len()).unwrap_or(i64::MAX);
                self.metrics.documents.set(documents);
            }
            is_news
        });
        self.needs.send_replace(made.needs);
        if !made.writes.is_empty() {
            self.writes.send_replace(made.writes);
        }
    }
}

impl Knowledge {
    fn take(&mut self, news: News) {
        match news {
            News::Changed(kind, change) => self.changed(kind, change),
            News::Owned(change) => self.owned(change),
            News::Content(change) => self.content(change),
            News::Observed(observed) => self.observed(observed),
            News::Outcome(gateway, outcome) => self.outcome(gateway, outcome),
            News::Look => {}
        }
    }
}
