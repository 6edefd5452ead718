//! Who may listen to the controller: the proxies of a Gateway to what is for that Gateway, and nobody else to
//! anything.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use testkit::Cluster;
use xds::{Client, Endpoint, Received};

/// What comes of following the controller with a token: the names of the documents that were told, or why not.
async fn told(
    folder: &Path,
    host: &str,
    token: &str,
) -> anyhow::Result<Result<Vec<String>, String>> {
    let file = folder.join("token");
    std::fs::write(&file, token)?;
    let endpoint = Endpoint {
        url: format!("https://{host}:9978").parse()?,
        token: file,
        authorities: Some(folder.join("ca.crt")),
    };
    let client = Client::connect(&endpoint).await.context("no connection")?;
    let mut received = Received::default();
    let mut names = Vec::new();
    let followed = client.follow("someone", &mut received, |received| {
        names.extend(received.document().map(|(name, _)| name.to_owned()));
        Ok(())
    });
    let refused = tokio::time::timeout(Duration::from_secs(5), followed).await;
    Ok(match refused {
        Ok(ended) => Err(ended.err().map(|status| status.message().to_owned()).unwrap_or_default()),
        Err(_) => Ok(names),
    })
}

const SYSTEM: &str = "agentgateway-system";
/// What proxies' tokens are for.
const AUDIENCE: &str = "--audience=portico-xds";

/// A token for a pod, as its ServiceAccount's.
async fn token(
    cluster: &Cluster,
    account: &str,
    pod: Option<&str>,
    more: &[&str],
) -> anyhow::Result<String> {
    let mut words = vec!["create", "token", account];
    let uid = match pod {
        Some(pod) => cluster.kubectl(&["get", "pod", pod, "-o=jsonpath={.metadata.uid}"]).await?,
        None => String::new(),
    };
    let bound = format!("--bound-object-uid={uid}");
    let name = format!("--bound-object-name={}", pod.unwrap_or_default());
    if pod.is_some() {
        words.extend(["--bound-object-kind=Pod", &name, &bound]);
    }
    words.extend(more);
    Ok(cluster.kubectl(&words).await?.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn the_controller_tells_a_proxy_what_is_for_its_gateway_and_nobody_else_anything()
-> anyhow::Result<()> {
    let cluster = Cluster::with_portico("tokens").await?;
    let gateways = ["mine", "other"].map(|name| {
        format!(
            "{{ apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {{ name: {name} }}, \
             spec: {{ gatewayClassName: agentgateway, listeners: [{{ name: http, port: 80, protocol: HTTP }}] }} }}\n"
        )
    });
    cluster.apply(&gateways.join("---\n")).await?;
    let mut pods = Vec::new();
    for name in ["mine", "other"] {
        cluster.gateway(name).await?;
        let label = format!("-l=gateway.networking.k8s.io/gateway-name={name}");
        let pod = cluster
            .kubectl(&["get", "pods", &label, "-o=jsonpath={.items[0].metadata.name}"])
            .await?;
        pods.push(pod);
    }
    let (mine, other) = (pods.first().context("no pod")?, pods.get(1).context("no pod")?);

    let folder = tempfile::tempdir()?;
    let authorities = "-o=jsonpath={.data.ca\\.crt}";
    let authorities = cluster.kubectl(&["get", "configmap", "mine", authorities]).await?;
    std::fs::write(folder.path().join("ca.crt"), authorities)?;
    let host = controller(&cluster, folder.path()).await?;
    let folder = folder.path();

    let good = token(&cluster, "mine", Some(mine), &[AUDIENCE]).await?;
    assert_eq!(told(folder, &host, &good).await?, Ok(vec!["tokens/mine".to_owned()]));
    let others = token(&cluster, "other", Some(other), &[AUDIENCE]).await?;
    assert_eq!(told(folder, &host, &others).await?, Ok(vec!["tokens/other".to_owned()]));

    let refused = [
        ("another audience", token(&cluster, "mine", Some(mine), &[]).await?, "audience"),
        ("no pod", token(&cluster, "mine", None, &[AUDIENCE]).await?, "not bound to a pod"),
        (
            "no Gateway's",
            token(&cluster, "default", Some(mine), &[AUDIENCE]).await.unwrap_or_default(),
            "",
        ),
        ("no token", "nonsense".to_owned(), "not good"),
    ];
    for (what, token, reason) in refused {
        let refusal = told(folder, &host, &token).await?;
        anyhow::ensure!(
            matches!(&refusal, Err(said) if said.contains(reason)),
            "{what}: {refusal:?}"
        );
    }

    let old = expired(&good)?;
    let refusal = told(folder, &host, &old).await?;
    anyhow::ensure!(
        matches!(&refusal, Err(said) if said.contains("expired")),
        "expired: {refusal:?}"
    );
    // A token ends with the pod that it is bound to.
    cluster.kubectl(&["delete", "pod", mine, "--force", "--grace-period=0"]).await?;
    let refusal = told(folder, &host, &good).await?;
    anyhow::ensure!(
        matches!(&refusal, Err(said) if said.contains("not good")),
        "gone: {refusal:?}"
    );
    Ok(())
}

/// The name of the controller, as its certificate has it. The node has no names of the cluster: it gets this one, in
/// the mounts that end with the cluster.
async fn controller(cluster: &Cluster, folder: &Path) -> anyhow::Result<String> {
    let labels = "-l=app.kubernetes.io/component=controller";
    let fields = "-o=jsonpath={.items[0].metadata.name} {.items[0].spec.clusterIP}";
    let service = cluster.kubectl(&["get", "service", "-n", SYSTEM, labels, fields]).await?;
    let (name, address) = service.split_once(' ').context("no Service of the controller")?;
    let host = format!("{name}.{SYSTEM}.svc");
    let hosts = folder.join("hosts");
    let known = std::fs::read_to_string("/etc/hosts")?;
    std::fs::write(&hosts, format!("{known}\n{address} {host}\n"))?;
    let mut mount = tokio::process::Command::new("mount");
    mount.arg("--bind").arg(&hosts).arg("/etc/hosts");
    testkit::output("mount", mount).await?;
    Ok(host)
}

/// A token as the API server would have issued it an hour ago, by its own key.
fn expired(good: &str) -> anyhow::Result<String> {
    let encoding = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut parts = good.split('.');
    let (header, claims) = (parts.next().context("no header")?, parts.next().context("no claims")?);
    let mut claims: serde_json::Value = serde_json::from_slice(&encoding.decode(claims)?)?;
    for claim in ["exp", "iat", "nbf"] {
        let written = claims.get_mut(claim).context("no such claim")?;
        *written = (written.as_i64().context("no time")? - 7200).into();
    }
    let signed = format!("{header}.{}", encoding.encode(claims.to_string()));
    let lab = std::env::var("PORTICO_LAB")?;
    let key = std::fs::read_to_string(format!("{lab}/keys/tokens.key"))?;
    let key: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    let key = base64::engine::general_purpose::STANDARD.decode(key)?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key)?;
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes())?;
    Ok(format!("{signed}.{}", encoding.encode(signature)))
}
