//! Actions that end the rules: allow, deny, reject, return, redirect, tarpit, auth and the like.

use crate::lang::Diag;
use crate::log::{Format, Purpose};
use crate::sample::Names;

use super::super::flow::{Flow, Refusal, Verdict};
use super::super::page::PageSet;
use super::super::phase::{Phase, Phases};
use super::super::redirect::Redirect;
use super::super::reply::{Answer, Cause, Kind, Reply};
use super::super::scene::Scene;
use super::{Action, Args, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "allow",
        arguments: false,
        phases: Phases::HTTP,
        usage: "",
        doc: "Stops these rules and lets the message pass.",
        parse: |_| Ok(Box::new(Plain::Allow)),
    },
    Row {
        name: "accept",
        arguments: false,
        phases: Phases::TCP,
        usage: "",
        doc: "Stops these rules and lets the connection or its data pass.",
        parse: |_| Ok(Box::new(Plain::Allow)),
    },
    Row {
        name: "reject",
        arguments: false,
        phases: Phases::TCP.or(Phase::Request.only()),
        usage: "",
        doc: "Closes the connection without an answer.",
        parse: |_| Ok(Box::new(Plain::Reject)),
    },
    Row {
        name: "close",
        arguments: false,
        phases: Phase::ResponseContent.only(),
        usage: "",
        doc: "Closes the connection to the server.",
        parse: |_| Ok(Box::new(Plain::Close)),
    },
    Row {
        name: "silent-drop",
        arguments: false,
        phases: Phases::ALL.without(Phase::AfterResponse.only()),
        usage: "[ rst-ttl <ttl> ]",
        doc: "Forgets the connection without telling the client.",
        parse: silent_drop,
    },
    Row {
        name: "deny",
        arguments: false,
        phases: Phase::Request.only().or(Phase::Response.only()),
        usage: "[ { status | deny_status } <code> ] [ content-type <type> ] [ <payload> ] [ hdr <name> <fmt> ]*",
        doc: "Refuses the request, or replaces the response.",
        parse: |args| {
            let kind = if args.context.phase == Phase::Response {
                Kind::DenyResponse
            } else {
                Kind::Deny
            };
            Ok(Box::new(Deny {
                reply: Reply::parse(args, kind)?,
                tarpit: false,
            }))
        },
    },
    Row {
        name: "tarpit",
        arguments: false,
        phases: Phase::Request.only(),
        usage: "[ { status | deny_status } <code> ] [ content-type <type> ] [ <payload> ] [ hdr <name> <fmt> ]*",
        doc: "Holds the request for timeout tarpit, then refuses it.",
        parse: |args| {
            Ok(Box::new(Deny {
                reply: Reply::parse(args, Kind::Tarpit)?,
                tarpit: true,
            }))
        },
    },
    Row {
        name: "return",
        arguments: false,
        phases: Phase::Request.only().or(Phase::Response.only()),
        usage: "[ status <code> ] [ content-type <type> ] [ <payload> ] [ hdr <name> <fmt> ]*",
        doc: "Answers in place of the server.",
        parse: |args| Ok(Box::new(Return(Reply::parse(args, Kind::Return)?))),
    },
    Row {
        name: "redirect",
        arguments: false,
        phases: Phase::Request.only().or(Phase::Response.only()),
        usage: "{ location | prefix | scheme } <fmt> [ code <code> ] [ <option> ]*",
        doc: "Answers with a redirect.",
        parse: |args| Ok(Box::new(Redirect::parse(args)?)),
    },
    Row {
        name: "auth",
        arguments: false,
        phases: Phase::Request.only(),
        usage: "[ realm <realm> ]",
        doc: "Asks the client for a name and a password.",
        parse: auth,
    },
    Row {
        name: "switch-mode",
        arguments: false,
        phases: Phase::RequestContent.only(),
        usage: "http [ proto <name> ]",
        doc: "Goes on as HTTP what began as TCP.",
        parse: switch_mode,
    },
];

/// Verdicts without arguments.
#[derive(Debug, Clone, Copy)]
enum Plain {
    Allow,
    Reject,
    Close,
    SwitchMode,
    Drop { reset_ttl: Option<u8> },
}

