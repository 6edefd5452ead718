//! Keeps what runs each Gateway: applies it when it should be another, when somebody has touched it, and now
//! and then in any case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use gateway_api::gateways::Gateway;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use crate::apply::Applier;
use crate::deploy::Deployed;
use crate::metrics::Metrics;
use crate::object::{Object, ObjectName};
use crate::outcome::Outcome;

/// How often what is as it should be is looked at all the same.
const LOOK_AGAIN: Duration = Duration::from_secs(600);
/// How long the objects of one Gateway may take.
const APPLYING: Duration = Duration::from_secs(30);
/// After which time what failed is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// What one Gateway needs.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    pub(crate) gateway: Object<Gateway>,
    pub(crate) deployed: Arc<Deployed>,
    /// Counts how often somebody has touched it.
    pub(crate) touched: u64,
}

/// What all Gateways need, by their names.
pub(crate) type Needs = BTreeMap<ObjectName, Need>;

/// What was last done for a Gateway.
struct Done {
    deployed: Arc<Deployed>,
    uid: Option<String>,
    touched: u64,
    outcome: Outcome,
    at: Instant,
}

/// Applies what is needed last, and says how it went.
pub(crate) struct Keeper {
    pub(crate) applier: Applier,
    pub(crate) needs: watch::Receiver<Needs>,
    pub(crate) outcomes: mpsc::Sender<(ObjectName, Outcome)>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Keeper {
    /// Keeps until nothing is needed any more.
    pub(crate) async fn run(mut self) {
        let mut done: BTreeMap<ObjectName, Done> = BTreeMap::new();
        loop {
            tokio::select! {
                changed = self.needs.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(TRY_AGAIN) => {}
            }
            let needs = self.needs.borrow_and_update().clone();
            let here: BTreeSet<&ObjectName> = needs.keys().collect();
            done.retain(|name, _| here.contains(name));
            for (name, need) in &needs {
                if done.get(name).is_some_and(|done| !done.is_due(need)) {
                    continue;
                }
                let applied = self.applier.apply(&need.gateway, &need.deployed);
                let applied = tokio::time::timeout(APPLYING, applied).await;
                let outcome = applied.unwrap_or_else(|_| {
                    Outcome::Unheard(format!("nothing was heard for {APPLYING:?}"))
                });
                let before = done.get(name).map(|done| &done.outcome);
                let outcome = confirmed(outcome, before);
                self.metrics.applied(&outcome);
                report(name, &outcome);
                let is_news = before != Some(&outcome);
                if is_news && self.outcomes.send((name.clone(), outcome.clone())).await.is_err() {
                    return;
                }
                done.insert(
                    name.clone(),
                    Done {
                        deployed: need.deployed.clone(),
                        uid: need.gateway.about.metadata.uid.clone(),
                        touched: need.touched,
                        outcome,
                        at: Instant::now(),
                    },
                );
            }
        }
    }
}

/// What is refused once may be refused by an API server that has just begun and knows no rights yet: it counts
/// when it is refused again.
fn confirmed(outcome: Outcome, before: Option<&Outcome>) -> Outcome {
    match outcome {
        Outcome::Failed(why)
            if !matches!(before, Some(Outcome::Failed(_) | Outcome::Unheard(_))) =>
        {
            Outcome::Unheard(why)
        }
        outcome => outcome,
    }
}

impl Done {
    fn is_due(&self, need: &Need) -> bool {
        let again = match self.outcome {
            Outcome::Applied => LOOK_AGAIN,
            Outcome::Foreign(_)
            | Outcome::Failed(_)
            | Outcome::Unheard(_)
            | Outcome::NotLeading => TRY_AGAIN,
        };
        self.deployed != need.deployed
            || self.uid != need.gateway.about.metadata.uid
            || self.touched != need.touched
            || self.at.elapsed() >= again
    }
}

fn report(gateway: &ObjectName, outcome: &Outcome) {
    match outcome {
        Outcome::Applied => debug!(%gateway, "What runs it is as it should be."),
        Outcome::NotLeading => {}
        Outcome::Foreign(object) => {
            info!(%gateway, object, "An object that it needs is somebody else's.");
        }
        Outcome::Unheard(reason) => {
            info!(%gateway, reason, "What runs it could not be looked at; it is tried again.");
        }
        Outcome::Failed(reason) => warn!(%gateway, reason, "Cannot apply what runs it."),
    }
}
