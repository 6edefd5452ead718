//! The definitions of our resources: what an API server takes, what it refuses and with which words, and what it says of
//! them.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Cluster, repository};

/// Manifests that break one rule each, with a part of the answer in the annotation `refused`.
const REFUSED: &str = include_str!("crds/refused.yaml");

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn what_breaks_a_rule_is_refused_with_what_to_write_instead() -> anyhow::Result<()> {
    let cluster = Cluster::restricted("crds-refused").await?;
    cluster.definitions().await?;
    let refused = cluster.dry_run(REFUSED).await.err().context("all of it is taken")?;
    let answer = format!("{refused:#}");
    for manifest in serde_saphyr::from_multiple::<Value>(REFUSED)? {
        let field = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str);
        let text = field("/metadata/annotations/refused");
        let text = text.with_context(|| format!("it says not why: {manifest}"))?;
        let kind = field("/kind").unwrap_or_default();
        let name = format!("\"{}\" is invalid", field("/metadata/name").unwrap_or_default());
        let is_its = |line: &&str| line.contains(&format!(" {kind}.")) && line.contains(&name);
        let its =
            answer.lines().find(is_its).with_context(|| format!("{kind} {name}?\n{answer}"))?;
        anyhow::ensure!(its.contains(text), "not `{text}`: {its}");
    }
    // No rule that nobody has seen at work.
    for message in messages()? {
        anyhow::ensure!(answer.contains(&message), "no manifest is answered with `{message}`");
    }
    let taken = answer.lines().filter(|line| line.contains("(server dry run)"));
    anyhow::ensure!(taken.count() == 0, "taken: {answer}");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn every_shape_is_taken_and_kept_as_it_is_written() -> anyhow::Result<()> {
    let cluster = Cluster::restricted("crds-accepted").await?;
    cluster.definitions().await?;
    let manifests = include_str!("crds/accepted.yaml");
    cluster.apply(manifests).await?;
    for manifest in serde_saphyr::from_multiple::<Value>(manifests)? {
        let field = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or("");
        let (group, _) = field("/apiVersion").split_once('/').context("no group")?;
        let object = format!("{}.{group}/{}", field("/kind"), field("/metadata/name"));
        let there = cluster.kubectl(&["get", &object, "--output=json"]).await?;
        let there: Value = serde_json::from_str(&there)?;
        assert_eq!(there.get("spec"), manifest.get("spec"), "{object}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn kubectl_explains_fields_and_shows_how_a_backend_fares() -> anyhow::Result<()> {
    let cluster = Cluster::restricted("crds-shown").await?;
    cluster.definitions().await?;
    for (field, text) in [
        (
            "agentgatewaybackends.spec.mcp.prefixMode",
            "ENUM:\n    Conditional\n    Always\n    Never",
        ),
        ("agentgatewaybackends.spec.mcp.targets.selector.services", "Which Services."),
        ("agentgatewaybackends.spec.policies.tls", "by TLS"),
        ("agentgatewaypolicies.spec.traffic.jwtAuthentication", "Which tokens"),
        ("agentgatewayparameters.spec.deployment.spec", "Fields of its `spec`"),
        ("backends.gateway.kgateway.dev.spec.mcp.targets.selectors", "first generation"),
    ] {
        let said = match field.strip_prefix("backends.gateway.kgateway.dev.") {
            Some(rest) => {
                let version = "--api-version=gateway.kgateway.dev/v1alpha1";
                cluster.kubectl(&["explain", version, &format!("backends.{rest}")]).await?
            }
            None => cluster.kubectl(&["explain", field]).await?,
        };
        anyhow::ensure!(said.contains(text), "{field}: {said}");
    }

    cluster.apply(include_str!("crds/shown.yaml")).await?;
    let status = json!({ "status": {
        "conditions": [{
            "type": "Accepted", "status": "True", "reason": "Accepted", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }],
        "summary": { "targets": "2/3", "tools": 12 },
    } });
    for kind in ["agentgatewaybackends.agentgateway.dev", "backends.gateway.kgateway.dev"] {
        let patch = status.to_string();
        let words =
            ["patch", kind, "shown", "--subresource=status", "--type=merge", "--patch", &patch];
        cluster.kubectl(&words).await?;
        let shown = cluster.kubectl(&["get", kind]).await?;
        let rows: Vec<Vec<&str>> =
            shown.lines().map(|line| line.split_whitespace().take(4).collect()).collect();
        // A controller that an earlier test has left running writes at once what is so.
        let possible = [["shown", "True", "2/3", "12"], ["shown", "True", "0/1", "0"]];
        let expected = possible.map(|row| [["NAME", "ACCEPTED", "TARGETS", "TOOLS"], row]);
        anyhow::ensure!(expected.iter().any(|expected| rows == expected), "{kind}:\n{shown}");
    }
    Ok(())
}

/// What every rule of every definition says.
fn messages() -> anyhow::Result<BTreeSet<String>> {
    let mut messages = BTreeSet::new();
    for file in fs::read_dir(repository()?.join("deploy/crds"))? {
        let text = fs::read_to_string(file?.path())?;
        collect(&serde_saphyr::from_str(&text)?, &mut messages);
    }
    anyhow::ensure!(messages.len() > 10, "no rules in deploy/crds: {messages:?}");
    Ok(messages)
}

fn collect(value: &Value, messages: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let (Some(_), Some(message)) = (fields.get("rule"), fields.get("message")) {
                messages.extend(message.as_str().map(str::to_owned));
            }
            fields.values().for_each(|field| collect(field, messages));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, messages)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
