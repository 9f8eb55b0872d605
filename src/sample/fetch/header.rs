//! Header fields: of the request (`req.hdr`), of the response (`res.hdr`), of whichever is there
//! (`hdr`).
//!
//! A value is one element of a comma-separated list, or with `fhdr` a whole line. Where every value
//! counts (ACLs) each is shown in turn; elsewhere the last one, or the one whose number is given.

use std::net::{IpAddr, SocketAddr};

use crate::http::{Head, trim};
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::{Sampled, Walk};
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::{Checking, Fetch};
use crate::value::{Kind, Value, parse_int};

use Source::{EitherHead, RequestHead, ResponseHead};

const NAME: Spec = Spec::opt(&[Wants::Str]);
const NAME_NUMBER: Spec = Spec::opt(&[Wants::Str, Wants::Int]);

macro_rules! family {
    ($source:expr, $head:ident, $value:literal, $cnt:literal, $ip:literal, $val:literal) => {
        [
            Fetch::each(
                $value,
                Kind::Str,
                $source,
                $head::value,
                "A value of the field.",
            )
            .with(NAME_NUMBER)
            .checked(check_number),
            Fetch::once(
                $cnt,
                Kind::Int,
                $source,
                $head::count,
                "How many values the field has.",
            )
            .with(NAME),
            Fetch::each(
                $ip,
                Kind::Addr,
                $source,
                $head::address,
                "A value of the field as an address.",
            )
            .with(NAME_NUMBER)
            .checked(check_number),
            Fetch::each(
                $val,
                Kind::Int,
                $source,
                $head::number,
                "A value of the field as a number.",
            )
            .with(NAME_NUMBER)
            .checked(check_number),
        ]
    };
}

macro_rules! readers {
    ($name:ident, $facts:ident => $head:expr) => {
        mod $name {
            use super::*;

            fn head<'a>($facts: &'a Facts<'a>) -> Option<&'a Head> {
                $head
            }

            pub(super) fn value<'a>(
                args: &'a [Arg],
                facts: &'a Facts<'a>,
                walk: &mut Walk,
            ) -> Sampled<'a> {
                super::value(head(facts), args, walk)
            }

            pub(super) fn count<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
                super::count(head(facts), args, Cut::Values)
            }

            pub(super) fn address<'a>(
                args: &'a [Arg],
                facts: &'a Facts<'a>,
                walk: &mut Walk,
            ) -> Sampled<'a> {
                super::address(head(facts), args, walk)
            }

            pub(super) fn number<'a>(
                args: &'a [Arg],
                facts: &'a Facts<'a>,
                walk: &mut Walk,
            ) -> Sampled<'a> {
                super::number(head(facts), args, walk)
            }

            pub(super) fn line<'a>(
                args: &'a [Arg],
                facts: &'a Facts<'a>,
                walk: &mut Walk,
            ) -> Sampled<'a> {
                Sampled::maybe_str(head(facts).and_then(|h| pick(h, args, Cut::Lines, walk)))
            }

            pub(super) fn line_count<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
                super::count(head(facts), args, Cut::Lines)
            }
        }
    };
}

readers!(request, facts => facts.request);
readers!(response, facts => facts.response);

fn either_value<'a>(args: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    value(facts.response.or(facts.request), args, walk)
}

const REQ: [Fetch; 4] = family!(
    RequestHead,
    request,
    "req.hdr",
    "req.hdr_cnt",
    "req.hdr_ip",
    "req.hdr_val"
);
const OLD_REQ: [Fetch; 4] = family!(RequestHead, request, "hdr", "hdr_cnt", "hdr_ip", "hdr_val");
const RES: [Fetch; 4] = family!(
    ResponseHead,
    response,
    "res.hdr",
    "res.hdr_cnt",
    "res.hdr_ip",
    "res.hdr_val"
);
const OLD_RES: [Fetch; 4] = family!(
    ResponseHead,
    response,
    "shdr",
    "shdr_cnt",
    "shdr_ip",
    "shdr_val"
);

