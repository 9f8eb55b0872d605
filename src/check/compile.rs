//! From draft to script.

use std::net::IpAddr;
use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

use super::draft::{
    ActDraft, ConnectDraft, Draft, ExpectDraft, KindDraft, MatchDraft, MatchKind, RequestDraft,
    RuleDraft, TextDraft, WhatDraft,
};
use super::expect::{Expect, Match, What, unhex};
use super::script::{Act, Assign, Connect, Phrase, Program, Request, Script, Step, Style, Text};
use crate::lang::{Diag, Word};
use crate::sample::Facts;

/// What belongs to rooms above this one: formats and variables.
pub trait Tools {
    /// The phrase that a log format stands for.
    ///
    /// # Errors
    /// The format is refused.
    fn phrase(&mut self, format: &Word) -> Result<Arc<dyn Phrase>, Diag>;

    /// What `set-var`, `set-var-fmt` or `unset-var` of this variable does.
    ///
    /// # Errors
    /// The name or the expression is refused.
    fn assign(&mut self, verb: &str, name: &Word, value: &[Word]) -> Result<Arc<dyn Assign>, Diag>;
}

/// The script of a backend whose section said this.
///
/// # Errors
/// A pattern, a format or an address is refused.
pub fn compile(draft: &Draft, tools: &mut dyn Tools) -> Result<Script, Diag> {
    let (style, acts) = match &draft.kind {
        None | Some(KindDraft::Program) => (Style::Connection, Vec::new()),
        Some(KindDraft::Greeting(service)) => (
            Style::Greeting,
            vec![unnumbered(Act::Greet(service.clone()))],
        ),
        Some(KindDraft::Tcp) => (Style::Tcp, steps(&draft.tcp, tools)?),
        Some(KindDraft::Http(request)) => (Style::Http, http_steps(request, &draft.http, tools)?),
    };
    let is_program = matches!(draft.kind, Some(KindDraft::Program));
    let program = draft.command.clone().filter(|_| is_program);
    let program = program.map(|command| Program {
        command,
        path: draft.path.clone(),
    });
    let mut steps = acts;
    let first = steps
        .iter()
        .find(|step| !matches!(step.act, Act::Assign(_)));
    if !first.is_some_and(|step| matches!(step.act, Act::Connect(_))) {
        steps.insert(
            0,
            unnumbered(Act::Connect(Connect {
                as_server: true,
                ..Connect::default()
            })),
        );
    }
    look_ahead(&mut steps);
    Ok(Script {
        style,
        steps,
        disable_on_404: draft.disable_on_404,
        send_state: draft.send_state,
        program,
    })
}

/// Tells each connection what follows on it: the host of the request, where that is plain text, and who speaks first.
fn look_ahead(steps: &mut [Step]) {
    let (mut host, mut server_begins) = (None, false);
    for step in steps.iter_mut().rev() {
        match &mut step.act {
            Act::Connect(connect) => {
                connect.host = host.take();
                connect.server_begins = std::mem::take(&mut server_begins);
            }
            Act::Request(request) => (host, server_begins) = (plain_host(request), false),
            Act::Send(_) => server_begins = false,
            Act::Expect(_) | Act::Greet(_) => server_begins = true,
            Act::Assign(_) => {}
        }
    }
}

/// The name in a request's `host`, without its port; an address is no name.
fn plain_host(request: &Request) -> Option<String> {
    let mut fields = request.fields.iter();
    let (_, value) = fields.find(|(name, _)| name == "host")?;
    let Text::Plain(value) = value else {
        return None;
    };
    let name = value.split(|byte| *byte == b':').next()?;
    let name = std::str::from_utf8(name).ok()?;
    let is_name = !name.is_empty() && !name.starts_with('[') && name.parse::<IpAddr>().is_err();
    is_name.then(|| name.to_owned())
}

/// The script of an agent: send the text, if any; the engine reads the answer with [`super::agent::read`].
pub fn agent(send: &[u8]) -> Script {
    let connect = unnumbered(Act::Connect(Connect {
        as_server: true,
        server_begins: send.is_empty(),
        ..Connect::default()
    }));
    let mut steps = vec![connect];
    if !send.is_empty() {
        steps.push(unnumbered(Act::Send(Text::Plain(send.to_vec()))));
    }
    Script {
        style: Style::Connection,
        steps,
        disable_on_404: false,
        send_state: false,
        program: None,
    }
}

fn unnumbered(act: Act) -> Step {
    Step {
        act,
        comment: None,
        number: 0,
    }
}

fn steps(rules: &[RuleDraft], tools: &mut dyn Tools) -> Result<Vec<Step>, Diag> {
    rules
        .iter()
        .enumerate()
        .map(|(at, rule)| step(at + 1, rule, tools))
        .collect()
}

