//! MCP Apps among several targets: an app calls tools by the names that its own server gave them, its host knows its
//! page by the scheme `ui`, and both find their way (MCP.md 7, test 18).

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Gateway, Host, REVISIONS, Wire, gateway_of, notification, one_call, within};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_tool_that_is_for_apps_alone_is_called_by_the_name_that_its_app_knows()
-> anyhow::Result<()> {
    let (a, b) = (Host::start(dashboard).await?, Host::start(plain).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = open(&gateway, revision).await?;
        let tools = wire.tools().await?;
        assert_eq!(tools, ["a_show_dashboard", "refresh_dashboard", "b_work"], "{revision}");
        for name in ["refresh_dashboard", "a_refresh_dashboard"] {
            assert_eq!(call(&mut wire, name).await?, "refresh_dashboard", "{revision}");
        }
        // An app may call what the model may, and by the bare name as well.
        for name in ["show_dashboard", "a_show_dashboard"] {
            assert_eq!(call(&mut wire, name).await?, "show_dashboard", "{revision}");
        }
    }
    assert_eq!(b.count("tools/call"), 0, "the other target has no such tool");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_bare_name_that_two_targets_have_is_an_invalid_parameter() -> anyhow::Result<()> {
    let (a, b) = (Host::start(dashboard).await?, Host::start(dashboard).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = open(&gateway, revision).await?;
        let tools = wire.tools().await?;
        let prefixed =
            ["a_show_dashboard", "a_refresh_dashboard", "b_show_dashboard", "b_refresh_dashboard"];
        assert_eq!(tools, prefixed, "{revision}");
        let before = (a.count("tools/call"), b.count("tools/call"));
        for name in ["refresh_dashboard", "show_dashboard"] {
            let answer = wire.call(name, json!({})).await?;
            assert_eq!(answer.pointer("/error/code"), Some(&json!(-32602)), "{revision}: {answer}");
            let told = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
            anyhow::ensure!(told.ends_with("ask one of `a`, `b`"), "no candidates: {told}");
        }
        assert_eq!((a.count("tools/call"), b.count("tools/call")), before, "nobody was asked");
        for (host, name) in [(&a, "a_refresh_dashboard"), (&b, "b_refresh_dashboard")] {
            let before = host.count("tools/call");
            assert_eq!(call(&mut wire, name).await?, "refresh_dashboard", "{revision}");
            assert_eq!(host.count("tools/call"), before + 1, "{revision} {name}");
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_bare_name_lasts_until_another_target_gets_the_same_tool() -> anyhow::Result<()> {
    let (a, b) = (Host::start(dashboard).await?, Host::start(plain).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    let mut wire = open(&gateway, "2025-11-25").await?;
    assert_eq!(call(&mut wire, "refresh_dashboard").await?, "refresh_dashboard");
    call(&mut wire, "b_work").await?;
    b.answers(dashboard);
    let visits = b.visits.all();
    let visit = visits.iter().find(|visit| visit.count("tools/call") > 0).context("no session")?;
    visit.say(&notification("notifications/tools/list_changed", &json!({}))).await?;
    within("the other target's tools", async {
        while !wire.tools().await?.iter().any(|tool| tool == "b_refresh_dashboard") {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    })
    .await??;
    let answer = wire.call("refresh_dashboard", json!({})).await?;
    assert_eq!(answer.pointer("/error/code"), Some(&json!(-32602)), "{answer}");
    assert_eq!(call(&mut wire, "a_refresh_dashboard").await?, "refresh_dashboard");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn what_an_app_is_stays_as_its_server_said_it_and_its_page_stays_one_of_an_app()
-> anyhow::Result<()> {
    let (a, b) = (Host::start(dashboard).await?, Host::start(dashboard).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = open(&gateway, revision).await?;
        let list = wire.tool_list().await?;
        let resources = wire.request("resources/list", json!({})).await?;
        for (place, name) in ["a", "b"].into_iter().enumerate() {
            let page = format!("ui://{name}+dashboard/main");
            let show = list.pointer(&format!("/tools/{}/_meta", 2 * place));
            let ui = json!({ "resourceUri": page, "visibility": ["model", "app"] });
            assert_eq!(show, Some(&json!({ "ui": ui, "ui/resourceUri": page })), "{revision}");
            let refresh = list.pointer(&format!("/tools/{}/_meta/ui/visibility", 2 * place + 1));
            assert_eq!(refresh, Some(&json!(["app"])), "{revision}");
            let listed = resources.pointer(&format!("/result/resources/{place}"));
            assert_eq!(listed, Some(&page_of(&page, None)), "{revision}: {resources}");
            let read = wire.request("resources/read", json!({ "uri": page })).await?;
            let content = read.pointer("/result/contents/0");
            assert_eq!(content, Some(&page_of(&page, Some("<html>"))), "{revision}: {read}");
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn the_app_of_an_only_target_is_all_as_its_server_said_it() -> anyhow::Result<()> {
    let a = Host::start(dashboard).await?;
    let gateway = gateway_of(&[("a", &a)], "").await?;
    for revision in REVISIONS {
        let mut wire = open(&gateway, revision).await?;
        assert_eq!(wire.tool_list().await?, tools(), "{revision}");
        assert_eq!(call(&mut wire, "refresh_dashboard").await?, "refresh_dashboard");
        let read = wire.request("resources/read", json!({ "uri": PAGE })).await?;
        let domain = read.pointer("/result/contents/0/_meta/ui/domain");
        assert_eq!(domain, Some(&json!("x.example.com")), "{revision}: {read}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_page_that_no_list_shows_is_read_from_the_target_whose_it_is() -> anyhow::Result<()> {
    // Servers may leave the pages of apps out of their lists, and have no resources at all else.
    let (a, b) = (Host::start(unlisted).await?, Host::start(unlisted).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = open(&gateway, revision).await?;
        for (name, host) in [("a", &a), ("b", &b)] {
            let before = host.count("resources/read");
            let uri = format!("ui://{name}+dashboard/main");
            let read = wire.request("resources/read", json!({ "uri": uri })).await?;
            let content = read.pointer("/result/contents/0");
            assert_eq!(content, Some(&page_of(&uri, Some("<html>"))), "{revision}: {read}");
            assert_eq!(host.count("resources/read"), before + 1, "{revision} {name}");
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_server_shows_its_apps_to_clients_that_can_show_them() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = open(&gateway, revision).await?;
        let visit = one_call(&mut wire, &a, "a_work").await?;
        let hello = visit.sees("initialize").await?.message();
        let ui = hello.pointer("/params/capabilities/extensions/io.modelcontextprotocol~1ui");
        let types = ui.and_then(|ui| ui.get("mimeTypes"));
        assert_eq!(types, Some(&json!([MIME_TYPE])), "{revision}: {hello}");
    }
    Ok(())
}

/// The page of the app, as its server knows it.
const PAGE: &str = "ui://dashboard/main";

/// The type of such pages.
const MIME_TYPE: &str = "text/html;profile=mcp-app";

/// A session of a client that shows apps.
async fn open(gateway: &Gateway, revision: &str) -> anyhow::Result<Wire> {
    let ui = json!({ "mimeTypes": [MIME_TYPE] });
    let capabilities = json!({ "extensions": { "io.modelcontextprotocol/ui": ui } });
    Wire::open_with(&gateway.url("/mcp"), revision, capabilities).await
}

/// Calls a tool; gives the name by which its server was asked for it.
async fn call(wire: &mut Wire, name: &str) -> anyhow::Result<String> {
    let answer = wire.call(name, json!({})).await?;
    let text = answer.pointer("/result/content/0/text").and_then(Value::as_str);
    Ok(text.with_context(|| format!("`{name}`: {answer}"))?.to_owned())
}

fn dashboard(method: &str, params: &Value) -> Option<Value> {
    match method {
        "initialize" => Some(json!({ "tools": { "listChanged": true }, "resources": {} })),
        "tools/list" => Some(tools()),
        "resources/list" => {
            let mut page = page_of(PAGE, None);
            set_domain(&mut page);
            Some(json!({ "resources": [page] }))
        }
        "resources/templates/list" => Some(json!({ "resourceTemplates": [] })),
        "resources/read" if params.get("uri") == Some(&json!(PAGE)) => {
            let mut page = page_of(PAGE, Some("<html>"));
            set_domain(&mut page);
            Some(json!({ "contents": [page] }))
        }
        "tools/call" => {
            let text = params.get("name")?;
            Some(json!({ "content": [{ "type": "text", "text": text }] }))
        }
        _ => Some(json!({ "error": { "code": -32002, "message": "not here" } })),
    }
}

fn unlisted(method: &str, params: &Value) -> Option<Value> {
    match method {
        "initialize" => Some(json!({
            "tools": {}, "extensions": { "io.modelcontextprotocol/ui": {} },
        })),
        "resources/list" => None,
        _ => dashboard(method, params),
    }
}

fn plain(method: &str, params: &Value) -> Option<Value> {
    match method {
        "tools/list" => {
            Some(json!({ "tools": [{ "name": "work", "inputSchema": { "type": "object" } }] }))
        }
        "resources/list" => Some(json!({ "resources": [] })),
        _ => dashboard(method, params),
    }
}

fn tools() -> Value {
    let schema = json!({ "type": "object" });
    let ui = json!({ "resourceUri": PAGE, "visibility": ["model", "app"] });
    json!({ "tools": [
        {
            "name": "show_dashboard", "inputSchema": schema,
            "_meta": { "ui": ui, "ui/resourceUri": PAGE },
        },
        {
            "name": "refresh_dashboard", "inputSchema": schema,
            "_meta": { "ui": { "visibility": ["app"] } },
        },
    ] })
}

/// A page as clients see it among several targets; in a list without its text.
fn page_of(uri: &str, text: Option<&str>) -> Value {
    let mut page = json!({
        "uri": uri, "mimeType": MIME_TYPE,
        "_meta": { "ui": {
            "csp": { "connectDomains": ["https://example.com"], "x": 1.0 },
            "permissions": { "camera": {} }, "prefersBorder": true,
        } },
    });
    let (key, value) = text.map_or(("name", "a page"), |text| ("text", text));
    if let Some(members) = page.as_object_mut() {
        members.insert(key.to_owned(), json!(value));
    }
    page
}

/// What a host derives from the address of the one server that it knows: no client of several sees it.
fn set_domain(page: &mut Value) {
    if let Some(Value::Object(ui)) = page.pointer_mut("/_meta/ui") {
        ui.insert("domain".to_owned(), json!("x.example.com"));
    }
}
