//! Vectors, cuts, and a seeded fuzz of a million headers.

use super::*;

fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let mut out = v2::SIGNATURE.to_vec();
    out.extend_from_slice(&[command, family]);
    out.extend_from_slice(&u16::try_from(body.len()).expect("short").to_be_bytes());
    out.extend_from_slice(body);
    out
}

fn header(input: &[u8]) -> Result<Header, Refused> {
    match parse(input)? {
        Parsed::Header { header, consumed } => {
            assert_eq!(consumed, input.len());
            Ok(header)
        }
        Parsed::More { .. } => panic!("incomplete: {}", input.escape_ascii()),
    }
}

const TCP4: &[u8] = &[192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 0x04, 0x01, 0xbb];

fn samples() -> Vec<Vec<u8>> {
    let mut full = Header::proxied(Endpoints::between(
        "[2001:db8::1]:1".parse().expect("an address"),
        "192.0.2.9:443".parse().expect("an address"),
    ));
    full.push(kind::ALPN, b"h2").expect("short");
    full.push(kind::AUTHORITY, "bücher.example".as_bytes())
        .expect("short");
    full.push(kind::NOOP, &[0; 5]).expect("short");
    full.push(kind::UNIQUE_ID, &[7; 128]).expect("short");
    full.push(kind::NETNS, b"blue").expect("short");
    full.push(0xea, b"\x01vpce-1").expect("short");
    full.push_ssl(&SslParts {
        flags: ssl_flag::SSL | ssl_flag::CERT_CONN,
        version: Some("TLSv1.3"),
        common_name: Some("someone"),
        cipher: Some("TLS_AES_128_GCM_SHA256"),
        sig_alg: Some("SHA256"),
        key_alg: Some("RSA2048"),
        ..SslParts::default()
    })
    .expect("short");
    let mut out = Vec::new();
    full.write_v2(true, &mut out).expect("short");
    vec![
        b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n".to_vec(),
        b"PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 0 65535\r\n".to_vec(),
        b"PROXY UNKNOWN\r\n".to_vec(),
        b"PROXY UNKNOWN ffff:f:f whatever 1\r\n".to_vec(),
        v2(0x20, 0, b""),
        v2(0x20, 0x11, b""),
        v2(0x21, 0, b"\x04\0\0"),
        v2(0x21, 0x11, TCP4),
        v2(0x21, 0x12, TCP4),
        v2(0x21, 0x31, &[b'x'; 216]),
        out,
    ]
}

#[test]
fn lines() {
    let read = |text: &str| header(text.as_bytes());
    let tcp4 = read("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n").expect("good");
    assert_eq!(
        tcp4.source(),
        Some("192.0.2.1:56324".parse().expect("an address"))
    );
    assert_eq!(
        tcp4.destination(),
        Some("198.51.100.7:443".parse().expect("an address"))
    );
    assert_eq!(
        (tcp4.version(), tcp4.command(), tcp4.transport()),
        (Version::V1, Command::Proxy, Transport::Stream)
    );
    let tcp6 = read("PROXY TCP6 2001:DB8::1 ::1 1 2\r\n").expect("good");
    assert_eq!(
        tcp6.source(),
        Some("[2001:db8::1]:1".parse().expect("an address"))
    );
    assert_eq!(
        read("PROXY UNKNOWN 1.2.3.4 x\r\n")
            .expect("good")
            .endpoints(),
        &Endpoints::Unspecified
    );
}

#[test]
fn lines_that_are_none() {
    for (text, refused) in [
        ("GET / HTTP/1.1\r\n", Refused::NotAHeader),
        ("POST", Refused::NotAHeader),
        ("PROXYTCP4", Refused::NotAHeader),
        ("PROXY  TCP4", Refused::UnknownFamily),
        ("PROXY tcp4", Refused::UnknownFamily),
        ("PROXY TCP5", Refused::UnknownFamily),
        ("PROXY UNKNOWNX", Refused::UnknownFamily),
        ("PROXY TCP4\r\n", Refused::UnknownFamily),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", Refused::BadAddress),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", Refused::BadAddress),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", Refused::BadAddress),
        ("PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n", Refused::BadAddress),
        ("PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n", Refused::BadAddress),
        ("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", Refused::BadAddress),
        ("PROXY TCP4 ::1 ::1 1 2\r\n", Refused::BadAddress),
        ("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", Refused::BadAddress),
        ("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", Refused::BadAddress),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", Refused::BadAddress),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n", Refused::BadAddress),
        (
            "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
            Refused::BadAddress,
        ),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", Refused::BadLine),
        ("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX", Refused::BadLine),
        ("PROXY UNKNOWN\0\r\n", Refused::BadLine),
    ] {
        assert_eq!(parse(text.as_bytes()), Err(refused), "{text:?}");
    }
    let longest = format!("PROXY UNKNOWN {}\r\n", "x".repeat(91));
    assert_eq!(longest.len(), 107);
    assert!(header(longest.as_bytes()).is_ok());
    let longer = longest.replace("x\r", "xx\r");
    assert_eq!(parse(longer.as_bytes()), Err(Refused::LineTooLong));
    assert_eq!(parse(&longer.as_bytes()[..107]), Err(Refused::LineTooLong));
}