fn step(number: usize, rule: &RuleDraft, tools: &mut dyn Tools) -> Result<Step, Diag> {
    let act = match &rule.act {
        ActDraft::Connect(draft) => Act::Connect(connect(draft, tools)?),
        ActDraft::Send(draft) => Act::Send(text(draft, tools)?),
        ActDraft::Request(draft) => Act::Request(request(draft, tools)?),
        ActDraft::Expect(draft) => Act::Expect(expect(draft, tools)?),
        ActDraft::Assign { verb, name, value } => Act::Assign(tools.assign(verb, name, value)?),
    };
    Ok(Step {
        act,
        comment: rule.comment.clone(),
        number,
    })
}

/// The first request sent is that of the option, as far as its rule says nothing else; a last request without an
/// expectation gets HAProxy's.
fn http_steps(
    option: &RequestDraft,
    rules: &[RuleDraft],
    tools: &mut dyn Tools,
) -> Result<Vec<Step>, Diag> {
    let mut rules = rules.to_vec();
    let is_assign = |rule: &&RuleDraft| matches!(rule.act, ActDraft::Assign { .. });
    let mut first = rules.iter().take_while(is_assign).count();
    if rules
        .get(first)
        .is_some_and(|rule| matches!(rule.act, ActDraft::Connect(_)))
    {
        first += 1;
    }
    let request_at = first + rules[first..].iter().take_while(is_assign).count();
    match rules.get_mut(request_at).map(|rule| &mut rule.act) {
        Some(ActDraft::Request(said)) => **said = merged(option, said),
        Some(_) | None => {
            let act = ActDraft::Request(Box::new(option.clone()));
            let span = rules.get(first).map(|rule| rule.span).unwrap_or_default();
            rules.insert(
                first,
                RuleDraft {
                    act,
                    comment: None,
                    span,
                },
            );
        }
    }
    let mut steps = steps(&rules, tools)?;
    if matches!(steps.last().map(|step| &step.act), Some(Act::Request(_))) {
        let number = steps.len() + 1;
        steps.push(Step {
            act: Act::Expect(Expect::of(What::good_status())),
            comment: None,
            number,
        });
    }
    Ok(steps)
}

/// What the rule says, else what the option says. Fields and body are the rule's alone once there is a rule.
fn merged(option: &RequestDraft, said: &RequestDraft) -> RequestDraft {
    RequestDraft {
        method: said.method.clone().or_else(|| option.method.clone()),
        target: said.target.clone().or_else(|| option.target.clone()),
        version: said.version.or(option.version),
        fields: said.fields.clone(),
        body: said.body.clone(),
    }
}

fn request(draft: &RequestDraft, tools: &mut dyn Tools) -> Result<Request, Diag> {
    let usual = Request::default();
    let mut fields = Vec::new();
    for (name, value) in &draft.fields {
        fields.push((name.clone(), text(value, tools)?));
    }
    Ok(Request {
        method: draft.method.clone().unwrap_or(usual.method),
        target: optional(draft.target.as_ref(), tools)?.unwrap_or(usual.target),
        version: draft.version.unwrap_or(usual.version),
        fields,
        body: optional(draft.body.as_ref(), tools)?,
    })
}

fn connect(draft: &ConnectDraft, tools: &mut dyn Tools) -> Result<Connect, Diag> {
    let place = draft.address.as_ref().map(address).transpose()?;
    let beside = place.and_then(|(_, port)| port);
    let beside = beside.map(|port| Text::Plain(port.to_string().into_bytes()));
    Ok(Connect {
        address: place.map(|(ip, _)| ip),
        port: optional(draft.port.as_ref(), tools)?.or(beside),
        tls: draft.tls,
        sni: draft.sni.clone(),
        host: None,
        alpn: draft.alpn.clone(),
        protocol: draft.protocol.clone(),
        send_proxy: draft.send_proxy,
        via_socks4: draft.via_socks4,
        server_begins: false,
        linger: draft.linger,
        as_server: draft.as_server,
    })
}

/// An address of a `connect` rule, and the port behind it, which counts where the rule says no other.
fn address(word: &Word) -> Result<(IpAddr, Option<u16>), Diag> {
    let text = word.text()?;
    let bare = text.parse().ok().map(|ip| (ip, None)).or_else(|| {
        let whole = text.parse::<std::net::SocketAddr>().ok()?;
        Some((whole.ip(), Some(whole.port())))
    });
    bare.ok_or_else(|| {
        Diag::alert(
            word.span,
            format!("'addr' : '{text}' is not an IPv4 or IPv6 address."),
        )
    })
}

