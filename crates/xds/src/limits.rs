//! What protects a controller from its proxies, and from whoever else reaches its port.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// The bounds of a controller's port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How many connections may be open in all; further ones are closed at once. Each takes a file
    /// and some 50 KB.
    pub connections: usize,
    /// How many connections may be open for one Gateway, of all its proxies together.
    pub connections_per_gateway: usize,
    /// How many connections may be open on which nobody has shown a good token yet. Of more, the
    /// oldest is closed if it has had its `patience`, else the newest.
    pub unproven: usize,
    /// How long an unproven connection is not closed for others.
    pub patience: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long a connection may stay without a good token, its handshake included.
    pub proof: Duration,
    /// How long a proxy is told news on one connection, give or take a tenth. Then it is sent to connect
    /// anew: it may find another controller, and its token is looked at again.
    pub age: Duration,
    /// How long a connection that is older than `age` and its tenth may stay to end what is on it.
    pub grace: Duration,
    /// For how long a proxy that was sent to connect anew still counts as connected.
    pub comeback: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_gateway: 1_000,
            unproven: 512,
            patience: Duration::from_secs(2),
            handshake: Duration::from_secs(10),
            proof: Duration::from_secs(20),
            age: Duration::from_secs(30 * 60),
            grace: Duration::from_secs(30),
            comeback: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The longest that `age` may become.
    pub(crate) fn oldest(&self) -> Duration {
        self.age + self.age / 10
    }

    /// An age that is another one for each: proxies that came together do not go together.
    pub(crate) fn some_age(&self) -> Duration {
        // Its keys are random.
        let random = RandomState::new().build_hasher().finish();
        let thousandth = u32::try_from(random % 200).unwrap_or_default() + 900;
        self.age * thousandth / 1000
    }
}

/// What is known of one connection: whether a good token was shown on it. Clones are the same.
#[derive(Debug, Clone)]
pub struct Proof(Arc<Shown>);

#[derive(Debug)]
struct Shown {
    since: Instant,
    place: OnceLock<Place>,
    /// Closes the connection.
    closed: CancellationToken,
}

impl Proof {
    /// Nothing was shown yet.
    pub(crate) fn new() -> Self {
        let (place, closed) = (OnceLock::new(), CancellationToken::new());
        Self(Arc::new(Shown { since: Instant::now(), place, closed }))
    }

    /// A token was shown that is good for `gateway`. Says whether there is a place for another
    /// connection of it; one that has its place keeps it.
    pub(crate) fn is_given(&self, gateway: &str, places: &Places) -> bool {
        if self.is_there() {
            return true;
        }
        let Some(place) = places.take(gateway) else { return false };
        // Another stream of the connection may have been first; then the second place is given back.
        let _ = self.0.place.set(place);
        true
    }

    /// Whether a good token was shown.
    pub(crate) fn is_there(&self) -> bool {
        self.0.place.get().is_some()
    }

    /// What closes the connection.
    pub(crate) fn closed(&self) -> &CancellationToken {
        &self.0.closed
    }
}

/// The connections on which nothing was shown yet, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Unproven(Vec<std::sync::Weak<Shown>>);

impl Unproven {
    /// Takes in a new one, or says that there is no room for it. The oldest has to go for it if it had its
    /// time.
    pub(crate) fn admit(&mut self, proof: &Proof, limits: &Limits) -> bool {
        self.0.retain(|known| {
            let still =
                |shown: Arc<Shown>| shown.place.get().is_none() && !shown.closed.is_cancelled();
            known.upgrade().is_some_and(still)
        });
        if self.0.len() >= limits.unproven {
            let oldest = self.0.first().and_then(std::sync::Weak::upgrade);
            match oldest.filter(|oldest| oldest.since.elapsed() >= limits.patience) {
                Some(oldest) => {
                    oldest.closed.cancel();
                    self.0.remove(0);
                }
                None => return false,
            }
        }
        self.0.push(Arc::downgrade(&proof.0));
        true
    }
}

/// How many connections each Gateway has. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    most: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// A connection's place among those of its Gateway, until it is dropped.
#[derive(Debug)]
struct Place {
    gateway: String,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

impl Places {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { most: limits.connections_per_gateway, taken: Arc::default() }
    }

    fn take(&self, gateway: &str) -> Option<Place> {
        let mut all = self.taken.lock();
        let taken = all.entry(gateway.to_owned()).or_default();
        if *taken >= self.most {
            return None;
        }
        *taken += 1;
        Some(Place { gateway: gateway.to_owned(), taken: self.taken.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.taken.lock();
        if let Some(taken) = all.get_mut(&self.gateway) {
            *taken = taken.saturating_sub(1);
            if *taken == 0 {
                all.remove(&self.gateway);
            }
        }
    }
}
