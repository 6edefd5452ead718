//! Batches of 2025-03-26: whatever one of their calls would get by itself, it gets in a batch.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{
    Framing, Gateway, Host, RawServer, Wire, gateway_of, notification, progress, request,
    tool_call, within,
};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn progress_of_a_batch_is_heard_before_its_answers() -> anyhow::Result<()> {
    let server = RawServer::start(Framing::Events).await?;
    let gateway = start(&server).await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-03-26").await?;
    let calls = ["\"one\"", "\"two\""].map(|id| tool_call(id, "work"));
    let reading = wire.post_and_read(format!("[{}]", calls.join(",")));
    let (reading, answered) = tokio::join!(reading, answer(&server, 2));
    answered?;
    let messages = reading?.whole().await?.messages()?;
    let (told, answers): (Vec<Value>, Vec<Value>) =
        messages.into_iter().partition(|message| message.get("method").is_some());
    let mut tokens: Vec<&Value> =
        told.iter().filter_map(|message| message.pointer("/params/progressToken")).collect();
    tokens.sort_by_key(|token| token.to_string());
    assert_eq!(tokens, [&json!("one"), &json!("two")]);
    let ids: Vec<&Value> = answers.iter().filter_map(|message| message.get("id")).collect();
    assert_eq!(ids, [&json!("one"), &json!("two")], "in the order of the batch");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_batch_for_a_client_of_json_alone_is_one_array() -> anyhow::Result<()> {
    let server = RawServer::start(Framing::Events).await?;
    let gateway = start(&server).await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-03-26").await?;
    let batch = format!(
        "[{},{},{}]",
        request("1", "ping", &json!({})),
        notification("notifications/initialized", &json!({})),
        tool_call("\"two\"", "work")
    );
    let json = [("accept", "application/json")];
    let (answer, answered) = tokio::join!(wire.post_with(batch, &json), answer(&server, 1));
    answered?;
    let body: Value = serde_json::from_slice(&answer?.body)?;
    let ids: Vec<&Value> =
        body.as_array().into_iter().flatten().filter_map(|message| message.get("id")).collect();
    assert_eq!(ids, [&json!(1), &json!("two")]);
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_batch_that_nobody_comes_back_for_is_given_up_after_the_time_for_that()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let limits = "limits: { orphanCall: 2s, batchConcurrency: 1 }\n";
    let gateway = gateway_of(&[("a", &a), ("b", &b)], limits).await?;
    let wire = Wire::open(&gateway.url("/mcp"), "2025-03-26").await?;
    let calls = ["\"one\"", "\"two\""].map(|id| tool_call(id, "a_work"));
    let mut beside = wire.beside();
    let posted = tokio::spawn(async move {
        let _ = beside.post(format!("[{}]", calls.join(","))).await;
    });
    let call = a.call().await?;
    posted.abort();
    let left = Instant::now();
    let visit = a.visit_of(&call.request)?;
    visit.sees("notifications/cancelled").await?;
    anyhow::ensure!(left.elapsed() < Duration::from_secs(4), "its time has begun anew");
    // The other element is not begun for nobody.
    within("a line for each", async {
        let lines = || {
            gateway.process.log.all().iter().filter(|line| line.contains("error=cancelled")).count()
        };
        while lines() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await?;
    wire.beside().delete().await?;
    assert_eq!(a.count("tools/call"), 1);
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn every_call_of_a_batch_has_a_line_in_the_access_log() -> anyhow::Result<()> {
    let server = RawServer::start(Framing::Json).await?;
    let gateway = start(&server).await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-03-26").await?;
    let batch = format!("[{},{}]", tool_call("1", "work"), tool_call("2", "other"));
    let (answer, answered) = tokio::join!(wire.post(batch), async {
        for _ in 0..2 {
            let mut call = server.call().await?;
            let tool = call.request.message().pointer("/params/name").cloned();
            if tool == Some(json!("work")) {
                call.result(&json!({}))?;
            } else {
                call.send("{}")?;
                call.end()?;
            }
        }
        anyhow::Ok(())
    });
    answered?;
    anyhow::ensure!(answer?.status.is_success(), "no answer");
    let served = gateway.access_line("the call", |line| line.contains("tool=work")).await?;
    for part in ["target=raw", "status=200", "ended=complete"] {
        anyhow::ensure!(served.contains(part), "no {part} in {served}");
    }
    let failed = gateway.access_line("the other", |line| line.contains("tool=other")).await?;
    for part in ["target=raw", "ended=target_failed", "error=invalid"] {
        anyhow::ensure!(failed.contains(part), "no {part} in {failed}");
    }
    gateway.access_line("the batch", |line| line.contains("method=batch")).await?;
    let lines = gateway.process.log.all();
    let of_the_batch = lines.iter().filter(|line| line.contains(" ended=")).count();
    assert_eq!(of_the_batch, 5, "two to begin with, the batch and its two calls: {lines:?}");
    Ok(())
}

async fn start(server: &RawServer) -> anyhow::Result<Gateway> {
    let target = server.target("raw", Path::new("none"));
    Gateway::native(&format!("targets:\n{target}")).await
}

/// Answers so many calls, each after some progress.
async fn answer(server: &RawServer, calls: usize) -> anyhow::Result<()> {
    for _ in 0..calls {
        let mut call = server.call().await?;
        call.send(&progress(&call.request.progress_token(), 1))?;
        call.result(&json!({}))?;
    }
    Ok(())
}
