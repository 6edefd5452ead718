//! The harness without a gateway: what the other tests stand on does what they believe.

use std::path::Path;

use serde_json::json;
use testkit::{Client, Framing, Peers, RawServer, Source, Tap, Wire, page, reserved_port};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn the_real_servers_of_every_tutorial_start_and_answer() -> anyhow::Result<()> {
    let peers = Peers::find()?;
    for source in [Source::find()?, Source::ours()?] {
        for number in ["000", "001", "002", "003", "004"] {
            let seed = source.seed(number)?;
            let running = source.start(&seed, &peers).await?;
            anyhow::ensure!(!running.processes.is_empty(), "{number} has no servers");
            assert_eq!(running.processes.len(), seed.objects("Service").count());
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn both_clients_speak_to_a_real_server_through_a_tap() -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let port = peers.port()?;
    let _server = peers.everything(port).await?;
    let tap = Tap::to(port).await?;
    let url = format!("http://127.0.0.1:{}/mcp", tap.port);
    let client = Client::connect(&url).await?;
    client.lists("echo").await?;
    assert_eq!(client.call("echo", json!({ "message": "hi" })).await?, "Echo: hi");
    let mut wire = Wire::open(&url, "2025-06-18").await?;
    anyhow::ensure!(wire.tools().await?.contains(&"echo".to_owned()), "no echo");
    let inspected = peers.inspector(&url, &["--method", "tools/list"]).await?;
    anyhow::ensure!(inspected.contains("\"echo\""), "{inspected}");
    assert_eq!(tap.count("initialize"), 3);
    tap.sees("tools/list", 3).await
}

#[tokio::test]
async fn a_raw_server_answers_what_a_test_writes() -> anyhow::Result<()> {
    for framing in [Framing::Json, Framing::Events] {
        let server = RawServer::start(framing).await?;
        let url = format!("http://127.0.0.1:{}/mcp", server.port);
        let mut wire = Wire::open(&url, "2025-06-18").await?;
        assert_eq!(wire.tools().await?, ["work"]);
        let (answer, answered) = tokio::join!(wire.call("work", json!({})), async {
            let mut call = server.call().await?;
            call.send(&format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#, call.request.id()))?;
            call.end()
        });
        answered?;
        assert_eq!(answer?.get("result"), Some(&json!({})));
        assert_eq!(wire.tools().await?, ["work"], "the connection goes on");
        let target = server.target("raw", Path::new("/bin/false"));
        anyhow::ensure!(target.contains(&server.port.to_string()), "{target}");
    }
    Ok(())
}

#[tokio::test]
async fn a_raw_server_knows_when_it_is_left() -> anyhow::Result<()> {
    let server = RawServer::start(Framing::Json).await?;
    let url = format!("http://127.0.0.1:{}/mcp", server.port);
    let mut wire = Wire::open(&url, "2025-06-18").await?;
    let calling = tokio::spawn(async move { wire.call("work", json!({})).await });
    let mut call = server.call().await?;
    calling.abort();
    call.is_left().await
}

#[tokio::test]
async fn a_page_is_there_to_be_fetched() -> anyhow::Result<()> {
    let answer = Wire::new(&page("hello").await?)?.get().await?.whole().await?;
    assert_eq!(answer.body, "hello");
    Ok(())
}

#[test]
fn a_reserved_port_can_be_listened_on_again_and_again() -> anyhow::Result<()> {
    let port = reserved_port()?;
    for _ in 0..3 {
        std::net::TcpListener::bind(("127.0.0.1", port))?;
    }
    Ok(())
}
