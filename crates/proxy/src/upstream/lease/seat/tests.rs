//! What a call waits for before it has its connection.

use std::sync::mpsc;
use std::thread;

use super::*;
use crate::upstream::transport::fixtures::LONG;

#[test]
fn a_call_does_not_wait_for_whoever_opens_a_connection() {
    let seats = Arc::<Seats>::default();
    let opening = seats.open.lock();
    let (told, heard) = mpsc::channel();
    let call = seats.clone();
    let call = thread::spawn(move || {
        told.send(call.check().is_ok()).unwrap();
        call.end();
        told.send(call.check().is_ok()).unwrap();
    });
    assert_eq!(heard.recv_timeout(LONG), Ok(true));
    assert_eq!(heard.recv_timeout(LONG), Ok(false));
    drop(opening);
    call.join().unwrap();
}
