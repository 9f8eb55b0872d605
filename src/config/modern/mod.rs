//! The union of versions: keywords that later releases of HAProxy removed, rewritten as the ones
//! that took their place.
//!
//! A line is rewritten word by word before its row is looked for, so that no room knows the old
//! names. The operator sees the modern line in a warning, and `sluice check --fix` writes it.

mod expression;

use crate::acl::is_or;
use crate::lang::{Diag, Span, Word};
use expression::RequestLine;

/// A line that was rewritten, and what to tell about it.
pub(crate) struct Rewritten {
    /// The words of the modern line, or lines.
    pub(crate) lines: Vec<Vec<Word>>,
    /// The warning, which shows the modern line.
    pub(crate) warning: Diag,
}

/// Rewrites a removed keyword of a proxy section; none when the line is modern.
///
/// # Errors
/// The old line cannot be expressed in modern words.
pub(crate) fn proxy(words: &[Word]) -> Option<Result<Rewritten, Diag>> {
    let (first, old) = words.split_first()?;
    if first.is("appsession") {
        return Some(sessions(words));
    }
    let (_, since, rewrite) = TABLE.iter().find(|(name, _, _)| first.is(name))?;
    let rewritten = rewrite(words).map_err(|refusal| refusal.diag(first, since));
    let rewritten = rewritten.map(|words| {
        let modern = line(&words);
        let message = format!(
            "The '{}' directive is not supported anymore since HAProxy {since}. Use '{}' instead.",
            first.shown(),
            successor(&words)
        );
        let span = whole(words.as_slice(), first.span);
        let (place, text) = edit(first, old, &words, &modern);
        Rewritten {
            lines: vec![words],
            warning: Diag::warning(span, message)
                .with_reason("it is read as its successor")
                .with_fix(modern)
                .with_edit(place, text),
        }
    });
    Some(rewritten)
}

/// The smallest edit that makes the line modern: of its keyword alone where the other words stay.
fn edit(first: &Word, old: &[Word], modern: &[Word], line: &str) -> (Span, String) {
    let keyword = modern.iter().take_while(|word| word.span == first.span);
    let keyword: Vec<_> = keyword.map(Word::shown).collect();
    if modern[keyword.len()..] == *old {
        return (first.span, keyword.join(" "));
    }
    (whole(old, first.span), line.to_owned())
}

/// Why an old line has no modern one, and what an operator can do about it.
struct Refusal {
    /// The word that is at fault; without one it is the keyword.
    culprit: Option<Span>,
    why: Option<&'static str>,
    fix: Option<String>,
}

impl Refusal {
    fn diag(self, keyword: &Word, since: &str) -> Diag {
        let diag = Diag::alert(
            self.culprit.unwrap_or(keyword.span),
            format!(
                "The '{}' directive is not supported anymore since HAProxy {since}.",
                keyword.shown()
            ),
        );
        let diag = self.why.into_iter().fold(diag, Diag::with_reason);
        self.fix.into_iter().fold(diag, Diag::with_fix)
    }
}

type Rewrite = fn(&[Word]) -> Result<Vec<Word>, Refusal>;

/// Each old keyword, the release that removed it, and what became of it.
const TABLE: &[(&str, &str, Rewrite)] = &[
    ("clitimeout", "2.1", |w| {
        Ok(renamed(w, &["timeout", "client"]))
    }),
    ("contimeout", "2.1", |w| {
        Ok(renamed(w, &["timeout", "connect"]))
    }),
    ("srvtimeout", "2.1", |w| {
        Ok(renamed(w, &["timeout", "server"]))
    }),
    ("redisp", "1.9", |w| {
        Ok(renamed(w, &["option", "redispatch"]))
    }),
    ("redispatch", "1.9", |w| {
        Ok(renamed(w, &["option", "redispatch"]))
    }),
    ("transparent", "1.9", |w| {
        Ok(renamed(w, &["option", "transparent"]))
    }),
    ("monitor-net", "2.3", monitored),
    ("block", "2.1", |w| {
        Ok(renamed(w, &["http-request", "deny"]))
    }),
    ("reqadd", "2.1", |w| added(w, "http-request")),
    ("rspadd", "2.1", |w| added(w, "http-response")),
    ("reqdel", "2.1", |w| deleted(w, "http-request", "")),
    ("reqidel", "2.1", |w| deleted(w, "http-request", "(?i)")),
    ("rspdel", "2.1", |w| deleted(w, "http-response", "")),
    ("rspidel", "2.1", |w| deleted(w, "http-response", "(?i)")),
    ("reqrep", "2.1", |w| replaced(w, "http-request", "")),
    ("reqirep", "2.1", |w| replaced(w, "http-request", "(?i)")),
    ("rsprep", "2.1", |w| replaced(w, "http-response", "")),
    ("rspirep", "2.1", |w| replaced(w, "http-response", "(?i)")),
    ("reqallow", "2.1", untranslatable),
    ("reqiallow", "2.1", untranslatable),
    ("reqdeny", "2.1", untranslatable),
    ("reqideny", "2.1", untranslatable),
    ("reqpass", "2.1", untranslatable),
    ("reqipass", "2.1", untranslatable),
    ("reqtarpit", "2.1", untranslatable),
    ("reqitarpit", "2.1", untranslatable),
    ("rspdeny", "2.1", untranslatable),
    ("rspideny", "2.1", untranslatable),
];

