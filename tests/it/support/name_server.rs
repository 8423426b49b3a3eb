//! A small name server on a loopback address, that answers from what a test writes down.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, MX, PTR, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;

#[derive(Default)]
struct Zone {
    records: HashMap<String, Vec<RData>>,
    /// Names for which it fails.
    broken: Vec<String>,
    asked: Vec<String>,
}

/// The server; it ends with its test.
#[derive(Clone)]
pub struct NameServer {
    pub address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

impl NameServer {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: socket.local_addr().unwrap(), zone: Arc::default() };
        let own = server.clone();
        tokio::spawn(async move {
            let mut bytes = [0; 4096];
            while let Ok((length, client)) = socket.recv_from(&mut bytes).await {
                if let Some(answer) = own.answer(&bytes[..length]) {
                    let _ = socket.send_to(&answer, client).await;
                }
            }
        });
        server
    }

    fn add(&self, name: &str, data: RData) -> &Self {
        self.zone.lock().unwrap().records.entry(name.to_lowercase()).or_default().push(data);
        self
    }

    pub fn txt(&self, name: &str, text: &str) -> &Self {
        let strings = text.as_bytes().chunks(255).map(|part| String::from_utf8_lossy(part).into_owned());
        self.add(name, RData::TXT(TXT::new(strings.collect())))
    }

    pub fn mx(&self, name: &str, preference: u16, host: &str) -> &Self {
        self.add(name, RData::MX(MX::new(preference, Name::from_utf8(format!("{host}.")).unwrap())))
    }

    pub fn host(&self, name: &str, address: &str) -> &Self {
        match address.parse().unwrap() {
            IpAddr::V4(address) => self.add(name, RData::A(A(address))),
            IpAddr::V6(address) => self.add(name, RData::AAAA(AAAA(address))),
        }
    }

    /// `address` as `7.2.0.192.in-addr.arpa`.
    pub fn ptr(&self, address: &str, name: &str) -> &Self {
        self.add(address, RData::PTR(PTR(Name::from_utf8(format!("{name}.")).unwrap())))
    }

    /// From now on it answers with an error for a name.
    pub fn fail(&self, name: &str) -> &Self {
        self.zone.lock().unwrap().broken.push(name.to_lowercase());
        self
    }

    /// Forgets all of a name.
    pub fn forget(&self, name: &str) -> &Self {
        let mut zone = self.zone.lock().unwrap();
        zone.records.remove(&name.to_lowercase());
        zone.broken.retain(|broken| broken != name);
        drop(zone);
        self
    }

    /// How often a name was asked for.
    pub fn asked(&self, name: &str) -> usize {
        self.zone.lock().unwrap().asked.iter().filter(|asked| *asked == name).count()
    }

    fn answer(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let question = Message::from_vec(bytes).ok()?;
        let query = question.queries.first()?.clone();
        let name = query.name().to_string().trim_end_matches('.').to_lowercase();
        let mut answer = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
        answer.metadata.recursion_desired = true;
        answer.metadata.recursion_available = true;
        answer.add_query(query.clone());
        let mut zone = self.zone.lock().unwrap();
        zone.asked.push(name.clone());
        if zone.broken.contains(&name) {
            answer.metadata.response_code = ResponseCode::ServFail;
            return answer.to_vec().ok();
        }
        match zone.records.get(&name) {
            None => answer.metadata.response_code = ResponseCode::NXDomain,
            Some(records) => {
                let wanted: RecordType = query.query_type();
                for data in records.iter().filter(|data| data.record_type() == wanted) {
                    answer.add_answer(Record::from_rdata(query.name().clone(), 60, data.clone()));
                }
            }
        }
        answer.to_vec().ok()
    }
}
