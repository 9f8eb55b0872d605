//! `http-check …` and `tcp-check …`.

use super::expect;
use super::option::version_of;
use crate::check::draft::{ActDraft, ConnectDraft, Draft, RequestDraft, RuleDraft, TextDraft};
use crate::lang::{Cursor, Diag, Keyword, Polarity, Sections, Word, suggest};

/// Where a check may be described.
const HERE: Sections = Sections::BACK.or(Sections::HEALTHCHECK);

/// The rows.
pub(super) const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword {
        name: "http-check connect",
        sections: HERE,
        usage: "[default] [port <expr>] [addr <ip>] [send-proxy] [ssl] [sni <sni>] [alpn <alpn>] [linger] [proto <name>] [comment <msg>]",
        doc: "Open a connection for the requests that follow.",
        parse: |cur, draft| connect(cur).map(|rule| push_http(draft, rule)),
    },
    Keyword {
        name: "http-check send",
        sections: HERE,
        usage: "[meth <method>] [{uri|uri-lf} <uri>] [ver <version>] [hdr <name> <fmt>]* [{body|body-lf} <text>] [comment <msg>]",
        doc: "Send a request; what is not said is taken from 'option httpchk'.",
        parse: |cur, draft| send_request(cur).map(|rule| push_http(draft, rule)),
    },
    Keyword {
        name: "http-check expect",
        sections: HERE,
        usage: "[comment <msg>] [ok-status <st>] [error-status <st>] [!] <match> <pattern>",
        doc: "Judge the response.",
        parse: |cur, draft| expect::http(cur).map(|rule| push_http(draft, rule)),
    },
    Keyword {
        name: "http-check disable-on-404",
        sections: HERE,
        usage: "",
        doc: "A server that answers 404 finishes what it has and gets nothing new.",
        parse: |cur, draft| flag(cur, &mut draft.disable_on_404),
    },
    Keyword {
        name: "http-check send-state",
        sections: HERE,
        usage: "",
        doc: "Tell the server its state in a field of the request.",
        parse: |cur, draft| flag(cur, &mut draft.send_state),
    },
    Keyword {
        name: "http-check comment",
        sections: HERE,
        usage: "<msg>",
        doc: "Names the step before it in reports.",
        parse: |cur, draft| {
            draft.own();
            comment(cur, &mut draft.http)
        },
    },
    Keyword {
        name: "http-check",
        sections: HERE,
        usage: "{set-var(<name>) <expr>|set-var-fmt(<name>) <fmt>|unset-var(<name>)}",
        doc: "Change variables between the steps of a check.",
        parse: |cur, draft| {
            assign(cur, "http-check", HTTP_WORDS).map(|rule| push_http(draft, rule))
        },
    },
    Keyword {
        name: "tcp-check connect",
        sections: HERE,
        usage: "[default] [port <expr>] [addr <ip>] [send-proxy] [ssl] [sni <sni>] [alpn <alpn>] [linger] [proto <name>] [comment <msg>]",
        doc: "Open a connection for the steps that follow.",
        parse: |cur, draft| connect(cur).map(|rule| push_tcp(draft, rule)),
    },
    Keyword {
        name: "tcp-check send",
        sections: HERE,
        usage: "<data> [comment <msg>]",
        doc: "Send a text.",
        parse: |cur, draft| {
            send(cur, |word| Some(TextDraft::Plain(word.bytes.to_vec())))
                .map(|rule| push_tcp(draft, rule))
        },
    },
    Keyword {
        name: "tcp-check send-lf",
        sections: HERE,
        usage: "<fmt> [comment <msg>]",
        doc: "Send a text with expressions in it.",
        parse: |cur, draft| {
            send(cur, |word| Some(TextDraft::of(word))).map(|rule| push_tcp(draft, rule))
        },
    },
    Keyword {
        name: "tcp-check send-binary",
        sections: HERE,
        usage: "<hexstring> [comment <msg>]",
        doc: "Send bytes given in hexadecimal.",
        parse: |cur, draft| send(cur, TextDraft::of_hex).map(|rule| push_tcp(draft, rule)),
    },
    Keyword {
        name: "tcp-check send-binary-lf",
        sections: HERE,
        usage: "<hexfmt> [comment <msg>]",
        doc: "Send bytes given in hexadecimal with expressions in it.",
        parse: |cur, draft| {
            send(cur, |word| Some(TextDraft::HexFormat(word.clone())))
                .map(|rule| push_tcp(draft, rule))
        },
    },
    Keyword {
        name: "tcp-check expect",
        sections: HERE,
        usage: "[min-recv <int>] [comment <msg>] [ok-status <st>] [error-status <st>] [!] <match> <pattern>",
        doc: "Judge the answer.",
        parse: |cur, draft| expect::tcp(cur).map(|rule| push_tcp(draft, rule)),
    },
    Keyword {
        name: "tcp-check comment",
        sections: HERE,
        usage: "<msg>",
        doc: "Names the step before it in reports.",
        parse: |cur, draft| {
            draft.own();
            comment(cur, &mut draft.tcp)
        },
    },
    Keyword {
        name: "tcp-check",
        sections: HERE,
        usage: "{set-var(<name>) <expr>|set-var-fmt(<name>) <fmt>|unset-var(<name>)}",
        doc: "Change variables between the steps of a check.",
        parse: |cur, draft| assign(cur, "tcp-check", TCP_WORDS).map(|rule| push_tcp(draft, rule)),
    },
];

