//! One question to a nameserver and what its answer says, as values of our own.
//!
//! The wire format is hickory's; this file asks it for a message and reads one back. Bytes come from the network and may be
//! anything: what is not the answer to the very question (id, name, type, response bit) is [`NotOurs`] and nothing is
//! taken from it. CNAME chains are followed inside the answer only, at most [`CHAIN_MAX`] links, and an answer lives as long as
//! the shortest-lived record that was used (RFC 2308 §5 for negative ones).

mod reply;

use std::net::IpAddr;

use hickory_resolver::proto::op::{Edns, Message, MessageType, Query as ProtoQuery, ResponseCode};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record as ProtoRecord, RecordType};

pub use reply::{Data, Rcode, Reply, Service};

/// The record type that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Services (RFC 2782).
    Srv,
}

impl Kind {
    fn record_type(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
            Self::Srv => RecordType::SRV,
        }
    }

    /// Its word in zone files.
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Srv => "SRV",
        }
    }
}

/// A question with its random id.
#[derive(Clone, Debug)]
pub struct Query {
    name: Name,
    kind: Kind,
    id: u16,
}

impl Query {
    /// A question for the absolute `name`; `None` if that cannot be a name (a label or the whole too long, an empty label).
    pub fn new(name: &str, kind: Kind) -> Option<Self> {
        Some(Self {
            name: absolute(name)?,
            kind,
            id: Message::query().metadata.id,
        })
    }

    /// The same question under another id.
    pub fn again(&self) -> Self {
        Self {
            id: Message::query().metadata.id,
            ..self.clone()
        }
    }

    /// What is asked for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message. `payload` announces EDNS with that size.
    pub fn encode(&self, payload: Option<u16>, trust_ad: bool) -> Vec<u8> {
        let mut message = Message::query();
        message.metadata.id = self.id;
        message.metadata.recursion_desired = true;
        message.metadata.authentic_data = trust_ad;
        message.add_query(ProtoQuery::query(
            self.name.clone(),
            self.kind.record_type(),
        ));
        if let Some(payload) = payload {
            let mut edns = Edns::new();
            edns.set_max_payload(payload).set_version(0);
            message.set_edns(edns);
        }
        message
            .to_vec()
            .expect("one question fits into any message")
    }

    /// Reads an answer to this question.
    pub fn read(&self, bytes: &[u8]) -> Result<Reply, NotOurs> {
        if bytes.get(..2) != Some(&self.id.to_be_bytes()) {
            return Err(NotOurs::Id);
        }
        let message = Message::from_vec(bytes).map_err(|_| NotOurs::Garbage)?;
        if message.metadata.message_type != MessageType::Response {
            return Err(NotOurs::Garbage);
        }
        match message.queries.as_slice() {
            [asked] if asked.name == self.name && asked.query_type == self.kind.record_type() => {}
            // A server that could not read the question may leave it out (RFC 1035 §4.1.1, RFC 6891 §7).
            [] if Rcode::from(message.metadata.response_code).refuses_edns() => {}
            _ => return Err(NotOurs::Question),
        }
        Ok(self.reply(&message))
    }

    /// Stands for an answer that came but did not fit: the question has to be asked over TCP.
    pub fn oversized(&self) -> Reply {
        Reply {
            rcode: Rcode::NoError,
            truncated: true,
            lame: false,
            kind: self.kind,
            any_answer: false,
            chain: Vec::new(),
            records: Vec::new(),
            lifetime: 0,
        }
    }

    fn reply(&self, message: &Message) -> Reply {
        let meta = &message.metadata;
        let (owner, chain, mut lifetime) = follow(&self.name, &message.answers);
        let mut records = Vec::new();
        for record in message
            .answers
            .iter()
            .filter(|record| record.name == owner && record.dns_class == DNSClass::IN)
        {
            let Some(data) = self.data(record, &message.additionals) else {
                continue;
            };
            if records.len() == RECORDS_MAX {
                break;
            }
            lifetime = lifetime.min(seconds(record.ttl));
            records.push(data);
        }
        if records.is_empty() {
            lifetime = lifetime.min(negative_lifetime(&message.authorities));
        }
        Reply {
            rcode: Rcode::from(meta.response_code),
            truncated: meta.truncation,
            lame: meta.response_code == ResponseCode::NoError
                && !(meta.authoritative || meta.recursion_available)
                && message.answers.is_empty()
                && message.additionals.is_empty()
                && message.edns.is_none(),
            kind: self.kind,
            any_answer: !message.answers.is_empty(),
            chain,
            records,
            lifetime,
        }
    }