/// The same line under a new keyword.
fn renamed(words: &[Word], keyword: &[&str]) -> Vec<Word> {
    let span = words[0].span;
    let name = keyword.iter().map(|word| Word::new(*word, span));
    name.chain(words[1..].iter().cloned()).collect()
}

/// `monitor-net <source>`: whoever comes from there is told that all is well.
fn monitored(words: &[Word]) -> Result<Vec<Word>, Refusal> {
    let (source, _) = argument(words)?;
    let answer = ["http-request", "return", "status", "200", "if", "{", "src"];
    let mut modern = renamed(&words[..1], &answer);
    modern.push(source.clone());
    modern.push(Word::new("}", source.span));
    Ok(modern)
}

/// `reqadd "Name: value" [if …]`.
fn added(words: &[Word], ruleset: &str) -> Result<Vec<Word>, Refusal> {
    let (header, rest) = argument(words)?;
    let colon = memchr::memchr(b':', &header.bytes)
        .ok_or_else(|| inexact(header, format!("{ruleset} add-header <name> <value>")))?;
    let name = &header.bytes[..colon];
    let value = header.bytes[colon + 1..].trim_ascii();
    let mut modern = renamed(&words[..1], &[ruleset, "add-header"]);
    modern.push(Word::new(name, header.span));
    modern.push(Word::new(as_format(value), header.span));
    modern.extend(rest.iter().cloned());
    Ok(modern)
}

/// `reqdel <regex> [if …]`: the expression matches a whole header line.
fn deleted(words: &[Word], ruleset: &str, flags: &str) -> Result<Vec<Word>, Refusal> {
    let (search, rest) = argument(words)?;
    let found = expression::header(search.str());
    let (name, _) = found
        .filter(|(_, value)| value.is_empty() || *value == ".*")
        .ok_or_else(|| inexact(search, format!("{ruleset} del-header <name>")))?;
    let mut modern = renamed(&words[..1], &[ruleset, "del-header"]);
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        modern.push(Word::new(name, search.span));
    } else {
        modern.push(Word::new(format!("{flags}^{name}$"), search.span));
        modern.extend(["-m", "reg"].map(|word| Word::new(word, search.span)));
    }
    modern.extend(rest.iter().cloned());
    Ok(modern)
}

/// `reqrep <search> <string> [if …]`: on a header line, or on the request line.
fn replaced(words: &[Word], ruleset: &str, flags: &str) -> Result<Vec<Word>, Refusal> {
    let (search, rest) = argument(words)?;
    let by_hand = || inexact(search, expression::by_hand(search.str(), ruleset));
    let [string, rest @ ..] = rest else {
        return Err(by_hand());
    };
    let span = search.span;
    if ruleset == "http-request"
        && let Some(line) = RequestLine::read(search.str(), string.str())
    {
        let rest = of_methods(&line.methods, span, rest).ok_or_else(by_hand)?;
        let mut modern = renamed(&words[..1], &[ruleset, "replace-uri"]);
        modern.push(Word::new(expression::flagged(flags, &line.search), span));
        modern.push(Word::new(as_format(line.string.as_bytes()), string.span));
        modern.extend(rest);
        return Ok(modern);
    }
    let header = expression::replacement(search.str(), string.str()).ok_or_else(by_hand)?;
    let mut modern = renamed(&words[..1], &[ruleset, "replace-header"]);
    modern.push(Word::new(header.name, span));
    modern.push(Word::new(expression::flagged(flags, &header.search), span));
    modern.push(Word::new(as_format(header.string.as_bytes()), string.span));
    modern.extend(rest.iter().cloned());
    Ok(modern)
}

