//! Exchanges of the tests: heads in short form, and one message passed through one side.

use super::super::body::Body;
use super::super::fault::Reason;
use super::{Exchange, Policy, Received, Reuse, Role};
use crate::http::{Head, Status, Version};

pub(super) fn head(text: &str) -> Head {
    let mut lines = text.split('\n');
    let line: Vec<&str> = lines.next().unwrap_or("").splitn(3, ' ').collect();
    let version = |text: &str| {
        if text == "1.0" {
            Version::Http10
        } else {
            Version::Http11
        }
    };
    let mut head = Head::new();
    match line[..] {
        [number @ ("1.0" | "1.1"), code] => {
            head.set_response(
                version(number),
                Status::new(code.parse().expect("a code")),
                b"R",
            );
        }
        [method, target, number] => {
            head.set_request(method.as_bytes(), target.as_bytes(), version(number))
        }
        _ => panic!("a start line: {text}"),
    }
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        head.push(name.as_bytes(), value.as_bytes());
    }
    head
}

pub(super) fn fields(head: &Head) -> String {
    let line = |(name, value): (&[u8], &[u8])| {
        format!("{}: {}", name.escape_ascii(), value.escape_ascii())
    };
    head.fields().map(line).collect::<Vec<_>>().join("|")
}

/// A request and its response on a front connection: what is said about the connection, and whether it lives on.
pub(super) fn front(
    policy: Policy,
    request: &str,
    response: &str,
    body: Body,
) -> (String, Body, Reuse) {
    let mut exchange = Exchange::new(Role::Front, policy);
    exchange
        .receive_request(&mut head(request))
        .expect("a good request");
    exchange.request_done();
    let mut answer = head(response);
    if let Body::Sized(length) = body {
        answer.push(b"content-length", length.to_string().as_bytes());
    }
    let body = exchange.send_response(&mut answer, body);
    answer.remove(b"content-length");
    if body != Body::Tunnel {
        exchange.response_done();
    }
    (fields(&answer), body, exchange.reuse())
}

/// What a request looks like to a server.
pub(super) fn sent(policy: Policy, request: &str) -> String {
    let mut message = head(request);
    let body = Exchange::new(Role::Front, Policy::KeepAlive)
        .receive_request(&mut message)
        .expect("a good request");
    Exchange::new(Role::Back, policy).send_request(&mut message, body);
    fields(&message)
}

pub(super) fn back(
    policy: Policy,
    request: &str,
    response: &str,
) -> (Result<Received, Reason>, Head, Exchange) {
    let mut exchange = Exchange::new(Role::Back, policy);
    exchange.send_request(&mut head(request), Body::None);
    let mut answer = head(response);
    let received = exchange
        .receive_response(&mut answer)
        .map_err(|fault| fault.reason);
    (received, answer, exchange)
}
