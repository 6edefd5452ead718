//! What nobody edits is as it was written.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Caller, Host, RawCall, Record, one_tool};

use crate::behaviour::{Behaviour, everywhere};
use crate::cell::Cell;

pub(crate) const BEHAVIOURS: &[Behaviour] = &[Behaviour {
    number: 24,
    name: "What nobody edits is as it was written, to the byte",
    meaning: "Unknown members, `1` beside `1.0`, numbers over 2^64, texts that only look alike and odd spaces: in a \
              tool as it is listed, in a call and in its result, in progress and in log lines. Names, ids and tokens \
              alone change.",
    file: file!(),
    without: everywhere,
    check: |cell| Box::pin(as_written(cell)),
}];

/// Whatever may stand in an object: no two numbers or keys in it are the same text.
const ODD: &str = concat!(
    r#""taskIds":["1",1,1.0],"one":1,"one.0":1.0,"exponent":1E+2,"minus":-0.0,"big":9223372036854775808,"#,
    r#""bigger":123456789012345678901234567890,"tiny":1.10e-30,"null":null,"#,
    "\"é\":1,\"e\u{301}\":2,\"\\u00E9 \":3,\"\\uD83D\\uDE00\":\"\\/\",\"😀 \":\"\\u0041\",",
    r#""spaced" : [ 1 ,{ } ]"#
);

/// A tool but for its name.
fn tool() -> String {
    format!(
        r##""execution":{{"taskSupport":"optional",{ODD}}},"annotations":{{"readOnlyHint":true,{ODD}}},"_meta":{{{ODD}}},"inputSchema":{{"type":"object","$defs":{{"é":{{"const":1.0,"enum":[1,1.0,null,{{{ODD}}}]}}}},"properties":{{"p":{{"$ref":"#\/$defs\/é","multipleOf":0.10,"x-odd":{{{ODD}}}}}}},"patternProperties":{{"^\\u00e9":true}},"unevaluatedProperties":false}}"##
    )
}

async fn as_written(cell: Cell) -> anyhow::Result<()> {
    let a = cell.host(without_answers).await?;
    let b = cell.host(one_tool).await?;
    let front = cell.front(&[("a", &a), ("b", &b)], "").await?;
    let asked: Record<String> = Record::default();
    let answering = tokio::spawn(answer_all(a, asked.clone()));
    let outcome = check(&mut front.open().await?, &asked).await;
    answering.abort();
    outcome
}

async fn check(caller: &mut Caller, asked: &Record<String>) -> anyhow::Result<()> {
    let listed = caller.request("tools/list", json!({})).await?;
    let wanted = format!(r#"{{{ODD},"name":"a_odd",{}}}"#, tool());
    anyhow::ensure!(listed.text.contains(&wanted), "no {wanted}\nin {}", listed.text);

    let body = |id: &str, token: &str, name: &str| {
        format!(
            r#"{{"params":{{{ODD},"name":{name},"arguments":{{{ODD}}},"_meta":{{{ODD},"progressToken":{token}}}}},{ODD}, "id" : {id},"method":"tools/call","jsonrpc":"2.0"}}"#
        )
    };
    let id = "18446744073709551617";
    caller.send(&body(id, "15.0", r#""\u0061_odd""#)).await?;
    let sent = asked.first("a call", |_| true).await?;
    let message: Value = serde_json::from_str(&sent)?;
    let known = |pointer: &str| message.pointer(pointer).map(ToString::to_string);
    let (known_id, token) = (known("/id"), known("/params/_meta/progressToken"));
    let (known_id, token) = (known_id.context("no id")?, token.context("no token")?);
    let wanted = body(&known_id, &token, r#""odd""#);
    anyhow::ensure!(sent == wanted, "the target got {sent}\nnot {wanted}");

    for wanted in [progress("15.0"), line(), result(id)] {
        caller.hears(&wanted, |heard| heard.text == wanted).await?;
    }
    Ok(())
}

fn progress(token: &str) -> String {
    format!(
        r#"{{"method":"notifications/progress","params":{{{ODD},"progressToken":{token},"progress":2.0}},{ODD},"jsonrpc":"2.0"}}"#
    )
}

fn line() -> String {
    format!(
        r#"{{"method":"notifications/message","params":{{"data":{{{ODD}}},"level":"error",{ODD}}},"jsonrpc":"2.0"}}"#
    )
}

fn result(id: &str) -> String {
    format!(
        r#"{{"result":{{{ODD},"_meta":{{{ODD}}},"content":[{{"type":"text","text":"\u0041",{ODD}}}]}},"jsonrpc":"2.0","id":{id},"x":1.50}}"#
    )
}

/// A server whose lists and calls are answered by hand: what is parsed on the way is not as it was written.
fn without_answers(method: &str, params: &Value) -> Option<Value> {
    match method {
        "tools/list" | "tools/call" => None,
        _ => one_tool(method, params),
    }
}

async fn answer_all(host: Host, asked: Record<String>) -> anyhow::Result<()> {
    loop {
        // Nobody may have asked for a while.
        let Ok(call) = host.call().await else { continue };
        answer(call, &asked)?;
    }
}

fn answer(mut call: RawCall, asked: &Record<String>) -> anyhow::Result<()> {
    let id = call.request.id();
    if call.request.is("tools/list") {
        let tool = format!(r#"{{{ODD},"name":"\u006fdd",{}}}"#, tool());
        call.send(&format!(r#"{{"result":{{"tools":[{tool}]}},"jsonrpc":"2.0","id":{id}}}"#))?;
        return call.end();
    }
    asked.push(call.request.body.clone());
    call.send(&progress(&call.request.progress_token()))?;
    call.send(&line())?;
    call.send(&result(&id))?;
    call.end()
}
