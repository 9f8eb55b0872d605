//! `option httpchk`, `option tcp-check` and the greetings.

use crate::check::draft::{Draft, KindDraft, RequestDraft, TextDraft};
use crate::http::Version;
use crate::lang::{Cursor, Diag, Keyword, Polarity, Sections, Word};
use crate::proto::probe::{MysqlAuth, Service};

/// The rows.
pub(super) const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword {
        name: "option httpchk",
        sections: Sections::BACK,
        usage: "[[<method>] <uri> [<version> [<host>]]]",
        doc: "Check servers with an HTTP request.",
        parse: |cur, draft| {
            if switched_off(cur, draft, |kind| matches!(kind, KindDraft::Http(_)))? {
                return Ok(());
            }
            let request = request(cur)?;
            choose(draft, KindDraft::Http(request));
            Ok(())
        },
    },
    Keyword {
        name: "option external-check",
        sections: Sections::BACK,
        usage: "",
        doc: "Check servers by asking a program.",
        parse: |cur, draft| {
            if switched_off(cur, draft, |kind| matches!(kind, KindDraft::Program))? {
                return Ok(());
            }
            choose(draft, KindDraft::Program);
            cur.end()
        },
    },
    Keyword {
        name: "external-check command",
        sections: Sections::BACK,
        usage: "<command>",
        doc: "The program that tells how a server is.",
        parse: |cur, draft| {
            draft.command = Some(cur.expect("<command> as argument.")?.bytes.to_vec());
            cur.end()
        },
    },
    Keyword {
        name: "external-check path",
        sections: Sections::BACK,
        usage: "<path>",
        doc: "The PATH of that program.",
        parse: |cur, draft| {
            draft.path = Some(cur.expect("<path> as argument.")?.bytes.to_vec());
            cur.end()
        },
    },
    Keyword {
        name: "option tcp-check",
        sections: Sections::BACK,
        usage: "",
        doc: "Check servers with the tcp-check rules.",
        parse: |cur, draft| {
            if switched_off(cur, draft, |kind| matches!(kind, KindDraft::Tcp))? {
                return Ok(());
            }
            choose(draft, KindDraft::Tcp);
            cur.end()
        },
    },
    Keyword {
        name: "option smtpchk",
        sections: Sections::BACK,
        usage: "[<hello> <domain>]",
        doc: "Check servers with the greetings of SMTP.",
        parse: |cur, draft| {
            let hello = match (cur.next(), cur.next()) {
                (Some(verb), Some(domain)) if verb.is("EHLO") || verb.is("HELO") => {
                    format!("{} {}", verb.text()?, domain.text()?)
                }
                // haproxy: any other words are ignored; here too.
                _ => "HELO localhost".to_owned(),
            };
            cur.rest();
            greet(cur, draft, Service::Smtp(hello))
        },
    },
    Keyword {
        name: "option mysql-check",
        sections: Sections::BACK,
        usage: "[user <username> [post-41|pre-41]]",
        doc: "Check servers with the greetings of MySQL.",
        parse: |cur, draft| {
            let user = mysql_user(cur)?;
            greet(cur, draft, Service::Mysql(user))
        },
    },
    Keyword {
        name: "option pgsql-check",
        sections: Sections::BACK,
        usage: "user <username>",
        doc: "Check servers with the greetings of PostgreSQL.",
        parse: |cur, draft| {
            if !cur.take("user") {
                return Err(cur.missing("'user <username>' as arguments"));
            }
            let user = cur.expect("<username> as argument.")?.text()?.to_owned();
            greet(cur, draft, Service::Pgsql(user))
        },
    },
    Keyword {
        name: "option redis-check",
        sections: Sections::BACK,
        usage: "",
        doc: "Check servers with a PING of Redis.",
        parse: |cur, draft| greet(cur, draft, Service::Redis),
    },
    Keyword {
        name: "option ldap-check",
        sections: Sections::BACK,
        usage: "",
        doc: "Check servers with an anonymous bind of LDAPv3.",
        parse: |cur, draft| greet(cur, draft, Service::Ldap),
    },
    Keyword {
        name: "option spop-check",
        sections: Sections::BACK,
        usage: "",
        doc: "Check servers with the greeting of a stream processing agent.",
        parse: |cur, draft| greet(cur, draft, Service::Spop),
    },
    Keyword {
        name: "option ssl-hello-chk",
        sections: Sections::BACK,
        usage: "",
        doc: "Check servers with the first message of TLS.",
        parse: |cur, draft| greet(cur, draft, Service::Tls),
    },
];

