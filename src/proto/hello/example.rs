//! A client's hello for tests, with the extensions that something asks for.

use super::CLIENT_HELLO;

fn prefixed(content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).expect("short").to_be_bytes();
    [&len, content].concat()
}

/// The hello without the head of its message.
pub(crate) fn body() -> Vec<u8> {
    let extension = |number: u8, content: &[u8]| [&[0, number][..], &prefixed(content)].concat();
    let name = [&[0][..], &prefixed(b"a.example")].concat();
    let extensions = [
        extension(0, &prefixed(&name)),
        extension(10, &prefixed(&[0, 29, 0, 23])),
        extension(13, &prefixed(&[4, 3])),
        extension(16, &prefixed(b"\x02h2\x08http/1.1")),
        extension(35, b""),
        extension(51, &prefixed(&[0, 29, 0, 1, 7])),
        extension(43, &[4, 3, 4, 3, 3]),
    ]
    .concat();
    [
        &[3, 3][..],
        &[9; 32],
        b"\x02id",
        &prefixed(&[0x13, 0x01, 0xc0, 0x2f]),
        &[1, 0],
        &prefixed(&extensions),
    ]
    .concat()
}

/// A handshake message.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("short").to_be_bytes();
    [&[kind], &len[1..], body].concat()
}

/// A message in records of at most `size` bytes.
pub(crate) fn records(message: &[u8], size: usize) -> Vec<u8> {
    message
        .chunks(size)
        .flat_map(|piece| [&[22, 3, 1][..], &prefixed(piece)].concat())
        .collect()
}

/// The hello as it begins a connection, in records of at most `size` bytes.
pub(crate) fn hello_in(size: usize) -> Vec<u8> {
    records(&message(CLIENT_HELLO, &body()), size)
}
