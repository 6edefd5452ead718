//! Listeners whose address is taken, at a reload.

use std::net::TcpListener;

use super::*;

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

#[tokio::test]
async fn a_listener_that_cannot_move_stays_where_it_is_until_it_can() {
    let served = Served::start("30s").await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let next = taken.local_addr().unwrap();
    for _ in 0..2 {
        let failed = served.listen_on(&next.to_string()).await;
        let failed: Vec<_> = failed.iter().map(|error| (error.address, error.stays)).collect();
        assert_eq!(failed, [(next, Some(served.address))]);
        served.session().await;
    }
    drop(taken);
    assert!(served.listen_on(&next.to_string()).await.is_empty());
    assert!(TcpStream::connect(served.address).await.is_err());
    assert!(TcpStream::connect(next).await.is_ok());
}

#[tokio::test]
async fn a_listener_moves_to_an_address_that_overlaps_with_its_own() {
    let served = Served::start("30s").await;
    let port = served.address.port();
    for address in [format!("0.0.0.0:{port}"), format!("127.0.0.1:{port}")] {
        // Port 0 is another address than the port that it got.
        assert!(served.listen_on(&address).await.is_empty(), "{address}");
        served.session().await;
    }
    let elsewhere = TcpListener::bind(("127.0.0.2", port)).unwrap();
    let wide = format!("0.0.0.0:{port}");
    assert_eq!(served.listen_on(&wide).await[0].stays, Some(served.address));
    // Nobody is cut off each time that it is tried again.
    let session = served.session().await;
    let mut stream = served.send("GET", &session, "").await;
    until(&mut stream, "text/event-stream").await;
    assert_eq!(served.listen_on(&wide).await[0].stays, Some(served.address));
    let more = tokio::time::timeout(Duration::from_millis(200), stream.read_u8()).await;
    assert!(more.is_err() || more.unwrap().is_ok(), "the stream goes on");
    drop(elsewhere);
}

#[tokio::test]
async fn a_listener_that_fewer_are_to_reach_does_not_stay_where_it_was() {
    let served = Served::start("30s").await;
    let port = served.address.port();
    assert!(served.listen_on(&format!("0.0.0.0:{port}")).await.is_empty());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let private = taken.local_addr().unwrap();
    assert_eq!(served.listen_on(&private.to_string()).await[0].stays, None);
    assert!(served.gateway.addresses().await.is_empty());
}

#[tokio::test]
async fn an_address_that_was_never_had_is_not_tried_for_the_next_one() {
    let gateway = gateway();
    let taken =
        [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
    let [first, second] = taken.each_ref().map(|socket| socket.local_addr().unwrap());
    assert_eq!(gateway.apply(listening(&[first])).await[0].stays, None);
    let [freed, _taken] = taken;
    drop(freed);
    assert_eq!(gateway.apply(listening(&[second])).await[0].stays, None);
    assert!(gateway.addresses().await.is_empty());
}
