//! Names, found through name servers on sockets.

use super::fixtures::{Finder, NameServer, Say};
use super::*;

#[tokio::test]
async fn addresses_and_localhost_are_no_names() {
    let server = NameServer::start().await;
    let finder = Finder::new(&server, "nameserver 127.0.0.1\nsearch test", "192.0.2.9 localhost");
    for (host, expected) in [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("localhost", "127.0.0.1 ::1"),
        ("LocalHost.", "127.0.0.1 ::1"),
        ("web.localhost", "127.0.0.1 ::1"),
    ] {
        assert_eq!(finder.find(host).await, expected, "{host}");
    }
    assert!(server.asked().is_empty(), "{:?}", server.asked());
    assert!(!finder.files.were_read(), "nobody needed a name");
}

#[tokio::test]
async fn what_the_hosts_file_says_is_not_asked_for() {
    let server = NameServer::start().await;
    let hosts = "192.0.2.1 web web.example\n2001:db8::1 web # both\n";
    let finder = Finder::new(&server, "nameserver 127.0.0.1\nsearch test", hosts);
    let both = finder.find("Web").await;
    assert!(both.contains("192.0.2.1") && both.contains("2001:db8::1"), "{both}");
    assert_eq!(finder.find("web.example").await, "192.0.2.1");
    assert!(server.asked().is_empty(), "{:?}", server.asked());
}

/// Which full names are asked for, until one is found.
async fn check_search(resolv: &str, host: &str, expected: &[&str]) {
    let server = NameServer::start().await;
    server.say("web.shop.test", Say::addresses(&["192.0.2.1"], 60));
    let finder = Finder::new(&server, &format!("nameserver 127.0.0.1\n{resolv}"), "");
    finder.find(host).await;
    assert_eq!(server.asked(), expected, "{host}, {resolv}");
}

#[tokio::test]
async fn short_names_are_searched_for_as_resolv_conf_says() {
    let cluster = "search shop.svc shop.test test\noptions ndots:5";
    check_search(cluster, "web", &["web.shop.svc", "web.shop.test"]).await;
    check_search(
        cluster,
        "web.shop",
        &["web.shop.shop.svc", "web.shop.shop.test", "web.shop.test"],
    )
    .await;
    check_search(cluster, "web.shop.test.", &["web.shop.test"]).await;
    check_search("search shop.test", "web.shop.test", &["web.shop.test"]).await;
    check_search("search test", "gone", &["gone.test", "gone"]).await;
    check_search("search other\ndomain shop.test", "web", &["web.shop.test"]).await;
}

#[tokio::test]
async fn what_comes_later_in_the_search_does_not_stand_in_for_a_server_that_fails() {
    let server = NameServer::start().await;
    server.say("web.one.test", Say::Fail);
    server.say("web.two.test", Say::addresses(&["192.0.2.1"], 60));
    let resolv = "nameserver 127.0.0.1\nsearch one.test two.test";
    let finder = Finder::new(&server, resolv, "");
    assert_eq!(finder.find("web").await, "the resolver answered \"Server Failure\"");
}

#[tokio::test]
async fn an_answer_is_used_until_its_ttl_ends() {
    let server = NameServer::start().await;
    server.say("web.test", Say::addresses(&["192.0.2.1"], 60));
    server.say("soon.test", Say::addresses(&["192.0.2.1"], 1));
    let finder = Finder::of(&server);
    assert_eq!(finder.find("web.test").await, "192.0.2.1");
    assert_eq!(finder.find("soon.test").await, "192.0.2.1");

    server.say("web.test", Say::addresses(&["192.0.2.2", "192.0.2.3"], 60));
    server.say("soon.test", Say::addresses(&["192.0.2.2", "192.0.2.3"], 1));
    finder.clock.advance(Duration::from_secs(59));
    assert_eq!(finder.find("web.test").await, "192.0.2.1");
    finder.find_at_last("soon.test", "192.0.2.2 192.0.2.3").await;
    assert_eq!(server.asked().iter().filter(|name| *name == "web.test").count(), 1);
}

#[tokio::test]
async fn a_ttl_is_bounded_below_and_above() {
    let server = NameServer::start().await;
    let finder = Finder::of(&server);
    for (ttl, least, most) in [(0, 0, 1), (30, 28, 30), (1_000_000, 3598, 3600)] {
        let host = format!("ttl-{ttl}.test");
        server.say(&host, Say::addresses(&["192.0.2.1"], ttl));
        let answer = question::ask(&*finder.files.read().await, &host).await.unwrap();
        let (least, most) = (Duration::from_secs(least), Duration::from_secs(most));
        assert!(answer.lasts > least && answer.lasts <= most, "{ttl}: {:?}", answer.lasts);
    }
}

#[tokio::test]
async fn many_ask_once() {
    let server = NameServer::start().await;
    let late = Say::Late(vec!["192.0.2.1".parse().unwrap()], Duration::from_millis(300));
    server.say("web.test", late);
    let finder = Finder::of(&server);
    let found = futures_util::future::join_all((0..100).map(|_| finder.find("web.test"))).await;
    assert!(found.iter().all(|found| found == "192.0.2.1"), "{found:?}");
    assert_eq!(server.asked(), ["web.test"]);
}

