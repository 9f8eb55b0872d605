//! ACLs that decide nothing: unused ones, patterns that a wider one comes before, and names that hide a predefined ACL.

use std::collections::HashSet;

use super::{Section, condition};
use crate::acl::{PREDEFINED, is_or};
use crate::lang::{Diag, Word};

pub(super) fn look(section: &Section<'_>, found: &mut Vec<Diag>) {
    let lines: Vec<&[Word]> = section.of(&["acl"]).map(|(_, rest)| rest).collect();
    let lines: Vec<&[Word]> = lines.into_iter().filter(|rest| rest.len() >= 2).collect();
    if lines.is_empty() {
        return;
    }
    let used = used(section);
    let mut named: HashSet<&[u8]> = HashSet::new();
    for (at, rest) in lines.iter().enumerate() {
        let name = &rest[0];
        if named.insert(&name.bytes) {
            check_name(name, &used, found);
        }
        let before = lines[..at]
            .iter()
            .filter(|other| other[0].bytes == name.bytes);
        for other in before {
            compare(other, rest, found);
        }
        repeated(rest, found);
    }
}

fn check_name(name: &Word, used: &HashSet<Vec<u8>>, found: &mut Vec<Diag>) {
    let own = name.shown();
    if PREDEFINED.iter().any(|(known, ..)| name.is(known)) {
        let text = format!("ACL '{own}' hides the predefined one of this name.");
        found.push(Diag::notice(name.span, text));
    }
    if !used.contains(&*name.bytes) {
        let text = format!("no rule of this section uses ACL '{own}'.");
        found.push(Diag::notice(name.span, text));
    }
}

/// The names of ACLs that conditions, or the fetch `acl`, mention.
fn used(section: &Section<'_>) -> HashSet<Vec<u8>> {
    let mut used = HashSet::new();
    for line in &section.lines {
        let from = condition(line).map_or(line.len(), |at| at + 1);
        let mut inside = false;
        for word in &line[from..] {
            let text = word.bytes.strip_prefix(b"!").unwrap_or(&word.bytes);
            inside |= text == b"{";
            inside &= text != b"}";
            if !inside {
                used.insert(text.to_vec());
            }
        }
        for word in *line {
            let text = word.str();
            for (at, _) in text.match_indices("acl(") {
                let list = text[at + 4..].split(')').next().unwrap_or_default();
                let names = list.split(',').map(|name| name.trim_start_matches('!'));
                used.extend(names.map(|name| name.as_bytes().to_vec()));
            }
        }
    }
    used
}

/// The words of an ACL before its patterns, and the patterns.
fn split(rest: &[Word]) -> (&[Word], &[Word]) {
    let mut at = 2;
    while let Some(word) = rest.get(at) {
        match word.str() {
            "--" => {
                at += 1;
                break;
            }
            "-m" | "-f" | "-u" => at += 2,
            flag if flag.starts_with('-') && flag.len() == 2 => at += 1,
            _ => break,
        }
    }
    rest.split_at(at.min(rest.len()))
}

/// How a criterion compares, where that is a matter of text.
#[derive(Clone, Copy)]
enum Comparison {
    Same,
    Begin,
    End,
    Within,
}

fn comparison(head: &[Word]) -> Option<Comparison> {
    let method = head.iter().position(|word| word.is("-m"));
    let method = method.and_then(|at| head.get(at + 1)).map(Word::str);
    if head.iter().any(|word| word.is("-f")) {
        return None;
    }
    let fetch = head.get(1)?.str();
    let name = fetch.split(['(', ',']).next().unwrap_or_default();
    match (method, name.rsplit('_').next()) {
        (Some("str"), _) => Some(Comparison::Same),
        (Some("beg"), _) | (None, Some("beg")) => Some(Comparison::Begin),
        (Some("end"), _) | (None, Some("end")) => Some(Comparison::End),
        (Some("sub"), _) | (None, Some("sub")) => Some(Comparison::Within),
        _ => None,
    }
}

