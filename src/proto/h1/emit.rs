//! Heads to bytes, in the one way they can be read.
//!
//! A [`Head`] keeps its lines ready and clean, so writing one is copying; the caller adds the framing the body takes.

use crate::http::Head;

/// Writes a request's head with its empty line.
#[inline]
pub fn emit_request(head: &Head, out: &mut Vec<u8>) {
    debug_assert!(head.is_request());
    emit(head, out);
}

/// Writes a response's head with its empty line.
#[inline]
pub fn emit_response(head: &Head, out: &mut Vec<u8>) {
    debug_assert!(head.is_response());
    emit(head, out);
}

/// Writes the fields of a trailer block behind the last chunk; the empty line that ends the message follows from the caller,
/// trailers or not.
pub fn emit_trailers(trailers: &Head, out: &mut Vec<u8>) {
    trailers.runs().for_each(|run| out.extend_from_slice(run));
}

fn emit(head: &Head, out: &mut Vec<u8>) {
    head.write_to(out);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::super::{HeadParser, Kind, Limits, Progress};
    use super::*;
    use crate::http::{Status, Version};

    #[test]
    fn what_is_written_is_read_back_alike() {
        let mut head = Head::new();
        head.set_request(b"PO ST", b"/\r\nx y", Version::Http11);
        head.push(b"Host", b"a\r\nEvil: 1");
        head.push(b"B", b"\0");
        head.remove(b"host");
        head.push(b"C:\n", b"c");
        let mut out = Vec::new();
        emit_request(&head, &mut out);
        assert_eq!(out.len(), head.wire_len());
        let mut again = Head::new();
        let progress = HeadParser::new(Kind::Request, Limits::default()).advance(&out, &mut again);
        assert_eq!(
            progress,
            Ok(Progress::Done {
                consumed: out.len()
            })
        );
        assert_eq!(again, head);
    }

    #[test]
    fn responses_and_trailers() {
        let mut head = Head::new();
        head.set_response(Version::Http11, Status::new(200), b"O\rK");
        head.push(b"Etag", b"\"x\"");
        let mut out = Vec::new();
        emit_response(&head, &mut out);
        assert_eq!(out, b"HTTP/1.1 200 OK\r\netag: \"x\"\r\n\r\n");
        out.clear();
        emit_trailers(&head, &mut out);
        assert_eq!(out, b"etag: \"x\"\r\n");
    }
}
