//! Between the controller and xDS, which know nothing of each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use controller::{
    Controller, ObjectName, Observation, Observed, Publication, Refusal, Report, TargetState, Told,
};
use proxy::admin::Readiness;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use xds::{Admit, Caller, Denied, Published, Resource, ResourceType, Scope};

/// Whose proxy a token belongs to.
pub(super) fn admit(controller: &Controller) -> Admit {
    let admission = controller.admission.clone();
    Arc::new(move |token| {
        let admission = admission.clone();
        Box::pin(async move {
            match admission.admit(token).await {
                Ok(proxy) => Ok(Caller { gateway: proxy.gateway.to_string(), pod: proxy.pod }),
                Err(Refusal::Token(reason)) => Err(Denied::Token(reason)),
                Err(Refusal::Unavailable(reason)) => Err(Denied::Unavailable(reason)),
            }
        })
    })
}

/// What is published, as xDS has it. The controller is ready once something is.
pub(super) fn scopes(
    controller: &Controller,
    readiness: Arc<Readiness>,
    parts: &mut JoinSet<()>,
) -> watch::Receiver<Option<Arc<Published>>> {
    let mut publications = controller.published.clone();
    let (sender, receiver) = watch::channel(None);
    parts.spawn(async move {
        let mut last: BTreeMap<ObjectName, (Arc<Told>, Arc<Scope>)> = BTreeMap::new();
        while publications.changed().await.is_ok() {
            let Some(publication) = publications.borrow_and_update().clone() else { continue };
            last = converted(&publication, &last);
            let published = last.iter().map(|(name, (_, scope))| (name.to_string(), scope.clone()));
            sender.send_replace(Some(Arc::new(published.collect::<Published>())));
            readiness.ready();
        }
    });
    receiver
}

/// What has not changed is not made again.
fn converted(
    publication: &Publication,
    last: &BTreeMap<ObjectName, (Arc<Told>, Arc<Scope>)>,
) -> BTreeMap<ObjectName, (Arc<Told>, Arc<Scope>)> {
    let convert = |(name, told): (&ObjectName, &Arc<Told>)| {
        let same = last.get(name).filter(|(before, _)| before == told);
        let scope = same.map(|(_, scope)| scope.clone());
        (name.clone(), (told.clone(), scope.unwrap_or_else(|| Arc::new(scope_of(name, told)))))
    };
    publication.iter().map(convert).collect()
}

fn scope_of(gateway: &ObjectName, told: &Told) -> Scope {
    let mut scope = Scope::default();
    let document = Resource::new(told.document.json.clone());
    scope.insert(ResourceType::Document, gateway.to_string(), document);
    for (key, addresses) in &told.endpoints {
        let addresses = serde_json::to_vec(addresses).unwrap_or_default();
        scope.insert(ResourceType::Endpoints, key.clone(), Resource::new(addresses));
    }
    for (key, text) in told.document.secrets.iter() {
        scope.insert(ResourceType::Secret, key, Resource::new(text.to_owned()));
    }
    scope
}

/// Passes on what becomes known of proxies.
pub(super) async fn observe(
    mut observations: mpsc::Receiver<xds::Observation>,
    observed: mpsc::Sender<Observed>,
) {
    while let Some(observation) = observations.recv().await {
        if let Some(observation) = observation_of(observation)
            && observed.send(observation).await.is_err()
        {
            return;
        }
    }
}

fn observation_of(observation: xds::Observation) -> Option<Observed> {
    let (caller, what) = match observation {
        xds::Observation::Connected(caller) => (caller, Observation::Connected),
        xds::Observation::Left(caller) => (caller, Observation::Left),
        xds::Observation::Refused(caller, reason) => (caller, Observation::Refused(reason)),
        xds::Observation::Reported(caller, report) => {
            (caller, Observation::Reported(report_of(report)))
        }
        // It is in force when the proxy reports it.
        xds::Observation::Taken(..) => return None,
    };
    let (namespace, name) = caller.gateway.split_once('/')?;
    Some(Observed { gateway: ObjectName::new(namespace, name), pod: caller.pod, what })
}

fn report_of(report: xds::Report) -> Report {
    let target = |target: xds::TargetReport| {
        let state = (target.state != "gone").then_some(TargetState {
            state: target.state,
            revision: target.revision,
            tools: target.tools,
            error: target.error,
        });
        ((target.backend, target.target), state)
    };
    Report {
        is_whole: report.is_whole,
        document: report.document_version,
        targets: report.targets.into_iter().map(target).collect(),
        findings: report.findings.into_iter().map(|one| (one.path, one.message)).collect(),
    }
}
