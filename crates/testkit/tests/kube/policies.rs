//! Policies in a cluster: what they refer to is read when they do, and what cannot be had closes and says so.

use std::time::Duration;

use anyhow::Context;
use testkit::{Cluster, output, within};
use tokio::process::Command;

const OBJECTS: &str = "
{ apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: { name: web },
  spec: { gatewayClassName: agentgateway, listeners: [{ name: http, port: 80, protocol: HTTP }] } }
---
{ apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: { name: web },
  spec: { parentRefs: [{ name: web }], rules: [{ backendRefs: [{ name: echo, port: 80 }] }] } }
---
{ apiVersion: agentgateway.dev/v1alpha1, kind: AgentgatewayPolicy, metadata: { name: token },
  spec: { targetRefs: [{ group: '', kind: Service, name: echo }],
    backend: { auth: { secretRef: { name: token } }, tcp: { keepalive: { retries: 3 } } } } }
";

const TOKENS: &str = "
{ apiVersion: agentgateway.dev/v1alpha1, kind: AgentgatewayPolicy, metadata: { name: guard },
  spec: { targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: web }],
    traffic: { jwtAuthentication: { mode: Strict, providers: [] } } } }
";

/// Status and body of an answer.
async fn asked(url: &str) -> anyhow::Result<(String, String)> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--max-time", "20", "--retry", "50", "--retry-connrefused"]);
    command.args(["--retry-max-time", "1", "--write-out", "\n%{http_code}", url]);
    let said = output(&format!("curl {url}"), command).await?;
    let (body, status) = said.rsplit_once('\n').context("no status")?;
    Ok((status.to_owned(), body.to_owned()))
}

/// Asks until the status is this one, and the body holds the text.
async fn until(url: &str, status: &str, text: &str) -> anyhow::Result<()> {
    let asking = async {
        loop {
            if let Ok((said, body)) = asked(url).await
                && said == status
                && body.contains(text)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within(&format!("{status} with `{text}`"), asking).await
}

fn secret(token: &str) -> String {
    format!(
        "{{ apiVersion: v1, kind: Secret, metadata: {{ name: token }}, \
         stringData: {{ Authorization: {token} }} }}"
    )
}

/// The condition `Accepted` of a policy, its status, reason and message.
async fn accepted(cluster: &Cluster, policy: &str) -> anyhow::Result<String> {
    let path = "-o=jsonpath={range .status.ancestors[*].conditions[?(@.type==\"Accepted\")]}{.status} \
                {.reason} {.message}{end}";
    cluster.kubectl(&["get", "agentgatewaypolicies", policy, path]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn a_policy_is_in_force_as_soon_as_what_it_refers_to_is_there() -> anyhow::Result<()> {
    let cluster = Cluster::with_portico("policies").await?;
    let (echo, _) = include_str!("smoke/echo.yaml").split_once("kind: Pod").context("no caller")?;
    let (echo, _) = echo.rsplit_once("---").context("no Service")?;
    cluster.apply(echo).await?;
    cluster.until("condition=Available", "deployment/echo").await?;
    cluster.apply(OBJECTS).await?;
    let url = format!("http://{}/", cluster.gateway("web").await?);
    until(&url, "503", "closed [").await?;
    let said = accepted(&cluster, "token").await?;
    anyhow::ensure!(said.starts_with("False Invalid `backend.auth`: there is no Secret"), "{said}");

    for token in ["Bearer first", "second"] {
        cluster.apply(&secret(token)).await?;
        let shown = token.trim_start_matches("Bearer ");
        until(&url, "200", &format!("Bearer {shown}")).await?;
    }
    let said = accepted(&cluster, "token").await?;
    anyhow::ensure!(
        said.starts_with("True PartiallyValid ignored: `backend.tcp.keepalive`"),
        "{said}"
    );

    // What may be meant to keep somebody out closes, says so, and is told once.
    cluster.apply(TOKENS).await?;
    until(&url, "503", "closed [").await?;
    let said = accepted(&cluster, "guard").await?;
    anyhow::ensure!(said.starts_with("False Invalid `traffic.jwtAuthentication`"), "{said}");
    let events = ["get", "events", "--field-selector=involvedObject.name=guard", "-o=name"];
    let events = cluster.kubectl(&events).await?;
    anyhow::ensure!(events.lines().count() == 1, "{events}");
    cluster.kubectl(&["delete", "agentgatewaypolicy", "guard"]).await?;
    until(&url, "200", "Bearer second").await?;
    cluster.kubectl(&["delete", "secret", "token"]).await?;
    until(&url, "503", "closed [").await
}
