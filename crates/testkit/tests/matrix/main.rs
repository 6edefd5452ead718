//! What MCP.md 7 asks of every legacy revision, for every kind of client against every kind of target; what came of it
//! is `docs/matrix.md`.

mod behaviour;
mod cell;
mod ids;
mod leaving;
mod logging;
mod names;
mod negotiation;
mod opaque;
mod page;
mod pages;
mod questions;
mod routes;
mod sessions;
mod shapes;
mod steps;
mod updates;
mod uris;

use std::collections::BTreeMap;
use std::sync::Arc;

use testkit::{CallerKind, HostKind};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::behaviour::{Behaviour, Reason};
use crate::cell::Cell;
use crate::page::Page;

/// How many cells are tried at once.
const AT_ONCE: usize = 12;

/// All behaviours, in the order of their numbers.
fn behaviours() -> Vec<Behaviour> {
    let mut behaviours = [
        pages::BEHAVIOURS,
        questions::BEHAVIOURS,
        routes::BEHAVIOURS,
        leaving::BEHAVIOURS,
        ids::BEHAVIOURS,
        updates::BEHAVIOURS,
        uris::BEHAVIOURS,
        names::BEHAVIOURS,
        shapes::BEHAVIOURS,
        opaque::BEHAVIOURS,
        negotiation::BEHAVIOURS,
        sessions::BEHAVIOURS,
        logging::BEHAVIOURS,
    ]
    .concat();
    behaviours.sort_by_key(|behaviour| behaviour.number);
    behaviours
}

/// What came of a cell that did not fail.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Pass,
    NotApplicable(&'static Reason),
}

/// The outcome of every behaviour, by its place among them, in every cell.
type Outcomes = BTreeMap<(usize, CallerKind, HostKind), Outcome>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn every_behaviour_holds_for_every_client_against_every_kind_of_target() -> anyhow::Result<()>
{
    let behaviours = behaviours();
    let (outcomes, failures) = run(&behaviours).await;
    anyhow::ensure!(failures.is_empty(), "{} cells:\n{}", failures.len(), failures.join("\n"));
    Page { behaviours: &behaviours, outcomes: &outcomes }.check()
}

async fn run(behaviours: &[Behaviour]) -> (Outcomes, Vec<String>) {
    let (mut outcomes, mut failures) = (Outcomes::new(), Vec::new());
    let (mut running, places) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
    for (row, behaviour) in behaviours.iter().enumerate() {
        for cell in Cell::all() {
            let key = (row, cell.client, cell.target);
            if let Some(reason) = (behaviour.without)(cell) {
                outcomes.insert(key, Outcome::NotApplicable(reason));
                continue;
            }
            let (check, place) = (behaviour.check, places.clone());
            let name =
                format!("{}, {}, {}: ", behaviour.name, cell.client_name(), cell.target_name());
            running.spawn(async move {
                let _place = place.acquire_owned().await;
                // A task of its own, so that a panic is a failure of this cell alone.
                let failure = match tokio::spawn(check(cell)).await {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(format!("{name}{error:#}")),
                    Err(error) => Some(format!("{name}{error}")),
                };
                (key, failure)
            });
        }
    }
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok((key, None)) => {
                outcomes.insert(key, Outcome::Pass);
            }
            Ok((_, Some(failure))) => failures.push(failure),
            Err(error) => failures.push(error.to_string()),
        }
    }
    (outcomes, failures)
}
