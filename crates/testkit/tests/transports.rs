//! Clients that speak something else than streamable HTTP.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::{
    Client, Framing, Gateway, Host, Peers, Piped, Process, RawServer, Wire, binary, output,
    repository, request, tool_call, within,
};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_client_of_http_sse_uses_a_federation_and_answers_what_it_asks() -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let (_server, document) = federation(&peers).await?;
    let gateway = Gateway::native(&document).await?;
    let client = Client::connect(&gateway.url("/mcp")).await?;
    for target in ["pipe", "http"] {
        client.lists(&format!("{target}_greet")).await?;
    }
    for path in ["/mcp", "/mcp/sse"] {
        check_client(&peers, &["sse", &gateway.url(path)]).await.context(path)?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn the_access_log_tells_of_calls_over_http_sse_what_it_tells_of_others() -> anyhow::Result<()>
{
    let server = RawServer::start(Framing::Json).await?;
    let target = server.target("raw", Path::new("none"));
    let gateway = Gateway::native(&format!("targets:\n{target}")).await?;
    let mut listening = Wire::new(&gateway.url("/mcp"))?;
    let mut stream = listening.listen().await?;
    let endpoint = stream.next().await?.context("no endpoint")?.data;
    let mut wire = Wire::new(&gateway.url(&endpoint))?;
    let hello = json!({ "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    wire.tell(request("1", "initialize", &hello)).await?;
    stream.message().await?;
    wire.tell(tool_call("2", "work")).await?;
    server.call().await?.result(&json!({ "content": [] }))?;
    stream.message().await?;
    wire.tell(tool_call("3", "work")).await?;
    let mut nonsense = server.call().await?;
    nonsense.send("{}")?;
    nonsense.end()?;
    stream.message().await?;
    let is_of_a_call = |line: &str| line.contains("tool=work") && line.contains("target=raw");
    let served = gateway
        .access_line("a call", |line| is_of_a_call(line) && line.contains("ended=complete"))
        .await?;
    anyhow::ensure!(served.contains("status=202") && !served.contains("bytes=0"), "{served}");
    let failed = gateway
        .access_line("a failure", |line| is_of_a_call(line) && line.contains("ended=target_failed"))
        .await?;
    anyhow::ensure!(failed.contains("error=invalid"), "{failed}");
    let lines = gateway.process.log.all();
    let calls = lines.iter().filter(|line| line.contains("tool=work")).count();
    assert_eq!(calls, 2, "one line for each call");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_client_that_starts_the_gateway_uses_a_federation_and_answers_what_it_asks()
-> anyhow::Result<()> {
    let peers = Peers::find()?;
    let (_server, document) = federation(&peers).await?;
    let folder = tempfile::tempdir().context("no folder for the document")?;
    let file = folder.path().join("portico.yaml");
    fs::write(&file, document).context("cannot write the document")?;
    let (program, file) = (binary()?, file.to_string_lossy().into_owned());
    check_client(&peers, &["stdio", &program.to_string_lossy(), &file]).await
}

/// A server over HTTP, and the document that federates it with one on a pipe.
async fn federation(peers: &Peers) -> anyhow::Result<(Process, String)> {
    let server = repository()?.join("tests/peers/mcp/server.py");
    let port = peers.port()?;
    let mut command = Command::new(peers.mcp());
    command.arg(&server).args(["streamable-http", &port.to_string()]);
    let process = Process::start("streamable-http", command)?;
    process.listens(port).await?;
    let (script, program) = (server.display(), peers.mcp().display());
    let document = format!(
        "targets:\n- name: pipe\n  command: {program}\n  args: [{script}, stdio]\n- name: http\n  url: http://127.0.0.1:{port}/mcp\n"
    );
    Ok((process, document))
}

/// Python's client sees both targets, and both ask it.
async fn check_client(peers: &Peers, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(peers.mcp());
    command.arg(repository()?.join("tests/peers/mcp/one_stream.py"));
    command.args(arguments).args(["pipe", "http"]);
    let seen: Value = serde_json::from_str(&output("Python's client", command).await?)?;
    let tools = seen.get("tools").and_then(Value::as_array).context("no tools")?;
    anyhow::ensure!(tools.contains(&json!("pipe_greet")), "{seen}");
    let greeted = json!(["Hello, Ada!", "Hello, Ada!"]);
    for (what, wanted) in [
        ("greetings", greeted.clone()),
        ("progress", json!([1.0, 2.0, 3.0, 1.0, 2.0, 3.0])),
        ("asked", json!(["[pipe] Who is it?", "[http] Who is it?"])),
        ("answered", greeted),
        ("sampled", json!(["You said: Hello!", "You said: Hello!"])),
    ] {
        anyhow::ensure!(seen.get(what) == Some(&wanted), "{what}: {seen}");
    }
    Ok(())
}

const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;

/// Targets whose processes note their ids: one that ends with its input, as it should, and one that
/// ends neither then nor on SIGTERM. Both are gateways themselves.
fn processes(host: &Host, folder: &Path) -> anyhow::Result<String> {
    let note = format!("echo $$ >> '{}'", folder.join("pids").display());
    let program = binary()?;
    let serve = format!("'{}' stdio --demo", program.display());
    fs::write(folder.join("good.sh"), format!("{note}\nexec {serve}\n"))?;
    let stubborn = format!("{note}\ntrap '' TERM\n{serve}\nwhile :; do sleep 1; done\n");
    fs::write(folder.join("stubborn.sh"), stubborn)?;
    let target = |name: &str| {
        let script = folder.join(format!("{name}.sh"));
        format!("- name: {name}\n  command: sh\n  args: [{}]\n", script.display())
    };
    let (host, good, stubborn) = (host.target("host"), target("good"), target("stubborn"));
    Ok(format!("targets:\n{host}{good}{stubborn}"))
}

/// The ids of the processes that were started.
fn started(folder: &Path) -> Vec<String> {
    let pids = fs::read_to_string(folder.join("pids")).unwrap_or_default();
    pids.lines().map(str::to_owned).collect()
}

/// Whether a process runs, and is not only waiting to be taken notice of.
fn runs(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

async fn check_end(
    leave: impl AsyncFnOnce(&mut Piped) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("no folder for the scripts")?;
    let host = Host::of_one_tool().await?;
    let mut piped = Piped::start(&processes(&host, folder.path())?, &[])?;
    // The client does not wait for anything.
    piped.say(HELLO).await?;
    piped.say(&tool_call("2", "host_work")).await?;
    piped.say(&tool_call("3", "good_notes_list")).await?;
    piped.says(r#""protocolVersion":"2025-11-25""#).await?;
    let call = host.call().await?;
    piped.says(r#""id":3,"#).await?;
    leave(&mut piped).await?;
    host.visit_of(&call.request)?.sees("notifications/cancelled").await?;
    let status = piped.ended().await?;
    anyhow::ensure!(status.code() == Some(0), "{status}: {}", piped.log.all().join("\n"));
    piped.says("the call was cancelled").await?;
    drop(call);
    let pids = started(folder.path());
    anyhow::ensure!(pids.len() >= 2, "{pids:?}");
    let gone = async {
        while pids.iter().any(|pid| runs(pid)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the processes of targets to be gone", gone).await?;
    for line in piped.said.all() {
        let _: Value = serde_json::from_str(&line).context("a line that is not JSON")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn the_end_of_standard_input_ends_the_gateway_and_every_process() -> anyhow::Result<()> {
    check_end(async |piped| {
        piped.close_input();
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_signal_ends_the_gateway_on_stdio_and_every_process() -> anyhow::Result<()> {
    check_end(async |piped| piped.signal(Signal::TERM)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_second_signal_hurries_the_end_and_leaves_no_process() -> anyhow::Result<()> {
    check_end(async |piped| {
        piped.close_input();
        piped.says("the call was cancelled").await?;
        piped.signal(Signal::TERM)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn garbage_and_long_lines_cost_a_client_on_stdio_nothing_else() -> anyhow::Result<()> {
    let host = Host::of_one_tool().await?;
    let document = format!("limits: {{ requestBody: 1KiB }}\ntargets:\n{}", host.target("host"));
    let mut piped = Piped::start(&document, &[])?;
    piped.say("Hello!").await?;
    piped.says("-32700").await?;
    piped.send(&[0xff, 0x00, b'\n', b'\r', b'\n']).await?;
    piped.say(HELLO).await?;
    piped.says(r#""protocolVersion":"2025-11-25""#).await?;
    piped.send(&vec![b'x'; 8 << 20]).await?;
    piped.say("").await?;
    piped.says("the line is longer than 1024 bytes (`limits.requestBody`)").await?;
    piped.say(r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#).await?;
    piped.says(r#""name":"work""#).await?;

    let other = Host::of_one_tool().await?;
    piped.write(&format!("{document}{}", other.target("other")))?;
    piped.says("notifications/tools/list_changed").await?;
    piped.close_input();
    anyhow::ensure!(piped.ended().await?.code() == Some(0), "{}", piped.log.all().join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_client_on_stdio_is_told_where_nothing_is_served() -> anyhow::Result<()> {
    let document = "targets:\n- name: a\n  url: http://127.0.0.1:1/mcp\n";
    let mut piped = Piped::start(document, &["--path", "/elsewhere"])?;
    anyhow::ensure!(piped.ended().await?.code() == Some(2));
    let is_it = |line: &String| line.contains("`/elsewhere`") && line.contains(":8080/mcp");
    piped.log.first("where something is served", is_it).await?;
    anyhow::ensure!(piped.said.all().is_empty());
    Ok(())
}
