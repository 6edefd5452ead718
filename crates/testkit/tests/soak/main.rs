//! Many clients of a federation whose targets ask them all the time: no answer reaches another than who asked, and when
//! the clients have left, however they left, nothing of them stays.

mod client;
mod gauges;
mod question;
mod target;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use rustix::process::{Resource, getrlimit, setrlimit};
use testkit::{Gateway, Start, say};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::gauges::Gauges;
use crate::question::{CALLS, PLACES, UNANSWERED};
use crate::target::Target;

const CLIENTS: usize = 200;
/// Every tenth of them speaks HTTP+SSE.
const OF_SSE: usize = 10;
const TARGETS: [&str; 2] = ["a", "b"];
const CYCLES: usize = 3;
/// What targets ask and clients answer, in every cycle.
const ANSWERS: usize = CLIENTS * TARGETS.len() * CALLS * PLACES.len();

/// Short, so that a client that only goes away is soon known to have gone.
const LIMITS: &str = "limits: { sessionIdle: 2s, orphanCall: 1s }\n";
/// What the allocator keeps for each thread would count as in use.
const ALLOCATOR: (&str, &str) = ("_RJEM_MALLOC_CONF", "tcache:false");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn two_hundred_clients_answer_who_asked_and_leave_nothing_behind() -> anyhow::Result<()> {
    open_files_are_enough()?;
    let targets = [Target::start(TARGETS[0]).await?, Target::start(TARGETS[1]).await?];
    let of_targets: String = targets.iter().map(|target| target.lines()).collect();
    let gateway = Arc::new(
        Gateway::start(Start {
            files: vec![("portico.yaml", format!("{LIMITS}targets:\n{of_targets}"))],
            variables: vec![(ALLOCATOR.0, ALLOCATOR.1.to_owned())],
            // Its buffers stay as large as its longest batch of lines was.
            access_log: Some("off"),
            ..Start::default()
        })
        .await?,
    );
    let before =
        gauges::left(&gateway, &targets, "the gateway has read the lists", |_| true).await?;
    before.are_empty()?;
    let mut first: Option<Gauges> = None;
    for cycle in 1..=CYCLES {
        let begun = Instant::now();
        let answered =
            check_cycle(&gateway, &targets).await.with_context(|| format!("cycle {cycle}"))?;
        anyhow::ensure!(answered == ANSWERS, "cycle {cycle}: {answered} answers");
        let worked = begun.elapsed();
        let is_over = |gauges: &Gauges| {
            let is_small = first.as_ref().is_none_or(|first| gauges.use_as_much_as(first));
            gauges.are_empty().is_ok() && gauges.tasks <= before.tasks && is_small
        };
        let what = format!("nothing of cycle {cycle} is left, as after the first: {first:?}");
        let gauges = gauges::left(&gateway, &targets, &what, is_over).await?;
        targets.iter().try_for_each(|target| target.each_question_has_one_answer())?;
        say(&format!(
            "soak, cycle {cycle}: {answered} answers in {worked:.1?}, {} bytes and {} tasks {:.1?} after",
            gauges.memory,
            gauges.tasks,
            begun.elapsed() - worked,
        ));
        first.get_or_insert(gauges);
    }
    Ok(())
}

/// All clients come, are asked, and leave; how many answers came to who had asked.
async fn check_cycle(
    gateway: &Arc<Gateway>,
    targets: &[Arc<Target>; TARGETS.len()],
) -> anyhow::Result<usize> {
    let [a, b] = targets;
    let calls = CLIENTS * (CALLS + 1);
    let (of_a, of_b, ()) = tokio::try_join!(a.serve(calls), b.serve(calls), visit(gateway))?;
    Ok(of_a + of_b)
}

async fn visit(gateway: &Arc<Gateway>) -> anyhow::Result<()> {
    let clients = each(0..CLIENTS, |number| {
        let gateway = gateway.clone();
        async move {
            match number % OF_SSE {
                1 => Client::of_sse(&gateway, number).await,
                _ => Client::of_streamable(&gateway, number).await,
            }
        }
    })
    .await?;
    let clients = each(clients, Client::work).await?;
    let gauges = Gauges::read(gateway).await?;
    let expected =
        (CLIENTS, CLIENTS, CLIENTS * TARGETS.len(), CLIENTS * TARGETS.len() * UNANSWERED.len());
    let seen = (gauges.sessions, gauges.streams, gauges.exchanges, gauges.pending_requests);
    anyhow::ensure!(seen == expected, "{gauges:?}, not {expected:?}");
    each(clients, Client::leave).await.map(drop)
}

/// Does it with each of them at the same time.
async fn each<T, R, F>(
    all: impl IntoIterator<Item = T>,
    act: impl Fn(T) -> F,
) -> anyhow::Result<Vec<R>>
where
    F: Future<Output = anyhow::Result<R>> + Send + 'static,
    R: Send + 'static,
{
    let mut tasks: JoinSet<_> = all.into_iter().map(act).collect();
    let mut results = Vec::new();
    while let Some(done) = tasks.join_next().await {
        results.push(done.context("a client panicked")??);
    }
    Ok(results)
}

/// Each client has six connections, and each of its sessions at a target some; many systems give a process a thousand
/// files until it asks for more. The gateway inherits it.
fn open_files_are_enough() -> anyhow::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("cannot open as many files")
}