#[test]
fn binary_headers() {
    let tcp4 = header(&v2(0x21, 0x11, TCP4)).expect("good");
    assert_eq!(
        tcp4.source(),
        Some("192.0.2.1:56324".parse().expect("an address"))
    );
    assert_eq!(tcp4.transport(), Transport::Stream);
    assert_eq!(
        header(&v2(0x21, 0x12, TCP4)).expect("good").transport(),
        Transport::Datagram
    );
    let local = header(&v2(0x20, 0x11, TCP4)).expect("good");
    assert_eq!((local.command(), local.source()), (Command::Local, None));
    let mut paths = [0; 216];
    paths[..4].copy_from_slice(b"/a/b");
    paths[108..112].copy_from_slice(b"\0abs");
    let unix = header(&v2(0x21, 0x31, &paths)).expect("good");
    let Endpoints::Unix {
        source,
        destination,
    } = unix.endpoints()
    else {
        panic!("unix")
    };
    assert_eq!(
        (source.as_bytes(), destination.as_bytes()),
        (b"/a/b".as_slice(), b"\0abs".as_slice())
    );
    assert_eq!(UnixPath::new(b"/a/b").as_ref(), Some(source));
    assert_eq!(UnixPath::new(&[b'x'; 109]), None);
}

#[test]
fn binary_headers_that_are_none() {
    for (bytes, refused) in [
        (v2(0x11, 0x11, TCP4), Refused::UnknownCommand),
        (v2(0x22, 0x11, TCP4), Refused::UnknownCommand),
        (v2(0x21, 0x10, TCP4), Refused::UnassignedFamily),
        (v2(0x21, 0x13, TCP4), Refused::UnassignedFamily),
        (v2(0x21, 0x41, TCP4), Refused::UnassignedFamily),
        (v2(0x21, 0x01, TCP4), Refused::UnassignedFamily),
        (v2(0x21, 0x11, &TCP4[..11]), Refused::TooShort),
        (v2(0x21, 0x21, TCP4), Refused::TooShort),
        (v2(0x21, 0x31, TCP4), Refused::TooShort),
        (v2(0x21, 0, b"\x04\0"), Refused::BadTlv),
        (v2(0x21, 0, b"\x04\0\x02x"), Refused::BadTlv),
        (v2(0x21, 0, b"\x03\0\x03xyz"), Refused::BadTlv),
        (v2(0x21, 0, b"\x03\0\x04wxyz"), Refused::BadChecksum),
        (v2(0x21, 0, b"\x02\0\x01\xff"), Refused::BadTlv),
        (v2(0x21, 0, b"\x30\0\x01\xff"), Refused::BadTlv),
        (v2(0x21, 0, b"\x20\0\x04abcd"), Refused::BadTlv),
        (
            v2(0x21, 0, b"\x20\0\x07\x01\0\0\0\0\x21\0"),
            Refused::BadTlv,
        ),
        (
            v2(0x21, 0, &[b"\x05\0\x81".as_slice(), &[0; 129]].concat()),
            Refused::BadTlv,
        ),
        (b"\r\n\r\n\0\r\nQUIT\r".to_vec(), Refused::NotAHeader),
        (b"\r\nX".to_vec(), Refused::NotAHeader),
        (b"\x16\x03\x01".to_vec(), Refused::NotAHeader),
    ] {
        assert_eq!(parse(&bytes), Err(refused), "{}", bytes.escape_ascii());
    }
}

