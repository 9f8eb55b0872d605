//! The type-length-value fields of version 2.

use super::Refused;

/// Kinds of TLVs.
pub mod kind {
    /// The application protocol negotiated by TLS (ALPN), opaque bytes.
    pub const ALPN: u8 = 0x01;
    /// The host name the client asked for, UTF-8.
    pub const AUTHORITY: u8 = 0x02;
    /// A CRC-32C over the whole header with this value zeroed.
    pub const CRC32C: u8 = 0x03;
    /// Padding.
    pub const NOOP: u8 = 0x04;
    /// An identity for the connection, at most 128 bytes.
    pub const UNIQUE_ID: u8 = 0x05;
    /// What TLS said, with sub-TLVs.
    pub const SSL: u8 = 0x20;
    /// The network namespace's name, US-ASCII.
    pub const NETNS: u8 = 0x30;
}

/// Kinds of the sub-TLVs of [`kind::SSL`].
pub mod ssl_kind {
    /// The TLS version, US-ASCII.
    pub const VERSION: u8 = 0x21;
    /// The common name of the client's certificate, UTF-8.
    pub const CN: u8 = 0x22;
    /// The cipher's name, US-ASCII.
    pub const CIPHER: u8 = 0x23;
    /// The signature algorithm of the certificate the proxy presented, US-ASCII.
    pub const SIG_ALG: u8 = 0x24;
    /// The key algorithm of the certificate the proxy presented, US-ASCII.
    pub const KEY_ALG: u8 = 0x25;
    /// The key exchange group, US-ASCII.
    pub const GROUP: u8 = 0x26;
    /// The signature scheme, US-ASCII.
    pub const SIG_SCHEME: u8 = 0x27;
}

/// Bits of [`Ssl::flags`].
pub mod ssl_flag {
    /// The client connected over TLS.
    pub const SSL: u8 = 0x01;
    /// It gave a certificate over this connection.
    pub const CERT_CONN: u8 = 0x02;
    /// It gave a certificate at least once in this TLS session.
    pub const CERT_SESS: u8 = 0x04;
}