/// Patterns of `later` that `before`, of the same name, decides.
fn compare(before: &[Word], later: &[Word], found: &mut Vec<Diag>) {
    let ((own_head, own), (head, patterns)) = (split(before), split(later));
    let bytes = |words: &[Word]| {
        words
            .iter()
            .skip(1)
            .map(|word| word.bytes.clone())
            .collect::<Vec<_>>()
    };
    if bytes(own_head) != bytes(head) {
        return;
    }
    if own.is_empty() && patterns.is_empty() {
        let text = format!("this line of ACL '{}' decides nothing.", later[0].shown());
        let line = before[0].span.line;
        found.push(
            Diag::notice(later[1].span, text).with_reason(format!("line {line} says the same")),
        );
        return;
    }
    for pattern in patterns {
        if let Some(wider) = own.iter().find(|wider| covers(head, wider, pattern)) {
            found.push(decided(&later[0], wider, pattern));
        }
    }
}

/// Patterns of one line that an earlier one of it decides.
fn repeated(rest: &[Word], found: &mut Vec<Diag>) {
    let (head, patterns) = split(rest);
    if let Some(or) = patterns.iter().find(|pattern| is_or(pattern)) {
        let text = format!(
            "'{}' is a pattern of ACL '{}' here, and not an alternative.",
            or.shown(),
            rest[0].shown()
        );
        let why = "an 'acl' line is one test with its patterns: those of one kind follow each other, another test is another line";
        found.push(Diag::notice(or.span, text).with_reason(why));
        return;
    }
    for (at, pattern) in patterns.iter().enumerate() {
        if let Some(wider) = patterns[..at]
            .iter()
            .find(|wider| covers(head, wider, pattern))
        {
            found.push(decided(&rest[0], wider, pattern));
        }
    }
}

fn covers(head: &[Word], wider: &Word, pattern: &Word) -> bool {
    let folded = head.iter().any(|word| word.is("-i"));
    let text = |word: &Word| {
        if folded {
            word.bytes.to_ascii_lowercase()
        } else {
            word.bytes.to_vec()
        }
    };
    let (wider, pattern) = (text(wider), text(pattern));
    if wider == pattern {
        // Comparisons of numbers come in words of their own: `gt 5` and `lt 5` share a pattern.
        return comparison(head).is_some();
    }
    match comparison(head) {
        Some(Comparison::Begin) => pattern.starts_with(&wider),
        Some(Comparison::End) => pattern.ends_with(&wider),
        Some(Comparison::Within) => memchr::memmem::find(&pattern, &wider).is_some(),
        Some(Comparison::Same) | None => false,
    }
}

fn decided(name: &Word, wider: &Word, pattern: &Word) -> Diag {
    let (own, shown) = (name.shown(), pattern.shown());
    let text = format!("pattern '{shown}' of ACL '{own}' decides nothing.");
    let line = wider.span.line;
    Diag::notice(pattern.span, text).with_reason(format!(
        "'{}' on line {line} matches wherever it does",
        wider.shown()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::advice_of;

    fn advice(lines: &str) -> Vec<String> {
        let mut advice = advice_of(&format!("backend b\n{lines}\nhttp-request deny if a\n"));
        advice.retain(|text| text.contains("ACL"));
        advice
    }

    #[test]
    fn wider_patterns_shadow_narrower_ones() {
        for lines in [
            "acl a path_beg /api /api/v1",
            "acl a path_beg /api\nacl a path_beg /static /api/v1",
            "acl a hdr(host) -m end .example .b.example",
            "acl a path_sub -i ADMIN /admin/",
            "acl a ssl_fc\nacl a ssl_fc",
        ] {
            let advice = advice(lines);
            assert!(
                advice.len() == 1 && advice[0].contains("decides nothing"),
                "{lines}: {advice:?}"
            );
        }
        for lines in [
            "acl a path_beg /api /static",
            "acl a path_beg /api\nacl a path_end /api/v1",
            "acl a path_beg /api/v1 /api",
            "acl a url_param(x) -m int gt 5",
            "acl a path -f x",
        ] {
            assert_eq!(advice(lines), [""; 0], "{lines}");
        }
    }

    #[test]
    fn names_that_nobody_uses_and_names_that_hide() {
        assert!(advice("acl a path /\nacl b path /b")[0].contains("uses ACL 'b'"));
        assert!(
            advice("acl a path /\nacl b path /b\nhttp-request set-var(txn.x) acl(!b)").is_empty()
        );
        assert!(
            advice("acl a path /\nacl TRUE path /b\nhttp-request deny if TRUE")[0]
                .contains("hides")
        );
    }
}
