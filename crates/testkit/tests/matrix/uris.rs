//! URIs, which a client passes back as it saw them.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::uris::{PLACES, TEMPLATES, UriPlace, of, scheme_of_app, text_of, uri_at};
use testkit::{Caller, Host};

use crate::behaviour::{Behaviour, everywhere};
use crate::cell::Cell;

pub(crate) const BEHAVIOURS: &[Behaviour] = &[Behaviour {
    number: 17,
    name: "Every URI that a client sees can be passed back",
    meaning: "Two targets with the same URIs (opaque, relative, `https:`, `ui:`, templates with a variable scheme): in \
              lists, results of tools, prompts and reads, `_meta`, errors and completions. Read again, each reaches \
              the target that said it, under its own name, and comes back as the client knows it.",
    file: file!(),
    without: everywhere,
    check: |cell| Box::pin(passed_back(cell)),
}];

async fn passed_back(cell: Cell) -> anyhow::Result<()> {
    let (a, b) = (cell.host(of("a")).await?, cell.host(of("b")).await?);
    let front = cell.front(&[("a", &a), ("b", &b)], "").await?;
    let ui = json!({ "mimeTypes": ["text/html;profile=mcp-app"] });
    let capabilities = json!({ "extensions": { "io.modelcontextprotocol/ui": ui } });
    let mut caller = front.open_with(capabilities).await?;
    for (host, target) in [(&a, "a"), (&b, "b")] {
        for place in PLACES {
            check_place(&mut caller, host, target, place).await.context(place.params)?;
        }
    }
    let listed = caller.request("resources/templates/list", json!({})).await?;
    for (host, target, first) in [(&a, "a", 0), (&b, "b", TEMPLATES.len())] {
        for (place, native) in TEMPLATES.iter().enumerate() {
            let native = native.replace("TARGET", target);
            let pointer = format!("/result/resourceTemplates/{}/uriTemplate", first + place);
            let seen = listed.at(&pointer);
            let seen = seen.as_str().with_context(|| format!("{listed:?}"))?;
            check_template(&mut caller, host, target, (seen, &native)).await.context(native)?;
        }
    }
    Ok(())
}

async fn check_place(
    caller: &mut Caller,
    host: &Host,
    target: &str,
    place: &UriPlace,
) -> anyhow::Result<()> {
    let params = place.params.replace("{target}", target);
    let mut answer = caller.request(place.method, serde_json::from_str(&params)?).await?.message;
    // Each target's own part of the list.
    for list in ["/result/tools", "/result/resources"] {
        if let Some(Value::Array(items)) = answer.pointer_mut(list) {
            let half = if target == "b" { items.len() / 2 } else { 0 };
            items.drain(..half);
        }
    }
    for (pointer, native) in place.uris {
        let native = native.replace("{target}", target);
        let seen = uri_at(&answer, pointer).with_context(|| format!("{answer}"))?;
        check_read(caller, host, target, (&seen, &native)).await.context(*pointer)?;
    }
    Ok(())
}

/// A template can be passed back for completions, and read when it has been expanded.
async fn check_template(
    caller: &mut Caller,
    host: &Host,
    target: &str,
    (seen, native): (&str, &str),
) -> anyhow::Result<()> {
    let params = json!({
        "ref": { "type": "ref/resource", "uri": seen }, "argument": { "name": "id", "value": "" },
    });
    let answer = caller.request("completion/complete", params).await?;
    let value = answer.at("/result/completion/values/0");
    anyhow::ensure!(value == format!("{target} {native}"), "{answer:?}");
    let expanded = |template: &str| template.replace("{id}", "7").replace("{kind}", "x");
    check_read(caller, host, target, (&expanded(seen), &expanded(native))).await
}

/// Its target is asked for what it said, and its answer says what its client asked for.
async fn check_read(
    caller: &mut Caller,
    host: &Host,
    target: &str,
    (seen, native): (&str, &str),
) -> anyhow::Result<()> {
    anyhow::ensure!(scheme_of_app(seen) == scheme_of_app(native), "{seen} for {native}");
    let before = host.count("resources/read");
    let answer = caller.request("resources/read", json!({ "uri": seen })).await?;
    let text = text_of(&answer.message);
    anyhow::ensure!(text == Some(&format!("{target} {native}")), "`{seen}`: {answer:?}");
    anyhow::ensure!(answer.at("/result/contents/0/uri") == seen, "`{seen}`: {answer:?}");
    anyhow::ensure!(host.count("resources/read") == before + 1, "`{seen}` reached another");
    Ok(())
}
