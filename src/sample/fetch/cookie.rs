//! Cookies: of the request (`req.cook`), of the response (`res.cook`), of whichever is there
//! (`cookie`).

use crate::http::{Head, Known, cookie};
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::{Sampled, Walk};
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value, parse_int};

use Source::{EitherHead, RequestHead, ResponseHead};

const NAME: Spec = Spec::opt(&[Wants::Str]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::each(
        "cookie",
        Kind::Str,
        EitherHead,
        either,
        "A cookie's value, of the request or response.",
    )
    .with(NAME),
    Fetch::each("cook", Kind::Str, RequestHead, request, "As `req.cook`.").with(NAME),
    Fetch::once(
        "cook_cnt",
        Kind::Int,
        RequestHead,
        request_count,
        "As `req.cook_cnt`.",
    )
    .with(NAME),
    Fetch::each(
        "cook_val",
        Kind::Int,
        RequestHead,
        request_number,
        "As `req.cook_val`.",
    )
    .with(NAME),
    Fetch::each(
        "req.cook",
        Kind::Str,
        RequestHead,
        request,
        "A cookie's value.",
    )
    .with(NAME),
    Fetch::once(
        "req.cook_cnt",
        Kind::Int,
        RequestHead,
        request_count,
        "How many cookies have the name.",
    )
    .with(NAME),
    Fetch::once(
        "req.cook_names",
        Kind::Str,
        RequestHead,
        request_names,
        "The names of the cookies.",
    )
    .with(NAME),
    Fetch::each(
        "req.cook_val",
        Kind::Int,
        RequestHead,
        request_number,
        "A cookie's value as a number.",
    )
    .with(NAME),
    Fetch::each(
        "res.cook",
        Kind::Str,
        ResponseHead,
        response,
        "A cookie's value.",
    )
    .with(NAME),
    Fetch::once(
        "res.cook_cnt",
        Kind::Int,
        ResponseHead,
        response_count,
        "How many cookies have the name.",
    )
    .with(NAME),
    Fetch::once(
        "res.cook_names",
        Kind::Str,
        ResponseHead,
        response_names,
        "The names of the cookies.",
    )
    .with(NAME),
    Fetch::each(
        "res.cook_val",
        Kind::Int,
        ResponseHead,
        response_number,
        "A cookie's value as a number.",
    )
    .with(NAME),
    Fetch::each("scook", Kind::Str, ResponseHead, response, "As `res.cook`.").with(NAME),
    Fetch::once(
        "scook_cnt",
        Kind::Int,
        ResponseHead,
        response_count,
        "As `res.cook_cnt`.",
    )
    .with(NAME),
    Fetch::each(
        "scook_val",
        Kind::Int,
        ResponseHead,
        response_number,
        "As `res.cook_val`.",
    )
    .with(NAME),
];

/// A head whose cookies are meant.
#[derive(Clone, Copy)]
enum Side<'a> {
    Request(&'a Head),
    Response(&'a Head),
}

/// How many cookies of a message are looked at.
const COOKIES_MAX: usize = 1000;

impl<'a> Side<'a> {
    /// Every cookie as name and value.
    fn cookies(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let (head, known) = match self {
            Side::Request(head) => (head, Known::Cookie),
            Side::Response(head) => (head, Known::SetCookie),
        };
        let most = match self {
            Side::Request(_) => COOKIES_MAX,
            Side::Response(_) => 1,
        };
        head.all_known(known)
            .flat_map(move |line| {
                cookie::crumbs(line)
                    .take(most)
                    .filter_map(move |crumb| Some((&line[crumb.name], &line[crumb.value?])))
            })
            .take(COOKIES_MAX)
    }
}

/// The value that the argument and the walk ask for: each, the last, or without a name the first.
fn value<'a>(side: Option<Side<'a>>, args: &[Arg], walk: &mut Walk) -> Option<&'a [u8]> {
    let name = args.text_or_empty(0);
    let cookies = side?.cookies();
    let mut values = cookies
        .filter(|(found, _)| name.is_empty() || *found == name)
        .map(|(_, value)| value);
    if walk.every {
        let found = values.nth(walk.at.0)?;
        walk.at.0 += 1;
        walk.more = true;
        return Some(found);
    }
    if name.is_empty() {
        values.next()
    } else {
        values.last()
    }
}