    /// What a record gives to this question.
    fn data(&self, record: &ProtoRecord, additionals: &[ProtoRecord]) -> Option<Data> {
        match (self.kind, &record.data) {
            (Kind::A, RData::A(address)) => Some(Data::Address(IpAddr::V4(address.0))),
            (Kind::Aaaa, RData::AAAA(address)) => Some(Data::Address(IpAddr::V6(address.0))),
            (Kind::Srv, RData::SRV(service)) => Some(Data::Service(Service {
                priority: service.priority,
                weight: service.weight,
                port: service.port,
                target: text(&service.target),
                addresses: glue(&service.target, additionals),
            })),
            _ => None,
        }
    }
}

/// Why bytes are not the answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOurs {
    /// Another id.
    Id,
    /// Another question.
    Question,
    /// No answer at all.
    Garbage,
}

/// The absolute name of `text`, its bytes as they are (no IDNA).
fn absolute(text: &str) -> Option<Name> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Some(Name::root());
    }
    if text.len() > NAME_BYTES_MAX {
        return None;
    }
    Name::from_labels(text.split('.').map(str::as_bytes)).ok()
}

/// A name for people and for further questions.
fn text(name: &Name) -> String {
    let mut text = name.to_lowercase().to_ascii();
    if text.len() > 1 && text.ends_with('.') {
        text.pop();
    }
    text
}

/// Follows the CNAMEs of an answer: the last owner, the names on the way, the shortest lifetime.
fn follow(name: &Name, answers: &[ProtoRecord]) -> (Name, Vec<String>, u32) {
    let (mut owner, mut chain, mut lifetime) = (name.clone(), Vec::new(), LIFETIME_MAX);
    while chain.len() < CHAIN_MAX {
        let link = answers.iter().find_map(|record| {
            let RData::CNAME(target) = &record.data else {
                return None;
            };
            (record.name == owner).then_some((record.ttl, &target.0))
        });
        let Some((ttl, target)) = link else { break };
        lifetime = lifetime.min(seconds(ttl));
        chain.push(text(target));
        owner = target.clone();
    }
    (owner, chain, lifetime)
}

fn address(data: &RData) -> Option<IpAddr> {
    if let RData::A(address) = data {
        return Some(IpAddr::V4(address.0));
    }
    let RData::AAAA(address) = data else {
        return None;
    };
    Some(IpAddr::V6(address.0))
}

fn glue(target: &Name, additionals: &[ProtoRecord]) -> Vec<IpAddr> {
    let of_target = additionals.iter().filter(|record| record.name == *target);
    let addresses = of_target.filter_map(|record| address(&record.data));
    addresses.take(GLUE_MAX).collect()
}

/// How long "there is none" may be repeated: the SOA's lifetime or its minimum, the smaller (RFC 2308 §5).
fn negative_lifetime(authorities: &[ProtoRecord]) -> u32 {
    let soa = authorities.iter().find_map(|record| {
        let RData::SOA(soa) = &record.data else {
            return None;
        };
        Some(seconds(record.ttl).min(seconds(soa.minimum)))
    });
    soa.unwrap_or(0).min(NEGATIVE_LIFETIME_MAX)
}

/// A lifetime off the wire: one with the top bit set counts as zero (RFC 2181 §8), none exceeds the cap.
fn seconds(ttl: u32) -> u32 {
    if ttl > i32::MAX as u32 {
        0
    } else {
        ttl.min(LIFETIME_MAX)
    }
}

