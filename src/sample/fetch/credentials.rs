//! Credentials of the request, and whether a user list has them.

use std::sync::Arc;

use crate::codec::base64;
use crate::http::Head;
use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::expr::Sampled;
use crate::sample::facts::Facts;
use crate::sample::place::Source;
use crate::sample::row::Fetch;
use crate::value::{Kind, Value};

use Source::RequestHead;

const USERS: Spec = Spec::all(&[Wants::Users]);

/// The family.
pub(super) const ROWS: &[Fetch] = &[
    Fetch::once("http_auth", Kind::Bool, RequestHead, auth, "Whether the user list has the request's user and password.").with(USERS),
    Fetch::once("http_auth_bearer", Kind::Str, RequestHead, bearer, "The bearer token, of Authorization or the named field.")
        .with(Spec::opt(&[Wants::Str])),
    Fetch::once("http_auth_group", Kind::Str, RequestHead, group, "The user, if the user list has the request's user and password; ACLs compare the user's groups.").with(USERS),
    Fetch::once("http_auth_pass", Kind::Str, RequestHead, password, "The password of the request."),
    Fetch::once("http_auth_type", Kind::Str, RequestHead, scheme, "The scheme of the credentials."),
    Fetch::once("http_auth_user", Kind::Str, RequestHead, user, "The user of the request."),
];

/// Scheme and credentials of a field.
fn split<'a>(head: &'a Head, field: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let value = head.get(field)?;
    let blank = memchr::memchr(b' ', value)?;
    let rest = value[blank..].trim_ascii();
    (!rest.is_empty()).then_some((&value[..blank], rest))
}

/// The field that carries credentials: a proxy is asked with another.
fn field(facts: &Facts<'_>, head: &Head) -> &'static [u8] {
    if facts.asks_as_proxy(head) {
        b"proxy-authorization"
    } else {
        b"authorization"
    }
}

/// User and password of basic credentials (RFC 7617).
fn basic(facts: &Facts<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let head = facts.request?;
    let (scheme, rest) = split(head, field(facts, head))?;
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let mut user = base64::decode(rest)?;
    let colon = memchr::memchr(b':', &user)?;
    let password = user.split_off(colon + 1);
    user.truncate(colon);
    Some((user, password))
}

/// The user, if the list has the request's user and password.
fn known(args: &[Arg], facts: &Facts<'_>) -> Option<(Arc<str>, Vec<u8>)> {
    let Arg::Users(list) = args.at(0) else {
        return None;
    };
    let (user, password) = basic(facts)?;
    facts
        .census
        .authenticates(list, &user, &password)
        .then(|| (Arc::clone(list), user))
}

fn auth<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    if facts.request.is_none() {
        return Sampled::Absent;
    }
    Sampled::truth(known(args, facts).is_some())
}

fn group<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(known(args, facts).map(|(_, user)| Value::string(user)))
}

fn user<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(basic(facts).map(|(user, _)| Value::string(user)))
}

fn password<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    Sampled::of(basic(facts).map(|(_, password)| Value::string(password)))
}

fn scheme<'a>(_: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let read = |head: &'a Head| Some(split(head, field(facts, head))?.0);
    let known = facts.request.and_then(read).and_then(|scheme| {
        let names = ["Basic", "Digest", "Bearer"];
        names
            .into_iter()
            .find(|n| n.as_bytes().eq_ignore_ascii_case(scheme))
    });
    Sampled::maybe_str(known.map(str::as_bytes))
}

fn bearer<'a>(args: &'a [Arg], facts: &'a Facts<'a>) -> Sampled<'a> {
    let Some(head) = facts.request else {
        return Sampled::Absent;
    };
    let token = match args.text(0).filter(|n| !n.is_empty()) {
        None => split(head, b"authorization"),
        Some(name) => split(head, name),
    };
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer"));
    Sampled::maybe_str(token.map(|(_, token)| token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::rig::{absent_with, request, yields_with};

    #[test]
    fn credentials_of_the_request() {
        let head = request(
            "GET /x HTTP/1.1\r\nauthorization: Basic dTpwOnE=\r\nx-token: Bearer abc.d\r\n",
        );
        let facts = Facts {
            request: Some(&head),
            ..Facts::none()
        };
        for (text, want) in [
            ("http_auth_user", "u"),
            ("http_auth_pass", "p:q"),
            ("http_auth_type", "Basic"),
            ("http_auth_bearer(x-token)", "abc.d"),
            ("http_auth(list)", "0"),
        ] {
            yields_with(&facts, text, want);
        }
        absent_with(&facts, "http_auth_bearer");
        absent_with(&facts, "http_auth_group(list)");
        absent_with(&Facts::none(), "http_auth(list)");
    }
}
