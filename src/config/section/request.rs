//! What requests tell servers beyond what clients said, and which field names they may have.

use std::sync::Arc;

use super::option::flag;
use crate::addr::Network;
use crate::config::draft::{GlobalDraft, ProxyDraft};
use crate::http::FieldName;
use crate::lang::{Cursor, Diag, Keyword, Polarity, Sections, Word, suggest};
use crate::proto::h1::Spelling;
use crate::site::{FieldNames, ForwardFor, Forwarded, Told};

/// The rows of `global`.
pub(crate) const GLOBAL_KEYWORDS: &[Keyword<GlobalDraft>] = &[
    Keyword {
        name: "h1-case-adjust",
        sections: Sections::GLOBAL,
        usage: "<from> <to>",
        doc: "How a field name is spelled for peers that need it so.",
        parse: |cur, g| {
            let from = cur.expect("<from> and <to> as arguments.")?;
            let to = cur.expect("<from> and <to> as arguments.")?;
            respell(&mut g.site.spelling, &from.bytes, &to.bytes)
                .map_err(|text| Diag::alert(from.span, text))?;
            cur.end()
        },
    },
    Keyword {
        name: "h1-case-adjust-file",
        sections: Sections::GLOBAL,
        usage: "<file>",
        doc: "A file of lines as `h1-case-adjust` takes them.",
        parse: |cur, g| {
            let path = cur.expect("<file> as argument.")?;
            let text = std::fs::read(path.text()?).map_err(|error| {
                let text = format!("h1-case-adjust-file '{}' : {error}.", path.shown());
                Diag::alert(path.span, text)
            })?;
            for line in text.split(|byte| *byte == b'\n') {
                let mut words = line
                    .split(u8::is_ascii_whitespace)
                    .filter(|word| !word.is_empty());
                let Some(from) = words.next().filter(|word| !word.starts_with(b"#")) else {
                    continue;
                };
                respell(&mut g.site.spelling, from, words.next().unwrap_or_default())
                    .map_err(|text| Diag::alert(path.span, text))?;
            }
            cur.end()
        },
    },
];

fn respell(spelling: &mut Arc<Spelling>, from: &[u8], to: &[u8]) -> Result<(), String> {
    let shown = String::from_utf8_lossy(from);
    Arc::make_mut(spelling)
        .add(from, to)
        .map_err(|why| format!("h1-case-adjust : '{shown}' : {why}."))
}

/// The rows.
pub(crate) const KEYWORDS: &[Keyword<ProxyDraft>] = &[
    Keyword {
        name: "option forwardfor",
        sections: Sections::PROXY,
        usage: "[except <network>] [header <name>] [if-none]",
        doc: "Tell servers the client's address in a header.",
        parse: |cur, p| {
            p.options.forward_for = client_header(cur, b"x-forwarded-for", true)?;
            Ok(())
        },
    },
    Keyword {
        name: "option originalto",
        sections: Sections::PROXY,
        usage: "[except <network>] [header <name>]",
        doc: "Tell servers the address the client connected to in a header.",
        parse: |cur, p| {
            p.options.original_to = client_header(cur, b"x-original-to", false)?;
            Ok(())
        },
    },
    Keyword {
        name: "option forwarded",
        sections: Sections::BACK,
        usage: "[proto] [host|host-expr <expr>] [by|by-expr <expr>] [by_port|by_port-expr <expr>] [for|for-expr <expr>] [for_port|for_port-expr <expr>]",
        doc: "Tell servers about the client's connection in the Forwarded header of RFC 7239.",
        parse: forwarded,
    },
    Keyword {
        name: "option http-restrict-req-hdr-names",
        sections: Sections::PROXY,
        usage: "{ preserve | delete | reject }",
        doc: "What becomes of request fields whose names have other characters than letters, digits and hyphens.",
        parse: field_names,
    },
    Keyword {
        name: "option http-drop-request-trailers",
        sections: Sections::BACK,
        usage: "",
        doc: "Send no trailers to servers.",
        parse: |cur, p| flag(cur, &mut p.options.drop_request_trailers),
    },
    Keyword {
        name: "option http-drop-response-trailers",
        sections: Sections::FRONT,
        usage: "",
        doc: "Send no trailers to clients.",
        parse: |cur, p| flag(cur, &mut p.options.drop_response_trailers),
    },
    Keyword {
        name: "option h1-case-adjust-bogus-client",
        sections: Sections::FRONT,
        usage: "",
        doc: "Spell field names for clients as h1-case-adjust says.",
        parse: |cur, p| flag(cur, &mut p.options.spell_for_client),
    },
    Keyword {
        name: "option h1-case-adjust-bogus-server",
        sections: Sections::BACK,
        usage: "",
        doc: "Spell field names for servers as h1-case-adjust says.",
        parse: |cur, p| flag(cur, &mut p.options.spell_for_server),
    },
    Keyword {
        name: "http-send-name-header",
        sections: Sections::BACK,
        usage: "[<header>]",
        doc: "Tell the server its name in a header.",
        parse: |cur, p| {
            let name = cur.next().map(|word| word.bytes.to_ascii_lowercase());
            p.back.name_header = name.map(Into::into);
            cur.end()
        },
    },
];

