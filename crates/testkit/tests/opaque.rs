//! What nobody edits is as it was written, to the byte and for clients of every revision: members that nobody knows,
//! numbers that a parser would change, texts that only look alike (MCP.md 7, test 24). `bytes.rs` says the same of calls
//! over every transport.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Host, REVISIONS, RawCall, Wire, gateway_of, in_mid_stream, one_tool, request};

/// Whatever may stand in an object: no two numbers or keys in it are the same text.
const ODD: &str = concat!(
    r#""taskIds":["1",1,1.0],"one":1,"one.0":1.0,"exponent":1E+2,"minus":-0.0,"big":9223372036854775808,"#,
    r#""bigger":123456789012345678901234567890,"tiny":1.10e-30,"null":null,"#,
    "\"é\":1,\"e\u{301}\":2,\"\\u00E9 \":3,\"\\uD83D\\uDE00\":\"\\/\",\"😀 \":\"\\u0041\",",
    r#""spaced" : [ 1 ,{ } ]"#
);

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn an_entry_of_a_list_is_as_its_target_wrote_it_but_for_its_name_or_uri() -> anyhow::Result<()>
{
    let a = Host::start(|method, params| match method {
        "initialize" => Some(json!({ "tools": {}, "prompts": {}, "resources": {} })),
        "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list" => None,
        _ => one_tool(method, params),
    })
    .await?;
    let b = Host::of_one_tool().await?;
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    let listing = tokio::spawn(list(a));
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        for list in LISTS {
            let answer = wire.post(request("1", list.method, &json!({}))).await?;
            let text = String::from_utf8(answer.body.to_vec())?;
            let (native, seen) = list.key;
            let mut wanted = list.item().replacen(native, seen, 1);
            if revision < "2025-06-18" {
                wanted = wanted.replace(OUTPUT, "");
            }
            anyhow::ensure!(text.contains(&wanted), "{revision}: no {wanted} in {text}");
        }
    }
    anyhow::ensure!(!listing.is_finished(), "it could not list");
    listing.abort();
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_request_is_as_its_client_wrote_it_but_for_id_and_name() -> anyhow::Result<()> {
    let (a, b) = (Host::start(everything).await?, Host::start(everything).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        for (method, params, seen, native) in REQUESTS {
            let params = params.replace("ODD", ODD);
            let body = |id: &str, params: &str| {
                format!(
                    r#"{{"params":{params},{ODD}, "id" : {id},"method":"{method}","jsonrpc":"2.0"}}"#
                )
            };
            let sent = body("18446744073709551617", &params.replace("NAME", seen));
            let (answered, asked) = tokio::join!(wire.post(sent), async {
                let call = a.call().await?;
                let (id, asked) = (call.request.id(), call.request.body.clone());
                answer(call, &format!(r#""result":{{{ODD},"content":[]}}"#))?;
                anyhow::Ok((id, asked))
            });
            let (id, asked) = asked?;
            assert_eq!(asked, body(&id, &params.replace("NAME", native)), "{revision} {method}");
            let text = String::from_utf8(answered?.body.to_vec())?;
            anyhow::ensure!(text.contains("\"id\":18446744073709551617"), "{revision}: {text}");
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_result_is_as_its_target_wrote_it_but_for_id_and_uris() -> anyhow::Result<()> {
    let (a, b) = (Host::start(everything).await?, Host::start(everything).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        for (method, params, seen, _) in REQUESTS {
            let params = params.replace("ODD", "\"x\":1").replace("NAME", seen);
            let params: Value = serde_json::from_str(&params)?;
            let id = "\"\\u0031\"";
            for written in [
                format!(
                    r#""result":{{{ODD},"_meta":{{{ODD}}},"content":[{{"type":"text","text":"\u0041","uri":"memo:x",{ODD}}}]}}"#
                ),
                format!(
                    r#""result":{{"messages":[{{"role":"user","content":{{"type":"resource","resource":{{"uri":"https:\/\/example.com","text":"",{ODD}}},{ODD}}},{ODD}}}]}}"#
                ),
                format!(
                    r#""result":{{"contents":[{{{ODD},"uri":"https:\/\/example.com","blob":"\u0041"}}],"completion":{{{ODD}}}}}"#
                ),
                format!(r#""error":{{"code":-32602,"message":"\u0041","data":{{{ODD}}},{ODD}}}"#),
                format!(r#""error":{{{ODD},"code":-1.5e1,"message":"","data":[{{{ODD}}}]}}"#),
            ] {
                let (answered, told) =
                    tokio::join!(wire.post(request(id, method, &params)), async {
                        answer(a.call().await?, &written)
                    });
                told?;
                let text = String::from_utf8(answered?.body.to_vec())?;
                let wanted = format!(r#"{{{written},"jsonrpc":"2.0","id":{id},"x":1.50}}"#);
                anyhow::ensure!(
                    text.trim_end().ends_with(&wanted),
                    "{revision} {method}:\n got    {text}\n wanted {wanted}"
                );
            }
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn structured_content_and_its_schema_are_as_their_target_wrote_them() -> anyhow::Result<()> {
    let (a, b) = (Host::start(everything).await?, Host::start(everything).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in ["2025-06-18", "2025-11-25"] {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let written =
            format!(r#""result":{{"content":[],"structuredContent":{{{ODD},"uri":"memo:x"}}}}"#);
        let body = request("1", "tools/call", &json!({ "name": "a_work" }));
        let (answered, told) =
            tokio::join!(wire.post(body), async { answer(a.call().await?, &written) });
        told?;
        let text = String::from_utf8(answered?.body.to_vec())?;
        anyhow::ensure!(text.contains(&written), "{revision}: {text}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_notification_in_a_call_is_as_its_target_wrote_it_but_for_its_token() -> anyhow::Result<()>
{
    let (a, b) = (Host::start(everything).await?, Host::start(everything).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let (mut stream, mut call) = in_mid_stream(&mut wire, &a, "15.0", "a_work").await?;
        let progress = |token: &str| {
            format!(
                r#"{{"method":"notifications/progress","params":{{{ODD},"progressToken":{token},"progress":2.0}},{ODD},"jsonrpc":"2.0"}}"#
            )
        };
        call.send(&progress(&call.request.progress_token()))?;
        let (event, _) = stream.message().await?;
        assert_eq!(event.data, progress("15.0"), "{revision}");
        let line = format!(
            r#"{{"method":"notifications/message","params":{{"data":{{{ODD}}},"level":"error",{ODD}}},"jsonrpc":"2.0"}}"#
        );
        call.send(&line)?;
        let (event, _) = stream.message().await?;
        assert_eq!(event.data, line, "{revision}");
        call.result(&json!({ "content": [] }))?;
        stream.rest().await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn capabilities_are_as_they_were_written_where_there_is_one_target() -> anyhow::Result<()> {
    let a = Host::start(|method, params| match method {
        "initialize" => serde_json::from_str(KNOWN_TO_NOBODY).ok(),
        _ => one_tool(method, params),
    })
    .await?;
    let gateway = gateway_of(&[("a", &a)], "").await?;
    for revision in REVISIONS {
        let client = format!(
            r#"{{"protocolVersion":"{revision}",{CLIENT},"clientInfo":{{"name":"\u0041","version":"1.0","x":1.0}}}}"#
        );
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{client}}}"#);
        let mut wire = Wire::new(&gateway.url("/mcp"))?;
        let answer = wire.post(body).await?;
        let text = String::from_utf8(answer.body.to_vec())?;
        anyhow::ensure!(text.contains(KNOWN_TO_NOBODY), "{revision}: {text}");
        let session = answer.headers.get("mcp-session-id").context("no session")?;
        wire.session = Some(session.to_str()?.to_owned());
        wire.tell(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await?;
        call_once(&mut wire, &a).await?;
        let visits = a.visits.all();
        let mut hellos = visits.iter().flat_map(|visit| visit.requests.all());
        anyhow::ensure!(
            hellos.any(|hello| hello.is("initialize") && hello.body.contains(CLIENT)),
            "{revision}: nobody heard of {CLIENT}"
        );
    }
    Ok(())
}

/// The capabilities of a server, as it writes them.
const KNOWN_TO_NOBODY: &str = r#"{"experimental":{"big":9223372036854775808,"one":1,"one.0":1.0,"é":[]},"taskIds":[1.0],"tools":{"listChanged":true,"x":{}}}"#;

/// The capabilities of a client, as it writes them; they travel in its session id, which is short.
const CLIENT: &str = r#""capabilities":{"experimental":{"taskIds":[1,1.0],"big":9223372036854775808,"é":"\u00E9"} ,"x-one":1.0}"#;

/// What a list is asked for with, and an entry of it.
struct List {
    method: &'static str,
    member: &'static str,
    key: (&'static str, &'static str),
    rest: &'static str,
}

impl List {
    fn item(&self) -> String {
        format!("{{{ODD},{},{}}}", self.key.0, self.rest.replace("ODD", ODD))
    }
}

/// What clients of revisions without structured content do not get to see.
const OUTPUT: &str =
    r##","outputSchema":{"type":"object","$ref":"#\/$defs\/é","$defs":{"é":{"const":1.0}}}"##;

const LISTS: &[List] = &[
    List {
        method: "tools/list",
        member: "tools",
        key: (r#""name":"\u006fdd""#, r#""name":"a_odd""#),
        rest: concat!(
            r#""execution":{"taskSupport":"optional",ODD},"annotations":{"readOnlyHint":true,ODD},"_meta":{ODD},"#,
            r##""inputSchema":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","##,
            r##""$defs":{"é":{"$anchor":"a","const":1.0,"enum":[1,1.0,null,{ODD}]}},"##,
            r##""properties":{"p":{"$ref":"#\/$defs\/é","default":null,"multipleOf":0.10,"maximum":9223372036854775808,"x-odd":{ODD}}},"##,
            r##""allOf":[{"anyOf":[{"required":["p"]},{"not":{}}]}],"if":{"minProperties":1e0},"then":{},"else":{"$dynamicRef":"#a"},"##,
            r##""patternProperties":{"^\\u00e9":true},"unevaluatedProperties":false,"additionalProperties":false,"$comment":"\u0041"}"##,
            r##","outputSchema":{"type":"object","$ref":"#\/$defs\/é","$defs":{"é":{"const":1.0}}}"##
        ),
    },
    List {
        method: "prompts/list",
        member: "prompts",
        key: (r#""name":"\u006fdd""#, r#""name":"a_odd""#),
        rest: r#""arguments":[{"name":"\u0041","required":false,ODD}],"_meta":{ODD}"#,
    },
    List {
        method: "resources/list",
        member: "resources",
        key: (r#""uri":"memo:\u006fdd""#, r#""uri":"a+memo:odd""#),
        rest: r#""name":"\u0041","size":1e2,"annotations":{"priority":0.50,ODD},"_meta":{ODD}"#,
    },
    List {
        method: "resources/templates/list",
        member: "resourceTemplates",
        key: (r#""uriTemplate":"memo:{\u006fdd}""#, r#""uriTemplate":"a+memo:{odd}""#),
        rest: r#""name":"\u0041","_meta":{ODD}"#,
    },
];

/// Requests that one target answers: what a client says of whose, and what its target does.
const REQUESTS: [(&str, &str, &str, &str); 6] = [
    (
        "tools/call",
        r#"{ODD,"name":NAME,"arguments":{ODD},"_meta":{ODD}}"#,
        r#""\u0061_work""#,
        r#""work""#,
    ),
    ("prompts/get", r#"{"name":NAME,"arguments":{ODD},ODD}"#, r#""a_work""#, r#""work""#),
    ("resources/read", r#"{"_meta":{ODD},"uri":NAME}"#, r#""a+memo:x""#, r#""memo:x""#),
    ("resources/subscribe", r#"{"uri":NAME,ODD}"#, r#""a+memo:x""#, r#""memo:x""#),
    ("resources/unsubscribe", r#"{"uri":NAME,ODD}"#, r#""a+memo:x""#, r#""memo:x""#),
    (
        "completion/complete",
        r#"{"context":{"arguments":{ODD}},"argument":{"name":"x","value":"",ODD},"ref":{"type":"ref/prompt",ODD,"name":NAME}}"#,
        r#""a_work""#,
        r#""work""#,
    ),
];

/// A server that has everything, and whose calls the test answers.
fn everything(method: &str, params: &Value) -> Option<Value> {
    match method {
        "initialize" => Some(json!({
            "tools": {}, "prompts": {}, "resources": { "subscribe": true }, "completions": {},
            "logging": {},
        })),
        "prompts/list" => Some(json!({ "prompts": [{ "name": "work" }] })),
        "resources/list" => Some(json!({ "resources": [] })),
        "resources/templates/list" => Some(json!({ "resourceTemplates": [] })),
        _ => one_tool(method, params),
    }
}

/// Answers whatever lists a server is asked for.
async fn list(host: Host) -> anyhow::Result<()> {
    loop {
        // Nobody may have asked for a while.
        let Ok(call) = host.call().await else { continue };
        let method = method_of(&call);
        let list = LISTS.iter().find(|list| list.method == method);
        let list = list.with_context(|| format!("asked for {}", call.request.body))?;
        let result = format!(r#"{{{ODD},"{}":[{}]}}"#, list.member, list.item());
        answer(call, &format!("\"result\":{result}"))?;
    }
}

async fn call_once(wire: &mut Wire, host: &Host) -> anyhow::Result<()> {
    let body = request("2", "tools/call", &json!({ "name": "work" }));
    let (answered, told) =
        tokio::join!(wire.post(body), async { answer(host.call().await?, r#""result":{}"#) });
    told?;
    anyhow::ensure!(answered?.status.is_success(), "not called");
    Ok(())
}

fn method_of(call: &RawCall) -> String {
    let message = call.request.message();
    message.get("method").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Answers with a result or an error as it is written.
fn answer(call: RawCall, written: &str) -> anyhow::Result<()> {
    let id = call.request.id();
    let text = format!(r#"{{{written},"jsonrpc":"2.0","id":{id},"x":1.50}}"#);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    call.send_raw(format!("{head}content-length: {}\r\n\r\n{text}", text.len()).into_bytes())
}