const HTTP_WORDS: &[&str] = &[
    "connect",
    "send",
    "expect",
    "disable-on-404",
    "send-state",
    "comment",
    "set-var",
    "set-var-fmt",
    "unset-var",
];
const TCP_WORDS: &[&str] = &[
    "connect",
    "send",
    "send-lf",
    "send-binary",
    "send-binary-lf",
    "expect",
    "comment",
    "set-var",
    "set-var-fmt",
    "unset-var",
];

fn push_http(draft: &mut Draft, rule: RuleDraft) {
    draft.own();
    draft.http.push(rule);
}

fn push_tcp(draft: &mut Draft, rule: RuleDraft) {
    draft.own();
    draft.tcp.push(rule);
}

fn flag(cur: &Cursor<'_>, flag: &mut bool) -> Result<(), Diag> {
    *flag = cur.polarity() == Polarity::Plain;
    cur.end()
}

fn comment(cur: &mut Cursor<'_>, rules: &mut [RuleDraft]) -> Result<(), Diag> {
    let text = cur.expect("a comment")?.text()?.to_owned();
    if let Some(last) = rules.last_mut() {
        last.comment.get_or_insert(text);
    }
    cur.end()
}

fn connect(cur: &mut Cursor<'_>) -> Result<RuleDraft, Diag> {
    let span = cur.line_span();
    let mut connect = ConnectDraft::default();
    let mut comment = None;
    while let Some(word) = cur.next() {
        match word.str() {
            "default" => connect.as_server = true,
            "port" => {
                let port = cur.expect("a port number or an expression")?;
                let plain = port.bytes.iter().all(u8::is_ascii_digit);
                connect.port = Some(if plain {
                    TextDraft::Plain(port.bytes.to_vec())
                } else {
                    TextDraft::Expression(port.clone())
                });
            }
            "addr" => connect.address = Some(cur.address("an address")?),
            "ssl" => connect.tls = true,
            "sni" => connect.sni = Some(cur.expect("a server name")?.text()?.to_owned()),
            "alpn" => connect.alpn = protocols(cur)?,
            "proto" => connect.protocol = Some(cur.expect("a protocol")?.text()?.to_owned()),
            "send-proxy" => connect.send_proxy = true,
            "via-socks4" => connect.via_socks4 = true,
            "linger" => connect.linger = true,
            "comment" => comment = Some(cur.expect("a comment")?.text()?.to_owned()),
            other => {
                let known = [
                    "default",
                    "port",
                    "addr",
                    "ssl",
                    "sni",
                    "alpn",
                    "proto",
                    "send-proxy",
                    "via-socks4",
                    "linger",
                    "comment",
                ];
                return Err(cur
                    .alert(format!(
                        "'{}' : expects 'comment', 'port', 'addr', 'send-proxy', 'via-socks4', 'linger', 'default', \
                         'ssl', 'sni', 'alpn' or 'proto' but got '{other}' as argument.",
                        cur.keyword()
                    ))
                    .suggesting(suggest(other, known)));
            }
        }
    }
    Ok(RuleDraft {
        act: ActDraft::Connect(Box::new(connect)),
        comment,
        span,
    })
}

/// The protocols of an `alpn` argument.
pub(super) fn protocols(cur: &mut Cursor<'_>) -> Result<Vec<String>, Diag> {
    let list = cur
        .expect("a comma-delimited list of protocol names")?
        .text()?;
    Ok(list.split(',').map(str::to_owned).collect())
}

