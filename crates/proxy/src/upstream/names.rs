//! The addresses behind host names. Answers of DNS are used for as long as their TTL says, between
//! [`TTL`]'s bounds; many who ask for one name ask once; where the resolver fails, the last good
//! answer is used on for [`STALE`]. Nothing is read or started before somebody needs a name: literal
//! addresses and `localhost` are no names.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::tasks::Tasks;
use crate::upstream::names::files::Files;

pub(crate) use error::NameError;

mod error;
mod files;
#[cfg(test)]
pub(crate) mod fixtures;
mod question;
mod system;

/// For how long an answer is used, whatever its TTL: a TTL of 0 would have every connection ask.
const TTL: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);
/// For how long nobody is asked again for a name that does not exist. (A Service that was made a
/// moment ago must be found soon.)
const NEGATIVE_TTL: Duration = Duration::from_secs(10);
/// For how long after its time an answer is used where the resolver says nothing of use (RFC 8767).
const STALE: Duration = Duration::from_secs(3600);
/// Who has an answer that is over does not wait longer than this for a newer one.
const STALE_WAIT: Duration = Duration::from_secs(1);
/// The pause between two attempts to replace an answer that is over.
const RETRY: Duration = Duration::from_secs(5);
/// For a name, with all that is asked for it.
const ASK_TIME: Duration = Duration::from_secs(5);

/// What a gateway knows of names; clones share it.
#[derive(Clone)]
pub struct Names(Arc<Inner>);

struct Inner {
    clock: Clock,
    tasks: Tasks,
    files: Files,
    entries: Mutex<HashMap<Arc<str>, Entry>>,
}

/// What is known of one name. One of the two is there.
#[derive(Default)]
struct Entry {
    known: Option<Known>,
    /// Somebody is asking: what comes of it.
    asking: Option<watch::Receiver<Option<Outcome>>>,
}

/// The last good answer.
struct Known {
    addresses: Addresses,
    until: Instant,
    /// The resolver failed: it is not asked before this.
    retry: Option<Instant>,
}

type Addresses = Arc<[IpAddr]>;
type Outcome = Result<Addresses, NameError>;

impl Names {
    /// As the system's files say; `tasks` runs the questions.
    pub(crate) fn new(tasks: Tasks, clock: Clock) -> Self {
        Self::with(Files::of_the_system(), tasks, clock)
    }

    fn with(files: Files, tasks: Tasks, clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, tasks, files, entries: Mutex::default() }))
    }

    /// The addresses of `host`, at least one. Waits for an answer where none is known that may be
    /// used. Safe to drop: who else waits for the same goes on waiting.
    pub(crate) async fn addresses(&self, host: &Arc<str>) -> Outcome {
        if let Some(addresses) = without_asking(host) {
            return Ok(addresses);
        }
        let (mut asking, last) = {
            let now = self.0.clock.now();
            let mut entries = self.0.entries.lock();
            let entry = entries.entry(host.clone()).or_default();
            match entry.known.as_ref().filter(|known| known.is_usable(now)) {
                Some(known) if known.needs_no_question(now) => return Ok(known.addresses.clone()),
                Some(known) => {
                    let last = Some(known.addresses.clone());
                    (self.asking(host, entry), last)
                }
                None => (self.asking(host, entry), None),
            }
        };
        let outcome = async {
            let told = asking.wait_for(Option::is_some).await;
            told.ok().and_then(|outcome| outcome.clone()).unwrap_or(Err(NameError::NoAnswer))
        };
        match last {
            None => outcome.await,
            Some(last) => tokio::time::timeout(STALE_WAIT, outcome).await.unwrap_or(Ok(last)),
        }
    }

    /// What is known of `host`, also if its time is over: then a newer answer is asked for meanwhile.
    pub(crate) fn known(&self, host: &Arc<str>) -> Option<Addresses> {
        let now = self.0.clock.now();
        let mut entries = self.0.entries.lock();
        let entry = entries.get_mut(host)?;
        let known = entry.known.as_ref().filter(|known| known.is_usable(now))?;
        let addresses = known.addresses.clone();
        if !known.needs_no_question(now) {
            self.asking(host, entry);
        }
        Some(addresses)
    }

    /// The question that is on its way for `host`, or one that is sent now.
    fn asking(&self, host: &Arc<str>, entry: &mut Entry) -> watch::Receiver<Option<Outcome>> {
        let asking = entry.asking.get_or_insert_with(|| {
            let (told, asking) = watch::channel(None);
            let asked = ask(Arc::downgrade(&self.0), self.0.files.clone(), host.clone(), told);
            self.0.tasks.spawn("resolve a name", asked);
            asking
        });
        asking.clone()
    }
}

impl Known {
    fn is_usable(&self, now: Instant) -> bool {
        now < self.until + STALE
    }

    fn needs_no_question(&self, now: Instant) -> bool {
        now < self.until || self.retry.is_some_and(|retry| now < retry)
    }
}

impl Inner {
    /// Keeps what was found out, and says what those are told who wait.
    fn learn(&self, host: &Arc<str>, found: Result<question::Answer, NameError>) -> Outcome {
        let now = self.clock.now();
        let mut entries = self.entries.lock();
        let mut entry = entries.remove(host).unwrap_or_default();
        entry.asking = None;
        let outcome = match found {
            Ok(answer) => {
                let addresses = answer.addresses;
                let until = now + answer.lasts;
                entry.known = Some(Known { addresses: addresses.clone(), until, retry: None });
                Ok(addresses)
            }
            Err(error) => match &mut entry.known {
                Some(known) if error.is_temporary() && known.is_usable(now) => {
                    if known.retry.is_none() {
                        tracing::warn!(%host, %error, "A name's last addresses are used on.");
                    }
                    known.retry = Some(now + RETRY);
                    Ok(known.addresses.clone())
                }
                _ => {
                    entry.known = None;
                    Err(error)
                }
            },
        };
        // Names that nobody asks for any more go with the next that is learnt.
        entries.retain(|_, entry| {
            let known = entry.known.as_ref();
            entry.asking.is_some() || known.is_some_and(|known| known.is_usable(now))
        });
        if entry.known.is_some() {
            entries.insert(host.clone(), entry);
        }
        outcome
    }
}

/// Asks, and tells all who wait.
async fn ask(
    inner: Weak<Inner>,
    files: Files,
    host: Arc<str>,
    told: watch::Sender<Option<Outcome>>,
) {
    let asked = async { question::ask(&*files.read().await, &host).await };
    let found = tokio::time::timeout(ASK_TIME, asked).await;
    let found = found.unwrap_or(Err(NameError::NoAnswer));
    let Some(inner) = inner.upgrade() else { return };
    let _ = told.send(Some(inner.learn(&host, found)));
}

/// Addresses that are written, and those of this machine (RFC 6761 §6.3).
fn without_asking(host: &str) -> Option<Addresses> {
    if let Ok(literal) = host.parse() {
        return Some([literal].into());
    }
    let here = || [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].into();
    is_this_machine(host).then(here)
}

/// Whether `host` is `localhost`, or a name in it.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    last.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests;
