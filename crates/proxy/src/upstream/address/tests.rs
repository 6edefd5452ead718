//! URLs taken apart, and references resolved.

use super::*;
use crate::clock::Clock;
use crate::tasks::Tasks;

fn names() -> Names {
    Names::new(Tasks::new(), Clock::system())
}

fn check(url: &str, reference: &str, expected: Result<&str, &str>) {
    let address = Address::of(&url.parse().unwrap()).unwrap();
    let joined = address.join(reference);
    let shown = |address: &Address| format!("{} {}", address.peer, address.path);
    match expected {
        Ok(expected) => assert_eq!(shown(&joined.unwrap()), expected, "{reference}"),
        Err(part) => assert!(joined.unwrap_err().to_string().contains(part), "{reference}"),
    }
}

#[test]
fn an_endpoint_is_resolved_against_the_url_of_its_stream() {
    let url = "http://h:81/a/sse?k=v";
    check(url, "/messages?sessionId=1", Ok("h:81 /messages?sessionId=1"));
    check(url, "messages/?s=1", Ok("h:81 /a/messages/?s=1"));
    check(url, "?s=1", Ok("h:81 /a/sse?s=1"));
    check(url, "http://H:81/m", Ok("H:81 /m"));
    check(url, "//h:81/m", Ok("h:81 /m"));
    check(url, " /m#part\r\n", Ok("h:81 /m"));
    check("http://h/sse", "http://h:80/m?u=http://x/", Ok("h:80 /m?u=http://x/"));
}

#[test]
fn an_endpoint_on_another_origin_is_refused() {
    check("http://h:81/sse", "http://h:82/m", Err("another origin"));
    check("http://h:81/sse", "https://h:81/m", Err("another origin"));
    check("http://h:81/sse", "http://169.254.169.254/m", Err("another origin"));
    check("http://h:81/sse", "//other/m", Err("another origin"));
    check("http://h:81/sse", "ftp://h:81/m", Err("not an http(s) URL"));
}

#[test]
fn a_userinfo_is_never_sent_or_shown() {
    let address = Address::of(&"http://me:secret@h:1/x".parse().unwrap()).unwrap();
    assert_eq!(address.authority, "h:1");
    assert_eq!(&*address.peer, "h:1");
}

#[tokio::test]
async fn endpoints_take_turns() {
    let address = Address::of(&"http://h/".parse().unwrap()).unwrap();
    let endpoints: Vec<SocketAddr> =
        ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"].map(|text| text.parse().unwrap()).into();
    let (names, mut firsts) = (names(), Vec::new());
    for turn in 0..4 {
        firsts.push(address.sockets(&names, &endpoints, turn).await.unwrap()[0].port());
    }
    assert_eq!(firsts, [1, 2, 3, 1]);
}

#[tokio::test]
async fn an_address_in_a_url_needs_no_resolver() {
    let address = Address::of(&"http://[::1]:8080/".parse().unwrap()).unwrap();
    assert_eq!(address.sockets(&names(), &[], 0).await.unwrap(), ["[::1]:8080".parse().unwrap()]);
    assert_eq!(address.authority, "[::1]:8080");
}