fn field_names(cur: &mut Cursor<'_>, proxy: &mut ProxyDraft) -> Result<(), Diag> {
    if cur.polarity() != Polarity::Plain {
        proxy.options.field_names = FieldNames::default();
        return cur.end();
    }
    let choices = [
        ("preserve", FieldNames::Any),
        ("delete", FieldNames::Delete),
        ("reject", FieldNames::Reject),
    ];
    proxy.options.field_names = cur.choice("'preserve', 'delete' or 'reject'", &choices)?;
    cur.end()
}

fn forwarded(cur: &mut Cursor<'_>, proxy: &mut ProxyDraft) -> Result<(), Diag> {
    if cur.polarity() != Polarity::Plain {
        proxy.back.forwarded = None;
        return cur.end();
    }
    let mut written = Forwarded::<Word>::default();
    if cur.is_empty() {
        written.proto = true;
        written.client.name = Told::Own;
    }
    while let Some(word) = cur.next() {
        let (name, made) = match word.str().strip_suffix("-expr") {
            Some(name) => (name, true),
            None => (word.str(), false),
        };
        let place = match name {
            "proto" if !made => {
                written.proto = true;
                continue;
            }
            "host" => &mut written.host,
            "by" => &mut written.by.name,
            "by_port" => &mut written.by.port,
            "for" => &mut written.client.name,
            "for_port" => &mut written.client.port,
            _ => {
                let text = format!("'{}' : unknown keyword '{}'.", cur.keyword(), word.shown());
                return Err(cur.alert(text).suggesting(suggest(word.str(), PARAMETERS)));
            }
        };
        *place = if made {
            Told::Made(cur.expect("an expression")?.clone())
        } else {
            Told::Own
        };
    }
    proxy.back.forwarded = Some(written);
    Ok(())
}

/// The words of `option forwarded`.
const PARAMETERS: [&str; 11] = [
    "proto",
    "host",
    "host-expr",
    "by",
    "by-expr",
    "by_port",
    "by_port-expr",
    "for",
    "for-expr",
    "for_port",
    "for_port-expr",
];

fn client_header(
    cur: &mut Cursor<'_>,
    header: &[u8],
    may_be_conditional: bool,
) -> Result<Option<ForwardFor>, Diag> {
    if cur.polarity() != Polarity::Plain {
        cur.end()?;
        return Ok(None);
    }
    let mut written = ForwardFor {
        header: FieldName::new(header),
        except: Vec::new(),
        if_none: false,
    };
    while let Some(word) = cur.next() {
        match word.str() {
            "except" => {
                let full = format!(
                    "'{} except' expects <address>[/mask] as argument.",
                    cur.keyword()
                );
                let address = cur
                    .next()
                    .ok_or_else(|| Diag::alert(cur.here(), full.clone()))?;
                let network = address.str().parse::<Network>();
                written.except.push(network.map_err(|_| cur.alert(full))?);
            }
            "header" => {
                let name = cur.expect("a header name after 'header'")?;
                written.header = FieldName::new(&name.bytes);
            }
            "if-none" if may_be_conditional => written.if_none = true,
            _ => {
                let known = ["except", "header", "if-none"];
                return Err(cur
                    .alert(format!(
                        "'{}' only supports optional values: 'except', 'header' and 'if-none'.",
                        cur.keyword()
                    ))
                    .suggesting(suggest(word.str(), known)));
            }
        }
    }
    Ok(Some(written))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, Span, lexer};

    fn read(line: &str) -> Result<ProxyDraft, String> {
        let env = Env::default();
        let words = lexer::read(line, &env).expect("a line");
        let row = KEYWORDS
            .iter()
            .find(|row| line.starts_with(row.name) && row.name != "option forward")
            .expect("a keyword");
        let mut draft = ProxyDraft::new(Sections::BACKEND, "b", Span::default());
        let mut cur = Cursor::after(&words, row.name.split(' ').count(), &env);
        (row.parse)(&mut cur, &mut draft).map_err(|diag| diag.message)?;
        Ok(draft)
    }

    #[test]
    fn forwarded_without_arguments_says_protocol_and_client() {
        let said = read("option forwarded").expect("legal").back.forwarded;
        let said = said.expect("there");
        assert!(said.proto && said.client.name == Told::Own && said.by == Default::default());
    }

    #[test]
    fn forwarded_takes_each_part_from_an_expression_or_not() {
        let said =
            read("option forwarded for-expr src for_port-expr str(id) by host").expect("legal");
        let said = said.back.forwarded.expect("there");
        assert!(!said.proto && said.host == Told::Own && said.by.name == Told::Own);
        assert!(matches!(said.client.port, Told::Made(word) if word.is("str(id)")));
        assert!(read("option forwarded proto-expr x").is_err());
        assert!(read("option forwarded for-expr").is_err());
    }

    #[test]
    fn names_are_kept_deleted_or_refused() {
        let said = |word| {
            let line = format!("option http-restrict-req-hdr-names {word}");
            read(&line).map(|draft| draft.options.field_names)
        };
        assert_eq!(said("delete"), Ok(FieldNames::Delete));
        assert_eq!(said("preserve"), Ok(FieldNames::Any));
        assert!(said("drop").is_err());
    }
}
