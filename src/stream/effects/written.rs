//! What a line loses where the row is about how it is written: quotes, log items, targets, tables, converters, branches.

/// The texts that a line becomes; `None` where the row is of another kind.
pub(super) fn losses(class: &str, keyword: &str, line: &str) -> Option<Vec<String>> {
    let text = line.trim_start();
    Some(match class {
        "log-alias" => without_alias(keyword, line),
        "log-format item" => replaced(line, "%[", "%%["),
        "log-flag" => replaced(line, &format!("+{keyword}"), &format!("-{keyword}")),
        "lexer" => plain(keyword, line),
        "log target" => log_target(keyword, text).map_or_else(Vec::new, |()| vec![String::new()]),
        "log target args" if text.starts_with("log ") => without_words(line, keyword, 2),
        "log format" if text.starts_with("log ") => {
            replaced(line, &format!(" format {keyword}"), "")
        }
        "stick-table data" if text.starts_with("stick-table ") => without_item(line, keyword),
        "stick-table type" if text.starts_with("stick-table ") => {
            let other = if keyword == "integer" {
                "ip"
            } else {
                "integer"
            };
            let own = format!(" type {keyword} ");
            let plain = replaced(line, &own, &format!(" type {other} "));
            plain
                .into_iter()
                .map(|line| without_words(&line, "len", 2).pop().unwrap_or(line))
                .collect()
        }
        "stick-table" if keyword == "size" && text.starts_with("stick-table ") => {
            larger(line, keyword)
        }
        "section-kw cache" if keyword == "total-max-size" => larger(line, keyword),
        "converter" => without_converter(line, keyword),
        "proxy" | "frontend: keyword" if keyword == "stick-table" => {
            let stores = line.split_once(" store ");
            stores.map_or_else(Vec::new, |(plain, _)| vec![plain.to_owned()])
        }
        "proxy" if keyword == "log <target>" => {
            let says = text.starts_with("log ") && text != "log global";
            says.then(String::new).into_iter().collect()
        }
        "proxy" if keyword == "use_backend with log-format name" => {
            let says = text.starts_with("use_backend %[");
            says.then(String::new).into_iter().collect()
        }
        "directive" => match text.split_once(' ') {
            _ if text == keyword => vec![String::new()],
            Some((word, condition)) if word == keyword => vec![format!("{word} !{condition}")],
            _ => Vec::new(),
        },
        "log target args" | "log format" | "stick-table data" | "stick-table type" => Vec::new(),
        "option" | "balance" => return form(class, keyword, line),
        _ => return None,
    })
}

/// What a line becomes where the row is a form of it: `own … word`, `no own`, `own(<argument>)`.
fn form(class: &str, keyword: &str, line: &str) -> Option<Vec<String>> {
    let begins = |text: &str| {
        let whole = line.trim_start().starts_with(text);
        if whole {
            vec![String::new()]
        } else {
            Vec::new()
        }
    };
    if let Some((own, word)) = keyword.split_once(" … ") {
        let counts = begins(&format!("{class} {own} "))
            .into_iter()
            .flat_map(|_| [1, 2]);
        return Some(
            counts
                .flat_map(|count| without_words(line, word, count))
                .collect(),
        );
    }
    match (keyword.strip_prefix("no "), keyword.split_once("(<")) {
        (Some(own), _) => Some(begins(&format!("no {class} {own}"))),
        (None, Some((own, _))) => Some(begins(&format!("{class} {own}("))),
        (None, None) => None,
    }
}

/// The line with one text for another, if it has it.
fn replaced(line: &str, what: &str, with: &str) -> Vec<String> {
    let changed = line.replace(what, with);
    if changed == line {
        return Vec::new();
    }
    vec![changed]
}

/// The line with a dash where it shows an item of a log line.
fn without_alias(alias: &str, line: &str) -> Vec<String> {
    let name = alias.trim_start_matches('%');
    let places = line.match_indices(name).filter_map(|(at, _)| {
        let rest = &line[at + name.len()..];
        let before = match &line[..at] {
            flagged if flagged.ends_with('}') => &flagged[..flagged.rfind("%{")?],
            plain => plain.strip_suffix('%')?,
        };
        let ends = !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        ends.then(|| format!("{before}-{rest}"))
    });
    places.collect()
}

/// The line without a way of writing.
fn plain(way: &str, line: &str) -> Vec<String> {
    match way {
        "backslash-escaped space" => replaced(line, "\\ ", " "),
        "double quotes" => replaced(line, "\"", ""),
        "single quotes" => replaced(line, "'", ""),
        "environment variable in double quotes" if line.contains('"') => replaced(line, "$", ""),
        "$ outside double quotes" if !line.contains(['"', '\'']) => {
            let words = line.split(' ').map(|word| {
                if word.contains('$') {
                    format!("\"{word}\"")
                } else {
                    word.to_owned()
                }
            });
            let quoted = words.collect::<Vec<_>>().join(" ");
            if quoted == line {
                Vec::new()
            } else {
                vec![quoted]
            }
        }
        _ => Vec::new(),
    }
}

