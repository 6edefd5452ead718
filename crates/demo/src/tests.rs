//! Both servers over HTTP, as a client sees them.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, ORIGIN};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use mcp::{Decoder, Revision};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::Demo;

/// A client of one server, with the session that it was given.
struct Client {
    address: SocketAddr,
    session: Option<String>,
    _demo: Demo,
}

impl Client {
    /// Has said hello in that revision.
    async fn new(name: &str, revision: Revision) -> Self {
        let demo = crate::start().await.unwrap();
        let (_, address) = demo.addresses().into_iter().find(|(known, _)| known == name).unwrap();
        let mut client = Self { address, session: None, _demo: demo };
        let params = json!({ "protocolVersion": revision.as_str(), "capabilities": {} });
        let answer = client.post(&request("initialize", params)).await;
        client.session = answer
            .headers()
            .get(mcp::headers::MCP_SESSION_ID)
            .map(|id| id.to_str().unwrap().to_owned());
        let hello = json_of(answer).await;
        assert_eq!(hello["result"]["protocolVersion"], revision.as_str());
        assert_eq!(hello["result"]["serverInfo"]["name"], name);
        client
    }

    async fn send(&self, request: http::request::Builder, body: String) -> Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        sender.send_request(request).await.unwrap()
    }

    fn head(&self, method: &str) -> http::request::Builder {
        let mut head = Request::builder()
            .method(method)
            .uri("/mcp")
            .header(HOST, self.address.to_string())
            .header(ACCEPT, "application/json, text/event-stream")
            .header(CONTENT_TYPE, "application/json");
        if let Some(session) = &self.session {
            head = head.header("Mcp-Session-Id", session);
        }
        head
    }

    async fn post(&self, message: &Value) -> Response<Incoming> {
        self.send(self.head("POST"), message.to_string()).await
    }

    /// The response to a request that is answered with 200.
    async fn ask(&self, method: &str, params: Value) -> Value {
        let answer = self.post(&request(method, params)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        json_of(answer).await
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }
}