fn count<'a>(side: Option<Side<'_>>, args: &[Arg]) -> Sampled<'a> {
    let name = args.text_or_empty(0);
    Sampled::maybe_int(side.map(|side| {
        let same = |(found, _): &(&[u8], &[u8])| name.is_empty() || *found == name;
        i64::try_from(side.cookies().filter(same).count()).unwrap_or(i64::MAX)
    }))
}

fn names<'a>(side: Option<Side<'_>>, args: &[Arg]) -> Sampled<'a> {
    let delimiter = args.text(0).filter(|d| !d.is_empty()).unwrap_or(b",");
    Sampled::of(side.map(|side| {
        let names: Vec<&[u8]> = side.cookies().map(|(name, _)| name).collect();
        Value::string(names.join(delimiter))
    }))
}

fn number<'a>(side: Option<Side<'_>>, args: &[Arg], walk: &mut Walk) -> Sampled<'a> {
    Sampled::maybe_int(value(side, args, walk).and_then(parse_int))
}

fn of_request<'a>(facts: &'a Facts<'a>) -> Option<Side<'a>> {
    facts.request.map(Side::Request)
}

fn of_response<'a>(facts: &'a Facts<'a>) -> Option<Side<'a>> {
    facts.response.map(Side::Response)
}

fn either<'a>(args: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    let side = of_response(facts).or(of_request(facts));
    Sampled::maybe_str(value(side, args, walk))
}

fn request<'a>(args: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    Sampled::maybe_str(value(of_request(facts), args, walk))
}

fn request_count<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    count(of_request(facts), args)
}

fn request_names<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    names(of_request(facts), args)
}

fn request_number<'a>(args: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    number(of_request(facts), args, walk)
}

fn response<'a>(args: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    Sampled::maybe_str(value(of_response(facts), args, walk))
}

fn response_count<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    count(of_response(facts), args)
}

fn response_names<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    names(of_response(facts), args)
}

fn response_number<'a>(args: &'a [Arg], facts: &'a Facts<'a>, walk: &mut Walk) -> Sampled<'a> {
    number(of_response(facts), args, walk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{self, absent_with, yields_with};

    #[test]
    fn cookies_of_both_sides() {
        let request = rig::request("GET / HTTP/1.1\r\ncookie: a=1; b=2\r\ncookie: a=3\r\n");
        let response = rig::response(
            200,
            "set-cookie: s=9; Path=/; HttpOnly\r\nset-cookie: t=x\r\n",
        );
        let facts = Facts {
            request: Some(&request),
            response: Some(&response),
            ..Facts::none()
        };
        for (text, want) in [
            ("req.cook(a)", "3"),
            ("req.cook", "1"),
            ("cook(b)", "2"),
            ("req.cook_cnt(a)", "2"),
            ("cook_cnt", "3"),
            ("req.cook_val(b)", "2"),
            ("cook_val(a)", "3"),
            ("req.cook_names", "a,b,a"),
            ("res.cook(s)", "9"),
            ("scook(t)", "x"),
            ("res.cook_cnt", "2"),
            ("scook_cnt(s)", "1"),
            ("res.cook_val(s)", "9"),
            ("scook_val(s)", "9"),
            ("res.cook_names(|)", "s|t"),
            ("cookie(s)", "9"),
        ] {
            yields_with(&facts, text, want);
        }
        absent_with(&facts, "req.cook(A)");
        absent_with(&facts, "res.cook(Path)");
    }
}
