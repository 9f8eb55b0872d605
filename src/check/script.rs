//! What a check does, step by step, once the configuration has become one.
//!
//! Scripts are made by [`super::compile`] and run by [`super::Run`]; they are shared by all servers of a backend and never change.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::expect::Expect;
use crate::http::{Method, Version};
use crate::proto::probe::Service;
use crate::sample::Facts;

/// A text with expressions in it, made by whoever owns log formats.
pub trait Phrase: Send + Sync {
    /// Appends the text as the facts have it.
    fn write(&self, facts: &Facts<'_>, out: &mut Vec<u8>);
}

// By name only: a vtable with `Debug` in it keeps every part of every implementor in the program.
impl fmt::Debug for dyn Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase")
    }
}

/// A change of variables (`set-var`, `unset-var`).
pub trait Assign: Send + Sync {
    /// Carries it out on the facts' variables.
    fn run(&self, facts: &Facts<'_>);
}

// By name only: a vtable with `Debug` in it keeps every part of every implementor in the program.
impl fmt::Debug for dyn Assign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assign")
    }
}

/// A text, known or to be made.
#[derive(Clone, Debug)]
pub enum Text {
    /// Known.
    Plain(Vec<u8>),
    /// Made at each use.
    Made(Arc<dyn Phrase>),
}

impl Text {
    /// Appends the text.
    pub fn write(&self, facts: &Facts<'_>, out: &mut Vec<u8>) {
        match self {
            Text::Plain(text) => out.extend_from_slice(text),
            Text::Made(phrase) => phrase.write(facts, out),
        }
    }

    /// The text on its own.
    pub fn value(&self, facts: &Facts<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(facts, &mut out);
        out
    }
}

/// What the script was written as: which texts its reports take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No option: a connection is enough.
    Connection,
    /// `option tcp-check`.
    Tcp,
    /// `option httpchk`.
    Http,
    /// `option smtpchk` and its kind.
    Greeting,
}

/// The steps of a check.
#[derive(Clone, Debug)]
pub struct Script {
    /// What it was written as.
    pub style: Style,
    /// The steps; a connection comes first.
    pub steps: Vec<Step>,
    /// `http-check disable-on-404`.
    pub disable_on_404: bool,
    /// `http-check send-state`.
    pub send_state: bool,
    /// `option external-check`: who is asked in place of all steps.
    pub program: Option<Program>,
}

/// A program that tells how a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// `external-check command`
    pub command: Vec<u8>,
    /// `external-check path`
    pub path: Option<Vec<u8>>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub act: Act,
    /// `comment …`, for reports.
    pub comment: Option<String>,
    /// Its number in reports: 0 for a connection nobody wrote.
    pub number: usize,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Opens a connection, closing the one before.
    Connect(Connect),
    /// Sends bytes.
    Send(Text),
    /// Sends a request.
    Request(Request),
    /// Waits for an answer and judges it.
    Expect(Expect),
    /// Exchanges a protocol's greetings.
    Greet(Service),
    /// Changes variables.
    Assign(Arc<dyn Assign>),
}

/// How a connection is opened; what is unset is the server's own.
#[derive(Clone, Debug, Default)]
pub struct Connect {
    /// `addr`.
    pub address: Option<IpAddr>,
    /// `port`.
    pub port: Option<Text>,
    /// `ssl`.
    pub tls: bool,
    /// `sni`.
    pub sni: Option<String>,
    /// The host of the request that follows, asked for where nobody says a name.
    pub host: Option<String>,
    /// `alpn`.
    pub alpn: Vec<String>,
    /// `proto`.
    pub protocol: Option<String>,
    /// `send-proxy`.
    pub send_proxy: bool,
    /// `via-socks4`.
    pub via_socks4: bool,
    /// Whether the server speaks first on it.
    pub server_begins: bool,
    /// `linger`: close by FIN, not by reset.
    pub linger: bool,
    /// `default`, or nobody wrote it: the server's own check settings hold for all that is unset.
    pub as_server: bool,
}

/// A request of `http-check send`.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Vec<u8>,
    /// The target.
    pub target: Text,
    /// The version.
    pub version: Version,
    /// The fields; names are lower-case.
    pub fields: Vec<(String, Text)>,
    /// The body.
    pub body: Option<Text>,
}

impl Default for Request {
    fn default() -> Request {
        Request {
            method: Method::Options.name().into(),
            target: Text::Plain(b"/".to_vec()),
            version: Version::Http10,
            fields: Vec::new(),
            body: None,
        }
    }
}
