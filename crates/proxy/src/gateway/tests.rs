//! Listeners from one document to the next.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use config::{Compiled, Limits, Variables, compile};

use super::{Gateway, Options};
use crate::access_log::AccessLog;
use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::session::KeyRing;
use crate::tasks::Tasks;

fn gateway() -> Gateway {
    let tasks = Tasks::new();
    Gateway::start(Options {
        clock: Clock::system(),
        metrics: Metrics::new(&tasks),
        tasks,
        access_log: AccessLog::off(),
        authenticator: Authenticator::anonymous(),
        keys: KeyRing::random().unwrap(),
        replica: "test".into(),
        limits: Limits::default(),
    })
}

/// A document that listens on `addresses`.
fn listening(addresses: &[SocketAddr]) -> Compiled {
    let lines = addresses.iter().enumerate();
    let lines =
        lines.map(|(index, address)| format!("- {{name: l{index}, address: '{address}'}}\n"));
    let text = format!("listeners:\n{}", lines.collect::<String>());
    let reading = config::read("test.yaml", &text).unwrap();
    compile(&reading.document, &reading.origins, &Variables::new())
}

#[tokio::test]
async fn a_port_that_is_taken_at_a_reload_is_served_when_it_is_free() {
    let gateway = gateway();
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    assert!(gateway.apply(listening(&[any])).await.is_empty());
    let taken = TcpListener::bind(any).unwrap();
    let address = taken.local_addr().unwrap();

    let failed = gateway.apply(listening(&[any, address])).await;
    let failed: Vec<SocketAddr> = failed.iter().map(|error| error.address).collect();
    assert_eq!(failed, [address]);
    let served = gateway.addresses().await;
    assert_eq!(served.len(), 1, "the other listener goes on: {served:?}");

    drop(taken);
    assert!(gateway.apply(listening(&[any, address])).await.is_empty());
    let again = gateway.addresses().await;
    assert!(again.contains(&served[0]), "the other listener stays as it is: {again:?}");
    assert!(again.contains(&(address, address)), "{again:?}");
    tokio::net::TcpStream::connect(address).await.unwrap();
    gateway.drain(Duration::ZERO, std::future::pending()).await;
}
