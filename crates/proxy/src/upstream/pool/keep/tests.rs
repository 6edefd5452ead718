//! The rules of DESIGN section 8, one by one.

use http::{HeaderName, HeaderValue, Response};

use super::*;

fn check(version: Version, headers: &[(&str, &str)], seconds: Option<u64>) {
    let (mut head, ()) = Response::new(()).into_parts();
    head.version = version;
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        head.headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    assert_eq!(idle_time(&head), seconds.map(Duration::from_secs), "{headers:?}");
}

#[test]
fn a_connection_is_kept_a_second_less_than_its_peer_says() {
    let one = Version::HTTP_11;
    check(one, &[], Some(4));
    check(one, &[("connection", "keep-alive")], Some(4));
    check(one, &[("keep-alive", "timeout=5")], Some(4));
    check(one, &[("keep-alive", "max=100, Timeout = 30")], Some(29));
    check(one, &[("keep-alive", "timeout=1")], None);
    check(one, &[("keep-alive", "timeout=0")], None);
    check(one, &[("keep-alive", "timeout=soon")], Some(4));
}

#[test]
fn no_connection_is_kept_to_a_peer_that_closes() {
    check(Version::HTTP_11, &[("connection", "close")], None);
    check(Version::HTTP_11, &[("connection", "x, Close"), ("keep-alive", "timeout=9")], None);
    check(Version::HTTP_10, &[], None);
    check(Version::HTTP_10, &[("connection", "keep-alive"), ("keep-alive", "timeout=9")], None);
}
