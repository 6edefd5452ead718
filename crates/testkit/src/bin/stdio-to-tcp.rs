//! A stdio MCP server that is somewhere else: joins its standard input and output to a port of 127.0.0.1, where a test
//! plays the server.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::{env, thread};

use anyhow::Context;

fn main() -> anyhow::Result<()> {
    let port = env::args().nth(1).context("say which port")?;
    let port: u16 = port.parse().with_context(|| format!("`{port}` is not a port"))?;
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).context("nobody listens")?;
    let to = stream.try_clone().context("cannot write to the port")?;
    thread::spawn(move || {
        // The end of standard input is the end of the server, as for any stdio server.
        let ended = copy(io::stdin(), &to);
        let _ = to.shutdown(Shutdown::Both);
        ended
    });
    copy(stream, io::stdout()).context("the other side is gone")
}

/// Like `io::copy`, without holding anything back.
fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer)?;
        let Some(bytes @ [_, ..]) = buffer.get(..length) else { return Ok(()) };
        to.write_all(bytes)?;
        to.flush()?;
    }
}
