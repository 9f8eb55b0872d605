//! Views of HAProxy's own machinery, as far as they mean anything here.
//!
//! HAProxy's tests look at its internal representation of messages with these; here a message is
//! a head and bytes, and the fetches describe those.

use crate::http::Head;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::{BodyView, Facts};
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

use Source::{EitherHead, Internal};

const BLOCK: Spec = Spec::all(&[Wants::Str]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once(
        "bs.aborted",
        Kind::Bool,
        Internal,
        no,
        "Whether the server's side was aborted.",
    ),
    Fetch::once(
        "bs.debug_str",
        Kind::Str,
        Internal,
        nothing,
        "The state of the server's side, for developers.",
    )
    .with(Spec::opt(&[Wants::Int])),
    Fetch::once(
        "bs.id",
        Kind::Int,
        Internal,
        nothing,
        "The number of the server's stream: HTTP/1 has none.",
    ),
    Fetch::once(
        "bs.rst_code",
        Kind::Int,
        Internal,
        nothing,
        "The code the server's stream was reset with: HTTP/1 has none.",
    ),
    Fetch::once(
        "fcgi.docroot",
        Kind::Str,
        Source::RequestHead,
        nothing,
        "The document root of a FastCGI application: there is none.",
    ),
    Fetch::once(
        "fcgi.index",
        Kind::Str,
        Source::RequestHead,
        nothing,
        "The index of a FastCGI application: there is none.",
    ),
    Fetch::once(
        "fc_saved_syn",
        Kind::Bin,
        Source::ClientAddress,
        first_packet,
        "The first packet of the connection, when the kernel kept it (tcp-ss): there for the one who asks first.",
    ),
    Fetch::once(
        "fs.aborted",
        Kind::Bool,
        Internal,
        no,
        "Whether the client's side was aborted.",
    ),
    Fetch::once(
        "fs.debug_str",
        Kind::Str,
        Internal,
        nothing,
        "The state of the client's side, for developers.",
    )
    .with(Spec::opt(&[Wants::Int])),
    Fetch::once(
        "fs.id",
        Kind::Int,
        Internal,
        nothing,
        "The number of the client's stream: HTTP/1 has none.",
    ),
    Fetch::once(
        "fs.rst_code",
        Kind::Int,
        Internal,
        nothing,
        "The code the client's stream was reset with: HTTP/1 has none.",
    ),
    Fetch::once(
        "internal.htx.data",
        Kind::Int,
        EitherHead,
        data,
        "Bytes of the message at hand.",
    ),
    Fetch::once(
        "internal.htx.free",
        Kind::Int,
        EitherHead,
        free,
        "Bytes that still fit.",
    ),
    Fetch::once(
        "internal.htx.free_data",
        Kind::Int,
        EitherHead,
        free,
        "Bytes of data that still fit.",
    ),
    Fetch::once(
        "internal.htx.has_eom",
        Kind::Bool,
        EitherHead,
        complete,
        "Whether the message is complete.",
    ),
    Fetch::once(
        "internal.htx.nbblks",
        Kind::Int,
        EitherHead,
        blocks,
        "Parts of the message: start line, fields, end of head, data.",
    ),
    Fetch::once(
        "internal.htx.size",
        Kind::Int,
        EitherHead,
        size,
        "The size of a buffer.",
    ),
    Fetch::once(
        "internal.htx.used",
        Kind::Int,
        EitherHead,
        data,
        "Bytes in use.",
    ),
    Fetch::once(
        "internal.htx_blk.data",
        Kind::Bin,
        EitherHead,
        block_data,
        "The data of a part.",
    )
    .with(BLOCK),
    Fetch::once(
        "internal.htx_blk.hdrname",
        Kind::Str,
        EitherHead,
        block_name,
        "The field name of a part.",
    )
    .with(BLOCK),
    Fetch::once(
        "internal.htx_blk.hdrval",
        Kind::Str,
        EitherHead,
        block_value,
        "The field value of a part.",
    )
    .with(BLOCK),
    Fetch::once(
        "internal.htx_blk.size",
        Kind::Int,
        EitherHead,
        block_size,
        "The size of a part.",
    )
    .with(BLOCK),
    Fetch::once(
        "internal.htx_blk.start_line",
        Kind::Str,
        EitherHead,
        block_line,
        "The start line, when the part is one.",
    )
    .with(BLOCK),
    Fetch::once(
        "internal.htx_blk.type",
        Kind::Str,
        EitherHead,
        block_type,
        "The type of a part.",
    )
    .with(BLOCK),
    Fetch::once(
        "internal.strm.is_htx",
        Kind::Bool,
        Internal,
        is_http,
        "Whether the exchange is spoken in HTTP.",
    ),
    Fetch::once(
        "spoe.engine-id",
        Kind::Str,
        Internal,
        nothing,
        "The identifier of an offload agent's engine: there is none.",
    ),
    Fetch::once(
        "term_events",
        Kind::Str,
        Internal,
        nothing,
        "The events that ended the exchange, for developers.",
    ),
];

