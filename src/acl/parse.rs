//! Reading criteria: keyword, flags, patterns.

use std::sync::Arc;

use crate::lang::{Diag, Shape, Span, Word, suggest};
use crate::pattern::{Lines, Match, Operator, Purpose, Range, Reference, View};
use crate::sample::{Arg, Expr, Reader, fetch_names};
use crate::value::Kind;

use super::criterion::Criterion;
use super::derived::{self, DERIVED, Derived};

/// What the flags of a line ask for.
#[derive(Debug, Default)]
struct Flags<'w> {
    fold: bool,
    as_map: bool,
    method: Option<Match>,
    files: Vec<&'w Word>,
    /// Some flag was given: an empty list of patterns is meant.
    any: bool,
}

/// Reads a criterion from its words. `place` is where messages point when there are none.
pub(super) fn criterion(
    words: &[Word],
    place: Span,
    reader: Reader<'_>,
    warnings: &mut Vec<Diag>,
) -> Result<Criterion, Diag> {
    let Some((keyword, rest)) = words.split_first() else {
        return Err(Diag::alert(
            place.after(),
            "missing fetch method in ACL expression ''.",
        ));
    };
    if keyword.bytes.starts_with(b"!") {
        let message = format!(
            "missing fetch method in ACL expression '{}'.",
            keyword.shown()
        );
        return Err(Diag::alert(keyword.span, message)
            .with_reason("an ACL says what matches; it is negated where it is used")
            .with_fix("'!' before the ACL's name, or before '{', in a condition"));
    }
    let (expr, derived) = expression(keyword, reader)?;
    let (flags, patterns) = flags(rest)?;
    let method = method(&expr, derived, &flags, keyword)?;
    if patterns.is_empty() && !flags.any && method.takes_patterns() {
        warnings.push(no_pattern(keyword));
    }
    let mut criterion = Criterion {
        cast: (expr.out() != method.wants()).then(|| method.wants()),
        expr,
        method,
        views: Vec::new(),
        keyword: Arc::from(keyword.shown()),
        inline: flags.files.is_empty(),
        groups_of: None,
    };
    if let (Some(Arg::Users(list)), "http_auth_group") =
        (criterion.expr.args().first(), criterion.expr.fetch().name)
    {
        criterion.groups_of = Some(Arc::clone(list));
    }
    if method.takes_patterns() {
        criterion.views = views(&criterion, &flags, patterns, reader)?;
    }
    Ok(criterion)
}

/// The expression of a criterion's first word, and the derived keyword it was written as.
fn expression(
    keyword: &Word,
    reader: Reader<'_>,
) -> Result<(Expr, Option<&'static Derived>), Diag> {
    let name_len = keyword
        .bytes
        .iter()
        .position(|b| matches!(b, b'(' | b','))
        .unwrap_or(keyword.bytes.len());
    let derived = derived::find(&keyword.bytes[..name_len]);
    let shown = keyword.shown();
    let text = match derived {
        Some(row) => [row.fetch.as_bytes(), &keyword.bytes[name_len..]].concat(),
        None => keyword.bytes.to_vec(),
    };
    let read = Expr::read_word(&text, keyword, reader);
    let refuse = |message: String, range: (usize, usize)| {
        let shift = |at: usize| match derived {
            Some(row) => (at + name_len).saturating_sub(row.fetch.len()),
            None => at,
        };
        Diag::alert(keyword.part(shift(range.0), shift(range.1)), message)
    };
    match read {
        Ok((expr, end)) if end == text.len() => Ok((expr, derived)),
        Ok((_, end)) => {
            let rest = String::from_utf8_lossy(&text[end..]).into_owned();
            Err(refuse(
                format!("unexpected '{rest}' in ACL expression '{shown}'."),
                (end, text.len()),
            ))
        }
        Err(refusal) if derived.is_some() => {
            let name = String::from_utf8_lossy(&keyword.bytes[..name_len]);
            let why = refusal
                .message
                .split_once(" : ")
                .filter(|(head, _)| head.starts_with("fetch method"))
                .map_or(refusal.message.as_str(), |(_, why)| why);
            let diag = refuse(format!("ACL keyword '{name}' : {why}."), refusal.range);
            Err(with_nearest(diag, refusal.nearest))
        }
        Err(refusal) => {
            let nearest = refusal.nearest.or_else(|| {
                let names = DERIVED.iter().map(|d| d.name).chain(fetch_names());
                suggest(&String::from_utf8_lossy(&keyword.bytes[..name_len]), names)
                    .filter(|_| !refusal.known)
            });
            let diag = refuse(
                format!("{} in ACL expression '{shown}'.", refusal.message),
                refusal.range,
            );
            Err(with_nearest(diag, nearest))
        }
    }
}

