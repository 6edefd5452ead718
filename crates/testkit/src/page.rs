//! A page of the web, for a server that fetches pages.

use std::net::Ipv4Addr;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Serves one page on a port of its own; gives its URL.
pub async fn page(text: &str) -> anyhow::Result<String> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a page")?;
    let address = listener.local_addr().context("a page without an address")?;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, answer.clone()));
        }
    });
    Ok(format!("http://{address}/"))
}

async fn serve(stream: TcpStream, answer: String) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if !matches!(stream.read_line(&mut head).await, Ok(1..)) {
            return;
        }
    }
    // A reader that went away needs no page.
    let _ = stream.write_all(answer.as_bytes()).await;
}