#[test]
fn every_tlv_comes_back() {
    let bytes = samples().pop().expect("the last sample");
    let read = header(&bytes).expect("good");
    assert_eq!(
        read.source(),
        Some("[2001:db8::1]:1".parse().expect("an address"))
    );
    assert_eq!(
        read.destination(),
        Some("[::ffff:192.0.2.9]:443".parse().expect("an address"))
    );
    assert_eq!(read.authority(), Some("bücher.example"));
    assert_eq!(read.unique_id(), Some([7; 128].as_slice()));
    let kinds: Vec<Tlv<'_>> = read.tlvs().collect();
    assert_eq!(kinds[0], Tlv::Alpn(b"h2"));
    assert_eq!(kinds[2], Tlv::Noop(&[0; 5]));
    assert_eq!(kinds[4], Tlv::Netns("blue"));
    assert_eq!(
        kinds[5],
        Tlv::Other {
            kind: 0xea,
            value: b"\x01vpce-1"
        }
    );
    let Tlv::Ssl(ssl) = kinds[6] else {
        panic!("TLS")
    };
    assert!(ssl.is_tls() && ssl.verify == 0);
    assert_eq!(ssl.text(SslText::Version), Some("TLSv1.3"));
    assert_eq!(ssl.text(SslText::CommonName), Some("someone"));
    assert_eq!(ssl.text(SslText::Cipher), Some("TLS_AES_128_GCM_SHA256"));
    assert_eq!(ssl.text(SslText::SigAlg), Some("SHA256"));
    assert_eq!(ssl.text(SslText::KeyAlg), Some("RSA2048"));
    assert_eq!(ssl.sub_tlvs().count(), 5);
    assert!(matches!(kinds[7], Tlv::Crc32c(_)));
    let mut damaged = bytes.clone();
    damaged[20] ^= 1;
    assert_eq!(parse(&damaged), Err(Refused::BadChecksum));
    let mut twice = Vec::new();
    read.write_v2(true, &mut twice).expect("short");
    assert_eq!(twice, bytes, "one checksum, recomputed");
}

#[test]
fn a_checksum_of_the_specification() {
    // CRC-32C of the header with a zeroed value, computed by its definition bit by bit.
    let bytes = samples().pop().expect("the last sample");
    let at = bytes.len() - 4;
    let mut crc = u32::MAX;
    for &byte in bytes[..at].iter().chain(&[0; 4]) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
        }
    }
    assert_eq!((!crc).to_be_bytes(), bytes[at..]);
}

#[test]
fn cuts_do_not_matter_and_wants_never_lie() {
    for sample in samples() {
        let expected = header(&sample).expect("a good sample");
        for cut in 0..sample.len() {
            let Ok(Parsed::More { at_least }) = parse(&sample[..cut]) else {
                panic!("cut at {cut}: {}", sample.escape_ascii())
            };
            assert!(
                at_least >= 1 && at_least <= sample.len() - cut,
                "cut at {cut}"
            );
        }
        for step in [1, 2, 7, usize::MAX] {
            let mut reader = Reader::new();
            let mut rest = [sample.as_slice(), b"the connection's own bytes"].concat();
            let read = loop {
                let take = reader.wants().min(step);
                let piece: Vec<u8> = rest.drain(..take).collect();
                if let Some(header) = reader.push(&piece).expect("good") {
                    break header;
                }
            };
            assert_eq!(
                (&read, rest.as_slice()),
                (&expected, b"the connection's own bytes".as_slice())
            );
        }
    }
}

