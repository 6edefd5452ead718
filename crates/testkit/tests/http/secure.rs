//! Listeners that speak TLS.

use std::fs;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use testkit::{Authority, Gateway, Plain, Start, Visitor};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_certificate_is_chosen_by_the_name_that_is_asked_for() -> anyhow::Result<()> {
    let (web, folder, authority) =
        (Plain::start("web").await?, tempfile::tempdir()?, Authority::new()?);
    let listener = |name: &str, hostname: &str, certificate: &str| {
        let folder = folder.path().display();
        format!(
            "- name: {name}
  address: 127.0.0.1:8080
  hostname: \"{hostname}\"
  protocol: https
  tls: {{ certificateFile: {folder}/{certificate}.crt, keyFile: {folder}/{certificate}.key }}
"
        )
    };
    for (file, names) in [
        ("a", &["a.example.com"][..]),
        ("wild", &["*.example.com"]),
        ("mismatched", &["m.example.com"]),
    ] {
        let (certificate, key) = authority.certificate(names)?;
        fs::write(folder.path().join(format!("{file}.crt")), certificate)?;
        let key = if file == "mismatched" { authority.certificate(names)?.1 } else { key };
        fs::write(folder.path().join(format!("{file}.key")), key)?;
    }
    let document = format!(
        "listeners:\n{}{}{}{}routes: [{{ name: web, path: /, service: web }}]\nservices:\n{}",
        listener("a", "a.example.com", "a"),
        listener("wild", "*.example.com", "wild"),
        listener("absent", "b.example.com", "absent"),
        listener("mismatched", "m.example.com", "mismatched"),
        web.service()
    );
    let gateway = Gateway::native(&document).await?;
    let trust = authority.trust(&[])?;
    let (of_a, of_wild) = (
        trust.shown(gateway.port(), "a.example.com").await?,
        trust.shown(gateway.port(), "c.example.com").await?,
    );
    assert_ne!(of_a, of_wild);
    // A listener without its certificate lets nobody in, and costs the others nothing.
    for name in ["b.example.com", "m.example.com", "elsewhere.org"] {
        let refused = trust.connect(gateway.port(), name).await;
        anyhow::ensure!(refused.is_err(), "{name} is let in");
    }

    let stream = trust.connect(gateway.port(), "a.example.com").await?;
    let mut visitor = Visitor::<Full<Bytes>>::on(stream).await?;
    let (head, said) = visitor.get("a.example.com", "/x", &[]).await?;
    assert_eq!(head.status, StatusCode::OK, "{said}");
    assert_eq!(said["headers"]["x-forwarded-proto"], "https");
    // Under another listener's name nobody is served, and where there is none nobody answers.
    for (host, status) in [
        ("c.example.com", StatusCode::MISDIRECTED_REQUEST),
        ("elsewhere.localhost", StatusCode::NOT_FOUND),
    ] {
        let (head, said) = visitor.get(host, "/x", &[]).await?;
        assert_eq!(head.status, status, "{host}: {said}");
    }

    let http2 = authority.trust(&["h2"])?;
    let stream = http2.connect(gateway.port(), "a.example.com").await?;
    anyhow::ensure!(stream.get_ref().1.alpn_protocol() == Some(&b"h2"[..]), "no HTTP/2");
    let mut visitor = Visitor::<Full<Bytes>>::http2_on(stream).await?;
    let (head, said) = visitor.get("a.example.com", "/y", &[]).await?;
    assert_eq!(head.status, StatusCode::OK, "{said}");

    // In the clear nobody is answered.
    let in_the_clear = async {
        let mut visitor = Visitor::<Full<Bytes>>::of(gateway.port()).await?;
        visitor.get("a.example.com", "/z", &[]).await
    };
    anyhow::ensure!(in_the_clear.await.is_err(), "it is served in the clear");
    anyhow::ensure!(web.asked.find(|asked| asked.line.contains("/z")).is_none());
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_certificate_is_renewed_without_a_new_listener() -> anyhow::Result<()> {
    let (web, folder, authority) =
        (Plain::start("web").await?, tempfile::tempdir()?, Authority::new()?);
    let renew = || -> anyhow::Result<()> {
        let (certificate, key) = authority.certificate(&["a.example.com"])?;
        fs::write(folder.path().join("a.crt"), certificate)?;
        Ok(fs::write(folder.path().join("a.key"), key)?)
    };
    renew()?;
    let document = |more: &str| {
        let folder = folder.path().display();
        format!(
            "listeners:
- name: a
  address: 127.0.0.1:8080
  protocol: https
  tls: {{ certificateFile: {folder}/a.crt, keyFile: {folder}/a.key }}
routes:
- {{ name: web, path: /, service: web }}
{more}
services:
{}",
            web.service()
        )
    };
    let files = vec![("portico.yaml", document(""))];
    let gateway = Gateway::start(Start { files, ..Start::default() }).await?;
    let trust = authority.trust(&[])?;
    let before = trust.shown(gateway.port(), "a.example.com").await?;
    let stream = trust.connect(gateway.port(), "a.example.com").await?;
    let mut visitor = Visitor::<Full<Bytes>>::on(stream).await?;
    visitor.get("a.example.com", "/before", &[]).await?;
    renew()?;
    gateway.write("portico.yaml", &document("- { name: more, path: /more, service: web }"))?;
    while trust.shown(gateway.port(), "a.example.com").await? == before {
        tokio::task::yield_now().await;
    }
    // Whoever was there before stays.
    let (head, _) = visitor.get("a.example.com", "/after", &[]).await?;
    assert_eq!(head.status, StatusCode::OK);
    gateway.stop().await
}