/// A condition that holds for these methods alone besides; none when that takes more than one term before it.
fn of_methods(methods: &[String], span: Span, condition: &[Word]) -> Option<Vec<Word>> {
    if methods.is_empty() {
        return Some(condition.to_vec());
    }
    let (first, terms) = match condition {
        [] => (Word::new("if", span), condition),
        [first, terms @ ..] => (first.clone(), terms),
    };
    let alternatives = terms.iter().any(is_or);
    if !first.is("if") || alternatives {
        return None;
    }
    let names = methods.iter().map(String::as_str);
    let test = ["{", "method"].into_iter().chain(names).chain(["}"]);
    let test = test.map(|word| Word::new(word, span));
    let all = std::iter::once(first.clone()).chain(test);
    Some(all.chain(terms.iter().cloned()).collect())
}

/// Text as a log format that yields it.
fn as_format(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if byte == b'%' {
            out.push(b'%');
        }
        out.push(byte);
    }
    out
}

fn argument(words: &[Word]) -> Result<(&Word, &[Word]), Refusal> {
    match words {
        [_, argument, rest @ ..] => Ok((argument, rest)),
        _ => Err(Refusal {
            culprit: words.first().map(|word| word.span.after()),
            why: Some("it expects an argument"),
            fix: None,
        }),
    }
}

fn inexact(culprit: &Word, fix: String) -> Refusal {
    Refusal {
        culprit: Some(culprit.span),
        why: Some("this expression has no exact successor that could be written for it"),
        fix: Some(fix),
    }
}

fn untranslatable(words: &[Word]) -> Result<Vec<Word>, Refusal> {
    let keyword = words.first().map(Word::shown).unwrap_or_default();
    let fix = match keyword.as_ref() {
        "reqallow" | "reqiallow" | "reqpass" | "reqipass" => "http-request allow if { … }",
        "reqtarpit" | "reqitarpit" => "http-request tarpit if { … }",
        "rspdeny" | "rspideny" => "http-response deny if { … }",
        _ => "http-request deny if { … }",
    };
    Err(Refusal {
        culprit: None,
        why: None,
        fix: Some(fix.to_owned()),
    })
}

/// How many sessions a table remembers that stands for `appsession`, which knew no limit.
const SESSIONS: &str = "100k";

/// `appsession <cookie> len <length> timeout <time> [request-learn] [prefix] [mode { path-parameters | query-string }]`:
/// a table of the application's own cookies, and of what stands for them in targets.
fn sessions(words: &[Word]) -> Result<Rewritten, Diag> {
    let span = whole(words, words[0].span);
    let refused = |why: &str| {
        let text = "The 'appsession' directive is not supported anymore since HAProxy 1.6.";
        Diag::alert(span, text)
            .with_reason(why)
            .with_fix("cookie <name> insert, or stick on req.cook(<name>)")
    };
    let mut texts = words[1..].iter().map(Word::shown);
    let name = texts.next().unwrap_or_default();
    let (mut len, mut expire, mut learns, mut mark) = (None, None, false, ",;");
    while let Some(word) = texts.next() {
        match &*word {
            "len" => len = texts.next(),
            "timeout" => expire = texts.next(),
            "request-learn" => learns = true,
            "mode" => match texts.next().as_deref() {
                Some("path-parameters") => {}
                Some("query-string") => mark = "",
                _ => return Err(refused("'mode' is 'path-parameters' or 'query-string'")),
            },
            "prefix" => return Err(refused("no table matches the first part of a cookie")),
            other => return Err(refused(&format!("it has no parameter '{other}'"))),
        }
    }
    let (Some(len), Some(expire)) = (len, expire) else {
        return Err(refused("it needs 'len' and 'timeout'"));
    };
    let on_request = if learns { "on" } else { "match" };
    let texts = [
        format!("stick-table type string len {len} size {SESSIONS} expire {expire}"),
        format!("stick {on_request} req.cook({name})"),
        format!("stick {on_request} urlp({name}{mark})"),
        format!("stick store-response res.cook({name})"),
    ];
    let lines = texts.iter().map(|text| {
        let words = text.split(' ').map(|word| Word::new(word, span));
        words.collect()
    });
    let shown = texts.join("\n    ");
    let message = "The 'appsession' directive is not supported anymore since HAProxy 1.6. \
                   Use 'stick-table' and 'stick' instead.";
    Ok(Rewritten {
        lines: lines.collect(),
        warning: Diag::warning(span, message)
            .with_reason("it is read as its successors")
            .with_fix(shown.clone())
            .with_edit(span, shown),
    })
}

