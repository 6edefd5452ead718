//! One conversation, from the first message to the last.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Exchange, Peers, Played, Player, PlayerKind, Recorder};

use crate::exceptions::Server;
use crate::steps::{Step, THE_TASK, steps};

/// The recorders of a conversation: directly, both are the same one.
#[derive(Clone, Copy)]
pub(crate) struct Wires<'a> {
    /// The one that the client talks to.
    pub(crate) client: &'a Recorder,
    /// The one that talks to the server.
    pub(crate) server: &'a Recorder,
}

/// Connects the client to `path`, and has it do everything there is.
pub(crate) async fn play(
    (client, server): (PlayerKind, Server),
    peers: &Peers,
    wires: Wires<'_>,
    path: &str,
) -> anyhow::Result<()> {
    let recorder = wires.client;
    let url = format!("http://127.0.0.1:{}{path}", recorder.port);
    let mut player = Player::connect(client, peers, &url).await?;
    recorder.sees("a stream of the client", Exchange::listens).await?;
    if server == Server::Everything {
        // It asks for the roots a moment after it was initialized, and then says how many there are.
        told(recorder, "roots/list", 1).await?;
        told(recorder, "notifications/message", 1).await?;
    }
    let mut task = Value::Null;
    for mut step in steps(client, server) {
        if step.params.get("taskId") == Some(&json!(THE_TASK)) {
            step.params = json!({ "taskId": task });
        }
        let Step { method, params, .. } = &step;
        let what = format!("{method} {params}");
        let played = if step.is_cancelled {
            cancel(&mut player, wires, step).await.context(what)?
        } else {
            take(&mut player, recorder, step).await.context(what)?
        };
        if let Some(made) = played.result.pointer("/task/taskId") {
            task = made.clone();
        }
    }
    player.leave().await
}

/// Asks, and awaits what comes of it and what else the client is told.
async fn take(player: &mut Player, recorder: &Recorder, step: Step) -> anyhow::Result<Played> {
    let before = step.told.map(|what| count(recorder, what));
    let played = player.play(step.method, step.params).await?;
    if let (Some(what), Some(before)) = (step.told, before) {
        told(recorder, what, before + 1).await?;
    }
    Ok(played)
}

/// Asks, and cancels it once the server has it; awaits that everybody knows.
async fn cancel(player: &mut Player, wires: Wires<'_>, step: Step) -> anyhow::Result<Played> {
    let cancelled = "notifications/cancelled";
    let taken_before = taken(&wires.server.exchanges.all(), step.method);
    let told_before = step.told.map(|what| count(wires.client, what));
    player.begin(step.method, step.params).await?;
    takes(wires.server, step.method, taken_before + 1).await?;
    if let (Some(what), Some(before)) = (step.told, told_before) {
        told(wires.client, what, before + 1).await?;
    }
    let known_before =
        [wires.client, wires.server].map(|wire| taken(&wire.exchanges.all(), cancelled));
    player.cancel().await?;
    for (wire, before) in [wires.client, wires.server].into_iter().zip(known_before) {
        takes(wire, cancelled, before + 1).await?;
    }
    Ok(Played::default())
}

/// Awaits that the client was told `method` so often, outside of calls or in them.
async fn told(recorder: &Recorder, method: &str, times: usize) -> anyhow::Result<()> {
    let what = format!("{times} of `{method}` for the client");
    let exchanges = &recorder.exchanges;
    exchanges.until(&what, |seen| (counted(seen, method) >= times).then_some(())).await
}

fn count(recorder: &Recorder, method: &str) -> usize {
    counted(&recorder.exchanges.all(), method)
}

fn counted(exchanges: &[Exchange], method: &str) -> usize {
    exchanges.iter().map(|exchange| exchange.brought(method)).sum()
}

/// Awaits that `method` was posted so often, and each time taken.
async fn takes(recorder: &Recorder, method: &str, times: usize) -> anyhow::Result<()> {
    let what = format!("{times} of `{method}` to be taken");
    let exchanges = &recorder.exchanges;
    exchanges.until(&what, |seen| (taken(seen, method) >= times).then_some(())).await
}

fn taken(exchanges: &[Exchange], method: &str) -> usize {
    let is_taken = |exchange: &&Exchange| {
        exchange.answer.is_some() && exchange.asks().as_deref() == Some(method)
    };
    exchanges.iter().filter(is_taken).count()
}