fn with_nearest(diag: Diag, nearest: Option<&str>) -> Diag {
    match nearest {
        Some(word) => diag.with_fix(format!("'{word}'")),
        None => diag,
    }
}

/// Takes the flags off the front of the words.
fn flags(words: &[Word]) -> Result<(Flags<'_>, &[Word]), Diag> {
    let mut flags = Flags::default();
    let mut rest = words;
    while let Some((word, tail)) = rest.split_first() {
        if !word.bytes.starts_with(b"-") || !is_flag(&word.bytes) {
            break;
        }
        flags.any = true;
        rest = tail;
        match word.str() {
            "-i" => flags.fold = true,
            // Names in patterns are not looked up, with or without it.
            "-n" => {}
            "-M" => flags.as_map = true,
            "--" => break,
            "-f" => {
                let empty = word;
                flags.files.push(rest.first().unwrap_or(empty));
                rest = rest.get(1..).unwrap_or_default();
            }
            "-u" => {
                let number = rest.first().filter(|w| w.str().parse::<u32>().is_ok());
                if number.is_none() {
                    return Err(Diag::alert(
                        word.span,
                        "the argument of -u must be an integer.",
                    ));
                }
                rest = &rest[1..];
            }
            "-m" => {
                let name = rest.first().map_or("", |w| w.str());
                let span = rest.first().map_or(word.span.after(), |w| w.span);
                let Some(method) = Match::named(name) else {
                    let diag = Diag::alert(
                        span,
                        format!("unknown matching method '{name}' when parsing ACL expression."),
                    );
                    let words = Match::WORDS.iter().map(|(w, _)| *w);
                    return Err(with_nearest(diag, suggest(name, words)));
                };
                flags.method = Some(method);
                rest = &rest[1..];
            }
            other => {
                return Err(Diag::alert(
                    word.span,
                    format!(
                        "'{other}' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'."
                    ),
                ));
            }
        }
    }
    Ok((flags, rest))
}

/// Whether a word that begins with a dash is an option rather than a negative number.
fn is_flag(word: &[u8]) -> bool {
    word.get(1).is_none_or(|b| !b.is_ascii_digit())
}

/// The way of matching: asked for, implied by the keyword, or fitting the kind.
fn method(
    expr: &Expr,
    derived: Option<&Derived>,
    flags: &Flags<'_>,
    keyword: &Word,
) -> Result<Match, Diag> {
    let method = flags
        .method
        .or_else(|| derived.map(|d| d.method))
        .or_else(|| Match::of_kind(expr.out()));
    let name = expr.fetch().name;
    let Some(method) = method else {
        return Err(Diag::alert(
            keyword.span,
            format!(
                "matching method must be specified first (using '-m') when using a sample fetch of this type ('{name}')."
            ),
        )
        .with_fix(format!("{} -m str …", keyword.shown())));
    };
    // A method is compared as such only when nothing turned it into text.
    let method = match method {
        Match::Method if expr.out() != Kind::Method => Match::Str,
        other => other,
    };
    if !expr.out().casts_to(method.wants()) {
        return Err(Diag::alert(
            keyword.span,
            format!(
                "matching method '{}' cannot be used with fetch keyword '{name}'.",
                method.word()
            ),
        ));
    }
    Ok(method)
}