impl Action for Plain {
    fn run(&self, _: &mut Scene<'_>) -> Flow {
        Flow::Verdict(match *self {
            Plain::Allow => Verdict::Allow,
            Plain::Reject => Verdict::Reject,
            Plain::Close => Verdict::Close,
            Plain::SwitchMode => Verdict::SwitchMode,
            Plain::Drop { reset_ttl } => Verdict::Drop { reset_ttl },
        })
    }

    fn is_final(&self) -> bool {
        true
    }
}

fn silent_drop(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let mut reset_ttl = None;
    if args.cur.take("rst-ttl") {
        let word = args.one("<ttl>")?;
        let ttl = word.str().parse::<u8>().ok().filter(|ttl| *ttl > 0);
        reset_ttl =
            Some(ttl.ok_or_else(|| {
                args.fail(format!("'rst-ttl' : invalid value '{}'", word.shown()))
            })?);
    }
    Ok(Box::new(Plain::Drop { reset_ttl }))
}

fn switch_mode(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    if !args.cur.take("http") {
        return Err(args.fail("expects 'http' as argument"));
    }
    if args.cur.take("proto") {
        let word = args.one("'proto' <name>")?;
        if !matches!(word.str(), "h1" | "http/1.1") {
            return Err(args.fail(format!("'proto' : unknown protocol '{}'", word.shown())));
        }
    }
    if args.context.back && !args.context.front {
        return Err(args.fail("only available on frontends"));
    }
    Ok(Box::new(Plain::SwitchMode))
}

/// `deny` and `tarpit`.
#[derive(Debug)]
struct Deny {
    reply: Reply,
    tarpit: bool,
}

impl Action for Deny {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let answer = self.reply.answer(scene, Cause::Deny);
        let refusal = Refusal {
            status: self.reply.status,
            answer,
        };
        Flow::Verdict(match self.tarpit {
            true => Verdict::Tarpit(refusal),
            false => Verdict::Deny(refusal),
        })
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.reply
            .formats()
            .try_for_each(|format| format.resolve(names))
    }

    fn is_final(&self) -> bool {
        true
    }
}

/// `return`.
#[derive(Debug)]
struct Return(Reply);

impl Action for Return {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        Flow::Verdict(match self.0.answer(scene, Cause::Return) {
            Some(answer) => Verdict::Answer(answer),
            None => Verdict::Page(self.0.status),
        })
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.0
            .formats()
            .try_for_each(|format| format.resolve(names))
    }

    fn is_final(&self) -> bool {
        true
    }
}

impl Action for Redirect {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        match self.answer(scene) {
            Some(answer) => Flow::Verdict(Verdict::Answer(answer)),
            None => Flow::Continue,
        }
    }

    fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.format().resolve(names)
    }

    fn is_final(&self) -> bool {
        !self.may_pass()
    }
}

/// `auth`.
#[derive(Debug)]
struct Auth {
    /// The realm, the proxy's name by default.
    realm: Format,
    challenge: Box<PageSet>,
}

fn auth(args: &mut Args<'_>) -> Result<Box<dyn Action>, Diag> {
    let realm = if args.cur.take("realm") {
        if args.cur.is_empty() {
            return Err(args.fail("missing realm value"));
        }
        args.format("<realm>", Purpose::Field)?
    } else {
        let name = args.context.proxy.to_owned();
        args.format_of(name.as_bytes(), Purpose::Field)?
    };
    Ok(Box::new(Auth {
        realm,
        challenge: Box::default(),
    }))
}

impl Action for Auth {
    fn run(&self, scene: &mut Scene<'_>) -> Flow {
        let head = scene.request.as_deref();
        let proxied = head.is_some_and(|head| scene.facts.asks_as_proxy(head));
        let (status, field) = match proxied {
            true => (407, &b"proxy-authenticate"[..]),
            false => (401, &b"www-authenticate"[..]),
        };
        let realm = scene.text(&self.realm);
        let mut answer: Answer = self.challenge.page(status).answer(Cause::Auth);
        answer
            .head
            .push(field, &[b"Basic realm=\"", &realm[..], b"\""].concat());
        scene.put_back(realm);
        Flow::Verdict(Verdict::Answer(Box::new(answer)))
    }

    fn is_final(&self) -> bool {
        true
    }
}