/// The family.
pub(super) const ROWS: &[Fetch] = &{
    let [req, req_cnt, req_ip, req_val] = REQ;
    let [_, old_cnt, old_ip, old_val] = OLD_REQ;
    let [res, res_cnt, res_ip, res_val] = RES;
    let [old_res, old_res_cnt, old_res_ip, old_res_val] = OLD_RES;
    [
        req,
        req_cnt,
        req_ip,
        req_val,
        Fetch::each(
            "hdr",
            Kind::Str,
            EitherHead,
            either_value,
            "A value of the field, of the request or response.",
        )
        .with(NAME_NUMBER)
        .checked(check_number),
        old_cnt,
        old_ip,
        old_val,
        res,
        res_cnt,
        res_ip,
        res_val,
        old_res,
        old_res_cnt,
        old_res_ip,
        old_res_val,
        Fetch::each(
            "req.fhdr",
            Kind::Str,
            RequestHead,
            request::line,
            "A line of the field.",
        )
        .with(NAME_NUMBER)
        .checked(check_number),
        Fetch::once(
            "req.fhdr_cnt",
            Kind::Int,
            RequestHead,
            request::line_count,
            "How many lines the field has.",
        )
        .with(NAME),
        Fetch::each(
            "res.fhdr",
            Kind::Str,
            ResponseHead,
            response::line,
            "A line of the field.",
        )
        .with(NAME_NUMBER)
        .checked(check_number),
        Fetch::once(
            "res.fhdr_cnt",
            Kind::Int,
            ResponseHead,
            response::line_count,
            "How many lines the field has.",
        )
        .with(NAME),
    ]
};

/// How a field is cut into values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// At commas outside quotes.
    Values,
    /// Not at all.
    Lines,
}

/// How many values a walk from the end looks at, at most; HAProxy keeps ten.
const FROM_END_MAX: i64 = 10;

fn check_number(args: &mut [Arg], _: &Checking<'_>) -> Result<(), String> {
    if args.int_or(1, 0) < -FROM_END_MAX {
        return Err(format!(
            "values from the end are counted down to -{FROM_END_MAX} only"
        ));
    }
    Ok(())
}

/// The next value after the walk's place: field index and offset in its value. An offset of
/// `usize::MAX` is past the field.
fn next<'a>(head: &'a Head, name: &[u8], cut: Cut, at: &mut (usize, usize)) -> Option<&'a [u8]> {
    loop {
        let index = if name.is_empty() {
            (at.0 < head.len()).then_some(at.0)?
        } else {
            head.find(name, at.0)?
        };
        if index != at.0 {
            *at = (index, 0);
        }
        let (_, value) = head.field(index)?;
        if cut == Cut::Lines {
            *at = (index + 1, 0);
            return Some(value);
        }
        let Some(rest) = value.get(at.1..) else {
            *at = (index + 1, 0);
            continue;
        };
        let len = value_len(rest);
        *at = if len < rest.len() {
            (index, at.1 + len + 1)
        } else {
            (index + 1, 0)
        };
        return Some(trim(&rest[..len]));
    }
}

/// Where the first value of a line ends: at a comma outside quotes, or with the line.
fn value_len(line: &[u8]) -> usize {
    let mut quoted = false;
    let mut at = 0;
    while let Some(offset) = memchr::memchr3(b',', b'"', b'\\', &line[at..]) {
        at += offset;
        match line[at] {
            b',' if !quoted => return at,
            b'"' => quoted = !quoted,
            b'\\' if quoted => at += 1,
            _ => {}
        }
        at += 1;
        if at >= line.len() {
            break;
        }
    }
    line.len()
}

