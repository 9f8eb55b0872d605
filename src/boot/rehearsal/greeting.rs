//! The first record of a client that speaks TLS: what a frontend in TCP mode sees of it, the name it asks for before all.
//!
//! Only the greeting is made. Nobody answers it here, so that what it offers is what most clients do and its random part is fixed.

/// Suites of both versions: AES-GCM of TLS 1.3 and ChaCha20-Poly1305, ECDHE with AES-GCM.
const SUITES: [u16; 5] = [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f];

/// A ClientHello in its record (RFC 8446, section 4.1.2) that asks for `host` and HTTP/1.1.
pub(super) fn hello(host: &str) -> Vec<u8> {
    let mut extensions = Vec::new();
    // A name asked for is one of DNS (RFC 6066, section 3); an address is never asked for.
    if host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[') {
        let name = [&[0][..], &counted(2, host.as_bytes())].concat();
        extensions.extend(extension(0, &counted(2, &name)));
    }
    extensions.extend(extension(10, &counted(2, &[0, 0x1d, 0, 0x17])));
    extensions.extend(extension(13, &counted(2, &[4, 3, 8, 4, 4, 1])));
    extensions.extend(extension(16, &counted(2, &counted(1, b"http/1.1"))));
    extensions.extend(extension(43, &counted(1, &[3, 4, 3, 3])));
    let suites: Vec<u8> = SUITES
        .iter()
        .flat_map(|suite| suite.to_be_bytes())
        .collect();
    let body = [
        &[3, 3][..],
        &[7; 32],
        &counted(1, &[]),
        &counted(2, &suites),
        &counted(1, &[0]),
        &counted(2, &extensions),
    ]
    .concat();
    let message = [&[1][..], &counted(3, &body)].concat();
    [&[22, 3, 1][..], &counted(2, &message)].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &counted(2, content)].concat()
}

/// The bytes behind their number, which takes `width` bytes.
fn counted(width: usize, bytes: &[u8]) -> Vec<u8> {
    let count = bytes.len().to_be_bytes();
    [&count[count.len() - width..], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::hello::{Peek, peek};

    #[test]
    fn the_name_can_be_read() {
        let name = |host: &str| match peek(&hello(host)) {
            Peek::Message(message) => {
                let hello = message.client().expect("a client's");
                hello.server_name().map(<[u8]>::to_vec)
            }
            Peek::More | Peek::Other => panic!("no hello"),
        };
        assert_eq!(name("a.example").as_deref(), Some(&b"a.example"[..]));
        assert_eq!(name("127.0.0.1"), None);
    }
}
