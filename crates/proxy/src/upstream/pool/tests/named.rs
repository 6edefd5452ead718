//! Peers that are known by a name, over HTTP/1.1 and HTTP/2.

use std::net::IpAddr;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;

use super::*;
use crate::upstream::names::fixtures::{Finder, NameServer, Say};
use crate::upstream::pool::shared::SharedPool;

/// Says on which address it was reached. Ends with its connections when it is dropped.
struct Web {
    port: u16,
    serving: tokio::task::JoinHandle<()>,
}

impl Web {
    async fn start(ip: &str, port: u16) -> Self {
        let ip: IpAddr = ip.parse().unwrap();
        let listener = TcpListener::bind((ip, port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(async move {
                    let service = service_fn(move |_| async move {
                        Ok::<_, std::convert::Infallible>(http::Response::new(Full::new(
                            Bytes::from(ip.to_string()),
                        )))
                    });
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { port, serving }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// How requests are sent to `http://web.test`.
enum Way {
    Http1(HttpPool),
    Http2(SharedPool),
}

struct Visitor {
    way: Way,
    address: Address,
}

impl Visitor {
    /// One for each way.
    fn both(finder: &Finder, port: u16) -> [Self; 2] {
        let (tasks, names) = (Tasks::new(), finder.names.clone());
        let http1 = HttpPool::new(tasks.clone(), Clock::system(), names.clone());
        let http2 = SharedPool::new(tasks, Clock::system(), names);
        let address = Address::of(&format!("http://web.test:{port}/").parse().unwrap()).unwrap();
        [Way::Http1(http1), Way::Http2(http2)].map(|way| Self { way, address: address.clone() })
    }

    /// Who answered, or why nobody did.
    async fn ask(&self) -> String {
        let sending = Sending {
            address: &self.address,
            endpoints: &[],
            pinned: None,
            tls: &UpstreamTls::default(),
            connect_timeout: Duration::from_secs(5),
            header_block: 32 * 1024,
        };
        let mut request = Request::new(RequestBody::Whole(Full::default()));
        let answer = match &self.way {
            Way::Http1(pool) => {
                let host = self.address.authority.clone();
                request.headers_mut().insert(http::header::HOST, host);
                pool.pass(&sending, request).await
            }
            Way::Http2(pool) => {
                *request.uri_mut() = format!("http://{}/", self.address.peer).parse().unwrap();
                pool.send(&sending, request).await
            }
        };
        match answer {
            Ok(mut answer) => {
                let body = answer.body.collect(1024).await.unwrap();
                String::from_utf8(body.to_vec()).unwrap()
            }
            Err(error) => error.to_string(),
        }
    }
}

#[tokio::test]
async fn every_address_of_a_name_is_used_and_one_that_is_down_passed_over() {
    let server = NameServer::start().await;
    server.say("web.test", Say::addresses(&["127.0.0.1", "127.0.0.2", "127.0.0.3"], 60));
    let finder = Finder::of(&server);
    let one = Web::start("127.0.0.1", 0).await;
    let three = Web::start("127.0.0.3", one.port).await;
    for visitor in Visitor::both(&finder, one.port) {
        let asked = (0..12).map(|_| visitor.ask());
        let answers = futures_util::future::join_all(asked).await;
        let count = |ip: &str| answers.iter().filter(|answer| *answer == ip).count();
        assert_eq!(count("127.0.0.1") + count("127.0.0.3"), 12, "{answers:?}");
        assert!(count("127.0.0.1") >= 3 && count("127.0.0.3") >= 3, "{answers:?}");
    }
    drop(three);
}

#[tokio::test]
async fn a_connection_to_an_address_that_a_name_had_is_not_used_again() {
    let server = NameServer::start().await;
    let old = Web::start("127.0.0.1", 0).await;
    let _new = Web::start("127.0.0.2", old.port).await;
    for place in 0..2 {
        server.say("web.test", Say::addresses(&["127.0.0.1"], 1));
        let finder = Finder::of(&server);
        let visitor = &Visitor::both(&finder, old.port)[place];
        assert_eq!(visitor.ask().await, "127.0.0.1");

        // Requests alone, each on the connection of the one before, are enough to notice.
        server.say("web.test", Say::addresses(&["127.0.0.2"], 1));
        let moved = async {
            while visitor.ask().await != "127.0.0.2" {
                finder.clock.advance(Duration::from_secs(2));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LONG, moved).await.unwrap();
        assert_eq!(visitor.ask().await, "127.0.0.2");
    }
}

#[tokio::test]
async fn an_open_connection_waits_for_no_resolver() {
    let server = NameServer::start().await;
    let web = Web::start("127.0.0.1", 0).await;
    for place in 0..2 {
        server.say("web.test", Say::addresses(&["127.0.0.1"], 1));
        let finder = Finder::of(&server);
        let visitor = &Visitor::both(&finder, web.port)[place];
        assert_eq!(visitor.ask().await, "127.0.0.1");
        server.say("web.test", Say::Silence);
        let asked = server.asked().len();
        let mut slowest = Duration::ZERO;
        while server.asked().len() == asked {
            finder.clock.advance(Duration::from_secs(6));
            let before = std::time::Instant::now();
            assert_eq!(visitor.ask().await, "127.0.0.1");
            slowest = slowest.max(before.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(slowest < Duration::from_millis(900), "{slowest:?}");
    }
}

#[tokio::test]
async fn a_name_that_fails_is_named() {
    let server = NameServer::start().await;
    let finder = Finder::of(&server);
    for visitor in Visitor::both(&finder, 81) {
        let expected = "cannot reach `web.test:81`: resolving `web.test`: no such name";
        assert_eq!(visitor.ask().await, expected);
    }
}
