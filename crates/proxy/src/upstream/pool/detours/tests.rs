//! Which sockets are tried last, and for how long.

use super::*;

fn sockets(ports: &[u16]) -> Vec<SocketAddr> {
    ports.iter().map(|port| SocketAddr::from(([127, 0, 0, 1], *port))).collect()
}

fn order(detours: &Detours, now: Instant) -> Vec<u16> {
    let mut all = sockets(&[1, 2, 3]);
    detours.order(now, &mut all);
    all.iter().map(SocketAddr::port).collect()
}

#[test]
fn a_socket_that_failed_is_tried_last_for_a_while() {
    let (detours, now) = (Detours::default(), Instant::now());
    detours.failed(now, sockets(&[1])[0]);
    assert_eq!(order(&detours, now), [2, 3, 1]);
    assert_eq!(order(&detours, now + TIME), [1, 2, 3]);
}

#[test]
fn a_socket_that_works_again_has_its_turn_again() {
    let (detours, now) = (Detours::default(), Instant::now());
    for socket in sockets(&[1, 2]) {
        detours.failed(now, socket);
    }
    assert_eq!(order(&detours, now), [3, 1, 2]);
    detours.worked(sockets(&[1])[0]);
    assert_eq!(order(&detours, now), [1, 3, 2]);
}

#[test]
fn no_more_than_so_many_are_remembered() {
    let (detours, now) = (Detours::default(), Instant::now());
    for port in 1..=u16::try_from(MOST).unwrap() + 1 {
        detours.failed(now, sockets(&[port])[0]);
    }
    assert_eq!(order(&detours, now), [1, 2, 3]);
}
