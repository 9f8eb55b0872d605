//! Headers to bytes.

use std::io::Write as _;

use super::header::{Command, Endpoints, Header, Transport};
use super::tlv::{Tlvs, UNIQUE_ID_MAX, kind, ssl_flag, ssl_kind};
use super::v2::{FIXED_LEN, SIGNATURE};
use crate::codec::hash::crc32c;

/// A TLV or header does not fit its length field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the PROXY header would be longer than its length field can say")
    }
}

impl std::error::Error for TooLong {}

/// What goes into a [`kind::SSL`] TLV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SslParts<'a> {
    /// Bits of [`ssl_flag`].
    pub flags: u8,
    /// 0 when the client's certificate was verified.
    pub verify: u32,
    /// The TLS version, as `TLSv1.3`.
    pub version: Option<&'a str>,
    /// The common name of the client's certificate.
    pub common_name: Option<&'a str>,
    /// The cipher.
    pub cipher: Option<&'a str>,
    /// The signature algorithm of the certificate presented.
    pub sig_alg: Option<&'a str>,
    /// The key algorithm of the certificate presented.
    pub key_alg: Option<&'a str>,
}

impl Header {
    /// Appends a TLV. Checksums are not given but asked for in [`Header::write_v2`]; one given here is left out.
    ///
    /// # Errors
    /// The value is longer than its length field, or the kind, allows.
    pub fn push(&mut self, kind: u8, value: &[u8]) -> Result<(), TooLong> {
        if kind == kind::UNIQUE_ID && value.len() > UNIQUE_ID_MAX {
            return Err(TooLong);
        }
        append(&mut self.tlvs, kind, value)
    }

    /// Appends a [`kind::SSL`] TLV.
    ///
    /// # Errors
    /// A text is longer than its length field allows.
    pub fn push_ssl(&mut self, parts: &SslParts<'_>) -> Result<(), TooLong> {
        let mut value = vec![parts.flags];
        value.extend_from_slice(&parts.verify.to_be_bytes());
        let texts = [
            (ssl_kind::VERSION, parts.version),
            (ssl_kind::CN, parts.common_name),
            (ssl_kind::CIPHER, parts.cipher),
            (ssl_kind::SIG_ALG, parts.sig_alg),
            (ssl_kind::KEY_ALG, parts.key_alg),
        ];
        for (kind, text) in texts {
            if let Some(text) = text.filter(|_| parts.flags & ssl_flag::SSL != 0) {
                append(&mut value, kind, text.as_bytes())?;
            }
        }
        append(&mut self.tlvs, kind::SSL, &value)
    }

    /// Writes the header as a line of version 1, which has no word for TLVs, datagrams and unix sockets.
    pub fn write_v1(&self, out: &mut Vec<u8>) {
        let line = match (&self.endpoints, self.transport, self.command) {
            (
                Endpoints::Ip4 {
                    source,
                    destination,
                },
                Transport::Stream,
                Command::Proxy,
            ) => {
                format!(
                    "TCP4 {} {} {} {}",
                    source.ip(),
                    destination.ip(),
                    source.port(),
                    destination.port()
                )
            }
            (
                Endpoints::Ip6 {
                    source,
                    destination,
                },
                Transport::Stream,
                Command::Proxy,
            ) => {
                format!(
                    "TCP6 {} {} {} {}",
                    source.ip(),
                    destination.ip(),
                    source.port(),
                    destination.port()
                )
            }
            _ => "UNKNOWN".to_owned(),
        };
        write!(out, "PROXY {line}\r\n").expect("writing to memory");
    }

    /// Writes the header in version 2, followed by a checksum if asked for.
    ///
    /// # Errors
    /// Addresses and TLVs together are longer than the length field can say; nothing is written.
    pub fn write_v2(&self, checksum: bool, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let start = out.len();
        out.extend_from_slice(SIGNATURE);
        out.push(match self.command {
            Command::Local => 0x20,
            Command::Proxy => 0x21,
        });
        out.push(self.family());
        out.extend_from_slice(&[0, 0]);
        self.write_addresses(out);
        for (kind, value) in Tlvs::raw(&self.tlvs) {
            if kind != kind::CRC32C {
                append(out, kind, value)?;
            }
        }
        if checksum {
            append(out, kind::CRC32C, &[0; 4])?;
        }
        let Ok(len) = u16::try_from(out.len() - start - FIXED_LEN) else {
            out.truncate(start);
            return Err(TooLong);
        };
        out[start + 14..start + 16].copy_from_slice(&len.to_be_bytes());
        if checksum {
            let sum = crc32c(&out[start..]);
            let end = out.len();
            out[end - 4..].copy_from_slice(&sum.to_be_bytes());
        }
        Ok(())
    }

    fn family(&self) -> u8 {
        let family = match self.endpoints {
            Endpoints::Unspecified => return 0,
            Endpoints::Ip4 { .. } => 0x10,
            Endpoints::Ip6 { .. } => 0x20,
            Endpoints::Unix { .. } => 0x30,
        };
        match self.transport {
            Transport::Datagram => family | 2,
            Transport::Stream | Transport::Unspecified => family | 1,
        }
    }

    fn write_addresses(&self, out: &mut Vec<u8>) {
        let mut ports = None;
        match &self.endpoints {
            Endpoints::Unspecified => {}
            Endpoints::Ip4 {
                source,
                destination,
            } => {
                out.extend_from_slice(&source.ip().octets());
                out.extend_from_slice(&destination.ip().octets());
                ports = Some((source.port(), destination.port()));
            }
            Endpoints::Ip6 {
                source,
                destination,
            } => {
                out.extend_from_slice(&source.ip().octets());
                out.extend_from_slice(&destination.ip().octets());
                ports = Some((source.port(), destination.port()));
            }
            Endpoints::Unix {
                source,
                destination,
            } => {
                out.extend_from_slice(&*source.0);
                out.extend_from_slice(&*destination.0);
            }
        }
        if let Some((source, destination)) = ports {
            out.extend_from_slice(&source.to_be_bytes());
            out.extend_from_slice(&destination.to_be_bytes());
        }
    }
}

fn append(out: &mut Vec<u8>, kind: u8, value: &[u8]) -> Result<(), TooLong> {
    let len = u16::try_from(value.len()).map_err(|_| TooLong)?;
    out.push(kind);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(value);
    Ok(())
}