/// The longest a record is believed: a day.
pub const LIFETIME_MAX: u32 = 86_400;
/// The longest an absence is believed: RFC 2308 §5 names one to three hours as sensible.
const NEGATIVE_LIFETIME_MAX: u32 = 3_600;
/// CNAME links followed in one answer.
pub const CHAIN_MAX: usize = 16;
/// Records kept of one answer.
pub const RECORDS_MAX: usize = 1_024;
/// Additional addresses kept for one service.
const GLUE_MAX: usize = 16;
/// The longest name in text form (RFC 1035 §3.1: 255 bytes with the lengths and the root).
const NAME_BYTES_MAX: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::op::OpCode;
    use hickory_resolver::proto::rr::rdata::{A, CNAME, SOA, SRV};

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn record(owner: &str, ttl: u32, data: RData) -> ProtoRecord {
        ProtoRecord::from_rdata(name(owner), ttl, data)
    }

    fn answer(query: &Query, records: Vec<ProtoRecord>) -> Message {
        let mut message = Message::response(query.id, OpCode::Query);
        message.metadata.recursion_available = true;
        message.add_query(ProtoQuery::query(
            query.name.clone(),
            query.kind.record_type(),
        ));
        message.add_answers(records);
        message
    }

    #[test]
    fn a_chain_lives_as_long_as_its_shortest_link() {
        let query = Query::new("WWW.example", Kind::A).unwrap();
        let records = vec![
            record("a.example.", 300, RData::A(A::new(10, 0, 0, 1))),
            record("www.example.", 60, RData::CNAME(CNAME(name("A.example.")))),
            record("other.example.", 1, RData::A(A::new(10, 9, 9, 9))),
            record("a.example.", 400, RData::A(A::new(10, 0, 0, 2))),
        ];
        let reply = query
            .read(&answer(&query, records).to_vec().unwrap())
            .unwrap();
        assert_eq!(
            reply.addresses().map(|a| a.to_string()).collect::<Vec<_>>(),
            ["10.0.0.1", "10.0.0.2"]
        );
        assert_eq!(
            (reply.lifetime, reply.chain.as_slice()),
            (60, &["a.example".to_owned()][..])
        );
    }

    #[test]
    fn loops_end_and_strange_lifetimes_are_capped() {
        let query = Query::new("a.example", Kind::A).unwrap();
        let loops = vec![
            record(
                "a.example.",
                1 << 31,
                RData::CNAME(CNAME(name("b.example."))),
            ),
            record("b.example.", 5, RData::CNAME(CNAME(name("a.example.")))),
        ];
        let reply = query
            .read(&answer(&query, loops).to_vec().unwrap())
            .unwrap();
        assert_eq!(
            (reply.chain.len(), reply.records.len(), reply.lifetime),
            (CHAIN_MAX, 0, 0)
        );
        assert_eq!(
            [
                seconds(u32::MAX),
                seconds(1 << 31),
                seconds(i32::MAX as u32),
                seconds(7)
            ],
            [0, 0, LIFETIME_MAX, 7]
        );
    }

    #[test]
    fn other_ids_questions_and_garbage_are_not_ours() {
        let query = Query::new("a.example", Kind::A).unwrap();
        let good = answer(&query, vec![]).to_vec().unwrap();
        assert!(query.read(&good).is_ok());
        let mut other = query.clone();
        other.id = query.id.wrapping_add(1);
        assert_eq!(other.read(&good), Err(NotOurs::Id));
        let mut other = Query::new("b.example", Kind::A).unwrap();
        other.id = query.id;
        assert_eq!(other.read(&good), Err(NotOurs::Question));
        assert_eq!(
            query.read(&query.encode(Some(1232), false)),
            Err(NotOurs::Garbage)
        );
        for cut in 0..good.len() {
            assert!(query.read(&good[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn absence_lives_by_the_soa() {
        let query = Query::new("a.example", Kind::A).unwrap();
        let mut message = answer(&query, vec![]);
        message.metadata.response_code = ResponseCode::NXDomain;
        let soa = SOA::new(name("ns."), name("root."), 1, 2, 3, 4, 20);
        message.add_authority(record("example.", 30, RData::SOA(soa)));
        let reply = query.read(&message.to_vec().unwrap()).unwrap();
        assert_eq!(
            (reply.rcode, reply.lifetime, reply.is_useless()),
            (Rcode::NxDomain, 20, false)
        );
    }

    #[test]
    fn services_bring_their_addresses() {
        let query = Query::new("_http._tcp.example", Kind::Srv).unwrap();
        let srv = RData::SRV(SRV::new(1, 2, 8080, name("B.example.")));
        let mut message = answer(&query, vec![record("_http._tcp.example.", 9, srv)]);
        message.add_additional(record("b.example.", 5, RData::A(A::new(10, 0, 0, 7))));
        let reply = query.read(&message.to_vec().unwrap()).unwrap();
        let service = reply.services().next().unwrap();
        assert_eq!(
            (
                service.port,
                service.target.as_str(),
                service.addresses.len()
            ),
            (8080, "b.example", 1)
        );
    }

    #[test]
    fn names_that_cannot_be() {
        for bad in ["a..b", &"x".repeat(64), &["abcdefgh"; 40].join("."), ".."] {
            assert!(Query::new(bad, Kind::A).is_none(), "{bad}");
        }
        assert!(
            Query::new("_x._tcp.a.", Kind::Srv).is_some() && Query::new(".", Kind::A).is_some()
        );
    }
}