#[test]
fn a_reader_holds_little_and_stays_refused() {
    let mut reader = Reader::with_limit(100);
    assert!(reader.is_empty());
    assert_eq!(reader.push(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff"), Ok(None));
    assert_eq!(reader.push(b"\xff"), Err(Refused::TooLong));
    assert_eq!(reader.push(b"PROXY UNKNOWN\r\n"), Err(Refused::TooLong));
    let mut reader = Reader::new();
    assert_eq!(reader.push(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff"), Ok(None));
    assert_eq!(reader.push(b"\xff"), Ok(None));
    assert_eq!(reader.wants(), 65535);
    assert!(reader.held.capacity() < 64);
}

#[test]
fn what_cannot_be_said_is_not() {
    let mut header = Header::local();
    assert_eq!(header.push(kind::UNIQUE_ID, &[0; 129]), Err(TooLong));
    assert_eq!(header.push(kind::NOOP, &[0; 65536]), Err(TooLong));
    header.push(kind::NOOP, &[0; 65532]).expect("fits alone");
    let mut out = b"before".to_vec();
    header.write_v2(false, &mut out).expect("fits");
    out.truncate(6);
    assert_eq!(header.write_v2(true, &mut out), Err(TooLong));
    assert_eq!(out, b"before");
    let mut line = Vec::new();
    header.write_v1(&mut line);
    assert_eq!(line, b"PROXY UNKNOWN\r\n");
}

/// xorshift64*: enough to wander, and the same everywhere.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below bound")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

/// What the specification says of an accepted header, told again without the parser.
fn obeys(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"PROXY ") {
        let Some(line) = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.strip_suffix("\r\n"))
        else {
            return bytes.len() <= 107
                && bytes.starts_with(b"PROXY UNKNOWN ")
                && bytes.ends_with(b"\r\n");
        };
        let words: Vec<&str> = line.split(' ').collect();
        let port = |text: &str| {
            text.parse::<u16>()
                .is_ok_and(|port| port.to_string() == text)
        };
        return bytes.len() <= 107
            && match words[..] {
                ["PROXY", "UNKNOWN", ..] => true,
                ["PROXY", "TCP4", a, b, p, q] => {
                    [a, b]
                        .iter()
                        .all(|ip| ip.parse::<std::net::Ipv4Addr>().is_ok())
                        && port(p)
                        && port(q)
                }
                ["PROXY", "TCP6", a, b, p, q] => {
                    [a, b]
                        .iter()
                        .all(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok())
                        && port(p)
                        && port(q)
                }
                _ => false,
            };
    }
    if bytes.len() < 16
        || &bytes[..12] != b"\r\n\r\n\x00\r\nQUIT\n"
        || !matches!(bytes[12], 0x20 | 0x21)
    {
        return false;
    }
    let len = usize::from(bytes[14]) << 8 | usize::from(bytes[15]);
    let need = match bytes[13] {
        0x00 => 0,
        0x11 | 0x12 => 12,
        0x21 | 0x22 => 36,
        0x31 | 0x32 => 216,
        _ if bytes[12] == 0x20 => 0,
        _ => return false,
    };
    bytes.len() == 16 + len && (bytes[12] == 0x20 || len >= need)
}

fn invented(rng: &mut Rng, out: &mut Vec<u8>) {
    let ip4 = |rng: &mut Rng| std::net::SocketAddr::from(([rng.byte(), rng.byte(), 0, 1], 7));
    let mut header = match rng.below(3) {
        0 => Header::local(),
        1 => Header::proxied(Endpoints::between(ip4(rng), ip4(rng))),
        _ => Header::proxied(Endpoints::Unspecified),
    };
    for _ in 0..rng.below(4) {
        let kind = [
            kind::ALPN,
            kind::AUTHORITY,
            kind::NOOP,
            kind::UNIQUE_ID,
            kind::NETNS,
            kind::SSL,
            0xe5,
        ][rng.below(7)];
        let value = [b'a' + rng.byte() % 16; 9];
        let len = rng.below(9);
        header.push(kind, &value[..len]).expect("short");
    }
    match rng.below(4) {
        0 => header.write_v1(out),
        choice => header.write_v2(choice == 1, out).expect("short"),
    }
}

fn damage(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.below(3) {
        let at = rng
            .below(bytes.len().max(1))
            .min(bytes.len().saturating_sub(1));
        match rng.below(4) {
            0 if !bytes.is_empty() => bytes[at] = rng.byte(),
            1 if !bytes.is_empty() => bytes[at] ^= 1 << rng.below(8),
            2 => bytes.insert(at, b" 0.:\r\n\0x"[rng.below(8)]),
            _ => bytes.truncate(at),
        }
    }
}

#[test]
fn a_million_headers() {
    let mut rng = Rng(SEED);
    let (mut accepted, mut refused) = (0u32, 0u32);
    let (mut bytes, mut again) = (Vec::new(), Vec::new());
    let samples = samples();
    for round in 0..HEADERS {
        bytes.clear();
        match rng.below(3) {
            0 => bytes.extend_from_slice(&samples[rng.below(samples.len())]),
            _ => invented(&mut rng, &mut bytes),
        }
        damage(&mut rng, &mut bytes);
        match parse(&bytes) {
            Ok(Parsed::Header { header, consumed }) => {
                accepted += 1;
                assert!(
                    obeys(&bytes[..consumed]),
                    "seed {SEED:#x} round {round}: {}",
                    bytes.escape_ascii()
                );
                if round % 16 == 0 {
                    again.clear();
                    header
                        .write_v2(false, &mut again)
                        .expect("as long as it was");
                    let Ok(Parsed::Header { header: back, .. }) = parse(&again) else {
                        panic!("round {round}")
                    };
                    assert_eq!(
                        (back.command, back.endpoints),
                        (header.command, header.endpoints)
                    );
                }
            }
            Ok(Parsed::More { at_least }) => assert!(at_least >= 1),
            Err(_) => refused += 1,
        }
    }
    assert!(
        accepted > HEADERS / 10 && refused > HEADERS / 10,
        "{accepted} accepted, {refused} refused"
    );
}

const SEED: u64 = 0x50_524f_5859;
const HEADERS: u32 = 1_000_000;

#[test]
fn what_is_nobodys_may_say_that_it_is_carried_on() {
    let mut written = Vec::new();
    let header = Header::proxied(Endpoints::Unspecified);
    header.write_v2(false, &mut written).expect("it fits");
    assert_eq!(written[12..], [0x21, 0, 0, 0]);
}