/// The sets a criterion compares with: one of the words, one of each file.
fn views(
    criterion: &Criterion,
    flags: &Flags<'_>,
    patterns: &[Word],
    reader: Reader<'_>,
) -> Result<Vec<Arc<View>>, Diag> {
    let method = criterion.method;
    let fold = flags.fold && method.folds();
    let mut views = Vec::with_capacity(1 + flags.files.len());
    if !patterns.is_empty() || flags.files.is_empty() {
        let lines = lines(criterion, patterns)?;
        let display = format!("acl '{}'", criterion.keyword);
        let reference = reader.library.words(lines, &display);
        views.push(view(&reference, method, fold).map_err(|why| blame(patterns, criterion, &why))?);
    }
    let purpose = if flags.as_map {
        Purpose::Map
    } else {
        Purpose::Acl
    };
    for file in &flags.files {
        let name = match file.str() {
            "-f" => "",
            name => name,
        };
        let refuse = |why: String| Diag::alert(file.span, format!("{why}."));
        let display = format!("pattern loaded from file '{name}' used by acl");
        let reference = reader
            .library
            .file(name, purpose, &display)
            .map_err(refuse)?;
        views.push(view(&reference, method, fold).map_err(refuse)?);
    }
    Ok(views)
}

fn view(reference: &Arc<Reference>, method: Match, fold: bool) -> Result<Arc<View>, String> {
    View::new(reference, method, fold)
}

/// The words as lines of a list; operators are worked into the numbers after them.
fn lines(criterion: &Criterion, patterns: &[Word]) -> Result<Lines, Diag> {
    let mut lines = Lines::default();
    if !matches!(criterion.method, Match::Int | Match::Len) {
        for word in patterns {
            lines.push(&word.bytes, b"");
        }
        return Ok(lines);
    }
    let dotted = criterion.expr.fetch().name == "req.ssl_ver";
    let mut operator = Operator::Eq;
    let mut operated = false;
    for word in patterns {
        if let Some(next) = Operator::named(&word.bytes) {
            (operator, operated) = (next, true);
            continue;
        }
        let text = match dotted {
            true => undotted(&word.bytes),
            false => word.bytes.to_vec(),
        };
        let Some(range) = Range::parse(&text) else {
            let what = if operated {
                "neither a number nor a supported operator"
            } else {
                "not a number"
            };
            return Err(Diag::alert(
                word.span,
                format!("'{}' is {what}.", word.shown()),
            ));
        };
        let line = match operator {
            Operator::Eq => range.to_string(),
            other => other.of(range).to_string(),
        };
        lines.push(line.as_bytes(), b"");
    }
    Ok(lines)
}

/// Versions such as `3.1` as the numbers the fetch yields: major in the upper half.
fn undotted(text: &[u8]) -> Vec<u8> {
    let shown = String::from_utf8_lossy(text);
    let part = |part: &str| -> Option<String> {
        let (major, minor) = part.split_once('.').unwrap_or((part, "0"));
        let number = major.parse::<u32>().ok()? << 16 | minor.parse::<u32>().ok()?;
        Some(number.to_string())
    };
    let parts = shown.split([':', '-']).map(|p| match p {
        "" => Some(String::new()),
        p => part(p),
    });
    parts
        .collect::<Option<Vec<_>>>()
        .map_or_else(|| text.to_vec(), |parts| parts.join(":").into_bytes())
}

/// A refused pattern, with the word it is about.
fn blame(patterns: &[Word], criterion: &Criterion, why: &str) -> Diag {
    let quoted = |w: &&Word| why.contains(&format!("'{}'", w.shown()));
    let word = patterns.iter().find(quoted).or(patterns.first());
    let span = word.map_or(criterion.expr.span(), |w| w.span);
    Diag::alert(span, format!("{why}."))
}

fn no_pattern(keyword: &Word) -> Diag {
    let message = format!(
        "parsing acl keyword '{}' :\n  no pattern to match against were provided, so this ACL will never match.\n  If this is what you intended, please add '--' to get rid of this warning.\n  If you intended to match only for existence, please use '-m found'.\n  If you wanted to force an int to match as a bool, please use '-m bool'.\n",
        keyword.shown()
    );
    Diag::warning(keyword.span, message).with_shape(Shape::Plain)
}