/// The words as a line that reads back as the same words.
pub(super) fn line(words: &[Word]) -> String {
    let quoted = words.iter().map(|word| {
        let text = word.shown();
        let plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '\'' | '#' | '\\');
        if !text.is_empty() && text.chars().all(plain) {
            text.into_owned()
        } else if text.contains('\'') {
            text.replace('\\', r"\\")
                .replace(' ', r"\ ")
                .replace('#', r"\#")
                .replace('\'', r"\'")
                .replace('"', "\\\"")
        } else {
            format!("'{text}'")
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// The keyword of a modern line: its first two words.
fn successor(words: &[Word]) -> String {
    let two: Vec<_> = words.iter().take(2).map(Word::shown).collect();
    two.join(" ")
}

fn whole(words: &[Word], first: Span) -> Span {
    words.last().map_or(first, |last| first.to(last.span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, lexer};

    fn modern(text: &str) -> Result<String, String> {
        let words = lexer::read(text, &Env::default()).expect("a good line");
        match proxy(&words).expect("an old keyword") {
            Ok(rewritten) => Ok(rewritten.warning.fix.expect("shown")),
            Err(diag) => Err(diag.message),
        }
    }

    #[test]
    fn old_keywords_become_their_successors() {
        for (old, new) in [
            ("contimeout 5000", "timeout connect 5000"),
            ("clitimeout 5s", "timeout client 5s"),
            ("srvtimeout 5s", "timeout server 5s"),
            ("redisp", "option redispatch"),
            ("block if bad", "http-request deny if bad"),
            (
                "monitor-net 192.0.2.0/24",
                "http-request return status 200 if { src 192.0.2.0/24 }",
            ),
            (
                r"reqadd X-Forwarded-Proto:\ https if ssl",
                "http-request add-header X-Forwarded-Proto https if ssl",
            ),
            (
                r"rspadd Strict-Transport-Security:\ max-age=1%;\ x",
                "http-response add-header Strict-Transport-Security 'max-age=1%%; x'",
            ),
            ("rspidel ^Server:.*", "http-response del-header Server"),
            (
                "reqidel ^X-Forwarded-For:",
                "http-request del-header X-Forwarded-For",
            ),
            (
                r"reqrep ^([^\ :]*)\ /static/(.*) \1\ /\2",
                r"http-request replace-uri ^/static/(.*) '/\1'",
            ),
            (
                r"reqirep ^Host:\ (.*) Host:\ www.\1",
                r"http-request replace-header Host (.*) 'www.\1'",
            ),
            (
                r"reqirep ^Host: Host:\ h if a",
                "http-request replace-header Host .* h if a",
            ),
            (
                r"rspirep ^(set-cookie:.*) \1;\ Secure if !safe",
                r"http-response replace-header set-cookie (.*) '\1; Secure' if !safe",
            ),
            (
                r"reqrep ^GET\ /a(.*) GET\ /b\1 if x y",
                r"http-request replace-uri ^/a(.*) '/b\1' if { method GET } x y",
            ),
            (
                r"reqrep '^(GET|POST) /a' '\1 /b'",
                "http-request replace-uri ^/a /b if { method GET POST }",
            ),
        ] {
            assert_eq!(modern(old).as_deref(), Ok(new), "{old}");
        }
    }

    #[test]
    fn application_sessions_become_a_table() {
        let lines = modern("appsession ID len 52 timeout 3h").expect("legal");
        let expected = "stick-table type string len 52 size 100k expire 3h\n    \
                        stick match req.cook(ID)\n    stick match urlp(ID,;)\n    \
                        stick store-response res.cook(ID)";
        assert_eq!(lines, expected);
        let learning = "appsession ID len 52 timeout 3h request-learn mode query-string";
        let lines = modern(learning).expect("legal");
        assert!(
            lines.contains("stick on req.cook(ID)\n    stick on urlp(ID)\n"),
            "{lines}"
        );
    }

    #[test]
    fn what_cannot_be_said_exactly_is_refused() {
        for old in [
            r"reqrep ^(.*)$ x\1",
            "reqdel .*secret.*",
            "reqadd nocolon",
            "reqtarpit ^GET",
            "appsession JSESSIONID len 52",
            r"reqrep ^GET\ /a GET\ /b if x or y",
            r"rspirep ^HTTP/(.*)\ 200 HTTP/\1\ 503",
            "appsession JSESSIONID len 52 timeout 3h prefix",
        ] {
            let message = modern(old).expect_err(old);
            assert!(message.contains("not supported anymore"), "{message}");
        }
        assert!(modern("appsession a").is_err_and(|text| text.ends_with("since HAProxy 1.6.")));
    }

    #[test]
    fn a_modern_line_is_left_alone() {
        let words = lexer::read("timeout client 5s", &Env::default()).expect("a good line");
        assert!(proxy(&words).is_none());
    }
}
