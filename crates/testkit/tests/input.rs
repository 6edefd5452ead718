//! What bad input gets: the status and the code that say what is wrong, and the next request as good as ever.

use std::path::Path;

use serde_json::{Value, json};
use testkit::{Framing, Gateway, RawServer, Wire};

const CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","arguments":{}}}"#;

/// A request, and what it gets.
struct Case {
    what: &'static str,
    body: &'static str,
    headers: &'static [(&'static str, &'static str)],
    status: &'static [u16],
    /// The JSON-RPC code, where the body has one.
    code: Option<i64>,
}

const CASES: &[Case] = &[
    case("malformed JSON", r#"{"jsonrpc":"2.0","id":1,"#, &[400, 200], Some(-32700)),
    case("an envelope without a version", r#"{"id":1,"method":"ping"}"#, &[400, 200], Some(-32600)),
    case("a number", "7", &[400, 200], Some(-32600)),
    case(
        "a repeated name",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","name":"play"}}"#,
        &[400, 200],
        Some(-32600),
    ),
    case(
        "a name that is spelled twice by an escape",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","n\u0061me":"play"}}"#,
        &[400, 200],
        Some(-32600),
    ),
    case(
        "a name that is spelled twice by case",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"work","Name":"play"}}"#,
        &[400, 200],
        Some(-32600),
    ),
    case(
        "a repeated method",
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"work"}}"#,
        &[400, 200],
        Some(-32600),
    ),
    Case {
        what: "an unknown session",
        body: CALL,
        headers: &[("mcp-session-id", "nobody-knows-it")],
        status: &[404],
        code: None,
    },
    Case {
        what: "another content type",
        body: CALL,
        headers: &[("content-type", "text/plain")],
        status: &[415],
        code: None,
    },
    Case {
        what: "a content encoding",
        body: CALL,
        headers: &[("content-encoding", "gzip")],
        status: &[415],
        code: None,
    },
    Case {
        what: "an origin of the web",
        body: CALL,
        headers: &[("origin", "https://evil.example")],
        status: &[403],
        code: None,
    },
    Case {
        what: "a host that is not ours on a loopback address",
        body: CALL,
        headers: &[("host", "evil.example")],
        status: &[403, 421],
        code: None,
    },
];

const fn case(
    what: &'static str,
    body: &'static str,
    status: &'static [u16],
    code: Option<i64>,
) -> Case {
    Case { what, body, headers: &[], status, code }
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn bad_requests_get_what_they_deserve_and_cost_nobody_else() -> anyhow::Result<()> {
    let (_servers, gateway) = start().await?;
    let url = gateway.url("/mcp");
    let session = Wire::open(&url, "2025-06-18").await?.session;
    let mut wrong = Vec::new();
    for case in CASES {
        let mut wire = Wire::new(&url)?;
        wire.session = session.clone();
        let answer = wire.post_with(case.body, case.headers).await?;
        let code = code_of(&answer.body);
        if !case.status.contains(&answer.status.as_u16())
            || (case.code.is_some() && code != case.code)
        {
            wrong.push(format!(
                "{}: {} with code {code:?}, not {:?} with {:?}",
                case.what, answer.status, case.status, case.code
            ));
        }
    }
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    check_still_serves(&url).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn an_unknown_tool_is_an_error_with_its_name() -> anyhow::Result<()> {
    let (_servers, gateway) = start().await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    let answer = wire.call("nobody-has-this", json!({})).await?;
    assert_eq!(answer.pointer("/error/code").and_then(Value::as_i64), Some(-32602), "{answer}");
    anyhow::ensure!(answer.to_string().contains("nobody-has-this"), "{answer}");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_body_over_the_limit_is_413_and_one_under_it_passes() -> anyhow::Result<()> {
    let (_servers, gateway) = start().await?;
    let url = gateway.url("/mcp");
    let body = |length: usize| {
        let text = "x".repeat(length);
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"_meta":{{"x":"{text}"}}}}}}"#
        )
    };
    let mut wire = Wire::open(&url, "2025-06-18").await?;
    assert_eq!(wire.post(body(4 << 20)).await?.status.as_u16(), 413);
    let mut wire = Wire::open(&url, "2025-06-18").await?;
    assert_eq!(wire.post(body(3 << 20)).await?.status.as_u16(), 200);
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_head_over_the_limit_is_431_counted_and_logged() -> anyhow::Result<()> {
    let (_servers, gateway) = start().await?;
    let url = gateway.url("/mcp");
    let long = "x".repeat(40 << 10);
    let answer = Wire::new(&url)?.get_with(&[("x-long", &long)]).await?;
    assert_eq!(answer.status.as_u16(), 431);
    gateway.access_line("the refusal", |line| line.contains(" status=431 ")).await?;
    let counted = r#"portico_limit_rejections_total{limit="header_block"} 1"#;
    let metrics = gateway.admin("/metrics").await?;
    anyhow::ensure!(metrics.contains(counted), "{metrics}");
    check_still_serves(&url).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn discovery_paths_are_not_found() -> anyhow::Result<()> {
    let (_servers, gateway) = start().await?;
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"]
    {
        let answer = Wire::new(&gateway.url(path))?.get().await?.whole().await?;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
    }
    let answer = Wire::new(&gateway.url("/register"))?.post("{}").await?;
    assert_eq!(answer.status.as_u16(), 404, "/register");
    Ok(())
}

async fn check_still_serves(url: &str) -> anyhow::Result<()> {
    let mut wire = Wire::open(url, "2025-06-18").await?;
    let tools = wire.tools().await?;
    anyhow::ensure!(tools.contains(&"one_work".to_owned()), "{tools:?}");
    Ok(())
}

async fn start() -> anyhow::Result<([RawServer; 2], Gateway)> {
    let servers =
        [RawServer::start(Framing::Json).await?, RawServer::start(Framing::Events).await?];
    let bridge = Path::new(env!("CARGO_BIN_EXE_stdio-to-tcp"));
    let [one, two] = &servers;
    let targets = format!("{}{}", one.target("one", bridge), two.target("two", bridge));
    let gateway = Gateway::native(&format!("targets:\n{targets}")).await?;
    Ok((servers, gateway))
}

fn code_of(body: &[u8]) -> Option<i64> {
    let value: Value = serde_json::from_slice(body).ok()?;
    value.pointer("/error/code").and_then(Value::as_i64)
}
