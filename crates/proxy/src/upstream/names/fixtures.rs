//! Name servers on loopback that say what a test lets them say, and the files that name them.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::net::UdpSocket;

use crate::clock::{Clock, ManualClock};
use crate::tasks::Tasks;
use crate::upstream::names::Names;
use crate::upstream::names::files::Files;

/// What a server does when it is asked for a name.
#[derive(Clone)]
pub(crate) enum Say {
    /// Gives these, with this TTL in seconds.
    Addresses(Vec<IpAddr>, u32),
    /// The same, after a while.
    Late(Vec<IpAddr>, Duration),
    /// Gives those of IPv4, and says nothing when it is asked for IPv6.
    FourOnly(Vec<IpAddr>),
    /// Fails.
    Fail,
    /// Says nothing.
    Silence,
}

impl Say {
    pub(crate) fn addresses(addresses: &[&str], ttl: u32) -> Self {
        Self::Addresses(addresses.iter().map(|text| text.parse().unwrap()).collect(), ttl)
    }
}

/// A name server. Names that it was told nothing about do not exist.
#[derive(Clone)]
pub(crate) struct NameServer {
    address: SocketAddr,
    says: Arc<Mutex<HashMap<String, Say>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl NameServer {
    pub(crate) async fn start() -> Self {
        Self::listen("127.0.0.1:0".parse().unwrap()).await
    }

    /// Another one, for the same files.
    pub(crate) async fn beside(&self, ip: &str) -> Self {
        Self::listen(SocketAddr::new(ip.parse().unwrap(), self.address.port())).await
    }

    async fn listen(address: SocketAddr) -> Self {
        let socket = Arc::new(UdpSocket::bind(address).await.unwrap());
        let address = socket.local_addr().unwrap();
        let server = Self { address, says: Arc::default(), asked: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                let request = Message::from_vec(&buffer[..length]).unwrap();
                let (serving, socket) = (serving.clone(), socket.clone());
                tokio::spawn(async move {
                    if let Some(answer) = serving.answer(request).await {
                        socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
                    }
                });
            }
        });
        server
    }

    /// From now on it says this of `name`.
    pub(crate) fn say(&self, name: &str, say: Say) {
        self.says.lock().insert(name.to_owned(), say);
    }

    /// From now on it knows nothing of `name`.
    pub(crate) fn forget(&self, name: &str) {
        self.says.lock().remove(name);
    }

    /// The names whose IPv4 addresses it was asked for, in their order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }

    async fn answer(&self, request: Message) -> Option<Message> {
        let query = request.queries.first().unwrap().clone();
        let name = query.name().to_lowercase().to_string();
        if query.query_type() == RecordType::A {
            self.asked.lock().push(name.trim_end_matches('.').to_owned());
        }
        let say = self.says.lock().get(name.trim_end_matches('.')).cloned();
        let mut answer = Message::response(request.metadata.id, request.metadata.op_code);
        answer.add_query(query.clone());
        let (addresses, ttl) = match say {
            Some(Say::Addresses(addresses, ttl)) => (addresses, ttl),
            Some(Say::Late(addresses, after)) => {
                tokio::time::sleep(after).await;
                (addresses, 60)
            }
            Some(Say::FourOnly(_)) if query.query_type() == RecordType::AAAA => return None,
            Some(Say::FourOnly(addresses)) => (addresses, 60),
            Some(Say::Silence) => return None,
            Some(Say::Fail) => {
                answer.metadata.response_code = ResponseCode::ServFail;
                return Some(answer);
            }
            None => {
                answer.metadata.response_code = ResponseCode::NXDomain;
                return Some(answer);
            }
        };
        for address in addresses {
            if address.is_ipv4() == (query.query_type() == RecordType::A) {
                let record = Record::from_rdata(query.name().clone(), ttl, RData::from(address));
                answer.add_answer(record);
            }
        }
        Some(answer)
    }
}

/// A gateway's names, and what they come from.
pub(crate) struct Finder {
    pub(crate) names: Names,
    /// Moves its clock; what the library keeps has the machine's.
    pub(crate) clock: ManualClock,
    pub(crate) files: Files,
    folder: TempDir,
}

impl Finder {
    /// With these lines of `resolv.conf`, besides one attempt of a second, and of `hosts`.
    pub(crate) fn new(server: &NameServer, resolv: &str, hosts: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = server.address.port();
        let files = Files::new(folder.path().join("hosts"), folder.path().join("resolv"), port);
        let (clock, hand) = Clock::manual();
        let names = Names::with(files.clone(), Tasks::new(), clock);
        let finder = Self { names, clock: hand, files, folder };
        finder.write("hosts", hosts);
        finder.write_resolv(resolv);
        finder
    }

    /// Asks `server` alone, for full names.
    pub(crate) fn of(server: &NameServer) -> Self {
        Self::new(server, "nameserver 127.0.0.1", "")
    }

    pub(crate) fn write_resolv(&self, lines: &str) {
        self.write("resolv", &format!("{lines}\noptions timeout:1 attempts:1\n"));
    }

    fn write(&self, name: &str, text: &str) {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(path, text).unwrap();
    }

    /// The addresses of a name, or why there is none, as text.
    pub(crate) async fn find(&self, host: &str) -> String {
        match self.names.addresses(&host.into()).await {
            Ok(addresses) => {
                let shown: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
                shown.join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    /// Lets answers with a TTL of a second end, here and in the library, until `host` is found as
    /// expected.
    pub(crate) async fn find_at_last(&self, host: &str, expected: &str) {
        let found = async {
            while self.find(host).await != expected {
                self.clock.advance(Duration::from_secs(2));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), found).await.unwrap();
    }
}
