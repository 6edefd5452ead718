//! Every URI that a client gets to see can be passed back, and leads to the target that said it, which knows it as its
//! own (MCP.md 7, test 17).

use anyhow::Context;
use serde_json::{Value, json};
use testkit::uris::{
    FAILED, PLACES, SHARED_PAGE, SHOWN, TEMPLATES, UriPlace, of, scheme_of_app, shown,
    structured_content, text_of, uri_at,
};
use testkit::{
    Gateway, Host, REVISIONS, Wire, gateway_of, notification, one_call, request, response,
};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn every_uri_among_several_targets_can_be_passed_back_to_its_own() -> anyhow::Result<()> {
    let (a, b) = (Host::start(of("a")).await?, Host::start(of("b")).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        for place in PLACES {
            let mut wire = open(&gateway, revision).await?;
            check_place(&mut wire, &a, "a", place).await.context(revision)?;
            check_place(&mut wire, &b, "b", place).await.context(revision)?;
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn every_uri_of_an_only_target_with_prefixes_can_be_passed_back() -> anyhow::Result<()> {
    let a = Host::start(of("a")).await?;
    let targets = "backends:\n- name: all\n  prefixMode: always\n  targets:\n  - name: a\n";
    let gateway =
        Gateway::native(&format!("{targets}    url: http://127.0.0.1:{}/mcp\n", a.port)).await?;
    for revision in REVISIONS {
        for place in PLACES {
            let mut wire = open(&gateway, revision).await?;
            check_place(&mut wire, &a, "a", place).await.context(revision)?;
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn an_update_can_be_passed_back_to_its_own_target() -> anyhow::Result<()> {
    let (a, b) = (Host::start(of("a")).await?, Host::start(of("b")).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = open(&gateway, revision).await?;
        let mut stream = wire.beside().listen().await?;
        for (name, host) in [("a", &a), ("b", &b)] {
            let uri = format!("{name}+memo:listed");
            let answer = wire.request("resources/subscribe", json!({ "uri": uri })).await?;
            anyhow::ensure!(answer.get("result").is_some(), "{revision}: {answer}");
            let visits = host.visits.all();
            let visit = visits.iter().rev().find(|visit| visit.count("resources/subscribe") > 0);
            let visit = visit.context("nobody subscribed")?;
            for native in ["memo:listed", "memo:listed/part", "ui://app/board", SHARED_PAGE] {
                let told = json!({ "uri": native });
                visit.say(&notification("notifications/resources/updated", &told)).await?;
                let told = stream.method("notifications/resources/updated").await?;
                let seen = told.pointer("/params/uri").and_then(Value::as_str);
                check_read(&mut wire, host, name, seen.context("no URI")?, native)
                    .await
                    .context(revision)?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn every_uri_in_the_result_of_a_task_can_be_passed_back_to_its_own_target()
-> anyhow::Result<()> {
    let (a, b) = (Host::start(of("a")).await?, Host::start(of("b")).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    let mut wire = open(&gateway, "2025-11-25").await?;
    for (name, host) in [("a", &a), ("b", &b)] {
        let call = json!({ "name": format!("{name}_show"), "arguments": {}, "task": {} });
        let answer = wire.request("tools/call", call).await?;
        let task = answer.pointer("/result/task/taskId").context("no task")?.clone();
        assert_eq!(task, json!(format!("{name}+task-1")), "{answer}");
        let answer = wire.request("tasks/result", json!({ "taskId": task })).await?;
        let related = answer.pointer("/result/_meta/io.modelcontextprotocol~1related-task/taskId");
        assert_eq!(related, Some(&task), "{answer}");
        check_pointers(&mut wire, host, name, &answer, SHOWN).await?;
        let answer =
            wire.request("tasks/result", json!({ "taskId": format!("{name}+failed") })).await?;
        check_pointers(&mut wire, host, name, &answer, FAILED).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_uri_in_structured_content_stays_and_is_read_from_the_only_target_that_has_it()
-> anyhow::Result<()> {
    let (a, b) = (Host::start(of("a")).await?, Host::start(of("b")).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in ["2025-06-18", "2025-11-25"] {
        let mut wire = open(&gateway, revision).await?;
        for (name, host) in [("a", &a), ("b", &b)] {
            let answer = wire.call(&format!("{name}_show"), json!({})).await?;
            let structured = answer.pointer("/result/structuredContent");
            assert_eq!(structured, structured_content(name).get("structuredContent"), "{answer}");
            // Listed by this target alone, or covered by its template alone.
            for place in ["/result/structuredContent/uri", "/result/structuredContent/page"] {
                let seen = answer.pointer(place).and_then(Value::as_str).context("no URI")?;
                let read = read(&mut wire, seen).await?;
                assert_eq!(text_of(&read), Some(format!("{name} {seen}").as_str()), "{read}");
                let reads = reads(host);
                assert_eq!(reads.last().map(String::as_str), Some(seen), "{revision}");
            }
        }
        // What both list, and what neither does, has to say whose it is.
        for shared in ["memo:listed", SHARED_PAGE, "memo:nobody-lists-it", FOREIGN_PAGE] {
            let (before_a, before_b) = (reads(&a).len(), reads(&b).len());
            let answer = read(&mut wire, shared).await?;
            assert_eq!(answer.pointer("/error/code"), Some(&json!(-32602)), "{shared}: {answer}");
            let told = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
            anyhow::ensure!(told.ends_with("ask one of `a`, `b`"), "no candidates: {told}");
            assert_eq!((reads(&a).len(), reads(&b).len()), (before_a, before_b), "asked anyone");
            for (name, host) in [("a", &a), ("b", &b)] {
                let qualified = format!("{name}+{shared}");
                let answer = read(&mut wire, &qualified).await?;
                assert_eq!(text_of(&answer), Some(format!("{name} {shared}").as_str()));
                assert_eq!(reads(host).last().map(String::as_str), Some(shared));
            }
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_template_can_be_passed_back_for_completions_and_expanded() -> anyhow::Result<()> {
    let (a, b) = (Host::start(of("a")).await?, Host::start(of("b")).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = open(&gateway, revision).await?;
        let listed = wire.request("resources/templates/list", json!({})).await?;
        let templates = listed.pointer("/result/resourceTemplates").and_then(Value::as_array);
        let templates = templates.context("no templates")?.clone();
        assert_eq!(templates.len(), 2 * TEMPLATES.len(), "{listed}");
        for (place, template) in templates.iter().enumerate() {
            let (name, host) = if place < TEMPLATES.len() { ("a", &a) } else { ("b", &b) };
            let native = TEMPLATES.get(place % TEMPLATES.len()).context("no template")?;
            let native = native.replace("TARGET", name);
            let seen =
                template.get("uriTemplate").and_then(Value::as_str).context("no template")?;
            let params = json!({
                "ref": { "type": "ref/resource", "uri": seen },
                "argument": { "name": "id", "value": "" },
            });
            let answer = wire.request("completion/complete", params).await?;
            let told = format!("{name} {native}");
            let value = answer.pointer("/result/completion/values/0");
            assert_eq!(value, Some(&json!(told)), "{revision} {seen}: {answer}");
            let expanded = |template: &str| template.replace("{id}", "7").replace("{kind}", "x");
            check_read(&mut wire, host, name, &expanded(seen), &expanded(&native))
                .await
                .context(revision)?;
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn every_uri_in_an_answer_that_streams_can_be_passed_back() -> anyhow::Result<()> {
    let (a, b) = (Host::start(of("a")).await?, Host::start(of("b")).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = open(&gateway, revision).await?;
        one_call(&mut wire, &b, "b_later").await?;
        let body = request("5", "tools/call", &json!({ "name": "b_later" }));
        let (answer, told) = tokio::join!(wire.post(body), async {
            let mut call = b.call().await?;
            let id = serde_json::from_str(&call.request.id())?;
            call.send(&response(&id, &shown("b")))?;
            call.end()
        });
        told?;
        let messages = answer?.messages()?;
        let answer = messages.last().context("no answer")?;
        check_pointers(&mut wire, &b, "b", answer, SHOWN).await.context(revision)?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn an_only_target_sees_its_own_uris_and_so_does_its_client() -> anyhow::Result<()> {
    let a = Host::start(of("a")).await?;
    let gateway = gateway_of(&[("a", &a)], "").await?;
    for revision in REVISIONS {
        let mut wire = open(&gateway, revision).await?;
        let answer = wire.call("show", json!({})).await?;
        for (pointer, native) in SHOWN {
            let seen = uri_at(&answer, pointer).with_context(|| format!("{answer}"))?;
            assert_eq!(seen, *native, "{revision} {pointer}");
            let read = read(&mut wire, &seen).await?;
            assert_eq!(text_of(&read), Some(format!("a {native}").as_str()), "{revision}: {read}");
            assert_eq!(read.pointer("/result/contents/0/uri"), Some(&json!(native)));
        }
    }
    Ok(())
}

/// A page that no server lists.
const FOREIGN_PAGE: &str = "https://example.com/foreign";

async fn open(gateway: &Gateway, revision: &str) -> anyhow::Result<Wire> {
    // A host of apps: what a target shows may depend on it.
    let ui = json!({ "mimeTypes": ["text/html;profile=mcp-app"] });
    let capabilities = json!({ "extensions": { "io.modelcontextprotocol/ui": ui } });
    Wire::open_with(&gateway.url("/mcp"), revision, capabilities).await
}

async fn check_place(
    wire: &mut Wire,
    host: &Host,
    target: &str,
    place: &UriPlace,
) -> anyhow::Result<()> {
    let params = place.params.replace("{target}", target);
    let mut answer = wire.request(place.method, serde_json::from_str(&params)?).await?;
    // Each target's own part of the list.
    for list in ["/result/tools", "/result/resources"] {
        if let Some(Value::Array(items)) = answer.pointer_mut(list) {
            let half = if target == "b" { items.len() / 2 } else { 0 };
            items.drain(..half);
        }
    }
    check_pointers(wire, host, target, &answer, place.uris)
        .await
        .with_context(|| format!("{} {params}", place.method))
}

async fn check_pointers(
    wire: &mut Wire,
    host: &Host,
    target: &str,
    answer: &Value,
    uris: &[(&str, &str)],
) -> anyhow::Result<()> {
    for (pointer, native) in uris {
        let native = native.replace("{target}", target);
        let seen = uri_at(answer, pointer).with_context(|| format!("{answer}"))?;
        check_read(wire, host, target, &seen, &native)
            .await
            .with_context(|| format!("{pointer} of {target}"))?;
    }
    Ok(())
}

/// Passes a URI back: its target is asked for what it said, and its answer says what its client asked for.
async fn check_read(
    wire: &mut Wire,
    host: &Host,
    target: &str,
    seen: &str,
    native: &str,
) -> anyhow::Result<()> {
    assert_eq!(scheme_of_app(seen), scheme_of_app(native), "{seen} for {native}");
    let answer = read(wire, seen).await?;
    let text = text_of(&answer);
    anyhow::ensure!(text == Some(&format!("{target} {native}")), "`{seen}`: {answer}");
    let again = answer.pointer("/result/contents/0/uri");
    anyhow::ensure!(again == Some(&json!(seen)), "`{seen}` is now {again:?}");
    let reads = reads(host);
    anyhow::ensure!(reads.last().map(String::as_str) == Some(native), "`{seen}`: {reads:?}");
    Ok(())
}

async fn read(wire: &mut Wire, uri: &str) -> anyhow::Result<Value> {
    wire.request("resources/read", json!({ "uri": uri })).await
}

/// What a server was asked to read, in order.
fn reads(host: &Host) -> Vec<String> {
    let mut reads = Vec::new();
    for visit in host.visits.all() {
        for sent in visit.requests.all() {
            if sent.is("resources/read") {
                let uri = sent.message().pointer("/params/uri").cloned().unwrap_or_default();
                reads.push(uri.as_str().unwrap_or_default().to_owned());
            }
        }
    }
    reads
}