fn expect(draft: &ExpectDraft, tools: &mut dyn Tools) -> Result<Expect, Diag> {
    let what = match &draft.what {
        WhatDraft::Bytes(want) => What::Bytes(text(want, tools)?),
        WhatDraft::Binary(want) => What::Binary(text(want, tools)?),
        WhatDraft::Pattern(word) => What::Pattern(pattern(word)?),
        WhatDraft::HexPattern(word) => What::HexPattern(pattern(word)?),
        WhatDraft::Status(ranges) => What::Status(ranges.clone()),
        WhatDraft::StatusPattern(word) => What::StatusPattern(pattern(word)?),
        WhatDraft::Field { name, value, full } => What::Field {
            name: match name.how {
                MatchKind::Pattern => Match::Pattern(name_pattern(&name.pattern)?),
                MatchKind::Exact | MatchKind::Begins | MatchKind::Ends | MatchKind::Contains => {
                    comparison(name, tools)?
                }
            },
            value: value
                .as_ref()
                .map(|value| comparison(value, tools))
                .transpose()?,
            full: *full,
        },
    };
    Ok(Expect {
        what,
        negated: draft.negated,
        min_bytes: draft.min_bytes,
        ok: draft.ok,
        error: draft.error,
        timeout: draft.timeout,
        on_success: phrase(draft.on_success.as_ref(), tools)?,
        on_error: phrase(draft.on_error.as_ref(), tools)?,
        code: phrase(draft.code.as_ref(), tools)?,
    })
}

fn comparison(draft: &MatchDraft, tools: &mut dyn Tools) -> Result<Match, Diag> {
    if draft.how == MatchKind::Pattern {
        return Ok(Match::Pattern(pattern(&draft.pattern)?));
    }
    let want = if draft.format {
        Text::Made(tools.phrase(&draft.pattern)?)
    } else {
        Text::Plain(draft.pattern.bytes.to_vec())
    };
    Ok(match draft.how {
        MatchKind::Exact => Match::Exact(want),
        MatchKind::Begins => Match::Begins(want),
        MatchKind::Ends => Match::Ends(want),
        MatchKind::Contains | MatchKind::Pattern => Match::Contains(want),
    })
}

fn pattern(word: &Word) -> Result<Regex, Diag> {
    built(word, false)
}

/// A pattern for field names, which know no case.
fn name_pattern(word: &Word) -> Result<Regex, Diag> {
    built(word, true)
}

fn built(word: &Word, any_case: bool) -> Result<Regex, Diag> {
    let refused = |reason: String| {
        Diag::alert(
            word.span,
            format!("regular expression '{}' is invalid.", word.shown()),
        )
        .with_reason(reason)
    };
    RegexBuilder::new(word.text()?)
        .unicode(false)
        .case_insensitive(any_case)
        .build()
        .map_err(|error| refused(error.to_string()))
}

fn optional(draft: Option<&TextDraft>, tools: &mut dyn Tools) -> Result<Option<Text>, Diag> {
    draft.map(|draft| text(draft, tools)).transpose()
}

fn text(draft: &TextDraft, tools: &mut dyn Tools) -> Result<Text, Diag> {
    Ok(match draft {
        TextDraft::Plain(bytes) => Text::Plain(bytes.clone()),
        TextDraft::Format(word) => Text::Made(tools.phrase(word)?),
        TextDraft::Expression(word) => Text::Made(tools.phrase(&bracketed(word))?),
        TextDraft::HexFormat(word) => Text::Made(Arc::new(FromHex(tools.phrase(word)?))),
    })
}

fn phrase(
    draft: Option<&TextDraft>,
    tools: &mut dyn Tools,
) -> Result<Option<Arc<dyn Phrase>>, Diag> {
    Ok(match optional(draft, tools)? {
        None => None,
        Some(Text::Made(phrase)) => Some(phrase),
        Some(Text::Plain(text)) => Some(Arc::new(Fixed(text))),
    })
}

/// An expression as a format: `%[…]`.
fn bracketed(word: &Word) -> Word {
    Word::new([b"%[", word.bytes.as_slice(), b"]"].concat(), word.span)
}

/// A text without expressions.
#[derive(Debug)]
struct Fixed(Vec<u8>);

impl Phrase for Fixed {
    fn write(&self, _: &Facts<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

/// Bytes whose hexadecimal digits a phrase makes; nothing when it makes none.
#[derive(Debug)]
struct FromHex(Arc<dyn Phrase>);

impl Phrase for FromHex {
    fn write(&self, facts: &Facts<'_>, out: &mut Vec<u8>) {
        let mut digits = Vec::new();
        self.0.write(facts, &mut digits);
        out.extend(unhex(&digits).unwrap_or_default());
    }
}