/// Whether a `log` line goes to a place of this kind.
fn log_target(kind: &str, text: &str) -> Option<()> {
    let place = text.strip_prefix("log ")?.split(' ').next()?;
    let numeric = place.starts_with(|c: char| c.is_ascii_digit());
    let fits = match kind {
        "ip" => numeric,
        "name" => {
            !numeric && place != "global" && !place.contains(['/', '@']) && place.contains(':')
        }
        _ => false,
    };
    fits.then_some(())
}

/// The line without a word and those after it, `count` in all.
fn without_words(line: &str, word: &str, count: usize) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let Some(at) = words.iter().position(|own| *own == word) else {
        return Vec::new();
    };
    let end = words.len().min(at + count);
    vec![[&words[..at], &words[end..]].concat().join(" ")]
}

/// The line with four times the number after a word.
fn larger(line: &str, word: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let at = words.iter().position(|own| *own == word);
    let number = at.and_then(|at| words.get(at + 1)?.parse::<u64>().ok());
    match number {
        Some(number) => replaced(
            line,
            &format!("{word} {number}"),
            &format!("{word} {}", number * 4),
        ),
        None => Vec::new(),
    }
}

/// The line without one of the things that a table stores.
fn without_item(line: &str, item: &str) -> Vec<String> {
    let Some((before, list)) = line.split_once(" store ") else {
        return Vec::new();
    };
    let is_it = |own: &str| own.split('(').next() == Some(item);
    let kept: Vec<&str> = list.split(',').filter(|own| !is_it(own)).collect();
    if kept.len() == list.split(',').count() {
        return Vec::new();
    }
    if kept.is_empty() {
        return vec![before.to_owned()];
    }
    vec![format!("{before} store {}", kept.join(","))]
}

/// The line without a converter and its arguments.
fn without_converter(line: &str, name: &str) -> Vec<String> {
    let own = format!(",{name}");
    let places = line.match_indices(&own).filter_map(|(at, _)| {
        let rest = &line[at + own.len()..];
        if !rest.starts_with('(') {
            let ends = rest
                .chars()
                .next()
                .is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
            return ends.then(|| format!("{}{rest}", &line[..at]));
        }
        let (mut depth, mut end) = (0_u32, None);
        for (own, c) in rest.char_indices() {
            match c {
                '(' => depth += 1,
                ')' if depth == 1 => {
                    end = Some(own + 1);
                    break;
                }
                ')' => depth -= 1,
                _ => {}
            }
        }
        Some(format!("{}{}", &line[..at], &rest[end?..]))
    });
    places.collect()
}

#[test]
fn lines_lose_what_a_row_is_about() {
    let rows = [
        (
            "log-alias",
            "%c",
            "log-format %ci:%c/%cp",
            "log-format %ci:-/%cp",
        ),
        (
            "log-alias",
            "%o",
            "log-format %{+X}o %ci",
            "log-format - %ci",
        ),
        ("lexer", "$ outside double quotes", "a $B c", "a \"$B\" c"),
        ("lexer", "single quotes", "a 'b c'", "a b c"),
        (
            "stick-table data",
            "gpc0",
            "stick-table type ip size 9 store gpc0_rate(1s),gpc0",
            "stick-table type ip size 9 store gpc0_rate(1s)",
        ),
        (
            "stick-table type",
            "string",
            " stick-table type string len 9 size 9",
            " stick-table type integer size 9",
        ),
        (
            "converter",
            "map",
            "x %[src,map(a(b),c),lower] y",
            "x %[src,lower] y",
        ),
        (
            "converter",
            "lower",
            "x %[src,lower_,lower] y",
            "x %[src,lower_] y",
        ),
        (
            "section-kw cache",
            "total-max-size",
            "  total-max-size 2",
            "  total-max-size 8",
        ),
        ("option", "f … except", " option f except 1", " option f"),
        ("directive", ".if", ".if defined(A)", ".if !defined(A)"),
        (
            "log target args",
            "len",
            "log h len 80 local0",
            "log h local0",
        ),
    ];
    for (class, keyword, line, expected) in rows {
        let lost = losses(class, keyword, line).and_then(|mut all| all.pop());
        assert_eq!(lost.as_deref(), Some(expected), "{class} {keyword}");
    }
    assert_eq!(losses("option", "httpclose", "option httpclose"), None);
}
