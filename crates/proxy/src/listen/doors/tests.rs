//! Clients that come all at once.

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::bind;
use crate::upstream::fixtures::LONG;

/// More than twice as many as would be let in by default.
const BURST: usize = 300;

#[tokio::test]
async fn a_burst_of_connections_waits_to_be_accepted() {
    let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let burst = async {
        let mut connections = Vec::new();
        while connections.len() < BURST {
            connections.push(TcpStream::connect(address).await.unwrap());
        }
        connections
    };
    assert!(timeout(LONG, burst).await.is_ok(), "nobody has accepted one yet");
}
