//! What an answer says: the server's judgement, and the records of the kind that was asked for.

use std::net::IpAddr;

use hickory_resolver::proto::op::ResponseCode;

use super::Kind;

/// How a server judged a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rcode {
    /// The name exists.
    NoError,
    /// The question could not be read.
    FormErr,
    /// The server failed.
    ServFail,
    /// The name does not exist.
    NxDomain,
    /// The server does not do this.
    NotImp,
    /// The server does not want to.
    Refused,
    /// The EDNS version is not known.
    BadVersion,
    /// Anything else.
    Other,
}

impl Rcode {
    /// Whether the server may have stumbled over EDNS (RFC 6891 §7).
    pub fn refuses_edns(self) -> bool {
        matches!(self, Self::FormErr | Self::NotImp | Self::BadVersion)
    }
}

impl From<ResponseCode> for Rcode {
    fn from(code: ResponseCode) -> Self {
        match u16::from(code) {
            0 => Self::NoError,
            1 => Self::FormErr,
            2 => Self::ServFail,
            3 => Self::NxDomain,
            4 => Self::NotImp,
            5 => Self::Refused,
            16 => Self::BadVersion,
            _ => Self::Other,
        }
    }
}

/// What one record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An address.
    Address(IpAddr),
    /// A service.
    Service(Service),
}

/// An SRV record, with the addresses of its target that came along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Lower comes first.
    pub priority: u16,
    /// The share among equal priorities.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host, without trailing dot.
    pub target: String,
    /// Its addresses among the additional records.
    pub addresses: Vec<IpAddr>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The server's judgement.
    pub rcode: Rcode,
    /// It did not fit; the same question over TCP gives the rest.
    pub truncated: bool,
    /// Nothing in it and from a server that is neither the owner nor a resolver.
    pub lame: bool,
    /// What was asked for.
    pub kind: Kind,
    /// Whether the answer section held anything at all.
    pub any_answer: bool,
    /// The names behind the CNAMEs that were followed, in order.
    pub chain: Vec<String>,
    /// The records of the asked kind at the end of the chain.
    pub records: Vec<Data>,
    /// Seconds for which this may be repeated.
    pub lifetime: u32,
}

impl Reply {
    /// The addresses in it.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.records.iter().filter_map(|data| match data {
            Data::Address(address) => Some(*address),
            Data::Service(_) => None,
        })
    }

    /// The services in it.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.records.iter().filter_map(|data| match data {
            Data::Address(_) => None,
            Data::Service(service) => Some(service),
        })
    }

    /// Whether another server should be asked instead.
    pub fn is_useless(&self) -> bool {
        self.lame || matches!(self.rcode, Rcode::ServFail | Rcode::NotImp | Rcode::Refused)
    }

    /// Whether the server may have stumbled over EDNS (RFC 6891 §7).
    pub fn refuses_edns(&self) -> bool {
        self.rcode.refuses_edns()
    }
}
