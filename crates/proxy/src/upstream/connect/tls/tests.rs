//! TLS to a server with a certificate of an authority of our own. (`fixtures`: made with openssl; the
//! key of the authority was thrown away.)

use std::path::PathBuf;

use http::Method;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::clock::Clock;
use crate::tasks::Tasks;
use crate::upstream::names::Names;
use crate::upstream::pool::{HttpPool, Sending};

const CERTIFICATE: &[u8] = include_bytes!("fixtures/server.pem");
const KEY: &[u8] = include_bytes!("fixtures/server.key");

fn authority() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "src/upstream/connect/tls/fixtures/ca.pem"].iter().collect()
}

/// The settings that trust what is in a file.
fn trusting(file: PathBuf) -> UpstreamTls {
    UpstreamTls { roots: Roots::File(file), ..UpstreamTls::default() }
}

/// Asks a TLS server that says `hello`; an error is given as it is shown.
async fn check(settings: UpstreamTls, url: &str, expected: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoints = [listener.local_addr().unwrap()];
    let chain = CertificateDer::pem_slice_iter(CERTIFICATE).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let serving = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = acceptor.accept(socket).await else { return };
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        stream.write_all(answer).await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
    });
    let (tasks, clock) = (Tasks::new(), Clock::system());
    let pool = HttpPool::new(tasks.clone(), clock.clone(), Names::new(tasks, clock));
    let address = Address::of(&url.parse().unwrap()).unwrap();
    let sending = Sending {
        address: &address,
        endpoints: &endpoints,
        pinned: None,
        tls: &settings,
        connect_timeout: std::time::Duration::from_secs(5),
        header_block: 1024,
    };
    let mut request = http::Request::new(http_body_util::Full::default());
    *request.method_mut() = Method::GET;
    let shown = match pool.send(&sending, request).await {
        Ok(mut answer) => {
            String::from_utf8(answer.body.collect(10).await.unwrap().to_vec()).unwrap()
        }
        Err(error) => error.to_string(),
    };
    assert!(shown.contains(expected), "{shown}");
    serving.abort();
}

#[tokio::test]
async fn a_configured_authority_is_trusted_for_the_name_in_the_url() {
    let settings = trusting(authority());
    check(settings.clone(), "https://peer.test/", "hello").await;
    check(settings.clone(), "https://other.test/", "not valid for name").await;
    let named = UpstreamTls { server_name: Some("peer.test".to_owned()), ..settings };
    check(named, "https://other.test/", "hello").await;
}

#[tokio::test]
async fn an_unknown_authority_is_refused_unless_the_operator_says_otherwise() {
    let unknown = trusting(other_authority());
    check(unknown, "https://peer.test/", "invalid peer certificate").await;
    let insecure = UpstreamTls { verification: Verification::Nothing, ..UpstreamTls::default() };
    check(insecure, "https://other.test/", "hello").await;
}

#[tokio::test]
async fn other_names_and_any_name_need_a_trusted_certificate() {
    let verifying = |verification| UpstreamTls { verification, ..trusting(authority()) };
    let named = |name: &str| Verification::Names(vec!["10.0.0.1".to_owned(), name.to_owned()]);
    check(verifying(named("peer.test")), "https://other.test/", "hello").await;
    check(verifying(named("third.test")), "https://peer.test/", "not valid for name").await;
    check(verifying(Verification::Trust), "https://other.test/", "hello").await;
    let unknown = UpstreamTls { verification: Verification::Trust, ..trusting(other_authority()) };
    check(unknown, "https://peer.test/", "invalid peer certificate").await;
}

#[tokio::test]
async fn a_file_without_certificates_is_named() {
    let key = authority().with_file_name("server.key");
    let settings = trusting(key);
    check(settings, "https://peer.test/", "server.key` holds no certificate").await;
    let settings = trusting("/no/such/file".into());
    check(settings, "https://peer.test/", "reading `/no/such/file`").await;
}

/// A certificate that signed nothing.
fn other_authority() -> PathBuf {
    authority().with_file_name("other.pem")
}