fn request(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

async fn json_of(answer: Response<Incoming>) -> Value {
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

/// The entries of a list, by `key`.
async fn check_list(client: &Client, method: &str, key: &str, expected: &[&str]) {
    let answer = client.ask(method, json!({})).await;
    let (_, items) = answer["result"].as_object().unwrap().iter().next().unwrap();
    let keys: Vec<&str> =
        items.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()).collect();
    assert_eq!(keys, expected, "{method}");
    let answer = client.ask(method, json!({ "cursor": "" })).await;
    assert_eq!(answer["error"]["code"], -32602, "{method}");
}

/// The status that a POST with this header instead of the usual one, and this body, gets.
async fn check_status(client: &Client, header: (&str, &str), body: &str, expected: u16) {
    let mut head = client.head("POST");
    let name: http::HeaderName = header.0.parse().unwrap();
    head.headers_mut().unwrap().insert(name, header.1.parse().unwrap());
    let answer = client.send(head, body.to_owned()).await;
    assert_eq!(answer.status().as_u16(), expected, "{header:?} {body}");
}

#[tokio::test]
async fn every_legacy_revision_is_negotiated_and_pings_are_answered() {
    for revision in Revision::ALL.into_iter().filter(|revision| revision.has_sessions()) {
        for name in ["time", "notes"] {
            let client = Client::new(name, revision).await;
            assert_eq!(client.session.is_some(), name == "notes");
            assert_eq!(client.ask("ping", json!({})).await["result"], json!({}));
        }
    }
}

#[tokio::test]
async fn time_tells_and_converts_the_time() {
    let client = Client::new("time", Revision::V2025_11_25).await;
    check_list(&client, "tools/list", "name", &["now", "convert"]).await;
    let now = client.call("now", json!({ "offset": "+02:00" })).await;
    assert!(now["result"]["structuredContent"]["time"].as_str().unwrap().ends_with("+02:00"));
    for (time, offset, expected) in [
        ("2026-11-21T23:30:00Z", "+05:30", "2026-11-22T05:00:00+05:30"),
        ("2026-01-01T00:00:00+01:00", "-08:00", "2025-12-31T15:00:00-08:00"),
    ] {
        let answer = client.call("convert", json!({ "time": time, "offset": offset })).await;
        assert_eq!(answer["result"]["content"][0]["text"], expected);
    }
    for arguments in [
        json!({ "time": "noon", "offset": "Z" }),
        json!({ "time": "2026-11-21T23:30:00Z", "offset": "+5" }),
        json!({ "time": "2026-11-21T23:30:00Z", "offset": "+99:00" }),
        json!({ "time": 5 }),
        json!(null),
    ] {
        assert_eq!(client.call("convert", arguments).await["result"]["isError"], true);
    }
}

#[tokio::test]
async fn notes_are_added_listed_found_and_read() {
    let client = Client::new("notes", Revision::V2025_06_18).await;
    check_list(&client, "tools/list", "name", &["add", "list", "search"]).await;
    check_list(&client, "prompts/list", "name", &["summarize"]).await;
    check_list(&client, "resources/list", "uri", &["notes://all"]).await;
    check_list(&client, "resources/templates/list", "uriTemplate", &["notes://{id}"]).await;
    let added = client.call("add", json!({ "text": "Buy milk\nand bread" })).await;
    assert_eq!(added["result"]["structuredContent"]["id"], 1);
    assert_eq!(added["result"]["content"][1]["uri"], "notes://1");
    client.call("add", json!({ "text": "Water the plants" })).await;
    check_list(&client, "resources/list", "name", &["all", "Buy milk", "Water the plants"]).await;
    let found = client.call("search", json!({ "query": "MILK" })).await;
    assert_eq!(found["result"]["structuredContent"]["notes"][0]["id"], 1);
    assert_eq!(found["result"]["structuredContent"]["notes"].as_array().unwrap().len(), 1);
    let read = client.ask("resources/read", json!({ "uri": "notes://2" })).await;
    assert_eq!(read["result"]["contents"][0]["text"], "Water the plants");
    let prompt = json!({ "name": "summarize", "arguments": { "style": "funny" } });
    let prompt = client.ask("prompts/get", prompt).await;
    assert_eq!(
        prompt["result"]["messages"][0]["content"]["text"],
        "Summarize these notes. Be funny."
    );
    let reference = json!({ "type": "ref/resource", "uri": "notes://{id}" });
    let completion = json!({ "ref": reference, "argument": { "name": "id", "value": "2" } });
    let completion = client.ask("completion/complete", completion).await;
    assert_eq!(completion["result"]["completion"]["values"], json!(["2"]));
}

#[tokio::test]
async fn notes_are_bounded() {
    let client = Client::new("notes", Revision::V2025_03_26).await;
    for text in [" ".to_owned(), "x".repeat(4097)] {
        assert_eq!(client.call("add", json!({ "text": text })).await["result"]["isError"], true);
    }
    for _ in 0..200 {
        let added = client.call("add", json!({ "text": "x" })).await;
        // No resource link for a client of 2025-03-26.
        assert_eq!(added["result"]["content"].as_array().unwrap().len(), 1);
    }
    assert_eq!(client.call("add", json!({ "text": "x" })).await["result"]["isError"], true);
}

#[tokio::test]
async fn a_new_note_is_announced_on_the_stream_of_the_session() {
    let client = Client::new("notes", Revision::V2025_11_25).await;
    client.ask("resources/subscribe", json!({ "uri": "notes://all" })).await;
    let mut stream = client.send(client.head("GET"), String::new()).await;
    assert_eq!(stream.status(), StatusCode::OK);
    let second = client.send(client.head("GET"), String::new()).await;
    assert_eq!(second.status(), StatusCode::CONFLICT);
    client.call("add", json!({ "text": "x" })).await;
    let mut decoder = Decoder::new(10_000);
    let mut methods = Vec::new();
    while methods.len() < 2 {
        let frame = stream.body_mut().frame().await.unwrap().unwrap();
        decoder.push(frame.into_data().unwrap());
        while let Some(event) = decoder.next_event().unwrap() {
            let message: Value = serde_json::from_slice(&event.data).unwrap();
            methods.push(message["method"].as_str().unwrap().to_owned());
        }
    }
    let expected = ["notifications/resources/list_changed", "notifications/resources/updated"];
    assert_eq!(methods, expected);
    let closed = client.send(client.head("DELETE"), String::new()).await;
    assert_eq!(closed.status(), StatusCode::NO_CONTENT);
    assert!(stream.body_mut().frame().await.is_none());
    let late = client.post(&request("ping", json!({}))).await;
    assert_eq!(late.status(), StatusCode::NOT_FOUND);
    assert_eq!(json_of(late).await["id"], 7);
}

#[tokio::test]
async fn what_there_is_not_is_an_error_that_says_so() {
    let notes = Client::new("notes", Revision::V2025_11_25).await;
    for (method, params, code) in [
        ("tools/call", json!({ "name": "nothing" }), -32602),
        ("tools/call", json!({}), -32602),
        ("prompts/get", json!({ "name": "nothing" }), -32602),
        ("resources/read", json!({ "uri": "notes://9" }), -32002),
        ("resources/subscribe", json!({ "uri": "notes://9" }), -32002),
        ("logging/setLevel", json!({ "level": "debug" }), -32601),
        (
            "completion/complete",
            json!({ "ref": {}, "argument": { "name": "", "value": "" } }),
            -32602,
        ),
    ] {
        assert_eq!(notes.ask(method, params).await["error"]["code"], code, "{method}");
    }
    let modern = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } });
    let answer = notes.post(&request("server/discover", modern)).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json_of(answer).await["error"]["code"], -32601);
}

