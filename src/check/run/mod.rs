//! One check under way: a script walked by events, without sockets or clocks.
//!
//! The engine makes a [`Run`] per check, tells it what happened ([`Event`]) and carries out what it orders ([`Order`]).
//! Bytes to send are appended to `out`, which the engine writes before anything else. Timeouts are the engine's: it knows
//! when connecting and when waiting, and says so with [`Event::TimedOut`].
//!
//! Always true: a run ends with exactly one [`Report`]; what is kept of a server's bytes is bounded by [`RECEIVED_MAX`].

mod judge;

use std::sync::Arc;

use super::answer::HttpAnswer;
use super::expect::Expect;
use super::script::{Act, Connect, Request, Script, Step, Style};
use super::{Report, Status};
use crate::http::{Head, Known, Method, Version};
use crate::proto::h1::emit_request;
use crate::proto::probe::{Answer, Probe};
use crate::sample::{BodyView, Facts, Payload};

use judge::Judge;

/// What happened to the check's connection.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The check begins.
    Begin,
    /// The connection stands, TLS included.
    Connected,
    /// Bytes have come.
    Received(&'a [u8]),
    /// The server has closed its side.
    Ended,
    /// Connecting failed; the text is the system's (`Connection refused`).
    Refused(&'a str),
    /// TLS failed.
    HandshakeFailed(&'a str),
    /// The connection broke.
    Broken(&'a str),
    /// No socket could be had, or no address is known.
    NoSocket(&'a str),
    /// This host has run out of something that a socket needs.
    Shortage(&'a str),
    /// The time is over.
    TimedOut,
}

/// What the engine has to do.
#[derive(Debug)]
pub enum Order<'a> {
    /// Close the connection there is, open this one, and say [`Event::Connected`].
    Connect(&'a Connect),
    /// Write what is in `out`, wait for bytes.
    Read,
    /// Write what is in `out`, close, note the report.
    Done(Report),
}

/// A check under way.
#[derive(Debug)]
pub struct Run {
    script: Arc<Script>,
    at: usize,
    phase: Phase,
    received: Vec<u8>,
    ended: bool,
    http: Option<HttpAnswer>,
    /// The state line of `http-check send-state`.
    state_line: Option<String>,
    /// The report if nothing fails any more.
    good: Report,
}

#[derive(Debug)]
enum Phase {
    Connecting,
    Connected,
    Greeting(Probe),
}

impl Run {
    /// A check by this script; `state_line` goes into the requests of `http-check send-state`.
    pub fn new(script: Arc<Script>, state_line: Option<String>) -> Run {
        Run {
            script,
            at: 0,
            phase: Phase::Connecting,
            received: Vec::new(),
            ended: false,
            http: None,
            state_line,
            good: Report::of(Status::L4Ok),
        }
    }

    /// Goes on by one event. `facts` are what is known without this check's own answer; `tls` says whether the connection
    /// that stands is encrypted.
    pub fn advance(
        &mut self,
        event: Event<'_>,
        facts: &Facts<'_>,
        tls: bool,
        out: &mut Vec<u8>,
    ) -> Order<'_> {
        match event {
            Event::Begin => {}
            Event::Connected => {
                self.phase = Phase::Connected;
                if matches!(self.good.status, Status::L4Ok | Status::L6Ok) {
                    self.good = Report::of(if tls { Status::L6Ok } else { Status::L4Ok });
                }
                self.at += 1;
            }
            Event::Received(bytes) => {
                let room = RECEIVED_MAX.saturating_sub(self.received.len());
                self.received
                    .extend_from_slice(&bytes[..bytes.len().min(room)]);
                self.ended |= bytes.len() >= room;
            }
            Event::Ended => self.ended = true,
            Event::Refused(text) => return Order::Done(self.lost(Status::L4Connection, text)),
            Event::HandshakeFailed(text) => {
                return Order::Done(self.lost(Status::L6Response, text));
            }
            Event::NoSocket(text) => {
                let text = format!("General socket error ({text})");
                return Order::Done(self.lost(Status::L4Connection, &text));
            }
            Event::Shortage(text) => return Order::Done(self.lost(Status::SocketError, text)),
            // What came before the break is judged first: a server may reset behind its answer.
            Event::Broken(_) if !self.received.is_empty() => self.ended = true,
            Event::Broken(text) => return Order::Done(self.lost(self.broken_status(), text)),
            Event::TimedOut => return Order::Done(self.timed_out(tls)),
        }
        self.steps(facts, out)
    }

    /// Walks steps until one has to wait.
    fn steps(&mut self, facts: &Facts<'_>, out: &mut Vec<u8>) -> Order<'_> {
        let script = Arc::clone(&self.script);
        while let Some(step) = script.steps.get(self.at) {
            match &step.act {
                Act::Connect(_) => {
                    self.forget_connection();
                    return self.connect_order();
                }
                Act::Send(text) => {
                    self.received.clear();
                    self.with_answer(facts, |facts| text.write(facts, out));
                }
                Act::Request(request) => self.request(request, facts, out),
                Act::Assign(assign) => self.with_answer(facts, |facts| assign.run(facts)),
                Act::Expect(expect) => match self.expect(step, expect, facts) {
                    Some(Ok(())) => {}
                    Some(Err(report)) => return Order::Done(report),
                    None => return Order::Read,
                },
                Act::Greet(service) => {
                    if !matches!(self.phase, Phase::Greeting(_)) {
                        self.phase = Phase::Greeting(Probe::new(service.clone()));
                    }
                    return match self.greet(out) {
                        Some(report) => Order::Done(report),
                        None => Order::Read,
                    };
                }
            }
            self.at += 1;
        }
        Order::Done(self.good.clone())
    }

    fn connect_order(&self) -> Order<'_> {
        match self.script.steps.get(self.at).map(|step| &step.act) {
            Some(Act::Connect(connect)) => Order::Connect(connect),
            _ => Order::Done(self.good.clone()),
        }
    }

    fn forget_connection(&mut self) {
        self.phase = Phase::Connecting;
        self.received.clear();
        self.ended = false;
        self.http = None;
    }

    /// The facts with what this check has received.
    fn with_answer(&self, facts: &Facts<'_>, act: impl FnOnce(&Facts<'_>)) {
        let mut facts = *facts;
        facts.response_payload = Payload {
            bytes: &self.received,
            complete: self.ended,
        };
        if let Some(http) = self.http.as_ref().filter(|http| http.has_head()) {
            facts.response = Some(&http.head);
            facts.response_body = BodyView {
                bytes: &http.body,
                complete: http.is_whole(),
                ..BodyView::NONE
            };
        }
        act(&facts);
    }

    fn request(&mut self, request: &Request, facts: &Facts<'_>, out: &mut Vec<u8>) {
        let mut head = Head::new();
        let mut body = None;
        self.with_answer(facts, |facts| {
            head.set_request(
                &request.method,
                &request.target.value(facts),
                request.version,
            );
            for (name, value) in &request.fields {
                head.push(name.as_bytes(), &value.value(facts));
            }
            body = request.body.as_ref().map(|body| body.value(facts));
        });
        if let Some(line) = &self.state_line {
            head.push(b"x-haproxy-server-state", line.as_bytes());
        }
        if let Some(body) = &body {
            head.set_known(Known::ContentLength, body.len().to_string().as_bytes());
        }
        if request.version == Version::Http11 && head.get_known(Known::Connection).is_none() {
            head.push_known(Known::Connection, b"close");
        }
        emit_request(&head, out);
        out.extend_from_slice(&body.unwrap_or_default());
        self.received.clear();
        self.http = Some(HttpAnswer::new(Method::of(&request.method)));
    }

    /// The verdict of an expectation; none while it has to wait.
    fn expect(
        &mut self,
        step: &Step,
        expect: &Expect,
        facts: &Facts<'_>,
    ) -> Option<Result<(), Report>> {
        if let Some(mut http) = self.http.take() {
            let is_http = http.advance(&mut self.received, self.ended);
            self.http = Some(http);
            if !is_http {
                return Some(Err(judge::no_http(step, expect)));
            }
        }
        let mut verdict = None;
        self.with_answer(facts, |facts| {
            let judge = Judge {
                run: self,
                step,
                expect,
                facts,
            };
            verdict = judge.verdict();
        });
        Some(match verdict? {
            Ok(report) => {
                self.good = report;
                Ok(())
            }
            Err(report) => Err(report),
        })
    }

    /// One turn of a greeting; the report once it is over.
    fn greet(&mut self, out: &mut Vec<u8>) -> Option<Report> {
        let Phase::Greeting(probe) = &mut self.phase else {
            return None;
        };
        let answer = probe.advance(&mut self.received, self.ended, out);
        let tls = probe.is_tls();
        match answer {
            Answer::More => None,
            Answer::Well { .. } if tls => Some(Report::of(Status::L6Ok)),
            Answer::WrongResponse { text } if tls => {
                Some(Report::with(Status::L6Response, 0, text))
            }
            Answer::Well { code, text } => Some(Report::with(Status::L7Ok, code, text)),
            Answer::WrongResponse { text } => Some(Report::with(Status::L7Response, 0, text)),
            Answer::WrongStatus { code, text } => Some(Report::with(Status::L7Status, code, text)),
        }
    }

    /// What a connection that breaks means: before the answer it is the connection's fault.
    fn broken_status(&self) -> Status {
        match self.phase {
            Phase::Connecting => Status::L4Connection,
            Phase::Connected | Phase::Greeting(_) => Status::L7Response,
        }
    }

    fn timed_out(&self, tls: bool) -> Report {
        let expected = match self.script.steps.get(self.at).map(|step| &step.act) {
            Some(Act::Expect(expect)) => expect.timeout,
            _ => None,
        };
        let status = match (&self.phase, tls) {
            (Phase::Connecting, false) => Status::L4Timeout,
            (Phase::Connecting, true) => Status::L6Timeout,
            (Phase::Connected | Phase::Greeting(_), _) => expected.unwrap_or(Status::L7Timeout),
        };
        self.lost(status, "")
    }

    /// A failure of the connection, with the place in the script if somebody wrote one.
    fn lost(&self, status: Status, text: &str) -> Report {
        let mut text = text.to_owned();
        if self.script.style == Style::Tcp
            && let Some(step) = self.script.steps.get(self.at)
        {
            text.push_str(&place(step));
            text = commented(text, step);
        }
        Report::with(status, 0, text.trim_start())
    }
}

/// ` at step 2 of tcp-check (connect port 1)`
fn place(step: &Step) -> String {
    if step.number == 0 {
        return " at initial connection step of tcp-check".to_owned();
    }
    let what = match &step.act {
        Act::Connect(Connect {
            port: Some(super::Text::Plain(port)),
            ..
        }) => {
            format!(" (connect port {})", String::from_utf8_lossy(port))
        }
        Act::Connect(_) => " (connect)".to_owned(),
        Act::Send(_) | Act::Request(_) => " (send)".to_owned(),
        Act::Expect(expect) => expect.what.name(),
        Act::Greet(_) | Act::Assign(_) => String::new(),
    };
    format!(" at step {} of tcp-check{what}", step.number)
}

fn commented(mut text: String, step: &Step) -> String {
    if let Some(comment) = &step.comment {
        text.push_str(" comment: ");
        text.push_str(comment);
    }
    text
}

/// How much of an answer is kept.
pub const RECEIVED_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests;
