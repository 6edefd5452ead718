//! The binary while its files change under it, in ways that must not disturb who is connected.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

/// The harness's patience; nothing here takes a second.
const PATIENCE: Duration = Duration::from_secs(10);

const TARGETS: &str = "targets: [{name: one, url: 'http://127.0.0.1:1/mcp'}]\n";

/// A gateway that serves the folder `live`.
struct Gateway {
    folder: TempDir,
    portico: Child,
    log: Receiver<String>,
    seen: Vec<String>,
    admin: SocketAddr,
    address: SocketAddr,
}

impl Gateway {
    fn start(document: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("live")).unwrap();
        fs::write(folder.path().join("live/portico.yaml"), document).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_portico"));
        command.args(["run", "-f", "live", "--admin-port", "0", "--access-log", "off"]);
        command.current_dir(folder.path()).env_remove("RUST_LOG").stdin(Stdio::null());
        let mut portico = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, log) = channel();
        let stderr = BufReader::new(portico.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().try_for_each(|line| sender.send(line.unwrap())));
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let seen = Vec::new();
        let mut gateway = Self { folder, portico, log, seen, admin: anywhere, address: anywhere };
        gateway.admin = gateway.address_after("address=", "Serving /metrics");
        gateway.address = gateway.address_after("bound=", "Listening.");
        patiently(|| gateway.readiness() == "ready");
        gateway
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, document: &str) {
        fs::write(self.path("live/portico.yaml"), document).unwrap();
    }

    /// The next line of the log that holds `text`.
    fn said(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.log.recv_timeout(PATIENCE) else {
                panic!("`{text}` was not said: {:#?}", self.seen);
            };
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    fn address_after(&mut self, field: &str, text: &str) -> SocketAddr {
        let line = self.said(text);
        let (_, rest) = line.split_once(field).unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Whether an MCP client is answered at this address.
    fn serves(&self, address: SocketAddr) -> bool {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let length = body.len();
        let request = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        ask(address, &request).is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    fn readiness(&self) -> String {
        let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let answer = ask(self.admin, request).unwrap();
        answer.lines().last().unwrap().to_owned()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.portico.kill();
        let _ = self.portico.wait();
    }
}

fn ask(address: SocketAddr, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Some(answer)
}

/// A document whose listener `name` is at `address`, in the third line.
fn listening(name: &str, address: &str) -> String {
    format!("{TARGETS}listeners:\n- {{name: {name}, address: '{address}'}}\n")
}

#[test]
fn a_folder_that_is_away_for_a_moment_opens_and_closes_nothing() {
    let mut gateway = Gateway::start(&listening("a", "127.0.0.1:0"));
    fs::rename(gateway.path("live"), gateway.path("away")).unwrap();
    gateway.said("live:1:1: error: the folder cannot be read");
    assert!(gateway.serves(gateway.address));
    fs::rename(gateway.path("away"), gateway.path("live")).unwrap();
    gateway.said("no problems any more");
    assert!(gateway.serves(gateway.address));
    let moved = |line: &&String| line.contains("istening.");
    assert_eq!(gateway.seen.iter().filter(moved).count(), 1, "{:#?}", gateway.seen);
}

#[test]
fn a_listener_that_moves_to_a_taken_port_stays_until_it_can() {
    let mut gateway = Gateway::start(&listening("a", "127.0.0.1:0"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let next = taken.local_addr().unwrap();
    gateway.write(&listening("a", &next.to_string()));
    let said = gateway.said("cannot listen on");
    let place = "live/portico.yaml:3:22: error: listeners[0].address: cannot listen on";
    assert!(said.contains(place), "{said}");
    assert!(said.contains(&format!("{} is served until", gateway.address)), "{said}");
    assert!(gateway.serves(gateway.address));
    assert_eq!(gateway.readiness(), "ready");

    drop(taken);
    gateway.write(&format!("{}# again\n", listening("a", &next.to_string())));
    gateway.said("Stopped listening.");
    gateway.said("Listening.");
    assert!(gateway.serves(next));
    assert!(!gateway.serves(gateway.address));
}

#[test]
fn a_gateway_without_any_listener_is_not_ready() {
    let mut gateway = Gateway::start(&listening("a", "127.0.0.1:0"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = taken.local_addr().unwrap().to_string();
    gateway.write(&listening("b", &other));
    gateway.said("cannot listen on");
    patiently(|| gateway.readiness() == "unbound");
    drop(taken);
    gateway.write(&format!("{}# again\n", listening("b", &other)));
    gateway.said("Listening.");
    patiently(|| gateway.readiness() == "ready");
}

fn patiently(condition: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "nothing happened");
        std::thread::yield_now();
    }
}