/// The buffer size HAProxy's tests count on.
const BUFFER_LEN: i64 = 16_384;

fn no<'a>(_: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::truth(false)
}

fn nothing<'a>(_: &'a [Arg], _: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::Absent
}

fn first_packet<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    match facts.kernel.first_packet() {
        Some(packet) => Sampled::Got(Value::Bin(packet.into())),
        None => Sampled::Absent,
    }
}

fn is_http<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let http = facts.request.is_some() || facts.exchange.is_some_and(|x| x.is_http);
    Sampled::truth(http)
}

/// The message at hand.
fn message<'a>(facts: &'a Facts<'a>) -> Option<(&'a Head, BodyView<'a>)> {
    match facts.response {
        Some(head) => Some((head, facts.response_body)),
        None => Some((facts.request?, facts.request_body)),
    }
}

/// One part of a message.
enum Block<'a> {
    Line(&'a Head),
    Field(&'a [u8], &'a [u8]),
    EndOfHead,
    Data(&'a [u8]),
}

fn count(facts: &Facts<'_>) -> Option<usize> {
    let (head, body) = message(facts)?;
    Some(head.len() + 2 + usize::from(!body.bytes.is_empty()))
}

/// The part an argument names: `head`, `tail`, `first` or a number from 0.
fn block<'a>(args: &[Arg], facts: &'a Facts<'a>) -> Option<Block<'a>> {
    let (head, body) = message(facts)?;
    let at = match args.text_or_empty(0) {
        b"head" | b"first" => 0,
        b"tail" => count(facts)? - 1,
        number => std::str::from_utf8(number).ok()?.parse().ok()?,
    };
    if at == 0 {
        return Some(Block::Line(head));
    }
    if let Some((name, value)) = head.field(at - 1) {
        return Some(Block::Field(name, value));
    }
    match at - 1 - head.len() {
        0 => Some(Block::EndOfHead),
        1 if !body.bytes.is_empty() => Some(Block::Data(body.bytes)),
        _ => None,
    }
}

fn line_of(head: &Head) -> Vec<u8> {
    let parts: [&[u8]; 3] = if head.is_request() {
        [
            head.method_bytes(),
            head.target(),
            head.version().text().as_bytes(),
        ]
    } else {
        let digits = head.status().digits();
        return [head.version().text().as_bytes(), &digits, head.reason()].join(&b' ');
    };
    parts.join(&b' ')
}

fn int<'a>(number: Option<usize>) -> Sampled<'a> {
    Sampled::maybe_int(number.and_then(|n| i64::try_from(n).ok()))
}

fn data<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    int(message(facts).map(|(head, body)| head.wire_len() + body.bytes.len()))
}