/// The value that the arguments and the walk ask for.
fn pick<'a>(head: &'a Head, args: &[Arg], cut: Cut, walk: &mut Walk) -> Option<&'a [u8]> {
    let name = args.text_or_empty(0);
    let number = args.int_or(1, 0);
    if number == 0 && walk.every {
        let value = next(head, name, cut, &mut walk.at)?;
        walk.more = true;
        return Some(value);
    }
    let mut at = (0, 0);
    let mut values = std::iter::from_fn(|| next(head, name, cut, &mut at));
    match number {
        0 => values.last(),
        1.. => values.nth(usize::try_from(number - 1).ok()?),
        ..0 => {
            let back = usize::try_from(-number).ok()?;
            let mut kept: smallvec::SmallVec<[&[u8]; 10]> = smallvec::SmallVec::new();
            for value in values {
                if kept.len() == back {
                    kept.remove(0);
                }
                kept.push(value);
            }
            (kept.len() == back).then(|| kept[0])
        }
    }
}

fn value<'a>(head: Option<&'a Head>, args: &'a [Arg], walk: &mut Walk) -> Sampled<'a> {
    Sampled::maybe_str(head.and_then(|h| pick(h, args, Cut::Values, walk)))
}

fn count<'a>(head: Option<&'a Head>, args: &'a [Arg], cut: Cut) -> Sampled<'a> {
    let name = args.text_or_empty(0);
    Sampled::maybe_int(head.map(|head| {
        let mut at = (0, 0);
        let values = std::iter::from_fn(|| next(head, name, cut, &mut at));
        i64::try_from(values.count()).unwrap_or(i64::MAX)
    }))
}

fn number<'a>(head: Option<&'a Head>, args: &'a [Arg], walk: &mut Walk) -> Sampled<'a> {
    loop {
        let Some(text) = head.and_then(|h| pick(h, args, Cut::Values, walk)) else {
            return Sampled::Absent;
        };
        match parse_int(text) {
            Some(number) => return Sampled::int(number),
            None if walk.more => walk.more = false,
            None => return Sampled::Absent,
        }
    }
}

fn address<'a>(head: Option<&'a Head>, args: &'a [Arg], walk: &mut Walk) -> Sampled<'a> {
    loop {
        let Some(text) = head.and_then(|h| pick(h, args, Cut::Values, walk)) else {
            return Sampled::Absent;
        };
        match parse_address(text) {
            Some(addr) => return Sampled::Got(Value::ip(addr)),
            None if walk.more => walk.more = false,
            None => return Sampled::Absent,
        }
    }
}

/// An address as proxies write it: bare, with a port, or in brackets.
pub(super) fn parse_address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bare = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|a| a.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    bare.or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{absent_with, refused, request, yields_with};

    #[test]
    fn values_lines_and_counts() {
        let head = request(
            "GET / HTTP/1.1\r\nx: a, \"b,c\" ,d\r\nhost: h\r\nx: e\r\nn: 12z\r\nip: bad, 10.0.0.1:80, [::1]\r\n",
        );
        let facts = Facts {
            request: Some(&head),
            ..Facts::none()
        };
        for (text, want) in [
            ("req.hdr(x)", "e"),
            ("req.hdr(X,1)", "a"),
            ("hdr(x,2)", "\"b,c\""),
            ("req.hdr(x,-2)", "d"),
            ("req.hdr(x,-1)", "e"),
            ("req.hdr_cnt(x)", "4"),
            ("hdr_cnt(none)", "0"),
            ("req.fhdr(x,1)", "a, \"b,c\" ,d"),
            ("req.fhdr_cnt(x)", "2"),
            ("req.hdr_val(n)", "12"),
            ("req.hdr_ip(ip,2)", "10.0.0.1"),
            ("hdr_ip(ip)", "::1"),
        ] {
            yields_with(&facts, text, want);
        }
        for text in [
            "req.hdr(x,5)",
            "req.hdr(x,-5)",
            "req.hdr(none)",
            "res.hdr(x)",
            "req.hdr_ip(n)",
        ] {
            absent_with(&facts, text);
        }
        refused("req.hdr(x,-11)", "from the end");
    }

    #[test]
    fn responses_have_their_own() {
        let head = request("GET / HTTP/1.1\r\na: b\r\n");
        let facts = Facts {
            request: Some(&head),
            response: Some(&head),
            ..Facts::none()
        };
        yields_with(&facts, "res.hdr(a)", "b");
        yields_with(&facts, "shdr_cnt(a)", "1");
    }
}
