//! Clients that come all at once, and which addresses stand in whose way.

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{bind, exclude, reaches_no_more};
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

#[test]
fn addresses_of_one_port_exclude_each_other_where_one_takes_the_other_along() {
    let check = |one: &str, other: &str, expected: bool| {
        let (one, other) = (one.parse().unwrap(), other.parse().unwrap());
        assert_eq!(exclude(one, other), expected, "{one} and {other}");
        assert_eq!(exclude(other, one), expected, "{other} and {one}");
    };
    check("127.0.0.1:80", "127.0.0.1:80", true);
    check("127.0.0.1:80", "0.0.0.0:80", true);
    check("127.0.0.1:80", "[::]:80", true);
    check("0.0.0.0:80", "[::]:80", true);
    check("[::1]:80", "[::]:80", true);
    check("127.0.0.1:80", "10.0.0.5:80", false);
    check("[::1]:80", "0.0.0.0:80", false);
    check("127.0.0.1:80", "0.0.0.0:81", false);
}

#[test]
fn an_address_stays_only_where_nobody_reaches_it_who_is_not_to() {
    let check = |current: &str, next: &str, expected: bool| {
        let (current, next) = (current.parse().unwrap(), next.parse().unwrap());
        assert_eq!(reaches_no_more(current, next), expected, "{current} for {next}");
    };
    check("127.0.0.1:80", "10.0.0.5:80", true);
    check("10.0.0.5:80", "10.0.0.5:81", true);
    check("10.0.0.5:80", "0.0.0.0:80", true);
    check("0.0.0.0:80", "[::]:9000", true);
    check("[::]:80", "0.0.0.0:9000", false);
    check("[2001:db8::1]:80", "0.0.0.0:9000", false);
    check("0.0.0.0:80", "127.0.0.1:80", false);
}