fn free<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    match data(args, facts) {
        Sampled::Got(Value::Int(used)) => Sampled::int((BUFFER_LEN - used).max(0)),
        other => other,
    }
}

fn size<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_int(message(facts).map(|_| BUFFER_LEN))
}

fn complete<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    message(facts).map_or(Sampled::Absent, |(_, body)| Sampled::truth(body.complete))
}

fn blocks<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    int(count(facts))
}

fn block_data<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    match block(args, facts) {
        Some(Block::Data(bytes)) => Sampled::Got(Value::bin(bytes)),
        Some(Block::Line(_) | Block::Field(..) | Block::EndOfHead) | None => Sampled::Absent,
    }
}

fn block_name<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    match block(args, facts) {
        Some(Block::Field(name, _)) => Sampled::str(name),
        Some(Block::Line(_) | Block::Data(_) | Block::EndOfHead) | None => Sampled::Absent,
    }
}

fn block_value<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    match block(args, facts) {
        Some(Block::Field(_, value)) => Sampled::str(value),
        Some(Block::Line(_) | Block::Data(_) | Block::EndOfHead) | None => Sampled::Absent,
    }
}

fn block_line<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    match block(args, facts) {
        Some(Block::Line(head)) => Sampled::Got(Value::string(line_of(head))),
        Some(Block::Field(..) | Block::Data(_) | Block::EndOfHead) | None => Sampled::Absent,
    }
}

fn block_size<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    int(block(args, facts).map(|part| match part {
        Block::Line(head) => line_of(head).len(),
        Block::Field(name, value) => name.len() + value.len(),
        Block::EndOfHead => 1,
        Block::Data(bytes) => bytes.len(),
    }))
}

fn block_type<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::maybe_str(block(args, facts).map(|part| match part {
        Block::Line(head) if head.is_request() => &b"HTX_BLK_REQ_SL"[..],
        Block::Line(_) => b"HTX_BLK_RES_SL",
        Block::Field(..) => b"HTX_BLK_HDR",
        Block::EndOfHead => b"HTX_BLK_EOH",
        Block::Data(_) => b"HTX_BLK_DATA",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{absent, request, yields, yields_with};

    #[test]
    fn a_message_in_parts() {
        let head = request("GET /x HTTP/1.1\r\na: bc\r\n");
        let facts = Facts {
            request: Some(&head),
            request_body: BodyView {
                bytes: b"hello",
                complete: true,
                ..BodyView::NONE
            },
            ..Facts::none()
        };
        for (text, want) in [
            ("internal.htx.nbblks", "4"),
            ("internal.htx.has_eom", "1"),
            ("internal.htx.size", "16384"),
            ("internal.htx.data", "31"),
            ("internal.htx.used", "31"),
            ("internal.htx.free", "16353"),
            ("internal.htx.free_data", "16353"),
            ("internal.htx_blk.type(head)", "HTX_BLK_REQ_SL"),
            ("internal.htx_blk.start_line(first)", "GET /x HTTP/1.1"),
            ("internal.htx_blk.hdrname(1)", "a"),
            ("internal.htx_blk.hdrval(1)", "bc"),
            ("internal.htx_blk.type(2)", "HTX_BLK_EOH"),
            ("internal.htx_blk.data(tail)", "hello"),
            ("internal.htx_blk.size(tail)", "5"),
            ("internal.strm.is_htx", "1"),
        ] {
            yields_with(&facts, text, want);
        }
    }

    #[test]
    fn what_there_is_not() {
        for text in [
            "bs.debug_str",
            "bs.id",
            "bs.rst_code",
            "fcgi.docroot",
            "fcgi.index",
            "fc_saved_syn",
            "fs.debug_str",
            "fs.id",
            "fs.rst_code",
            "spoe.engine-id",
            "term_events",
        ] {
            absent(text);
        }
        yields("fs.aborted", "0");
        yields("bs.aborted", "0");
    }
}