#[tokio::test]
async fn who_waited_with_somebody_that_left_has_an_answer() {
    let server = NameServer::start().await;
    let late = Say::Late(vec!["192.0.2.1".parse().unwrap()], Duration::from_millis(300));
    server.say("web.test", late);
    let finder = Finder::of(&server);
    let host: Arc<str> = "web.test".into();
    let left = tokio::time::timeout(Duration::from_millis(50), finder.names.addresses(&host));
    let (left, stayed) = tokio::join!(left, finder.find("web.test"));
    assert!(left.is_err());
    assert_eq!(stayed, "192.0.2.1");
    assert_eq!(server.asked(), ["web.test"]);
}

#[tokio::test]
async fn the_last_good_answer_outlives_a_silent_resolver_for_an_hour() {
    let server = NameServer::start().await;
    server.say("web.test", Say::addresses(&["192.0.2.1"], 1));
    let finder = Finder::of(&server);
    assert_eq!(finder.find("web.test").await, "192.0.2.1");

    server.say("web.test", Say::Silence);
    while server.asked().len() < 3 {
        finder.clock.advance(RETRY);
        assert_eq!(finder.find("web.test").await, "192.0.2.1");
    }
    // Between two attempts nobody waits for it.
    let before = Instant::now();
    let (asked, mut found) = (server.asked().len(), 0);
    while found < 20 {
        assert_eq!(finder.find("web.test").await, "192.0.2.1");
        found += 1;
    }
    assert!(before.elapsed() < STALE_WAIT * 2, "{:?}", before.elapsed());
    assert!(server.asked().len() <= asked + 1);

    finder.clock.advance(STALE);
    assert_eq!(finder.find("web.test").await, "no answer from the resolver");

    server.say("web.test", Say::addresses(&["192.0.2.2"], 1));
    assert_eq!(finder.find("web.test").await, "192.0.2.2");
}

#[tokio::test]
async fn a_name_that_is_gone_is_gone() {
    let server = NameServer::start().await;
    server.say("web.test", Say::addresses(&["192.0.2.1"], 1));
    let finder = Finder::of(&server);
    assert_eq!(finder.find("web.test").await, "192.0.2.1");
    server.forget("web.test");
    finder.find_at_last("web.test", "no such name").await;
    assert_eq!(finder.names.known(&"web.test".into()), None);
}

#[tokio::test]
async fn what_failed_is_said() {
    let server = NameServer::start().await;
    server.say("fail.test", Say::Fail);
    server.say("silent.test", Say::Silence);
    server.say("empty.test", Say::Addresses(Vec::new(), 60));
    let finder = Finder::of(&server);
    for (host, expected) in [
        ("gone.test", "no such name"),
        ("fail.test", "the resolver answered \"Server Failure\""),
        ("silent.test", "no answer from the resolver"),
        ("empty.test", "the name has no address"),
        ("a..b", "not a name"),
    ] {
        assert_eq!(finder.find(host).await, expected, "{host}");
    }
}

#[tokio::test]
async fn the_servers_are_asked_in_their_order() {
    let first = NameServer::start().await;
    let second = first.beside("127.0.0.2").await;
    let finder = Finder::new(&first, "nameserver 127.0.0.1\nnameserver 127.0.0.2", "");
    for (name, says, expected) in [
        ("both.test", Say::addresses(&["192.0.2.1"], 60), "192.0.2.1"),
        ("fail.test", Say::Fail, "192.0.2.2"),
        ("silent.test", Say::Silence, "192.0.2.2"),
    ] {
        first.say(name, says);
        second.say(name, Say::addresses(&["192.0.2.2"], 60));
        assert_eq!(finder.find(name).await, expected, "{name}");
    }
    // One that does not know a name is believed.
    second.say("gone.test", Say::addresses(&["192.0.2.2"], 60));
    assert_eq!(finder.find("gone.test").await, "no such name");
    assert_eq!(second.asked(), ["fail.test", "silent.test"]);
}

#[tokio::test]
async fn a_server_that_never_answers_for_ipv6_delays_nobody_for_long() {
    let server = NameServer::start().await;
    server.say("web.test", Say::FourOnly(vec!["192.0.2.1".parse().unwrap()]));
    let resolv = Finder::of(&server);
    let before = Instant::now();
    assert_eq!(resolv.find("web.test").await, "192.0.2.1");
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
}

#[tokio::test]
async fn another_resolv_conf_is_read() {
    let first = NameServer::start().await;
    let second = first.beside("127.0.0.2").await;
    second.say("web.test", Say::addresses(&["192.0.2.2"], 60));
    let finder = Finder::of(&first);
    assert_eq!(finder.find("web.test").await, "no such name");
    finder.write_resolv("nameserver 127.0.0.2 # moved");
    assert_eq!(finder.find("web.test").await, "192.0.2.2");
}
