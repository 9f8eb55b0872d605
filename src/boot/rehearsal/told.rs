//! An exchange in words, for people and for programs.

use std::fmt::Write as _;

use super::asked::Asked;
use super::stage::{Rule, Told};
use crate::acl::{Finding, Verdict3};
use crate::codec::json;
use crate::lang::Files;

/// For people.
pub(super) fn text(asked: &Asked, told: &Told, files: &Files) -> String {
    let mut out = format!(
        "{}\n  from {} at frontend {}\n",
        asked.line, asked.src, told.frontend
    );
    let mut set = String::new();
    for rule in &told.rules {
        describe(rule, files, &mut set, &mut out);
    }
    match (&told.server, &told.inner, &told.backend) {
        (Some(server), _, Some(backend)) => {
            let _ = writeln!(out, "\nserver {server} of backend {backend} gets");
            match told.opaque {
                true => out.push_str("    the client's TLS, as it comes\n"),
                false => indented(&told.forwarded, &mut out),
            }
        }
        (_, Some(inner), _) => {
            let _ = writeln!(out, "\n{inner} answers");
        }
        _ => out.push_str("\nno server is asked\n"),
    }
    out.push_str("\nthe client gets\n");
    match (told.opaque, &told.server) {
        (true, Some(_)) => out.push_str("    the server's TLS\n"),
        _ => indented(&told.answer, &mut out),
    }
    out
}

/// A rule, set apart from those of other sets; `set` is the one at hand.
fn describe(rule: &Rule, files: &Files, set: &mut String, out: &mut String) {
    let tried = &rule.tried;
    let span = tried.span;
    let mark = match (tried.verdict, rule.decides) {
        (Verdict3::Hit, true) => "decides",
        (Verdict3::Hit, false) => "applies",
        (Verdict3::Miss, _) => "passes",
        (Verdict3::NotYet, _) => "unknown",
    };
    let line = String::from_utf8_lossy(files.line(span.file, span.line));
    let words: Vec<&str> = line.split_whitespace().collect();
    let own = words.first().copied().unwrap_or_default();
    if set != own {
        own.clone_into(set);
        out.push('\n');
    }
    let _ = writeln!(
        out,
        "{mark}  {}  [{}:{}]",
        words.join(" "),
        files.path(span.file),
        span.line
    );
    // Lines of one ACL that say the same are said once.
    let mut last = String::new();
    for finding in &tried.findings {
        let text = sentence(finding);
        if text != last {
            let _ = writeln!(out, "         {text}");
        }
        last = text;
    }
}

/// How one criterion decided.
fn sentence(finding: &Finding) -> String {
    let mut text = String::new();
    if finding.negated {
        text.push_str("not ");
    }
    if !finding.acl.is_empty() {
        let _ = write!(text, "{}: ", finding.acl);
    }
    text.push_str(&finding.keyword);
    match &finding.values[..] {
        [] => text.push_str(" has no value"),
        values => {
            let _ = write!(text, " of \"{}\"", values.join("\", \""));
        }
    }
    match (&finding.pattern, finding.verdict) {
        (Some(pattern), Verdict3::Hit) => {
            let _ = write!(text, " matches \"{pattern}\"");
        }
        (None, Verdict3::Hit) => text.push_str(" matches"),
        (_, Verdict3::Miss) if finding.values.is_empty() => {}
        (_, Verdict3::Miss) => text.push_str(" does not match"),
        (_, Verdict3::NotYet) => text.push_str(" cannot be told yet"),
    }
    text
}

fn indented(message: &[u8], out: &mut String) {
    if message.is_empty() {
        out.push_str("    nothing: the connection is closed\n");
    }
    for line in String::from_utf8_lossy(message).trim_end().lines() {
        let margin = if line.is_empty() { "" } else { "    " };
        let _ = writeln!(out, "{margin}{line}");
    }
}

/// For programs: one object, one line.
pub(super) fn json(asked: &Asked, told: &Told, files: &Files) -> String {
    let mut out = Vec::new();
    let mut field = |name: &str, value: Option<&[u8]>| {
        out.push(if out.is_empty() { b'{' } else { b',' });
        json::string(name.as_bytes(), &mut out);
        out.push(b':');
        match value {
            Some(value) => json::string(value, &mut out),
            None => out.extend_from_slice(b"null"),
        }
    };
    let bytes = |text: &Option<String>| text.clone().map(String::into_bytes);
    field("request", Some(asked.line.as_bytes()));
    field("frontend", Some(told.frontend.as_bytes()));
    field("backend", bytes(&told.backend).as_deref());
    field("server", bytes(&told.server).as_deref());
    let status = told
        .status()
        .map_or("null".to_owned(), |status| status.to_string());
    out.extend_from_slice(format!(",\"status\":{status}").as_bytes());
    let mut field = |name: &str, value: &[u8]| {
        out.extend_from_slice(format!(",\"{name}\":").as_bytes());
        json::string(value, &mut out);
    };
    field("forwarded", &told.forwarded);
    field("answer", &told.answer);
    out.extend_from_slice(b",\"rules\":[");
    for (at, rule) in told.rules.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        rule_object(rule, files, &mut out);
    }
    out.extend_from_slice(b"]}\n");
    String::from_utf8_lossy(&out).into_owned()
}

fn rule_object(rule: &Rule, files: &Files, out: &mut Vec<u8>) {
    let span = rule.tried.span;
    out.extend_from_slice(b"{\"keyword\":");
    json::string(rule.tried.keyword.as_bytes(), out);
    out.extend_from_slice(b",\"file\":");
    json::string(files.path(span.file).as_bytes(), out);
    out.extend_from_slice(
        format!(
            ",\"line\":{},\"verdict\":\"{}\"",
            span.line,
            word(rule.tried.verdict)
        )
        .as_bytes(),
    );
    out.extend_from_slice(format!(",\"decides\":{},\"criteria\":[", rule.decides).as_bytes());
    for (at, finding) in rule.tried.findings.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json::string(sentence(finding).as_bytes(), out);
    }
    out.extend_from_slice(b"]}");
}

fn word(verdict: Verdict3) -> &'static str {
    match verdict {
        Verdict3::Hit => "hit",
        Verdict3::Miss => "miss",
        Verdict3::NotYet => "unknown",
    }
}