#[tokio::test]
async fn a_request_that_may_not_come_in_is_refused() {
    let time = Client::new("time", Revision::V2025_11_25).await;
    let ping = request("ping", json!({})).to_string();
    let json = ("Content-Type", "application/json");
    check_status(&time, json, &ping, 200).await;
    check_status(&time, json, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, 202)
        .await;
    check_status(&time, json, "{", 400).await;
    check_status(&time, json, r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400).await;
    check_status(&time, json, &"x".repeat(2 << 20), 413).await;
    check_status(&time, ("Content-Type", "text/plain"), &ping, 415).await;
    check_status(&time, (ORIGIN.as_str(), "http://localhost:6274"), &ping, 200).await;
    check_status(&time, (ORIGIN.as_str(), "https://evil.example"), &ping, 403).await;
    check_status(&time, (ORIGIN.as_str(), "null"), &ping, 403).await;
    check_status(&time, (HOST.as_str(), "evil.example"), &ping, 403).await;
    check_status(&time, ("MCP-Protocol-Version", "1999-01-01"), &ping, 400).await;
    let notes = Client::new("notes", Revision::V2025_11_25).await;
    check_status(&notes, ("Mcp-Session-Id", "unknown"), &ping, 404).await;
    let stateless = Client { session: None, ..notes };
    check_status(&stateless, json, &ping, 400).await;
    let get = time.send(time.head("GET"), String::new()).await;
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
    let elsewhere = time.send(time.head("POST").uri("/"), ping).await;
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_batch_is_answered_in_the_revision_that_has_it() {
    let batch = json!([
        request("ping", json!({})),
        { "jsonrpc": "2.0", "method": "notifications/initialized" },
        request("initialize", json!({ "protocolVersion": "2025-03-26" })),
        5,
    ]);
    let client = Client::new("notes", Revision::V2025_03_26).await;
    let answers = json_of(client.post(&batch).await).await;
    assert_eq!(answers[0]["result"], json!({}));
    assert_eq!(answers[1]["error"]["code"], -32600);
    assert_eq!(answers[2]["error"]["code"], -32600);
    assert_eq!(answers.as_array().unwrap().len(), 3);
    let client = Client::new("notes", Revision::V2025_06_18).await;
    assert_eq!(client.post(&batch).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_client_that_takes_events_only_gets_its_answer_as_one() {
    let client = Client::new("time", Revision::V2025_11_25).await;
    let mut head = client.head("POST");
    head.headers_mut().unwrap().insert(ACCEPT, "text/event-stream".parse().unwrap());
    let answer = client.send(head, request("ping", json!({})).to_string()).await;
    assert!(mcp::headers::is_event_stream(answer.headers().get(CONTENT_TYPE)));
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n\n");
}

#[tokio::test]
async fn the_servers_end_when_the_demo_is_dropped() {
    let Client { address, _demo, .. } = Client::new("time", Revision::V2025_11_25).await;
    drop(_demo);
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
