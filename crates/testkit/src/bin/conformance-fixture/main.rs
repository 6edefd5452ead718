//! The server that the official conformance suite asks for, on rmcp: every tool, prompt and resource that a scenario of
//! 2025-11-25 names. It listens on a free port of 127.0.0.1 and says its URL, or speaks over its standard input and
//! output with `--stdio`.

mod fixture;
mod json;
mod log;
mod prompts;
mod resources;
mod sessions;
mod tools;

use std::convert::Infallible;
use std::env;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rmcp::ServiceExt;
use rmcp::model::ServerConfig;
use rmcp::transport::io::stdio;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;

use crate::fixture::Fixture;
use crate::sessions::{RETRY, Sessions};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let info = fixture::info()?;
    match env::args().nth(1).as_deref() {
        None => serve_http(info).await,
        Some("--stdio") => serve_stdio(info).await,
        Some(other) => anyhow::bail!("`{other}` is no argument: say `--stdio`, or nothing"),
    }
}

async fn serve_stdio(info: ServerConfig) -> anyhow::Result<()> {
    let service = Fixture::new(info).serve(stdio()).await.context("no session was opened")?;
    service.waiting().await.context("the session was lost")?;
    Ok(())
}

async fn serve_http(info: ServerConfig) -> anyhow::Result<()> {
    let config = StreamableHttpServerConfig::default().with_sse_retry(Some(RETRY));
    let sessions = Arc::new(Sessions::default());
    let fixture = move || Ok(Fixture::new(info.clone()));
    let service = StreamableHttpService::new(fixture, sessions, config);
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for the server")?;
    let address = listener.local_addr().context("a server without an address")?;
    println!("listening on http://{address}/mcp");
    loop {
        let (stream, _) = listener.accept().await.context("cannot accept")?;
        let service = service.clone();
        let answer = service_fn(move |request| {
            let service = service.clone();
            async move { Ok::<_, Infallible>(service.handle(request).await) }
        });
        // A client that leaves in the middle is no error of the server.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}