fn choose(draft: &mut Draft, kind: KindDraft) {
    draft.own();
    draft.kind = Some(kind);
}

/// Carries out `no option …`; tells whether that was it.
fn switched_off(
    cur: &Cursor<'_>,
    draft: &mut Draft,
    same: fn(&KindDraft) -> bool,
) -> Result<bool, Diag> {
    if cur.polarity() == Polarity::Plain {
        return Ok(false);
    }
    if draft.kind.as_ref().is_some_and(same) {
        draft.own();
        draft.kind = None;
    }
    cur.end()?;
    Ok(true)
}

fn greet(cur: &Cursor<'_>, draft: &mut Draft, service: Service) -> Result<(), Diag> {
    cur.end()?;
    if cur.polarity() != Polarity::Plain {
        draft.kind = None;
        return Ok(());
    }
    choose(draft, KindDraft::Greeting(service));
    Ok(())
}

fn mysql_user(cur: &mut Cursor<'_>) -> Result<Option<(String, MysqlAuth)>, Diag> {
    if cur.is_empty() {
        return Ok(None);
    }
    if !cur.take("user") {
        return Err(cur.missing("'user <username>' or nothing"));
    }
    let user = cur.expect("<username> as argument.")?.text()?.to_owned();
    let auth = if cur.is_empty() {
        MysqlAuth::Post41
    } else {
        cur.choice(
            "'post-41' or 'pre-41'",
            &[("post-41", MysqlAuth::Post41), ("pre-41", MysqlAuth::Pre41)],
        )?
    };
    Ok(Some((user, auth)))
}

/// The four forms: nothing, `<uri>`, `<method> <uri>`, `<method> <uri> <version>`.
fn request(cur: &mut Cursor<'_>) -> Result<RequestDraft, Diag> {
    let mut request = RequestDraft::default();
    let words = cur.rest();
    let plain = |word: &Word| Some(TextDraft::Plain(word.bytes.to_vec()));
    match words {
        [] => {}
        [target] => request.target = plain(target),
        [method, target, rest @ ..] => {
            request.method = Some(method.bytes.to_vec());
            request.target = plain(target);
            if let [version, more @ ..] = rest {
                embedded(cur, version, &mut request)?;
                if let [host] = more {
                    request
                        .fields
                        .push(("host".to_owned(), TextDraft::of(host)));
                } else if let [_, extra, ..] = more {
                    return Err(Diag::alert(
                        extra.span,
                        format!(
                            "'option httpchk' cannot handle unexpected argument '{}'.",
                            extra.shown()
                        ),
                    ));
                }
            }
        }
    }
    Ok(request)
}

/// The version, behind which old configurations hide fields and a body.
fn embedded(cur: &mut Cursor<'_>, word: &Word, request: &mut RequestDraft) -> Result<(), Diag> {
    let text = word.text()?;
    let (version, hidden) = text
        .split_once("\r\n")
        .map_or((text, None), |(version, hidden)| (version, Some(hidden)));
    request.version = Some(version_of(version).ok_or_else(|| {
        Diag::alert(
            word.span,
            format!("'option httpchk' : '{version}' is not a supported version."),
        )
        .with_reason("checks speak HTTP/1.0 and HTTP/1.1")
    })?);
    let Some(hidden) = hidden else { return Ok(()) };
    cur.warn(
        Diag::warning(
            word.span,
            "'option httpchk' : hiding headers or body at the end of the version string is deprecated. Please, \
             consider to use 'http-check send' directive instead.",
        )
        .with_fix("http-check send hdr <name> <value>"),
    );
    let (fields, body) = hidden
        .split_once("\r\n\r\n")
        .map_or((hidden, None), |(fields, body)| (fields, Some(body)));
    for line in fields.split("\r\n").filter(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_once(':') else {
            return Err(Diag::alert(
                word.span,
                format!("'option httpchk' : '{line}' is no header field."),
            ));
        };
        request.fields.push((
            name.to_ascii_lowercase(),
            TextDraft::Plain(value.trim().into()),
        ));
    }
    if let Some(body) = body.filter(|body| !body.is_empty()) {
        request.body = Some(TextDraft::Plain(body.into()));
    }
    Ok(())
}

/// The version of this name.
pub(super) fn version_of(text: &str) -> Option<Version> {
    match text {
        "HTTP/1.1" => Some(Version::Http11),
        "HTTP/1.0" | "" => Some(Version::Http10),
        _ => None,
    }
}
