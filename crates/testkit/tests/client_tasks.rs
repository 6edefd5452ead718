//! Tasks that a client keeps (2025-11-25): each of several targets has its own there and sees no other's.

use serde_json::{Value, json};
use testkit::{
    EventStream, Host, RawCall, Wire, gateway_of, in_mid_stream, notification, request, response,
};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_task_of_the_client_belongs_to_the_target_that_asked_for_it() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    let able = json!({
        "sampling": {},
        "tasks": { "list": {}, "cancel": {}, "requests": { "sampling": { "createMessage": {} } } },
    });
    let mut wire = Wire::open_with(&gateway.url("/mcp"), "2025-11-25", able).await?;
    let mut beside = wire.beside();
    let mut client = wire.beside();
    let (mut stream_a, mut call_a) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
    let (mut stream_b, mut call_b) = in_mid_stream(&mut beside, &b, "2", "b_work").await?;

    // The client makes a task of what `a` asks.
    let sample = json!({ "messages": [], "maxTokens": 1, "task": { "ttl": 60_000 } });
    call_a.send(&request("0", "sampling/createMessage", &sample))?;
    let asked = stream_a.method("sampling/createMessage").await?;
    assert_eq!(asked.pointer("/params/task/ttl"), Some(&json!(60_000)));
    let task = json!({ "taskId": "t1", "status": "working", "ttl": 60_000 });
    client.tell(response(id(&asked), &json!({ "task": task }))).await?;
    let kept = a.visit_of(&call_a.request)?.answer("0").await?;
    assert_eq!(kept.pointer("/result/task/taskId"), Some(&json!("t1")));

    // It is there for `a`, and for nobody else.
    let about = json!({ "taskId": "t1" });
    call_b.send(&request("7", "tasks/get", &about))?;
    let refused = b.visit_of(&call_b.request)?.answer("7").await?;
    assert_eq!(refused.pointer("/error/code"), Some(&json!(-32602)));
    call_a.send(&request("7", "tasks/get", &about))?;
    let asked = stream_a.method("tasks/get").await?;
    assert_eq!(asked.pointer("/params/taskId"), Some(&json!("t1")));
    client.tell(response(id(&asked), &task)).await?;
    let got = a.visit_of(&call_a.request)?.answer("7").await?;
    assert_eq!(got.pointer("/result/taskId"), Some(&json!("t1")));

    let other = json!({ "taskId": "the client's own", "status": "working" });
    let all = json!({ "tasks": [task, other] });
    let of_a = listed(&a, &mut call_a, &mut stream_a, &mut client, &all).await?;
    assert_eq!(of_a, json!({ "tasks": [task] }));
    let of_b = listed(&b, &mut call_b, &mut stream_b, &mut client, &all).await?;
    assert_eq!(of_b, json!({ "tasks": [] }));

    // What the client says of it is said to `a`.
    client.tell(notification("notifications/tasks/status", &task)).await?;
    a.visit_of(&call_a.request)?.sees("notifications/tasks/status").await?;
    // What `b` is asked afterwards arrives after what was not said to it.
    let (answer, called) = tokio::join!(client.call("b_work", json!({})), async {
        b.call().await?.result(&json!({ "content": [] }))
    });
    called?;
    anyhow::ensure!(answer?.get("result").is_some(), "no answer of `b`");
    assert_eq!(b.count("notifications/tasks/status"), 0);
    call_a.result(&json!({ "content": [] }))?;
    call_b.result(&json!({ "content": [] }))
}

/// What a target is told of the tasks that a client says it keeps.
async fn listed(
    host: &Host,
    call: &mut RawCall,
    stream: &mut EventStream,
    client: &mut Wire,
    all: &Value,
) -> anyhow::Result<Value> {
    call.send(&request("8", "tasks/list", &json!({})))?;
    let asked = stream.method("tasks/list").await?;
    client.tell(response(id(&asked), all)).await?;
    let answer = host.visit_of(&call.request)?.answer("8").await?;
    Ok(answer.get("result").cloned().unwrap_or_default())
}

fn id(message: &Value) -> &Value {
    message.get("id").unwrap_or(&Value::Null)
}