fn send(cur: &mut Cursor<'_>, text: fn(&Word) -> Option<TextDraft>) -> Result<RuleDraft, Diag> {
    let span = cur.line_span();
    let word = cur.expect("a string as argument")?;
    let text = text(word).ok_or_else(|| {
        cur.alert(format!(
            "'{}' : '{}' is no string of hexadecimal digits.",
            cur.keyword(),
            word.shown()
        ))
    })?;
    let comment = if cur.take("comment") {
        Some(cur.expect("a comment")?.text()?.to_owned())
    } else {
        None
    };
    cur.end()?;
    Ok(RuleDraft {
        act: ActDraft::Send(text),
        comment,
        span,
    })
}

fn send_request(cur: &mut Cursor<'_>) -> Result<RuleDraft, Diag> {
    let span = cur.line_span();
    let mut request = RequestDraft::default();
    let mut comment = None;
    while let Some(word) = cur.next() {
        match word.str() {
            "meth" => request.method = Some(cur.expect("a method")?.bytes.to_vec()),
            "uri" => request.target = Some(TextDraft::Plain(cur.expect("a URI")?.bytes.to_vec())),
            "uri-lf" => request.target = Some(TextDraft::of(cur.expect("a URI")?)),
            "ver" => {
                let version = cur.expect("a version")?;
                request.version = Some(version_of(version.str()).ok_or_else(|| {
                    cur.alert(format!(
                        "'http-check send' : '{}' is not a supported version.",
                        version.shown()
                    ))
                    .with_reason("checks speak HTTP/1.0 and HTTP/1.1")
                })?);
            }
            "hdr" => field(cur, &mut request)?,
            "body" => request.body = Some(TextDraft::Plain(cur.expect("a text")?.bytes.to_vec())),
            "body-lf" => request.body = Some(TextDraft::of(cur.expect("a text")?)),
            "comment" => comment = Some(cur.expect("a comment")?.text()?.to_owned()),
            other => {
                let known = [
                    "meth", "uri", "uri-lf", "ver", "hdr", "body", "body-lf", "comment",
                ];
                return Err(cur
                    .alert(format!(
                        "'http-check send' : expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or \
                         'body-lf' but got '{other}' as argument."
                    ))
                    .suggesting(suggest(other, known)));
            }
        }
    }
    Ok(RuleDraft {
        act: ActDraft::Request(Box::new(request)),
        comment,
        span,
    })
}

fn field(cur: &mut Cursor<'_>, request: &mut RequestDraft) -> Result<(), Diag> {
    let name = cur
        .expect("<name> and <value> as arguments.")?
        .text()?
        .to_ascii_lowercase();
    let value = cur.expect("<name> and <value> as arguments.")?;
    if name == "content-length" || name == "transfer-encoding" {
        return Err(cur.alert(format!(
            "'http-check send' : '{name}' header is not allowed, it is set from the body."
        )));
    }
    request.fields.push((name, TextDraft::of(value)));
    Ok(())
}

/// `set-var(name) …` and its kin; also the place where unknown words end.
fn assign(cur: &mut Cursor<'_>, keyword: &str, words: &[&'static str]) -> Result<RuleDraft, Diag> {
    let span = cur.line_span();
    let word = cur.expect("a rule")?;
    let text = word.text()?;
    let open = text.find('(');
    let verb = open.and_then(|open| {
        ["set-var", "set-var-fmt", "unset-var"]
            .into_iter()
            .find(|verb| *verb == &text[..open])
    });
    let (Some(verb), Some(open), true) = (verb, open, text.ends_with(')')) else {
        return Err(cur
            .alert(format!("'{keyword}' : unknown rule '{text}'."))
            .with_reason(format!("the rules known here are {}", words.join(", ")))
            .suggesting(suggest(text, words.iter().copied())));
    };
    let name = Word::new(
        &text.as_bytes()[open + 1..text.len() - 1],
        word.part(open + 1, text.len() - 1),
    );
    let value = cur.rest().to_vec();
    let missing = value.is_empty() != (verb == "unset-var");
    if missing {
        return Err(cur.alert(format!("'{keyword} {verb}' : wrong number of arguments.")));
    }
    Ok(RuleDraft {
        act: ActDraft::Assign { verb, name, value },
        comment: None,
        span,
    })
}