/// One TLV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tlv<'a> {
    /// [`kind::ALPN`]
    Alpn(&'a [u8]),
    /// [`kind::AUTHORITY`]
    Authority(&'a str),
    /// [`kind::CRC32C`]; it has been checked.
    Crc32c(u32),
    /// [`kind::NOOP`]
    Noop(&'a [u8]),
    /// [`kind::UNIQUE_ID`]
    UniqueId(&'a [u8]),
    /// [`kind::SSL`]
    Ssl(Ssl<'a>),
    /// [`kind::NETNS`]
    Netns(&'a str),
    /// Any other kind.
    Other {
        /// The kind.
        kind: u8,
        /// The value.
        value: &'a [u8],
    },
}

/// What TLS said about the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ssl<'a> {
    /// Bits of [`ssl_flag`].
    pub flags: u8,
    /// 0 when the client's certificate was verified.
    pub verify: u32,
    sub: &'a [u8],
}

/// The texts of [`Ssl`], by the kind of their sub-TLV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslText {
    /// [`ssl_kind::VERSION`]
    Version,
    /// [`ssl_kind::CN`]
    CommonName,
    /// [`ssl_kind::CIPHER`]
    Cipher,
    /// [`ssl_kind::SIG_ALG`]
    SigAlg,
    /// [`ssl_kind::KEY_ALG`]
    KeyAlg,
}

impl<'a> Ssl<'a> {
    /// Whether the client connected over TLS.
    pub fn is_tls(&self) -> bool {
        self.flags & ssl_flag::SSL != 0
    }

    /// One of the texts.
    pub fn text(&self, which: SslText) -> Option<&'a str> {
        let kind = match which {
            SslText::Version => ssl_kind::VERSION,
            SslText::CommonName => ssl_kind::CN,
            SslText::Cipher => ssl_kind::CIPHER,
            SslText::SigAlg => ssl_kind::SIG_ALG,
            SslText::KeyAlg => ssl_kind::KEY_ALG,
        };
        self.sub_tlvs()
            .find(|(found, _)| *found == kind)
            .and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// All sub-TLVs in order.
    pub fn sub_tlvs(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        Tlvs::raw(self.sub)
    }

    fn parse(value: &'a [u8]) -> Option<Ssl<'a>> {
        let ([flags, v0, v1, v2, v3], sub) = value.split_first_chunk::<5>()?;
        Some(Ssl {
            flags: *flags,
            verify: u32::from_be_bytes([*v0, *v1, *v2, *v3]),
            sub,
        })
    }
}

/// The TLVs of a header, in order.
#[derive(Clone, Debug)]
pub struct Tlvs<'a> {
    rest: &'a [u8],
}

impl<'a> Tlvs<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Tlvs<'a> {
        Tlvs { rest: bytes }
    }

    /// Kinds and values; ends at the first TLV that is not whole.
    pub(super) fn raw(bytes: &'a [u8]) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let mut rest = bytes;
        std::iter::from_fn(move || {
            let (kind, value, tail) = cut(rest)?;
            rest = tail;
            Some((kind, value))
        })
    }
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (kind, value, tail) = cut(self.rest)?;
        self.rest = tail;
        Some(typed(kind, value).unwrap_or(Tlv::Other { kind, value }))
    }
}

/// The first TLV of `bytes` and what follows it.
fn cut(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let ([kind, high, low], rest) = bytes.split_first_chunk::<3>()?;
    let (value, tail) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
    Some((*kind, value, tail))
}

/// The TLV that kind and value make; none when the value is not what the kind demands.
fn typed(kind: u8, value: &[u8]) -> Option<Tlv<'_>> {
    let ascii = |value: &'_ [u8]| value.is_ascii();
    Some(match kind {
        kind::ALPN => Tlv::Alpn(value),
        kind::AUTHORITY => Tlv::Authority(std::str::from_utf8(value).ok()?),
        kind::CRC32C => Tlv::Crc32c(u32::from_be_bytes(value.try_into().ok()?)),
        kind::NOOP => Tlv::Noop(value),
        kind::UNIQUE_ID if value.len() > UNIQUE_ID_MAX => return None,
        kind::UNIQUE_ID => Tlv::UniqueId(value),
        kind::NETNS if ascii(value) => Tlv::Netns(std::str::from_utf8(value).ok()?),
        kind::NETNS => return None,
        kind::SSL => Tlv::Ssl(Ssl::parse(value)?),
        _ => Tlv::Other { kind, value },
    })
}

/// Checks every TLV of `bytes`; returns where the value of the checksum begins, if there is one.
pub(super) fn check(bytes: &[u8]) -> Result<Option<usize>, Refused> {
    let mut rest = bytes;
    let mut checksum = None;
    while !rest.is_empty() {
        let (kind, value, tail) = cut(rest).ok_or(Refused::BadTlv)?;
        match typed(kind, value).ok_or(Refused::BadTlv)? {
            Tlv::Crc32c(_) if checksum.is_some() => return Err(Refused::BadChecksum),
            Tlv::Crc32c(_) => checksum = Some(bytes.len() - tail.len() - value.len()),
            Tlv::Ssl(ssl) => check_ssl(ssl.sub)?,
            Tlv::Alpn(_)
            | Tlv::Authority(_)
            | Tlv::Noop(_)
            | Tlv::UniqueId(_)
            | Tlv::Netns(_)
            | Tlv::Other { .. } => {}
        }
        rest = tail;
    }
    Ok(checksum)
}

fn check_ssl(sub: &[u8]) -> Result<(), Refused> {
    let mut rest = sub;
    while !rest.is_empty() {
        let (kind, value, tail) = cut(rest).ok_or(Refused::BadTlv)?;
        let fits = match kind {
            ssl_kind::CN => std::str::from_utf8(value).is_ok(),
            ssl_kind::VERSION
            | ssl_kind::CIPHER
            | ssl_kind::SIG_ALG
            | ssl_kind::KEY_ALG
            | ssl_kind::GROUP
            | ssl_kind::SIG_SCHEME => value.is_ascii(),
            _ => true,
        };
        if !fits {
            return Err(Refused::BadTlv);
        }
        rest = tail;
    }
    Ok(())
}

/// The longest unique identity.
pub(super) const UNIQUE_ID_MAX: usize = 128;
